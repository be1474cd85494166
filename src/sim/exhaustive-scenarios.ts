/** Small worlds, one entry each: three or four processes, what is there at first, what a user does then, and what must hold. */
import { startHollowNodes } from '../agent/index.ts';
import {
  builtinKinds,
  type Deployment,
  deployments,
  type KindRegistry,
  type KubeObject,
  pods,
  type ReplicaSet,
  replicaSets,
  type Service,
  services,
} from '../api/index.ts';
import type { Client, ResourceRef } from '../client/index.ts';
import {
  deploymentController,
  endpointSliceController,
  endpointsController,
  garbageController,
  replicaSetController,
  startController,
} from '../controllers/index.ts';
import { startScheduler } from '../scheduler/index.ts';
import type { Program } from './exhaustive-world.ts';

export interface UserAction {
  readonly what: string;
  run(client: Client): Promise<unknown>;
}

export interface Scenario {
  readonly name: string;
  readonly sentence: string;
  readonly processes: ReadonlyMap<string, Program>;
  /** Nodes that register. */
  readonly nodes: number;
  /** Done before, one after the other, each from rest to rest. */
  readonly setup: readonly UserAction[];
  /** Everything from here on is explored. */
  readonly script: readonly UserAction[];
  /** Names of properties. Goals of parts that are not there would never be reached. */
  readonly properties: readonly string[];
}

const home = 'default';

const deployment: Program = (parts) => startController(deploymentController(parts.informers), parts);
const replicaset: Program = (parts) => startController(replicaSetController(parts.informers), parts);
const endpoints: Program = (parts) => {
  startController(endpointsController(parts.informers), parts);
  startController(endpointSliceController(parts.informers), parts);
};
const scheduler: Program = (parts) => startScheduler(parts);
const node =
  (cpuCount: number): Program =>
  (parts) =>
    startHollowNodes({ ...parts, count: 1, namePrefix: 'node', cpuCount, memoryBytes: 2 ** 30 });

/** The collector follows every kind; here, those that there are. */
const followed = new Set(['pods', 'replicasets', 'deployments', 'services', 'endpointslices']);
const fewKinds: KindRegistry = {
  kinds: builtinKinds.kinds.filter(({ resource }) => followed.has(resource)),
  byKind: (...names) => builtinKinds.byKind(...names),
  byResource: (...names) => builtinKinds.byResource(...names),
};
const garbage: Program = (parts) =>
  startController(garbageController(parts.informers, parts.client, fewKinds), parts);

interface TemplateOptions {
  readonly cpu?: string;
  /** Left to the scheduler. */
  readonly unplaced?: boolean;
}

const template = (image: string, { cpu = '10m', unplaced = false }: TemplateOptions) => ({
  metadata: { labels: { app: 'web' } },
  spec: {
    automountServiceAccountToken: false,
    ...(unplaced ? {} : { nodeName: 'node-0' }),
    containers: [{ name: 'main', image, resources: { requests: { cpu } } }],
  },
});

const create = (what: string, ref: ResourceRef, object: object): UserAction => ({
  what: `creates ${what}`,
  run: (client) => client.create(ref, object as KubeObject),
});
const merge = (what: string, ref: ResourceRef, patch: unknown): UserAction => ({
  what,
  run: (client) => client.patch(ref, home, 'web', 'merge', patch),
});

const aDeployment = (replicas: number, strategy: object, options: TemplateOptions = {}): UserAction => {
  const object: Deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: home },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy,
      template: template('image:0', options),
    },
  };
  return create(`a Deployment of ${replicas}`, deployments, object);
};
const aReplicaSet = (replicas: number, options: TemplateOptions = {}): UserAction => {
  const object: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'web', namespace: home },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: template('image:0', options),
    },
  };
  return create(`a ReplicaSet of ${replicas}`, replicaSets, object);
};
const aService: UserAction = create('a Service', services, {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: home },
  spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] },
} as Service);
const roll = (image: number): UserAction => ({
  what: `rolls to image:${image}`,
  run: (client) =>
    client.patch(deployments, home, 'web', 'strategic', {
      spec: { template: { spec: { containers: [{ name: 'main', image: `image:${image}` }] } } },
    }),
});
const scale = (ref: ResourceRef, replicas: number): UserAction =>
  merge(`scales to ${replicas}`, ref, { spec: { replicas } });
const remove = (ref: ResourceRef, how: 'Background' | 'Foreground' | 'Orphan'): UserAction => ({
  what: `deletes it (${how})`,
  run: (client) => client.delete(ref, home, 'web', { propagationPolicy: how }),
});
const removePod: UserAction = {
  what: 'deletes a pod',
  async run(client) {
    const [first] = (await client.list(pods, { namespace: home })).items;
    if (first !== undefined) await client.delete(pods, home, first.metadata.name ?? '');
  },
};

