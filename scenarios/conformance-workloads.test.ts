/**
 * What Kubernetes' conformance suite asks of workloads and of where they are put, with real containers: rolled out, rolled back, scaled,
 * failed, refused.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type {
  Container,
  DaemonSet,
  Deployment,
  KubeObject,
  Node,
  Pod,
  PodSpec,
  ReplicaSet,
  StatefulSet,
} from '../src/api/index.ts';
import type { ResourceRef, WatchEvent } from '../src/client/index.ts';
import { isError } from '../src/lib/index.ts';
import { eventually, freePort, whyNotReal } from './cloud-under-test.ts';
import {
  busybox,
  core,
  forever,
  isReady,
  netContainer,
  netProgram,
  netVolume,
  patienceMs,
  pods,
  RealCloud,
  ref,
  shellPod,
} from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const apps = (resource: string): ResourceRef => ref('apps', 'v1', resource);
const [deployments, replicaSets, statefulSets, daemonSets, revisions] = [
  apps('deployments'),
  apps('replicasets'),
  apps('statefulsets'),
  apps('daemonsets'),
  apps('controllerrevisions'),
];
const nodes = core('nodes', false);
const otherImage = `${busybox}:latest`;

let cloud: RealCloud;
before(async () => {
  if (skip === false) cloud = await RealCloud.start();
});
after(() => cloud?.remove());

const podsOf = async (namespace: string, labelSelector = 'app=web'): Promise<readonly Pod[]> => {
  const { items } = await cloud.client.list<Pod>(pods, { namespace, labelSelector });
  return [...items].sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
};
const alive = (all: readonly Pod[]): readonly Pod[] =>
  all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
const imagesOf = (all: readonly Pod[]): readonly string[] =>
  all.map(({ spec }) => spec?.containers[0]?.image ?? '');
const uidsOf = (all: readonly Pod[]): readonly string[] => all.map(({ metadata }) => metadata.uid ?? '');

/** Serves a page; ready while it is there: `mv` makes it unready and ready again. */
const web = (changes: Partial<Container> = {}): Container => ({
  name: 'web',
  image: busybox,
  command: ['sh', '-c', `mkdir /www; echo ok > /www/index.html; httpd -p 80 -h /www; ${forever}`],
  readinessProbe: { httpGet: { path: '/index.html', port: 80 }, periodSeconds: 1, failureThreshold: 1 },
  ...changes,
});
const breakPod = (namespace: string, name: string) =>
  cloud.exec(namespace, name, 'mv /www/index.html /tmp/', 'web');
const mendPod = (namespace: string, name: string) =>
  cloud.exec(namespace, name, 'mv /tmp/index.html /www/', 'web');

const template = (spec: Partial<PodSpec> = {}) => ({
  metadata: { labels: { app: 'web' } },
  spec: { terminationGracePeriodSeconds: 1, containers: [web()], ...spec },
});
const selector = { matchLabels: { app: 'web' } };

