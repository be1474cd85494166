import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, ReplicaSet } from '../../api/index.ts';
import { plan } from '../../controllers/replicaset/plan.ts';
import type { Write } from '../../controllers/step.ts';
import { changeOf, goesFirst } from './replicaset.ts';
import { selects } from './selectors.ts';
import { type Choices, forEachCase } from './test-cases.ts';

const nowMs = Date.UTC(2026, 0, 2);
const ages = [0, 1, 5, 5, 60, 61, 100, 3600, 7200, 86_000];
const ago = (choices: Choices): string => new Date(nowMs - choices.one(ages) * 1000).toISOString();
const costs = [
  '0',
  '5',
  '-5',
  '100',
  '1e3',
  '0x10',
  '+7',
  '007',
  '3.5',
  ' 4',
  '99999999999',
  'Infinity',
  'much',
  '',
];

const owner = (uid: string) => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: uid,
  uid,
  controller: true,
});

/** `strays`: how often a pod is nobody's, or has other labels. While there is one, whose pods are whose comes first. */
function podOf(choices: Choices, name: string, strays: number): Pod {
  const phase = choices.one(['Running', 'Running', 'Running', 'Pending', 'Unknown', 'Succeeded', 'Failed']);
  const isReady = choices.chance(0.7);
  const owners = choices.chance(strays) ? [] : [owner(choices.chance(0.8) ? 'mine' : 'other')];
  return {
    metadata: {
      name,
      namespace: 'shop',
      // The order of names is not the order of rules.
      uid: `${choices.between(0, 999)}-${name}`,
      resourceVersion: '1',
      creationTimestamp: ago(choices),
      labels: { app: choices.chance(strays) ? 'db' : 'web' },
      ...choices.maybe(0.3, 'annotations', () => ({
        'controller.kubernetes.io/pod-deletion-cost': choices.one(costs),
      })),
      ...(owners.length > 0 ? { ownerReferences: owners } : {}),
      ...choices.maybe(0.1, 'deletionTimestamp', () => ago(choices)),
    },
    spec: { containers: [], ...choices.maybe(0.85, 'nodeName', () => choices.one(['a', 'b', 'c'])) },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: ago(choices) }],
      containerStatuses: choices.list(0, 2, () => ({
        name: 'c',
        image: 'i',
        imageID: 'i',
        ready: isReady,
        restartCount: choices.one([0, 0, 1, 7]),
      })),
    },
  };
}

const isActive = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined && status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
const ownerOf = ({ metadata }: Pod): string | undefined => metadata.ownerReferences?.[0]?.uid;

test('ReplicaSet plan() makes and gives up pods as the reference', (t) => {
  forEachCase(t, 2000, (choices) => {
    const selector = { matchLabels: { app: 'web' } };
    const replicaSet: ReplicaSet = {
      metadata: {
        name: 'mine',
        namespace: 'shop',
        uid: 'mine',
        ...choices.maybe(0.05, 'deletionTimestamp', () => ago(choices)),
      },
      spec: {
        replicas: choices.between(0, 12),
        selector,
        template: { metadata: { labels: { app: 'web' } } },
      },
    };
    const strays = choices.one([0, 0, 0, 0.1]);
    const all = choices.list(0, 20, (at) => podOf(choices, `p${at}`, strays));
    // What a controller is shown: its own, and strangers that nobody controls and that match.
    const fits = (pod: Pod): boolean => selects(selector, pod.metadata.labels ?? {});
    const pods = all.filter((pod) => ownerOf(pod) === 'mine' || (ownerOf(pod) === undefined && fits(pod)));
    const relatives = all.filter((pod) => ownerOf(pod) !== undefined && isActive(pod));
    const steps = plan({ replicaSet, pods, relatives: () => relatives }, { nowMs });
    const writes = steps.flatMap((step): readonly Write[] =>
      step.kind === 'together' ? step.writes : [step as Write],
    );
    const names = (kind: Write['kind']): string[] =>
      writes.flatMap((write) => (write.kind === kind && 'name' in write ? [write.name] : []));
    const told = JSON.stringify([replicaSet, pods]);

    const isGoing = replicaSet.metadata.deletionTimestamp !== undefined;
    const adopted = pods.filter(
      (pod) => ownerOf(pod) === undefined && pod.metadata.deletionTimestamp === undefined,
    );
    const released = pods.filter((pod) => ownerOf(pod) === 'mine' && !fits(pod));
    const claimed = isGoing ? [] : [...adopted, ...released];
    assert.deepEqual(names('patch').sort(), claimed.map(({ metadata }) => metadata.name).sort(), told);

    // After a change of whose pods are whose, the picture is old; numbers follow when it is new.
    const active = pods.filter((pod) => ownerOf(pod) === 'mine' && fits(pod) && isActive(pod));
    const isIdle = isGoing || claimed.length > 0;
    const expected = isIdle
      ? { create: 0, delete: 0 }
      : changeOf(replicaSet.spec?.replicas ?? 1, active.length);
    const created = writes.filter(({ kind }) => kind === 'create').length;
    const deleted = names('delete');
    assert.deepEqual({ create: created, delete: deleted.length }, expected, told);

    const isDeleted = ({ metadata }: Pod): boolean => deleted.includes(metadata.name ?? '');
    assert.equal(active.filter(isDeleted).length, deleted.length, 'only its own active pods go');
    const relativesOn = (node: string): number =>
      relatives.filter(({ spec }) => spec?.nodeName === node).length;
    for (const gone of active.filter(isDeleted))
      for (const kept of active.filter((pod) => !isDeleted(pod)))
        assert.ok(
          !goesFirst(kept, gone, { nowMs, relativesOn }),
          `kept ${JSON.stringify(kept)}, deleted ${JSON.stringify(gone)}`,
        );
  });
});
