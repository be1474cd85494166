import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  VolumeAttachment,
} from '../../api/index.ts';
import { plan, type Step } from '../../scheduler/index.ts';
import { type Choices, forEachCase } from './test-cases.ts';
import { habitsOf, nodeOf, podOf, podShape } from './test-clusters.ts';
import { check, checkOrder, peaceful, Twin } from './test-twin.ts';
import { askNode, type Storage, unresolvedOf } from './volumes.ts';

const driver = 'disk.example.com';
const zoneKey = 'topology.kubernetes.io/zone';

/** The storage of a cluster twice. */
class StorageTwin implements Storage {
  readonly claims = new Map<string, PersistentVolumeClaim>();
  readonly volumes = new Map<string, PersistentVolume>();
  readonly classes = new Map<string, StorageClass>();
  readonly csiNodes = new Map<string, CSINode>();
  readonly attached = new Map<string, { node: string; volume: string; driver: string }>();
  decided: Storage['decided'] = [];
  readonly #twin: Twin;

  constructor(twin: Twin) {
    this.#twin = twin;
  }

  get #book() {
    return this.#twin.snapshot.volumes;
  }

  setClass(one: StorageClass): void {
    this.classes.set(one.metadata.name ?? '', one);
    this.#book.setClass(one);
  }

  setClaim(one: PersistentVolumeClaim): void {
    this.claims.set(one.metadata.name ?? '', one);
    this.#book.setClaim(one);
  }

  setVolume(one: PersistentVolume): void {
    this.volumes.set(one.metadata.name ?? '', one);
    this.#book.setVolume(one);
  }

  removeVolume(name: string): void {
    this.volumes.delete(name);
    this.#book.removeVolume(name);
  }

  setLimits(name: string, count: number | undefined): void {
    const drivers = count === undefined ? [] : [{ name: driver, nodeID: name, allocatable: { count } }];
    const one: CSINode = { metadata: { name }, spec: { drivers } };
    this.csiNodes.set(name, one);
    this.#book.limits.setNode(one);
  }

  attach(node: string, volume: string): void {
    const name = `${node}-${volume}`;
    this.attached.set(name, { node, volume, driver });
    this.#book.limits.setAttachment({
      metadata: { name },
      spec: { attacher: driver, nodeName: node, source: { persistentVolumeName: volume } },
    } as VolumeAttachment);
  }

  detach(name: string): void {
    this.attached.delete(name);
    this.#book.limits.removeAttachment(name);
  }

  forget(podKey: string): void {
    this.decided = this.decided.filter((one) => one.podKey !== podKey);
    this.#book.release(podKey);
  }
}

const affinityOf = (choices: Choices): object =>
  choices.maybe(0.8, 'nodeAffinity', () => ({
    required: {
      nodeSelectorTerms: choices.list(1, 2, () => ({
        ...choices.maybe(0.9, 'matchExpressions', () => [
          choices.one([
            { key: 'kubernetes.io/hostname', operator: 'In', values: [`n${choices.between(0, 8)}`] },
            { key: 'zone', operator: 'In', values: choices.some(['z1', 'z2', 'z3']) },
            { key: zoneKey, operator: 'In', values: [choices.one(['a', 'b', 'c'])] },
            { key: 'rack', operator: 'Exists' },
          ]),
        ]),
        ...choices.maybe(0.2, 'matchFields', () => [
          { key: 'metadata.name', operator: 'In', values: [`n${choices.between(0, 8)}`] },
        ]),
      })),
    },
  }));

const volumeOf = (choices: Choices, name: string, spec: object = {}): PersistentVolume =>
  ({
    metadata: {
      name,
      uid: name,
      ...choices.maybe(0.2, 'labels', () => ({ [zoneKey]: choices.one(['a', 'b__c']) })),
    },
    spec: {
      accessModes: ['ReadWriteOnce', 'ReadWriteOncePod'],
      capacity: { storage: choices.one(['1Gi', '2Gi', '5Gi']) },
      storageClassName: choices.one(['later', 'standing']),
      ...affinityOf(choices),
      ...choices.maybe(0.6, 'csi', () => ({
        driver,
        volumeHandle: `handle-${choices.one([name, name, 'x'])}`,
      })),
      ...spec,
    },
    status: { phase: 'Available' },
  }) as PersistentVolume;