async function holds<T>(what: string, ask: () => Promise<T>, is: (found: T) => boolean): Promise<T> {
  let last: T | undefined;
  try {
    return await eventually(what, patienceMs, async () => {
      last = await ask();
      return is(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`${String(error)}\n${JSON.stringify(last, undefined, 1)}`, { cause: error });
  }
}

/** Stays so for a while. */
async function stays(what: string, is: () => Promise<boolean>, ms = 3000): Promise<void> {
  for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
    assert.ok(await is(), what);
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** Changes an object, again when another write came between. */
function change<T extends KubeObject>(
  of: ResourceRef,
  namespace: string,
  name: string,
  patch: object,
): Promise<T> {
  return cloud.client.patch<T>(of, namespace, name, 'strategic', patch);
}
const setImage = (of: ResourceRef, namespace: string, image: string) =>
  change(of, namespace, 'web', { spec: { template: { spec: { containers: [{ name: 'web', image }] } } } });

describe('side by side', { skip, concurrency: 4 }, () => {
  // conformance: [sig-apps] Deployment deployment should support rollover
  test('a Deployment rolls over: from pods of another, past a template that never works', async () => {
    const namespace = await cloud.namespace();
    const labels = { name: 'rollover-pod' };
    const meta = { metadata: { labels } };
    const old = await cloud.create<ReplicaSet>(replicaSets, namespace, {
      metadata: { name: 'test-rollover-controller', labels },
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { ...template(), ...meta } },
    } as never);
    await holds(
      'its pod is ready',
      () => podsOf(namespace, 'name=rollover-pod'),
      (all) => all.some(isReady),
    );
    const broken = template({
      containers: [web({ image: 'example.com/no/such-image:1', imagePullPolicy: 'Never' })],
    });
    await cloud.create<Deployment>(deployments, namespace, {
      metadata: { name: 'web' },
      spec: {
        replicas: 1,
        minReadySeconds: 2,
        selector: { matchLabels: labels },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: { ...broken, ...meta },
      },
    } as never);
    const read = (): Promise<Deployment> => cloud.client.get<Deployment>(deployments, namespace, 'web');
    const revision = ({ metadata }: Deployment): string | undefined =>
      metadata.annotations?.['deployment.kubernetes.io/revision'];
    await holds('it has taken over', read, (found) => revision(found) === '1');
    await setImage(deployments, namespace, otherImage);
    await holds('it has begun anew', read, (found) => revision(found) === '2');
    const done = await holds(
      'it is complete',
      read,
      ({ metadata, status }) =>
        status?.observedGeneration === metadata.generation &&
        status?.updatedReplicas === 1 &&
        status.replicas === 1 &&
        status.availableReplicas === 1,
    );
    assert.equal(done.status?.unavailableReplicas ?? 0, 0);
    const { items } = await cloud.client.list<ReplicaSet>(replicaSets, { namespace });
    assert.equal(items.length, 3);
    for (const { spec, metadata } of items)
      assert.equal(
        spec?.replicas,
        spec?.template?.spec?.containers[0]?.image === otherImage ? 1 : 0,
        metadata.name ?? '',
      );
    assert.ok(items.some(({ metadata }) => metadata.uid === old.metadata.uid));
    assert.deepEqual(imagesOf(alive(await podsOf(namespace, 'name=rollover-pod'))), [otherImage]);
  });

  // conformance: [sig-apps] Deployment should validate Deployment Status endpoints
  // conformance: [sig-apps] ReplicaSet should validate Replicaset Status endpoints
  for (const kind of [deployments, replicaSets])
    test(`the status of ${kind.resource} is read, updated and patched, with pods that run`, async () => {
      const namespace = await cloud.namespace();
      const spec = { replicas: 1, selector, template: template() };
      await cloud.create(kind, namespace, {
        metadata: { name: 'web', labels: { e2e: 'testing' } },
        spec,
      } as never);
      type Statuses = Deployment & ReplicaSet;
      const read = (): Promise<Statuses> => cloud.client.get<Statuses>(kind, namespace, 'web');
      await holds('its pod is ready', read, ({ status }) => status?.readyReplicas === 1);
      const conditions = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a test' };
      const to = { subresource: 'status' };
      const updated = await eventually('it is updated', patienceMs, async () => {
        const found = await read();
        const status = { ...found.status, conditions: [...(found.status?.conditions ?? []), conditions] };
        try {
          return await cloud.client.update(kind, { ...found, status } as never, to);
        } catch (error) {
          if (isError(error, 'conflict')) return undefined;
          throw error;
        }
      });
      const typesOf = (found: unknown): readonly string[] =>
        (found as Statuses).status?.conditions?.map(({ type }) => type) ?? [];
      assert.ok(typesOf(updated).includes('StatusUpdate'));
      const patch = { status: { conditions: [{ type: 'StatusPatched', status: 'True' }] } };
      const patched = await cloud.client.patch(kind, namespace, 'web', 'merge', patch, to);
      assert.ok(typesOf(patched).includes('StatusPatched'));
      const { status: code, text } = await cloud.ask(
        'GET',
        `/apis/apps/v1/namespaces/${namespace}/${kind.resource}/web/status`,
      );
      assert.equal(code, 200);
      assert.ok(typesOf(JSON.parse(text)).includes('StatusPatched'));
    });

  // conformance, partly (a local image, no public one): [sig-apps] ReplicaSet should serve a basic image on each replica with a public image
  // conformance, partly (a local image, no public one): [sig-apps] ReplicationController should serve a basic image on each replica with a public image
  for (const kind of [replicaSets, core('replicationcontrollers')])
    test(`each pod of ${kind.resource} serves`, async () => {
      const namespace = await cloud.namespace();
      await cloud.create(core('configmaps'), namespace, netProgram);
      const containers = [{ ...netContainer('web', 'http=9376'), ports: [{ containerPort: 9376 }] }];
      const spec = {
        replicas: 2,
        selector: kind === replicaSets ? selector : selector.matchLabels,
        template: template({ containers, volumes: [netVolume] }),
      };
      await cloud.create(kind, namespace, { metadata: { name: 'web' }, spec } as never);
      const all = await holds(
        'two run',
        () => podsOf(namespace),
        (found) => found.length === 2 && found.every(isReady),
      );
      for (const { metadata } of all)
        await eventually(`${metadata.name} answers`, patienceMs, async () => {
          const path = `/api/v1/namespaces/${namespace}/pods/${metadata.name}/proxy/hostname`;
          return (await cloud.ask('GET', path)).text === metadata.name ? true : undefined;
        });
    });

  describe('StatefulSets', { concurrency: 4 }, () => {
    async function make(spec: object, pod: Partial<PodSpec> = {}): Promise<string> {
      const namespace = await cloud.namespace();
      await cloud.create(core('services'), namespace, {
        metadata: { name: 'test' },
        spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80, name: 'http' }] },
      } as never);
      await cloud.create<StatefulSet>(statefulSets, namespace, {
        metadata: { name: 'web' },
        spec: { serviceName: 'test', selector, template: template(pod), ...spec },
      } as never);
      return namespace;
    }
    const read = (namespace: string): Promise<StatefulSet> =>
      cloud.client.get<StatefulSet>(statefulSets, namespace, 'web');
    const ready = (namespace: string, count: number) =>
      holds(
        `${count} pods are ready`,
        () => podsOf(namespace),
        (all) => all.filter(isReady).length === count && all.length === count,
      );
    const scale = (namespace: string, replicas: number) =>
      change(statefulSets, namespace, 'web', { spec: { replicas } });
    /** Names in the order in which pods came and went. */
    function order(namespace: string) {
      const seen: WatchEvent<Pod>[] = [];
      const watching = cloud.client.watch<Pod>(
        pods,
        { namespace, labelSelector: 'app=web', resourceVersion: '0' },
        { onEvent: (event) => void seen.push(event), onEnd: () => undefined },
      );
      const told = (type: string): readonly string[] =>
        seen.flatMap((one) =>
          one.type === type && one.type !== 'BOOKMARK' ? [one.object.metadata.name ?? ''] : [],
        );
      return { told, stop: () => watching.cancel() };
    }

    // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Scaling should happen in predictable order and halt if any stateful pod is unhealthy [Slow]
    test('scales in order, and not past a pod that is unwell', async () => {
      const namespace = await make({ replicas: 1 });
      await ready(namespace, 1);
      const { told, stop } = order(namespace);
      await breakPod(namespace, 'web-0');
      await holds(
        'web-0 is unwell',
        () => podsOf(namespace),
        ([first]) => first !== undefined && !isReady(first),
      );
      await scale(namespace, 3);
      await stays('nothing comes', async () => (await podsOf(namespace)).length === 1);
      await mendPod(namespace, 'web-0');
      await ready(namespace, 3);
      assert.deepEqual(told('ADDED'), ['web-0', 'web-1', 'web-2']);
      const all = ['web-0', 'web-1', 'web-2'];
      for (const name of all) await breakPod(namespace, name);
      await holds(
        'all are unwell',
        () => podsOf(namespace),
        (found) => !found.some(isReady),
      );
      await scale(namespace, 0);
      await stays('nobody goes', async () => (await podsOf(namespace)).length === 3);
      for (const name of all) await mendPod(namespace, name).catch(() => undefined);
      await holds(
        'all are gone',
        () => podsOf(namespace),
        (all) => all.length === 0,
      );
      await holds(
        'their ends are told',
        async () => told('DELETED'),
        (names) => names.length === 3,
      );
      stop();
      assert.deepEqual(told('DELETED'), ['web-2', 'web-1', 'web-0']);
    });

    // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Burst scaling should run to completion even with unhealthy pods [Slow]
    test('scales at once where it may, whoever is unwell', async () => {
      const namespace = await make({ replicas: 1, podManagementPolicy: 'Parallel' });
      await ready(namespace, 1);
      await breakPod(namespace, 'web-0');
      await holds(
        'web-0 is unwell',
        () => podsOf(namespace),
        ([first]) => first !== undefined && !isReady(first),
      );
      await scale(namespace, 3);
      await holds(
        'all are there',
        () => podsOf(namespace),
        (all) => all.length === 3 && all.filter(isReady).length === 2,
      );
      await mendPod(namespace, 'web-0');
      await ready(namespace, 3);
      await breakPod(namespace, 'web-1');
      await holds(
        'web-1 is unwell',
        () => podsOf(namespace),
        (all) => all.filter(isReady).length === 2,
      );
      await scale(namespace, 0);
      await holds(
        'all are gone',
        () => podsOf(namespace),
        (all) => all.length === 0,
      );
      assert.equal((await read(namespace)).spec?.replicas, 0);
    });

    // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform rolling updates and roll backs of template modifications
    test('rolls out from the last to the first, waits for who is unwell, and goes back', async () => {
      const namespace = await make({ replicas: 3 });
      await ready(namespace, 3);
      const before = await read(namespace);
      const first = before.status?.currentRevision;
      assert.equal(before.status?.updateRevision, first);
      const { told, stop } = order(namespace);
      await breakPod(namespace, 'web-1');
      await holds(
        'web-1 is unwell',
        () => podsOf(namespace),
        (all) => all.filter(isReady).length === 2,
      );
      await setImage(statefulSets, namespace, otherImage);
      const revised = await holds(
        'it has another revision',
        () => read(namespace),
        ({ status }) => status?.updateRevision !== first,
      );
      assert.equal(revised.status?.currentRevision, first);
      await stays('nobody is changed', async () =>
        imagesOf(await podsOf(namespace)).every((one) => one === busybox),
      );
      await mendPod(namespace, 'web-1');
      const second = revised.status?.updateRevision;
      await holds(
        'all are new',
        () => podsOf(namespace),
        (all) =>
          all.length === 3 && all.every(isReady) && imagesOf(all).every((image) => image === otherImage),
      );
      assert.deepEqual(told('DELETED'), ['web-2', 'web-1', 'web-0']);
      await holds(
        'it is done',
        () => read(namespace),
        ({ status }) => status?.currentRevision === second,
      );
      await setImage(statefulSets, namespace, busybox);
      await holds(
        'it goes back',
        () => read(namespace),
        ({ status }) => status?.updateRevision === first,
      );
      await holds(
        'all are old',
        () => podsOf(namespace),
        (all) => all.length === 3 && all.every(isReady) && imagesOf(all).every((image) => image === busybox),
      );
      stop();
      const done = await holds(
        'it is done',
        () => read(namespace),
        ({ status }) => status?.currentRevision === first,
      );
      assert.equal(done.status?.updateRevision, first);
      assert.equal((await cloud.client.list(revisions, { namespace })).items.length, 2);
    });

    // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should perform canary updates and phased rolling updates of template modifications
    test('rolls out down to its partition, step by step, whatever is deleted meanwhile', async () => {
      const partition = (from: number) => ({
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: from } },
      });
      const namespace = await make({ replicas: 3, ...partition(3) });
      await ready(namespace, 3);
      const first = (await read(namespace)).status?.currentRevision;
      await setImage(statefulSets, namespace, otherImage);
      await holds(
        'it has another revision',
        () => read(namespace),
        ({ status }) => status?.updateRevision !== first,
      );
      await stays(
        'nobody is changed',
        async () => imagesOf(await podsOf(namespace)).every((one) => one === busybox),
        2000,
      );
      const images = async (...wanted: readonly string[]) =>
        holds(
          `images are ${wanted.join(' ')}`,
          () => podsOf(namespace),
          (all) => all.length === 3 && all.every(isReady) && imagesOf(all).join() === wanted.join(),
        );
      await change(statefulSets, namespace, 'web', { spec: partition(2) });
      await images(busybox, busybox, otherImage);
      for (const name of ['web-2', 'web-0']) {
        const [uid] = uidsOf((await podsOf(namespace)).filter(({ metadata }) => metadata.name === name));
        await cloud.client.delete(pods, namespace, name);
        await holds(
          `${name} is made anew`,
          () => podsOf(namespace),
          (all) => all.some(({ metadata }) => metadata.name === name && metadata.uid !== uid),
        );
      }
      await images(busybox, busybox, otherImage);
      await change(statefulSets, namespace, 'web', { spec: partition(1) });
      await images(busybox, otherImage, otherImage);
      await change(statefulSets, namespace, 'web', { spec: partition(0) });
      await images(otherImage, otherImage, otherImage);
      await holds(
        'it is done',
        () => read(namespace),
        ({ status }) => status?.currentRevision === status?.updateRevision,
      );
    });

    // conformance: [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] Should recreate evicted statefulset
    test('makes pods anew that the node refuses, until it takes them', async () => {
      const nodeName = await cloud.nodeName();
      const hostPort = await freePort();
      const ports = [{ containerPort: hostPort, hostPort, name: 'conflict' }];
      const namespace = await make({ replicas: 0 }, { nodeName, containers: [web({ ports })] });
      await cloud.create(
        pods,
        namespace,
        shellPod('blocks', forever, { container: { ports }, spec: { nodeName } }),
      );
      await cloud.ready(namespace, 'blocks');
      const seen = new Set<string>();
      const watching = cloud.client.watch<Pod>(
        pods,
        { namespace, fieldSelector: 'metadata.name=web-0', resourceVersion: '0' },
        {
          onEvent: (event) => {
            if (event.type === 'BOOKMARK') return;
            const { status, metadata } = event.object;
            if (event.type === 'DELETED') seen.add(`gone ${metadata.uid}`);
            if (status?.phase === 'Failed') seen.add(`failed: ${status.reason}`);
          },
          onEnd: () => undefined,
        },
      );
      await scale(namespace, 1);
      await holds(
        'it is refused and made anew',
        async () => [...seen],
        (all) => all.includes('failed: NodePorts') && all.some((one) => one.startsWith('gone')),
      );
      await cloud.client.delete(pods, namespace, 'blocks');
      await ready(namespace, 1);
      watching.cancel();
    });
  });
});

