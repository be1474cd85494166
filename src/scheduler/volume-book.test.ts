import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../api/index.ts';
import { plan, type Step, waitMessage } from './plan.ts';
import { Snapshot } from './snapshot.ts';
import { volumeRefusals } from './volume-book.ts';

const node = (name: string, labels: object = {}, storage = '100Gi'): Node =>
  ({
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': storage } },
  }) as Node;

const claim = (
  name: string,
  spec: object = {},
  annotations: Record<string, string> = {},
): PersistentVolumeClaim =>
  ({
    metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion: '5', annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'later',
      ...spec,
    },
    status: { phase: 'Pending' },
  }) as PersistentVolumeClaim;

const bound = (name: string, volumeName: string, spec: object = {}): PersistentVolumeClaim => ({
  ...claim(name, { volumeName, ...spec }, { 'pv.kubernetes.io/bind-completed': 'yes' }),
  status: { phase: 'Bound' },
});

const volume = (
  name: string,
  on: string | undefined,
  spec: object = {},
  labels: object = {},
): PersistentVolume =>
  ({
    metadata: { name, labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: '1Gi' },
      storageClassName: 'later',
      ...(on === undefined
        ? {}
        : {
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [
                  { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [on] }] },
                ],
              },
            },
          }),
      ...spec,
    },
    status: { phase: 'Available' },
  }) as PersistentVolume;

const later = (provisioner: string, more: object = {}): StorageClass =>
  ({
    metadata: { name: 'later' },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
    ...more,
  }) as StorageClass;

const pod = (name: string, ...claims: readonly string[]) => ({
  key: `default/${name}`,
  pod: {
    metadata: { name, namespace: 'default', uid: `pod-${name}` },
    spec: {
      containers: [{ name: 'c' }],
      volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
    },
  } as Pod,
});

interface Setting {
  readonly nodes?: readonly Node[];
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly volumes?: readonly PersistentVolume[];
  readonly storageClass?: StorageClass;
}

function snapshotOf({ nodes, claims = [], volumes = [], storageClass }: Setting): Snapshot {
  const snapshot = new Snapshot();
  for (const one of nodes ?? [node('a'), node('b')]) snapshot.setNode(one);
  for (const one of claims) snapshot.volumes.setClaim(one);
  for (const one of volumes) snapshot.volumes.setVolume(one);
  snapshot.volumes.setClass(storageClass ?? later('caelum.dev/local'));
  return snapshot;
}

const said = (step: Step | undefined): string =>
  step?.kind === 'wait'
    ? waitMessage(step.nodes, step.refused, step.unresolved)
    : `${step?.nodeName} reserve ${step?.volumes?.reserve.map(({ claim: c, volume: v }) => `${c.metadata.name}=${v.metadata.name}`).join(' ') ?? ''} make ${step?.volumes?.provision.map(({ metadata }) => metadata.name).join(' ') ?? ''}`.trim();

const waits = (reasons: string): string => `0/2 nodes are available: ${reasons}.`;
const zones = [
  node('a', { 'topology.kubernetes.io/zone': 'x' }),
  node('b', { 'topology.kubernetes.io/zone': 'y' }),
];
const zone = (value: string) => ({ 'topology.kubernetes.io/zone': value });

const cases: readonly (readonly [string, Setting, string])[] = [
  [
    'a claim that is bound goes where its volume is',
    { claims: [bound('c', 'v')], volumes: [volume('v', 'b')] },
    'b reserve  make',
  ],
  [
    'its volume is on no node',
    { claims: [bound('c', 'v')], volumes: [volume('v', 'gone')] },
    waits(`2 ${volumeRefusals.affinity}`),
  ],
  ['its volume is not there', { claims: [bound('c', 'v')] }, waits(`2 ${volumeRefusals.gone}`)],
  [
    'its volume is of a zone',
    { nodes: zones, claims: [bound('c', 'v')], volumes: [volume('v', undefined, {}, zone('y'))] },
    'b reserve  make',
  ],
  [
    'its volume is of several zones, none of these',
    { nodes: zones, claims: [bound('c', 'v')], volumes: [volume('v', undefined, {}, zone('w__z'))] },
    waits(`2 ${volumeRefusals.zone}`),
  ],
  [
    'zones are not asked of nodes that have none',
    { claims: [bound('c', 'v')], volumes: [volume('v', 'a', {}, zone('w'))] },
    'a reserve  make',
  ],
  [
    'a claim that waits for a pod takes a volume that is there',
    {
      claims: [claim('c')],
      volumes: [volume('v', 'b')],
      storageClass: later('kubernetes.io/no-provisioner'),
    },
    'b reserve c=v make',
  ],
  [
    'or one that was reserved for it',
    {
      claims: [claim('c')],
      volumes: [volume('v', 'b', { claimRef: { namespace: 'default', name: 'c' }, storageClassName: 'x' })],
      storageClass: later('kubernetes.io/no-provisioner'),
    },
    'b reserve c=v make',
  ],
  ['or has one made', { nodes: [node('a')], claims: [claim('c')] }, 'a reserve  make c'],
  [
    'but not where there is no room for it',
    { nodes: [node('a', {}, '1Mi'), node('b')], claims: [claim('c')] },
    'b reserve  make c',
  ],
  [
    'nowhere there is room',
    { nodes: [node('a', {}, '1Mi'), node('b', {}, '1Mi')], claims: [claim('c')] },
    waits(`2 ${volumeRefusals.space}`),
  ],
  [
    'only where the class allows it',
    {
      nodes: zones,
      claims: [claim('c')],
      storageClass: later('example.com/disk', {
        allowedTopologies: [
          { matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values: ['y'] }] },
        ],
      }),
    },
    'b reserve  make c',
  ],
  [
    'a node has been chosen for it before',
    { claims: [claim('c', {}, { 'volume.kubernetes.io/selected-node': 'b' })] },
    'b reserve  make c',
  ],
  [
    'that node is not there',
    { claims: [claim('c', {}, { 'volume.kubernetes.io/selected-node': 'gone' })] },
    waits(`2 ${volumeRefusals.bind}`),
  ],
  [
    'nothing is made by hand',
    { claims: [claim('c')], storageClass: later('kubernetes.io/no-provisioner') },
    waits(`2 ${volumeRefusals.bind}`),
  ],
  [
    'a claim that names a volume is bound at once',
    { claims: [claim('c', { volumeName: 'v' })], volumes: [volume('v', 'a')] },
    waits('pod has unbound immediate PersistentVolumeClaims'),
  ],
  [
    'a class that does not wait binds at once',
    { claims: [claim('c')], storageClass: later('x', { volumeBindingMode: 'Immediate' }) },
    waits('pod has unbound immediate PersistentVolumeClaims'),
  ],
  ['a claim that is not there', {}, waits('persistentvolumeclaim "c" not found')],
  [
    'a claim that is lost',
    { claims: [{ ...bound('c', 'v'), status: { phase: 'Lost' } }] },
    waits('persistentvolumeclaim "c" bound to non-existent persistentvolume "v"'),
  ],
];