const claimOf = (
  name: string,
  spec: object,
  annotations: Record<string, string> = {},
): PersistentVolumeClaim =>
  ({
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1', annotations },
    spec,
    status: { phase: 'Pending' },
  }) as PersistentVolumeClaim;

const bindCompleted = { 'pv.kubernetes.io/bind-completed': 'yes' };

/** Bound as a rule where `isBound`, by a volume that may be missing. */
function addClaim(choices: Choices, storage: StorageTwin, name: string, isBound: boolean): void {
  const storageClassName = choices.one(['later', 'later', 'standing', 'local', 'now']);
  const spec = {
    accessModes: [choices.one(['ReadWriteOnce', 'ReadWriteOnce', 'ReadWriteOncePod'])],
    resources: { requests: { storage: choices.one(['1Gi', '2Gi', '8Gi']) } },
    storageClassName,
  };
  if (!isBound) {
    const selected = choices.maybe(
      0.1,
      'volume.kubernetes.io/selected-node',
      () => `n${choices.between(0, 8)}`,
    );
    storage.setClaim(claimOf(name, spec, selected as Record<string, string>));
    return;
  }
  const volumeName = `pv-${name}`;
  storage.setClaim(claimOf(name, { ...spec, volumeName }, bindCompleted));
  const claimRef = { namespace: 'shop', name, uid: name };
  if (choices.chance(0.95)) storage.setVolume(volumeOf(choices, volumeName, { storageClassName, claimRef }));
}

const classes = (choices: Choices): readonly StorageClass[] => {
  const later = (name: string, provisioner: string, more: object = {}): StorageClass =>
    ({ metadata: { name }, provisioner, volumeBindingMode: 'WaitForFirstConsumer', ...more }) as StorageClass;
  const topologies = [{ matchLabelExpressions: [{ key: 'zone', values: ['z1', 'z2'] }] }];
  return [
    later(
      'later',
      driver,
      choices.maybe(0.4, 'allowedTopologies', () => topologies),
    ),
    later('standing', 'kubernetes.io/no-provisioner'),
    later('local', 'caelum.dev/local'),
    later('now', driver, { volumeBindingMode: 'Immediate' }),
  ];
};

/** Volumes come, go and are others; nodes may have more or fewer; what was decided shows, or is given up with its pod. */
function change(choices: Choices, twin: Twin, storage: StorageTwin, round: number): void {
  for (let count = choices.between(0, 3); count > 0; count--)
    storage.setVolume(volumeOf(choices, `free-${round}-${count}`));
  for (const [name, { spec }] of choices.some([...storage.volumes], 2)) {
    const isReserved = storage.decided.some(({ reserve }) => reserve.some(([, volume]) => volume === name));
    if (spec?.claimRef !== undefined || isReserved) continue;
    if (choices.chance(0.5)) storage.removeVolume(name);
    else storage.setVolume(volumeOf(choices, name));
  }
  if (choices.chance(0.2)) for (const one of classes(choices)) storage.setClass(one);
  for (let count = choices.between(0, round % 2 === 0 ? 4 : 1); count > 0; count--)
    storage.setLimits(`n${choices.between(0, 8)}`, choices.one([undefined, 1, 1, 2, 3]));
  for (let count = choices.between(0, 3); count > 0 && storage.volumes.size > 0; count--)
    storage.attach(`n${choices.between(0, 8)}`, choices.one([...storage.volumes.keys()]));
  for (const name of choices.some([...storage.attached.keys()], 1)) storage.detach(name);
  for (const { podKey, reserve, provision, nodeName } of choices.some(storage.decided, 4)) {
    if (choices.chance(0.3)) {
      twin.removePod(podKey);
      storage.forget(podKey);
      continue;
    }
    const show = (name: string, volume: PersistentVolume): void => {
      const claimRef = { namespace: 'shop', name, uid: name };
      storage.setVolume({ ...volume, spec: { ...volume.spec, claimRef } } as PersistentVolume);
      const spec = { ...storage.claims.get(name)?.spec, volumeName: volume.metadata.name };
      storage.setClaim(claimOf(name, spec, bindCompleted));
    };
    for (const [name, volume] of reserve) show(name, storage.volumes.get(volume) as PersistentVolume);
    for (const name of provision) {
      const values = [nodeName];
      const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values }];
      const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions }] } };
      show(name, volumeOf(choices, `made-${name}`, { nodeAffinity }));
    }
    // Others that share a claim have decided the same.
    const names = [...provision, ...reserve.map(([name]) => name)];
    for (const one of storage.decided)
      if ([...one.provision, ...one.reserve.map(([name]) => name)].some((name) => names.includes(name)))
        storage.forget(one.podKey);
  }
  for (const { key } of choices.some(twin.pods, 2)) {
    twin.removePod(key);
    storage.forget(key);
  }
}