const gently = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
const sparingly = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };
const atOnce = { type: 'Recreate' };

const always = [
  'store/objects-are-not-changed',
  'api/metadata',
  'workload/no-overshoot',
  'workload/replicasets-reached',
  'node/pods-run',
  'endpoints/unique-addresses',
  'garbage/nothing-else-goes',
  'garbage/orphans-stay',
  'garbage/orphans-kept',
  'garbage/foreground-last',
  'rest/nothing-written',
];
const ofDeployments = [
  ...always,
  'workload/surge',
  'workload/unavailable',
  'workload/deployments-reached',
  'workload/recreate-apart',
  'workload/history-short',
];
const trio = new Map([
  ['deployment', deployment],
  ['replicaset', replicaset],
  ['node-0', node(4)],
]);

export const scenarios: readonly Scenario[] = [
  {
    name: 'rollout',
    sentence: 'A Deployment is made, and rolled to another image while its first pods are still being made.',
    processes: trio,
    nodes: 1,
    setup: [],
    script: [aDeployment(2, gently), roll(1)],
    properties: ofDeployments,
  },
  {
    name: 'rescale',
    sentence: 'A Deployment that runs is rolled and made smaller, with no surge allowed.',
    processes: trio,
    nodes: 1,
    setup: [aDeployment(2, sparingly)],
    script: [roll(1), scale(deployments, 1)],
    properties: ofDeployments,
  },
  {
    name: 'back',
    sentence: 'A Deployment is rolled forward and back again.',
    processes: trio,
    nodes: 1,
    setup: [aDeployment(1, gently)],
    script: [roll(1), roll(0)],
    properties: ofDeployments,
  },
  {
    name: 'recreate',
    sentence: 'A Deployment whose old pods must have ended before new ones begin is rolled.',
    processes: trio,
    nodes: 1,
    setup: [aDeployment(2, atOnce)],
    script: [roll(1)],
    properties: ofDeployments,
  },
  {
    name: 'endpoints',
    sentence: 'Pods behind a Service come, go, and are replaced.',
    processes: new Map([
      ['replicaset', replicaset],
      ['endpoints', endpoints],
      ['node-0', node(4)],
    ]),
    nodes: 1,
    setup: [aService],
    script: [aReplicaSet(2), removePod, scale(replicaSets, 1)],
    properties: [...always, 'endpoints/only-ready', 'endpoints/of-the-living'],
  },
  {
    name: 'newborn',
    sentence: 'A ReplicaSet is made, of which the garbage collector may hear after its pods.',
    processes: new Map([
      ['replicaset', replicaset],
      ['garbage', garbage],
      ['node-0', node(4)],
    ]),
    nodes: 1,
    setup: [],
    script: [aReplicaSet(2)],
    properties: [...always, 'garbage/orphans-go'],
  },
  {
    name: 'garbage',
    sentence: 'A ReplicaSet is made larger, deleted with its pods, and made again under the same name.',
    processes: new Map([
      ['replicaset', replicaset],
      ['garbage', garbage],
      ['node-0', node(4)],
    ]),
    nodes: 1,
    setup: [aReplicaSet(1)],
    script: [scale(replicaSets, 2), remove(replicaSets, 'Background'), aReplicaSet(1)],
    properties: [...always, 'garbage/orphans-go'],
  },
  {
    name: 'foreground',
    sentence: 'A Deployment is deleted after its ReplicaSet, and that after its pods.',
    processes: new Map([...trio, ['garbage', garbage]]),
    nodes: 1,
    setup: [aDeployment(1, gently)],
    script: [scale(deployments, 2), remove(deployments, 'Foreground')],
    properties: [...ofDeployments, 'garbage/orphans-go'],
  },
  {
    name: 'adoption',
    sentence: 'A ReplicaSet is deleted without its pods, and another adopts them.',
    processes: new Map([
      ['replicaset', replicaset],
      ['garbage', garbage],
      ['node-0', node(4)],
    ]),
    nodes: 1,
    setup: [aReplicaSet(2)],
    script: [remove(replicaSets, 'Orphan'), aReplicaSet(2)],
    properties: [...always, 'garbage/orphans-go'],
  },
  {
    name: 'placement',
    sentence: 'Pods are placed on a node with room for two; one is deleted, and there are to be fewer.',
    processes: new Map([
      ['replicaset', replicaset],
      ['scheduler', scheduler],
      ['node-0', node(2)],
    ]),
    nodes: 1,
    setup: [],
    script: [aReplicaSet(2, { cpu: '900m', unplaced: true }), removePod, scale(replicaSets, 1)],
    properties: [
      ...always,
      'scheduler/no-overcommit',
      'scheduler/bound-once',
      'scheduler/rules-kept',
      'scheduler/none-left-waiting',
    ],
  },
];
