/**
 * What storage says about where a pod can go: its claims, their volumes, and which nodes reach those. Pure; kept current by single changes.
 *
 *   pod's claims ──▶ bound: the volume's nodes │ not bound, class waits for a pod: a volume of the node, or one can be made there │ else the pod waits
 *        chosen node ──▶ decision: volumes to be reserved, claims to be given the node ──▶ assumed until it shows, or is given up
 *
 * Source: kube-scheduler's VolumeBinding, VolumeRestrictions and VolumeZone, as behaviour.
 */
import {
  askedStorage,
  claimsOf,
  classOf,
  compareQuantities,
  findVolume,
  foreignClaim,
  isFullyBound,
  localProvisioner,
  type NodePlace,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  quantityValue,
  reaches,
  type StorageClass,
  selectedNode,
} from '../api/index.ts';
import { NewestMap } from '../lib/index.ts';
import type { Few, Gate } from './engine/gate.ts';
import { type Attachable, VolumeLimits } from './volume-limits.ts';
import {
  type Asked,
  anybodysOf,
  fewOf,
  handleOf,
  type SelectedFor,
  shapeOf,
  type Unbound,
} from './volumes/asked-volumes.ts';
import { FreeVolumes } from './volumes/free-volumes.ts';
import { ReachedRows } from './volumes/reached-rows.ts';
import { StorageChanges } from './volumes/storage-changes.ts';
import { type StorageNode, volumeRefusals } from './volumes/storage-node.ts';
import { type StorageGround, VolumeGate } from './volumes/volume-gate.ts';
import { isInZone } from './volumes/zones.ts';

export { type StorageNode, volumeRefusals } from './volumes/storage-node.ts';

export const unboundClaims = 'pod has unbound immediate PersistentVolumeClaims';

/** What has to be written for a pod to have its volumes on a node. */
export interface VolumeDecision {
  /** Volumes that are there and shall be the claims'. */
  readonly reserve: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  /** Claims for which volumes shall be made for the node. */
  readonly provision: readonly PersistentVolumeClaim[];
  readonly nodeName: string;
}

export interface VolumeAsk {
  /** Why no node will do, whichever it is. */
  readonly unresolved: string | undefined;
  /** `pods`: those on the node. */
  refusals(node: StorageNode, pods: () => Iterable<Pod>): readonly string[];
  /** undefined: everything is bound already. The node was not refused. */
  decide(node: StorageNode): VolumeDecision | undefined;
  /** Equal for pods that find the same nodes possible as long as nothing changes; empty: nothing is asked of nodes. */
  readonly shape: string;
  /** What is reserved for its claims alone counts for nobody else: it is to be asked by itself. */
  readonly isOdd: boolean;
  /** Where pods of its shape find what they ask for; as of now. Undefined: nothing is asked of nodes. */
  gate(ground: StorageGround): Gate | undefined;
  /** Where it is bound to a few nodes: these. */
  few(ground: StorageGround): Few | undefined;
}

interface Found {
  readonly reasons: readonly string[];
  readonly decision: VolumeDecision;
}

const gatesMax = 128;

const keyOf = ({ metadata }: PersistentVolumeClaim): string => `${metadata.namespace}/${metadata.name}`;

export class VolumeBook {
  readonly #claims = new Map<string, PersistentVolumeClaim>();
  readonly #volumes = new Map<string, PersistentVolume>();
  readonly #classes = new Map<string, StorageClass>();
  /** By class: volumes that are nobody's. Those that are somebody's may be thousands. */
  readonly #free = new Map<string, FreeVolumes>();
  /** By claim: volumes that speak of it. */
  readonly #reserved = new Map<string, Map<string, PersistentVolume>>();
  /** Decisions that do not show yet, by pod. */
  readonly #assumed = new Map<string, VolumeDecision>();
  /** What they say: the claim that a volume is for, and of a claim its volume or its node. */
  readonly #assumedFor = new Map<string, string>();
  readonly #assumedVolume = new Map<string, PersistentVolume>();
  readonly #assumedNode = new Map<string, string>();
  /** How many decisions reserve a volume for a claim, or have one made. */
  readonly #deciding = new Map<string, number>();
  readonly #changes = new StorageChanges();
  readonly #reached = new ReachedRows();
  readonly #gates = new NewestMap<string, VolumeGate>(gatesMax);
  /** How many volumes have a handle: one as a rule. */
  readonly #handles = new Map<string, number>();
  /** How many volumes nodes can have. */
  readonly limits = new VolumeLimits((name) => {
    if (name === undefined) this.#changes.wideVersion++;
    else this.#changes.add({ kind: 'node', name });
  });