function checkVolumes(twin: Twin, storage: StorageTwin, step: Step, pod: Pod): void {
  const unresolved = unresolvedOf(storage, pod);
  if (unresolved !== undefined) {
    assert.equal(step.kind === 'wait' ? step.unresolved : 'bound', unresolved, step.podKey);
    return;
  }
  check(twin, step, pod, (node) => askNode(storage, twin, pod, node).reasons);
  if (step.kind !== 'bind') return;
  const node = twin.nodes.find(({ metadata }) => metadata.name === step.nodeName);
  assert.ok(node !== undefined);
  const { reserve, provision } = askNode(storage, twin, pod, node);
  const names = (list: readonly { readonly metadata: { readonly name?: string } }[] = []) =>
    list.map(({ metadata }) => metadata.name).sort();
  assert.deepEqual(names(step.volumes?.provision), [...provision].sort(), `made for ${step.podKey}`);
  const own = step.volumes?.reserve.filter(({ claim }) =>
    reserve.some(([name]) => name === claim.metadata.name),
  );
  assert.deepEqual(
    (own ?? []).map(({ claim, volume }) => [claim.metadata.name, volume.metadata.name]).sort(),
    [...reserve].sort(),
    `reserved for ${step.podKey}`,
  );
  const all = (step.volumes?.reserve ?? []).map(
    ({ claim, volume }) => [claim.metadata.name ?? '', volume.metadata.name ?? ''] as const,
  );
  if (step.volumes !== undefined)
    storage.decided.push({ podKey: step.podKey, nodeName: step.nodeName, reserve: all, provision });
}

test('plan() heeds claims of volumes as a scheduler that asks every node', (t) => {
  let bound = 0;
  forEachCase(t, 120, (choices) => {
    const habits = habitsOf(choices);
    const shapes = choices.list(1, 3, () => podShape(choices, habits)).map(inShop);
    const twin = new Twin(choices);
    const storage = new StorageTwin(twin);
    for (const one of classes(choices)) storage.setClass(one);
    for (let at = choices.between(1, 9); at >= 0; at--) twin.setNode(nodeOf(choices, `n${at}`, habits));
    const boundShare = choices.one([0, 0.3, 0.8]);
    for (let round = choices.between(1, 4); round >= 0; round--) {
      change(choices, twin, storage, round);
      if (choices.chance(0.3)) twin.setNode(nodeOf(choices, `n${choices.between(0, 9)}`, habits));
      const names = choices.list(1, 6, (at) => `c-${round}-${at}`);
      for (const name of names) addClaim(choices, storage, name, choices.chance(boundShare));
      const known = choices.chance(0.5) ? names : [...storage.claims.keys(), 'missing'];
      const waiting = choices.list(1, 10, (at) => {
        const name = `new-${round}-${at}`;
        const pod = peaceful(podOf(choices, choices.one(shapes), name));
        const volumes = choices
          .some(known, 2)
          .map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
        return { key: `shop/${name}`, pod: { ...pod, spec: { ...pod.spec, volumes } } as Pod };
      });
      const steps = plan(twin.snapshot, waiting);
      for (const [at, pod] of checkOrder(waiting, steps).entries()) {
        const step = steps[at] as Step;
        checkVolumes(twin, storage, step, pod);
        if (step.kind !== 'bind') continue;
        bound += Number((pod.spec?.volumes ?? []).length > 0);
        twin.note(step.podKey, pod, step.nodeName);
      }
    }
  });
  t.diagnostic(`${bound} pods with claims were bound`);
});

const inShop = (pod: Pod): Pod => ({ ...pod, metadata: { ...pod.metadata, namespace: 'shop' } });
