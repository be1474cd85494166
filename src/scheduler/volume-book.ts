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
import { type Attachable, limitRefusal, VolumeLimits } from './volume-limits.ts';

export const volumeRefusals = {
  affinity: "node(s) didn't match PersistentVolume's node affinity",
  bind: "node(s) didn't find available persistent volumes to bind",
  gone: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
  space: 'node(s) did not have enough free storage',
  exclusive: 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
  zone: 'node(s) had no available volume zone',
  limit: limitRefusal,
} as const;

export const unboundClaims = 'pod has unbound immediate PersistentVolumeClaims';

/** What has to be written for a pod to have its volumes on a node. */
export interface VolumeDecision {
  /** Volumes that are there and shall be the claims'. */
  readonly reserve: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  /** Claims for which volumes shall be made for the node. */
  readonly provision: readonly PersistentVolumeClaim[];
  readonly nodeName: string;
}

/** A node as far as storage goes. */
export interface StorageNode extends NodePlace {
  readonly name: string;
  /** Of its disk, as a whole. */
  readonly storageBytes: number;
}

export interface VolumeAsk {
  /** Why no node will do, whichever it is. */
  readonly unresolved: string | undefined;
  /** `pods`: those on the node. */
  refusals(node: StorageNode, pods: () => Iterable<Pod>): readonly string[];
  /** undefined: everything is bound already. The node was not refused. */
  decide(node: StorageNode): VolumeDecision | undefined;
}

interface Unbound {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
}

interface Found {
  readonly reasons: readonly string[];
  readonly decision: VolumeDecision;
}

const keyOf = ({ metadata }: PersistentVolumeClaim): string => `${metadata.namespace}/${metadata.name}`;

export class VolumeBook {
  readonly #claims = new Map<string, PersistentVolumeClaim>();
  readonly #volumes = new Map<string, PersistentVolume>();
  readonly #classes = new Map<string, StorageClass>();
  /** By class: volumes that are nobody's. Those that are somebody's may be thousands. */
  readonly #free = new Map<string, Map<string, PersistentVolume>>();
  /** By claim: volumes that speak of it. */
  readonly #reserved = new Map<string, Map<string, PersistentVolume>>();
  /** Decisions that do not show yet, by pod. */
  readonly #assumed = new Map<string, VolumeDecision>();
  /** What they say: the claim that a volume is for, and of a claim its volume or its node. */
  readonly #assumedFor = new Map<string, string>();
  readonly #assumedVolume = new Map<string, PersistentVolume>();
  readonly #assumedNode = new Map<string, string>();
  /** How many volumes nodes can have. */
  readonly limits = new VolumeLimits();

  claim(key: string): PersistentVolumeClaim | undefined {
    return this.#claims.get(key);
  }

  setClaim(claim: PersistentVolumeClaim): void {
    this.#claims.set(keyOf(claim), claim);
  }

  removeClaim(key: string): void {
    this.#claims.delete(key);
  }