  claim(key: string): PersistentVolumeClaim | undefined {
    return this.#claims.get(key);
  }

  setClaim(claim: PersistentVolumeClaim): void {
    this.#claims.set(keyOf(claim), claim);
    this.#attachedOtherwise(keyOf(claim));
  }

  removeClaim(key: string): void {
    this.#claims.delete(key);
    this.#attachedOtherwise(key);
  }

  setVolume(volume: PersistentVolume): void {
    const { name = '' } = volume.metadata;
    const before = this.#volumes.get(name);
    if (before !== undefined) this.#forget(before);
    this.#volumes.set(name, volume);
    this.#countHandle(volume, 1);
    const { claimRef } = volume.spec ?? {};
    if (claimRef === undefined) {
      let free = this.#free.get(classOf(volume));
      if (free === undefined) {
        free = new FreeVolumes();
        this.#free.set(classOf(volume), free);
      }
      free.add(volume);
      this.#freeOtherwise(volume);
      return;
    }
    const key = `${claimRef.namespace}/${claimRef.name}`;
    put(this.#reserved, key, name, volume);
    this.#attachedOtherwise(key);
  }

  removeVolume(name: string): void {
    const before = this.#volumes.get(name);
    if (before !== undefined) this.#forget(before);
    this.#volumes.delete(name);
  }

  #forget(volume: PersistentVolume): void {
    const { claimRef } = volume.spec ?? {};
    this.#countHandle(volume, -1);
    if (claimRef !== undefined) {
      const key = `${claimRef.namespace}/${claimRef.name}`;
      take(this.#reserved, key, volume.metadata.name ?? '');
      this.#attachedOtherwise(key);
      return;
    }
    const free = this.#free.get(classOf(volume));
    free?.remove(volume);
    if (free?.isEmpty === true) this.#free.delete(classOf(volume));
    this.#freeOtherwise(volume);
  }

  #countHandle({ spec }: PersistentVolume, sign: 1 | -1): void {
    if (spec?.csi !== undefined) count(this.#handles, handleOf(spec.csi.driver, spec.csi.volumeHandle), sign);
  }

  /** It may be taken, or might be until now. */
  #freeOtherwise(volume: PersistentVolume): void {
    this.#changes.add({ kind: 'volume', className: classOf(volume), volume });
  }