/** They are of the node: one after the other. */
describe('one after the other', { skip }, () => {
  const pause = {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'web', image: busybox, command: ['sh', '-c', forever] }],
  };
  async function daemons(namespace: string, spec: object = {}, pod: object = {}): Promise<void> {
    await cloud.create<DaemonSet>(daemonSets, namespace, {
      metadata: { name: 'web' },
      spec: {
        selector,
        template: { metadata: { labels: { app: 'web' } }, spec: { ...pause, ...pod } },
        ...spec,
      },
    } as never);
  }
  const running = (namespace: string, count = 1) =>
    holds(
      `${count} run`,
      async () => alive(await podsOf(namespace)),
      (all) => all.length === count && all.every(isReady),
    );
  const label = async (labels: Readonly<Record<string, string | null>>): Promise<void> => {
    await cloud.client.patch<Node>(nodes, undefined, await cloud.nodeName(), 'merge', {
      metadata: { labels },
    });
  };

  // conformance: [sig-apps] Daemon set [Serial] should run and stop simple daemon
  // conformance: [sig-apps] Daemon set [Serial] should retry creating failed daemon pods
  test('a daemon runs on each node; deleted or failed, it is made anew', async () => {
    const namespace = await cloud.namespace();
    await daemons(namespace);
    const [first] = await running(namespace);
    await cloud.client.delete(pods, namespace, first?.metadata.name ?? '');
    const [second] = await holds(
      'another runs',
      async () => alive(await podsOf(namespace)),
      (all) => all.length === 1 && all.every(isReady) && all[0]?.metadata.uid !== first?.metadata.uid,
    );
    await cloud.client.patch(
      pods,
      namespace,
      second?.metadata.name ?? '',
      'merge',
      { status: { phase: 'Failed' } },
      { subresource: 'status' },
    );
    await holds(
      'a third runs',
      async () => alive(await podsOf(namespace)),
      (all) => all.length === 1 && all.every(isReady) && all[0]?.metadata.uid !== second?.metadata.uid,
    );
    await cloud.gone(pods, namespace, second?.metadata.name ?? '');
    await cloud.client.delete(daemonSets, namespace, 'web');
    await holds(
      'none',
      () => podsOf(namespace),
      (all) => all.length === 0,
    );
  });

  // conformance: [sig-apps] Daemon set [Serial] should run and stop complex daemon
  test('a daemon follows the labels of nodes', async () => {
    const namespace = await cloud.namespace();
    await daemons(namespace, {}, { nodeSelector: { 'daemonset-color': 'blue' } });
    await stays('nobody runs', async () => (await podsOf(namespace)).length === 0, 1500);
    await label({ 'daemonset-color': 'blue' });
    await running(namespace);
    await label({ 'daemonset-color': 'green' });
    await holds(
      'none',
      () => podsOf(namespace),
      (all) => all.length === 0,
    );
    await change(daemonSets, namespace, 'web', {
      spec: {
        updateStrategy: { type: 'RollingUpdate' },
        template: { spec: { nodeSelector: { 'daemonset-color': 'green' } } },
      },
    });
    await running(namespace);
    await label({ 'daemonset-color': null });
    await holds(
      'none',
      () => podsOf(namespace),
      (all) => all.length === 0,
    );
  });

  // conformance: [sig-apps] Daemon set [Serial] should update pod when spec was updated and update strategy is RollingUpdate
  // conformance, partly (asks for two machines): [sig-apps] Daemon set [Serial] should rollback without unnecessary restarts
  test('a daemon is rolled out and back', async () => {
    const namespace = await cloud.namespace();
    await daemons(namespace, { updateStrategy: { type: 'RollingUpdate' } });
    const [first] = await running(namespace);
    const hash = (pod: Pod | undefined): string | undefined =>
      pod?.metadata.labels?.['controller-revision-hash'];
    await setImage(daemonSets, namespace, otherImage);
    const [second] = await holds(
      'it is rolled out',
      async () => alive(await podsOf(namespace)),
      (all) => all.length === 1 && all.every(isReady) && imagesOf(all)[0] === otherImage,
    );
    assert.notEqual(hash(second), hash(first));
    assert.equal((await cloud.client.list(revisions, { namespace })).items.length, 2);
    await setImage(daemonSets, namespace, 'foo:non-existent');
    await holds(
      'it is stuck',
      async () => alive(await podsOf(namespace)),
      (all) => all.length === 1 && imagesOf(all)[0] === 'foo:non-existent',
    );
    await setImage(daemonSets, namespace, otherImage);
    const [back] = await holds(
      'it is back',
      async () => alive(await podsOf(namespace)),
      (all) => all.length === 1 && all.every(isReady) && imagesOf(all)[0] === otherImage,
    );
    assert.equal(hash(back), hash(second));
    assert.equal(back?.status?.containerStatuses?.[0]?.restartCount, 0);
    await cloud.client.delete(daemonSets, namespace, 'web');
  });

  const unschedulable = (namespace: string, name: string, message: RegExp) =>
    cloud.until(namespace, name, 'cannot be placed', ({ status, spec }) => {
      const condition = status?.conditions?.find(({ type }) => type === 'PodScheduled');
      return (
        spec?.nodeName === undefined &&
        condition?.reason === 'Unschedulable' &&
        message.test(condition.message ?? '')
      );
    });

  // conformance: [sig-scheduling] SchedulerPredicates [Serial] validates resource limits of pods that are allowed to run
  test('what is full takes no more', async () => {
    const namespace = await cloud.namespace();
    const { items } = await cloud.client.list<Node>(nodes);
    const cpu = String(items[0]?.status?.allocatable?.['cpu']);
    const milli = cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000;
    const asking = (share: number) => ({
      resources: {
        requests: { cpu: `${Math.floor(milli * share)}m` },
        limits: { cpu: `${Math.floor(milli * share)}m` },
      },
    });
    await cloud.create(pods, namespace, shellPod('filler', forever, { container: asking(0.7) }));
    await cloud.ready(namespace, 'filler');
    await cloud.create(pods, namespace, shellPod('additional', forever, { container: asking(0.5) }));
    await unschedulable(namespace, 'additional', /^0\/1 nodes are available: 1 Insufficient cpu\./);
    await cloud.client.delete(pods, namespace, 'filler');
    await cloud.ready(namespace, 'additional');
    await cloud.client.delete(pods, namespace, 'additional');
  });

  // conformance: [sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if not matching
  // conformance: [sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if matching
  test('a pod waits for the node that it asks for', async () => {
    const namespace = await cloud.namespace();
    const nodeSelector = { 'kubernetes.io/e2e-label': '42' };
    await cloud.create(pods, namespace, shellPod('restricted', forever, { spec: { nodeSelector } }));
    await unschedulable(
      namespace,
      'restricted',
      /^0\/1 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector\./,
    );
    await label(nodeSelector);
    const { spec } = await cloud.ready(namespace, 'restricted');
    assert.equal(spec?.nodeName, await cloud.nodeName());
    await label({ 'kubernetes.io/e2e-label': null });
  });

  // conformance: [sig-scheduling] SchedulerPredicates [Serial] validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP
  test('a port at all addresses is a port at each', async () => {
    const namespace = await cloud.namespace();
    const hostPort = await freePort();
    const node = await cloud.nodeAddress();
    const withPort = (name: string, hostIP: string): Pod =>
      shellPod(name, forever, {
        container: { ports: [{ hostPort, containerPort: hostPort, protocol: 'TCP', hostIP }] },
      });
    await cloud.create(pods, namespace, withPort('pod4', '0.0.0.0'));
    await cloud.ready(namespace, 'pod4');
    await cloud.create(pods, namespace, withPort('pod5', node));
    await unschedulable(
      namespace,
      'pod5',
      /^0\/1 nodes are available: 1 node\(s\) didn't have free ports for the requested pod ports\./,
    );
    await cloud.client.delete(pods, namespace, 'pod4');
    await cloud.ready(namespace, 'pod5');
  });
});