  setVolume(volume: PersistentVolume): void {
    const { name = '' } = volume.metadata;
    const before = this.#volumes.get(name);
    if (before !== undefined) this.#forget(before);
    this.#volumes.set(name, volume);
    const { claimRef } = volume.spec ?? {};
    if (claimRef === undefined) put(this.#free, classOf(volume), name, volume);
    else put(this.#reserved, `${claimRef.namespace}/${claimRef.name}`, name, volume);
  }

  removeVolume(name: string): void {
    const before = this.#volumes.get(name);
    if (before !== undefined) this.#forget(before);
    this.#volumes.delete(name);
  }

  #forget({ metadata, ...volume }: PersistentVolume): void {
    const { name = '' } = metadata;
    const { claimRef } = volume.spec ?? {};
    if (claimRef === undefined) take(this.#free, classOf({ metadata, ...volume }), name);
    else take(this.#reserved, `${claimRef.namespace}/${claimRef.name}`, name);
  }

  setClass(storageClass: StorageClass): void {
    this.#classes.set(storageClass.metadata.name ?? '', storageClass);
  }

  removeClass(name: string): void {
    this.#classes.delete(name);
  }

  /** From now on others reckon with it. */
  assume(podKey: string, decision: VolumeDecision): void {
    this.release(podKey);
    this.#assumed.set(podKey, decision);
    for (const { claim, volume } of decision.reserve) {
      this.#assumedFor.set(volume.metadata.name ?? '', keyOf(claim));
      this.#assumedVolume.set(keyOf(claim), volume);
    }
    for (const claim of decision.provision) this.#assumedNode.set(keyOf(claim), decision.nodeName);
  }

  /** It shows now, or it was given up. */
  release(podKey: string): void {
    const decision = this.#assumed.get(podKey);
    if (decision === undefined) return;
    this.#assumed.delete(podKey);
    // Pods that share a claim have decided the same: the others go on.
    const left = [...this.#assumed.values()];
    for (const { claim, volume } of decision.reserve) {
      const key = keyOf(claim);
      if (left.some(({ reserve }) => reserve.some((one) => keyOf(one.claim) === key))) continue;
      this.#assumedFor.delete(volume.metadata.name ?? '');
      this.#assumedVolume.delete(key);
    }
    for (const claim of decision.provision) {
      const key = keyOf(claim);
      if (!left.some(({ provision }) => provision.some((one) => keyOf(one) === key)))
        this.#assumedNode.delete(key);
    }
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
    return {
      unresolved: undefined,
      refusals: (node, pods) => {
        if (isTaken) return [volumeRefusals.exclusive];
        if (attached.length > 0 && this.#exceeds(node.name, attached, pods)) return [volumeRefusals.limit];
        const reasons = new Set<string>();
        if (bound.some((volume) => volume === undefined)) reasons.add(volumeRefusals.gone);
        if (bound.some((volume) => volume !== undefined && !reaches(volume, node)))
          reasons.add(volumeRefusals.affinity);
        if (unbound.length > 0) for (const reason of this.#find(unbound, node).reasons) reasons.add(reason);
        if (reasons.size === 0 && bound.some((volume) => volume !== undefined && !isInZone(volume, node)))
          reasons.add(volumeRefusals.zone);
        return [...reasons];
      },
      decide: (node) => {
        // Bound by another pod's decision: this one waits for that too.
        const shared = this.#sharedOf(pod);
        if (unbound.length === 0 && shared.length === 0) return undefined;
        const { decision } = this.#find(unbound, node);
        return { ...decision, reserve: [...decision.reserve, ...shared] };
      },
    };
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
      const selected = this.#assumedNode.get(key) ?? claim.metadata.annotations?.[selectedNode];
      if (selected !== undefined) {
        // A volume is being made there, and nowhere else.
        if (selected === node.name) provision.push(claim);
        else reasons.push(volumeRefusals.bind);
        continue;
      }
      const volume = findVolume(claim, this.#candidates(claim), {
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

  *#candidates(claim: PersistentVolumeClaim): Iterable<PersistentVolume> {
    yield* this.#reserved.get(keyOf(claim))?.values() ?? [];
    yield* this.#free.get(classOf(claim))?.values() ?? [];
  }
}

function waits(unresolved: string): VolumeAsk {
  return { unresolved, refusals: () => [], decide: () => undefined };
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

const zoneLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];
const formerZoneLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};

/** By the volume's labels, where it and the node have such. */
function isInZone({ metadata }: PersistentVolume, { labels }: StorageNode): boolean {
  if (metadata.labels === undefined) return true;
  const all = [...zoneLabels, ...Object.keys(formerZoneLabels)];
  if (!all.some((label) => labels[label] !== undefined)) return true;
  return all.every((label) => {
    const wanted = metadata.labels?.[label];
    if (wanted === undefined) return true;
    const has = labels[label] ?? labels[formerZoneLabels[label] ?? ''];
    return has !== undefined && wanted.split('__').includes(has);
  });
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