  /** What is attached for a claim may be another. */
  #attachedOtherwise(key: string): void {
    if (!this.limits.isEmpty) this.#changes.add({ kind: 'claim', key });
  }

  setClass(storageClass: StorageClass): void {
    this.#classes.set(storageClass.metadata.name ?? '', storageClass);
    this.#changes.wideVersion++;
  }

  removeClass(name: string): void {
    this.#classes.delete(name);
    this.#changes.wideVersion++;
  }

  /** From now on others reckon with it. */
  assume(podKey: string, decision: VolumeDecision): void {
    this.release(podKey);
    this.#assumed.set(podKey, decision);
    for (const { claim, volume } of decision.reserve) {
      const key = keyOf(claim);
      count(this.#deciding, `volume ${key}`, 1);
      this.#assumedFor.set(volume.metadata.name ?? '', key);
      this.#assumedVolume.set(key, volume);
      this.#freeOtherwise(volume);
      this.#attachedOtherwise(key);
    }
    for (const claim of decision.provision) {
      count(this.#deciding, `node ${keyOf(claim)}`, 1);
      this.#assumedNode.set(keyOf(claim), decision.nodeName);
    }
  }

  /** It shows now, or it was given up. Pods that share a claim have decided the same: the others go on. */
  release(podKey: string): void {
    const decision = this.#assumed.get(podKey);
    if (decision === undefined) return;
    this.#assumed.delete(podKey);
    for (const { claim, volume } of decision.reserve) {
      const key = keyOf(claim);
      if (count(this.#deciding, `volume ${key}`, -1) > 0) continue;
      this.#assumedFor.delete(volume.metadata.name ?? '');
      this.#assumedVolume.delete(key);
      this.#freeOtherwise(volume);
      this.#attachedOtherwise(key);
    }
    for (const claim of decision.provision)
      if (count(this.#deciding, `node ${keyOf(claim)}`, -1) === 0) this.#assumedNode.delete(keyOf(claim));
  }

  /** Whether all that the decision wants shows; undefined: not yet. */
  outcome(decision: VolumeDecision, node: NodePlace): 'bound' | undefined | { readonly failed: string } {
    let isPending = false;
    const claims = [...decision.reserve.map(({ claim }) => claim), ...decision.provision];
    for (const { metadata } of claims) {
      const now = this.#claims.get(`${metadata.namespace}/${metadata.name}`);
      if (now === undefined || now.metadata.uid !== metadata.uid)
        return { failed: `persistentvolumeclaim "${metadata.name}" not found` };
      if (now.metadata.deletionTimestamp !== undefined)
        return { failed: `persistentvolumeclaim "${metadata.name}" is being deleted` };
      if (!isFullyBound(now)) {
        const isMade = decision.provision.some((one) => one.metadata.uid === metadata.uid);
        // Newer than what was decided on, it would name the node, had nobody taken that away.
        const isNewer = Number(now.metadata.resourceVersion) > Number(metadata.resourceVersion);
        if (isMade && isNewer && now.metadata.annotations?.[selectedNode] !== decision.nodeName)
          return { failed: `provisioning failed for PVC "${metadata.name}"` };
        isPending = true;
        continue;
      }
      const volume = this.#volumes.get(now.spec?.volumeName ?? '');
      if (volume === undefined) isPending = true;
      else if (!reaches(volume, node))
        return {
          failed: `pv "${volume.metadata.name}" node affinity doesn't match node "${decision.nodeName}"`,
        };
    }
    return isPending ? undefined : 'bound';
  }

  /** `countUsers`: how many placed pods use a claim. */
  ask(pod: Pod, countUsers: (claimKey: string) => number): VolumeAsk {
    const bound: (PersistentVolume | undefined)[] = [];
    const unbound: Unbound[] = [];
    let isTaken = false;
    for (const { name, isEphemeral } of claimsOf(pod)) {
      const key = `${pod.metadata.namespace}/${name}`;
      const claim = this.#claims.get(key);
      const why = this.#unresolved(pod, claim, name, isEphemeral);
      if (why !== undefined || claim === undefined) return waits(why ?? '');
      if (claim.spec?.accessModes?.includes('ReadWriteOncePod') === true && countUsers(key) > 0)
        isTaken = true;
      const assumed = this.#assumedVolume.get(key);
      if (isFullyBound(claim)) bound.push(this.#volumes.get(claim.spec?.volumeName ?? ''));
      else if (assumed !== undefined) bound.push(assumed);
      else {
        const storageClass = this.#classes.get(classOf(claim));
        const isDelayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer';
        if (storageClass === undefined || !isDelayed || claim.spec?.volumeName) return waits(unboundClaims);
        unbound.push({ claim, storageClass });
      }
    }
    // The smallest first, each the smallest volume that is big enough: so most find one.
    unbound.sort((a, b) => compareQuantities(askedStorage(a.claim), askedStorage(b.claim)));
    const attached = this.limits.isEmpty ? [] : this.#attachablesOf(pod);
    const asked: Asked = { bound, unbound, isTaken, wanted: this.#wantedOf(pod, attached, countUsers) };
    let shape: string | undefined;
    const selectedFor = this.#selectedFor;
    const gateFor = this.#gateFor;
    const refusals: VolumeAsk['refusals'] = (node, pods) => {
      if (isTaken) return [volumeRefusals.exclusive];
      if (attached.length > 0 && this.#exceeds(node.name, attached, pods)) return [volumeRefusals.limit];
      return this.#refusals(asked, node);
    };
    return {
      unresolved: undefined,
      get shape() {
        shape ??= shapeOf(asked, selectedFor);
        return shape;
      },
      isOdd: unbound.some(({ claim }) => this.#reserved.has(keyOf(claim))),
      gate(ground) {
        return this.shape === '' ? undefined : gateFor(this.shape, asked, ground);
      },
      few: (ground) => fewOf(asked, ground, this.#reached, selectedFor, refusals),
      refusals,
      decide: (node) => {
        // Bound by another pod's decision: this one waits for that too.
        const shared = this.#sharedOf(pod);
        if (unbound.length === 0 && shared.length === 0) return undefined;
        const { decision } = this.#find(unbound, node);
        return { ...decision, reserve: [...decision.reserve, ...shared] };
      },
    };
  }

  /** What a node says of the claims, limits aside. */
  #refusals({ bound, unbound }: Asked, node: StorageNode): readonly string[] {
    const reasons = new Set<string>();
    if (bound.some((volume) => volume === undefined)) reasons.add(volumeRefusals.gone);
    if (bound.some((volume) => volume !== undefined && !reaches(volume, node)))
      reasons.add(volumeRefusals.affinity);
    if (unbound.length > 0) for (const reason of this.#find(unbound, node).reasons) reasons.add(reason);
    if (reasons.size === 0 && bound.some((volume) => volume !== undefined && !isInZone(volume, node)))
      reasons.add(volumeRefusals.zone);
    return [...reasons];
  }

  readonly #gateFor = (shape: string, asked: Asked, ground: StorageGround): VolumeGate => {
    // It asks by the classes as they are now.
    const key = `${this.#changes.wideVersion} ${shape}`;
    let gate = this.#gates.get(key);
    if (gate === undefined) {
      const { isTaken, wanted, unbound } = asked;
      const anybodys = {
        ...asked,
        unbound: unbound.map((one) => anybodysOf(one, this.#selectedFor(one.claim))),
      };
      const question = {
        isTaken,
        wanted,
        classes: new Set(unbound.map(({ claim }) => classOf(claim))),
        refusals: (node: StorageNode) => this.#refusals(anybodys, node),
        isExceeded: (node: StorageNode, some: readonly Attachable[], pods: Iterable<Pod>) =>
          this.#exceeds(node.name, some, () => pods),
      };
      gate = new VolumeGate(question, this.#changes, this.#reached);
      this.#gates.set(key, gate);
    }
    gate.catchUp(ground);
    return gate;
  };

  /** Where a volume is being made for a claim. */
  readonly #selectedFor: SelectedFor = (claim) =>
    this.#assumedNode.get(keyOf(claim)) ?? claim.metadata.annotations?.[selectedNode];

  /** What is to be attached by drivers that allow only so many; what no node can have yet is the same for all who ask for it. */
  #wantedOf(
    pod: Pod,
    attached: readonly Attachable[],
    countUsers: (claimKey: string) => number,
  ): readonly Attachable[] {
    if (!attached.some(({ driver }) => this.limits.isLimited(driver))) return [];
    const wanted = new Map<string, Attachable>();
    for (const { name } of claimsOf(pod)) {
      const key = `${pod.metadata.namespace}/${name}`;
      const one = this.#attachable(key);
      if (one === undefined || !this.limits.isLimited(one.driver)) continue;
      const handle = handleOf(one.driver, one.id);
      const volume = this.#claims.get(key)?.spec?.volumeName || this.#assumedVolume.get(key)?.metadata.name;
      const isNew =
        countUsers(key) === 0 &&
        (this.#handles.get(handle) ?? 0) <= 1 &&
        (volume === undefined || !this.limits.isAttached(volume));
      wanted.set(handle, isNew ? { driver: one.driver, id: `new ${wanted.size}` } : one);
    }
    return [...wanted.values()];
  }

  #attachablesOf(pod: Pod): readonly Attachable[] {
    return claimsOf(pod).flatMap(({ name }) => this.#attachable(`${pod.metadata.namespace}/${name}`) ?? []);
  }

  #exceeds(nodeName: string, wanted: readonly Attachable[], pods: () => Iterable<Pod>): boolean {
    const idOf = (name: string): string | undefined => this.#volumes.get(name)?.spec?.csi?.volumeHandle;
    return this.limits.isExceeded(nodeName, wanted, pods(), (key) => this.#attachable(key), idOf);
  }

  /** Of a claim: what a driver attaches for it; undefined: nothing that is counted. */
  #attachable(key: string): Attachable | undefined {
    const claim = this.#claims.get(key);
    if (claim === undefined) return undefined;
    const volume = this.#volumes.get(claim.spec?.volumeName ?? '') ?? this.#assumedVolume.get(key);
    if (volume !== undefined) {
      const { csi } = volume.spec ?? {};
      return csi && { driver: csi.driver, id: csi.volumeHandle };
    }
    // It will be made.
    const driver = this.#classes.get(classOf(claim))?.provisioner;
    return driver === undefined ? undefined : { driver, id: `claim ${key}` };
  }

  #sharedOf(pod: Pod): VolumeDecision['reserve'] {
    return claimsOf(pod).flatMap(({ name }) => {
      const key = `${pod.metadata.namespace}/${name}`;
      const claim = this.#claims.get(key);
      const volume = this.#assumedVolume.get(key);
      return claim === undefined || volume === undefined || isFullyBound(claim) ? [] : [{ claim, volume }];
    });
  }

  #unresolved(
    pod: Pod,
    claim: PersistentVolumeClaim | undefined,
    name: string,
    isEphemeral: boolean,
  ): string | undefined {
    if (claim === undefined)
      return isEphemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : `persistentvolumeclaim "${name}" not found`;
    if (claim.status?.phase === 'Lost')
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`;
    if (claim.metadata.deletionTimestamp !== undefined)
      return `persistentvolumeclaim "${name}" is being deleted`;
    return isEphemeral ? foreignClaim(pod, claim) : undefined;
  }

  #find(unbound: readonly Unbound[], node: StorageNode): Found {
    const reserve: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = [];
    const provision: PersistentVolumeClaim[] = [];
    const reasons: string[] = [];
    const chosen = new Set<PersistentVolume>();
    for (const { claim, storageClass } of unbound) {
      const key = keyOf(claim);
      const selected = this.#selectedFor(claim);
      if (selected !== undefined) {
        // A volume is being made there, and nowhere else.
        if (selected === node.name) provision.push(claim);
        else reasons.push(volumeRefusals.bind);
        continue;
      }
      const volume = findVolume(claim, this.#candidates(claim, node), {
        node,
        waitsForPod: true,
        isTaken: (one) => chosen.has(one) || (this.#assumedFor.get(one.metadata.name ?? '') ?? key) !== key,
      });
      if (volume !== undefined) {
        chosen.add(volume);
        reserve.push({ claim, volume });
      } else {
        const why = cannotMake(claim, storageClass, node);
        if (why === undefined) provision.push(claim);
        else reasons.push(why);
      }
    }
    return { reasons, decision: { reserve, provision, nodeName: node.name } };
  }

  *#candidates(claim: PersistentVolumeClaim, node: StorageNode): Iterable<PersistentVolume> {
    yield* this.#reserved.get(keyOf(claim))?.values() ?? [];
    yield* this.#free.get(classOf(claim))?.near(node) ?? [];
  }
}

function waits(unresolved: string): VolumeAsk {
  return {
    unresolved,
    refusals: () => [],
    decide: () => undefined,
    shape: '',
    isOdd: true,
    gate: () => undefined,
    few: () => undefined,
  };
}

function cannotMake(
  claim: PersistentVolumeClaim,
  { provisioner, allowedTopologies = [] }: StorageClass,
  node: StorageNode,
): string | undefined {
  if (provisioner.startsWith('kubernetes.io/')) return volumeRefusals.bind;
  const isAllowed =
    allowedTopologies.length === 0 ||
    allowedTopologies.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => values.includes(node.labels[key] ?? '')),
    );
  if (!isAllowed) return volumeRefusals.bind;
  const isTooLarge =
    provisioner === localProvisioner && (quantityValue(askedStorage(claim)) ?? 0) > node.storageBytes;
  return isTooLarge ? volumeRefusals.space : undefined;
}

/** Answers how many there are now. */
function count(counts: Map<string, number>, key: string, sign: 1 | -1): number {
  const now = (counts.get(key) ?? 0) + sign;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
  return now;
}

function put(
  table: Map<string, Map<string, PersistentVolume>>,
  key: string,
  name: string,
  volume: PersistentVolume,
): void {
  const there = table.get(key);
  if (there === undefined) table.set(key, new Map([[name, volume]]));
  else there.set(name, volume);
}

function take(table: Map<string, Map<string, PersistentVolume>>, key: string, name: string): void {
  const there = table.get(key);
  there?.delete(name);
  if (there?.size === 0) table.delete(key);
}