for (const [what, setting, wanted] of cases)
  test(`plan() with a claim: ${what}`, () => {
    const [step] = plan(snapshotOf(setting), [pod('p', 'c')]);
    assert.equal(said(step), wanted);
  });

test('plan() gives each of several claims a volume of one node', () => {
  const snapshot = snapshotOf({
    claims: [claim('big', { resources: { requests: { storage: '5Gi' } } }), claim('small')],
    volumes: [
      volume('a1', 'a'),
      volume('b1', 'b', { capacity: { storage: '6Gi' } }),
      volume('b2', 'b', { capacity: { storage: '2Gi' } }),
    ],
    storageClass: later('kubernetes.io/no-provisioner'),
  });
  assert.equal(said(plan(snapshot, [pod('p', 'big', 'small')])[0]), 'b reserve small=b2 big=b1 make');
});

test('plan() gives no volume to two claims, and all pods of a claim one node, before anything shows', () => {
  const snapshot = snapshotOf({
    claims: [claim('one'), claim('two'), claim('shared')],
    volumes: [volume('v', 'a')],
  });
  const steps = plan(snapshot, [
    pod('p1', 'one'),
    pod('p2', 'two'),
    pod('p3', 'shared'),
    pod('p4', 'shared'),
  ]);
  const takers = steps.flatMap((step) => (step.kind === 'bind' ? (step.volumes?.reserve ?? []) : []));
  assert.equal(takers.filter(({ volume: v }) => v.metadata.name === 'v').length, 1);
  const nodeOf = (key: string) =>
    steps.flatMap((step) => (step.podKey === key && step.kind === 'bind' ? [step.nodeName] : []))[0];
  assert.notEqual(nodeOf('default/p3'), undefined);
  assert.equal(nodeOf('default/p3'), nodeOf('default/p4'));
  // Given up, it is free again.
  for (const key of ['p1', 'p2', 'p3', 'p4']) {
    snapshot.removePod(`default/${key}`);
    snapshot.volumes.release(`default/${key}`);
  }
  const [again] = plan(snapshot, [pod('p5', 'two')]);
  assert.match(said(again), /reserve two=v/);
});

test('VolumeBook.outcome() says when all is bound, and when it will not be', () => {
  const snapshot = snapshotOf({ claims: [claim('c')] });
  const book = snapshot.volumes;
  const [step] = plan(snapshot, [pod('p', 'c')]);
  assert.ok(step?.kind === 'bind' && step.volumes !== undefined);
  const { volumes, nodeName } = step;
  const place = snapshot.facts(snapshot.rowOf(nodeName) ?? -1);
  assert.ok(place !== undefined);
  assert.equal(book.outcome(volumes, place), undefined);
  const next = (
    annotations: Record<string, string>,
    resourceVersion: string,
    more: object = {},
  ): PersistentVolumeClaim => ({
    ...claim('c', more, annotations),
    metadata: { ...claim('c', {}, annotations).metadata, resourceVersion },
  });
  const selected = { 'volume.kubernetes.io/selected-node': nodeName };
  book.setClaim(next(selected, '6'));
  assert.equal(book.outcome(volumes, place), undefined);
  book.setClaim(next({}, '7'));
  assert.deepEqual(book.outcome(volumes, place), { failed: 'provisioning failed for PVC "c"' });
  book.setClaim(next({ ...selected, 'pv.kubernetes.io/bind-completed': 'yes' }, '8', { volumeName: 'v' }));
  assert.equal(book.outcome(volumes, place), undefined, 'its volume does not show yet');
  book.setVolume(volume('v', nodeName));
  assert.equal(book.outcome(volumes, place), 'bound');
  book.setVolume(volume('v', 'elsewhere'));
  assert.deepEqual(book.outcome(volumes, place), {
    failed: `pv "v" node affinity doesn't match node "${nodeName}"`,
  });
  book.removeClaim('default/c');
  assert.deepEqual(book.outcome(volumes, place), { failed: 'persistentvolumeclaim "c" not found' });
});
