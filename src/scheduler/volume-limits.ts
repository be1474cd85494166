/**
 * How many volumes a node can have attached, driver by driver: what a CSINode says, and what the node's pods and attachments take of it. Pure.
 *
 *   pod's volumes ──▶ those that the node has not ──▶ with those that it has: more than its driver allows? ──▶ refused
 *
 * Counted where it is asked, and only of nodes that have a limit for a driver that the pod needs. Source: kube-scheduler's NodeVolumeLimits, as behaviour.
 */
import { type CSINode, claimsOf, type Pod, type VolumeAttachment } from '../api/index.ts';

export const limitRefusal = 'node(s) exceed max volume count';

/** A volume, or one that is about to be made. */
export interface Attachable {
  readonly driver: string;
  readonly id: string;
}

export type AttachableOf = (claimKey: string) => Attachable | undefined;

export class VolumeLimits {
  /** By node, by driver. Nodes that allow any number are not in it. */
  readonly #limits = new Map<string, ReadonlyMap<string, number>>();
  readonly #attachments = new Map<string, VolumeAttachment>();
  /** Names of attachments by node. */
  readonly #attached = new Map<string, Set<string>>();
  /** How many attachments there are of a volume. */
  readonly #attachmentsOf = new Map<string, number>();
  /** How many nodes have a limit for a driver. */
  readonly #limitedBy = new Map<string, number>();
  readonly #onChange: (nodeName: string | undefined) => void;

  /** `onChange`: of a node; undefined: of any. */
  constructor(onChange: (nodeName: string | undefined) => void) {
    this.#onChange = onChange;
  }

  setNode({ metadata, spec }: CSINode): void {
    const { name: nodeName = '' } = metadata;
    const wasEmpty = this.isEmpty;
    const limits = new Map<string, number>();
    for (const { name, allocatable } of spec?.drivers ?? [])
      if (allocatable?.count !== undefined) limits.set(name, allocatable.count);
    this.#forget(nodeName);
    if (limits.size > 0) this.#limits.set(nodeName, limits);
    for (const driver of limits.keys()) count(this.#limitedBy, driver, 1);
    // What happened while nobody counted is not told one by one.
    this.#onChange(wasEmpty ? undefined : nodeName);
  }

  removeNode(name: string): void {
    this.#forget(name);
    this.#onChange(name);
  }

  #forget(nodeName: string): void {
    for (const driver of this.#limits.get(nodeName)?.keys() ?? []) count(this.#limitedBy, driver, -1);
    this.#limits.delete(nodeName);
  }

  /** Whether any node allows only so many of the driver. */
  isLimited(driver: string): boolean {
    return this.#limitedBy.has(driver);
  }

  /** Whether the volume is attached anywhere, whoever asked for it. */
  isAttached(volumeName: string): boolean {
    return this.#attachmentsOf.has(volumeName);
  }

  setAttachment(attachment: VolumeAttachment): void {
    const { name = '' } = attachment.metadata;
    this.removeAttachment(name);
    this.#attachments.set(name, attachment);
    const { nodeName, source } = attachment.spec;
    if (source.persistentVolumeName !== undefined) count(this.#attachmentsOf, source.persistentVolumeName, 1);
    this.#onChange(nodeName);
    const names = this.#attached.get(nodeName);
    if (names === undefined) this.#attached.set(nodeName, new Set([name]));
    else names.add(name);
  }

  removeAttachment(name: string): void {
    const attachment = this.#attachments.get(name);
    if (attachment === undefined) return;
    const { nodeName, source } = attachment.spec;
    if (source.persistentVolumeName !== undefined)
      count(this.#attachmentsOf, source.persistentVolumeName, -1);
    this.#onChange(nodeName);
    this.#attachments.delete(name);
    const names = this.#attached.get(nodeName);
    if (names?.delete(name) === true && names.size === 0) this.#attached.delete(nodeName);
  }

  /** Whether the node would have too many. `idOf`: of a volume by its name. */
  isExceeded(
    nodeName: string,
    wanted: readonly Attachable[],
    pods: Iterable<Pod>,
    attachableOf: AttachableOf,
    idOf: (volumeName: string) => string | undefined,
  ): boolean {
    const limits = this.#limits.get(nodeName);
    if (limits === undefined || !wanted.some(({ driver }) => limits.has(driver))) return false;
    const there = new Map<string, Set<string>>();
    for (const { driver } of wanted) there.set(driver, new Set());
    for (const pod of pods)
      for (const key of claimKeysOf(pod)) {
        const one = attachableOf(key);
        if (one !== undefined) there.get(one.driver)?.add(one.id);
      }
    for (const name of this.#attached.get(nodeName) ?? []) {
      const { attacher, source } = this.#attachments.get(name)?.spec ?? {};
      const volume = source?.persistentVolumeName;
      if (attacher !== undefined) there.get(attacher)?.add((volume && idOf(volume)) ?? `attachment ${name}`);
    }
    const more = new Set<string>();
    for (const { driver, id } of wanted) {
      const ids = there.get(driver);
      if (ids === undefined || ids.has(id)) continue;
      ids.add(id);
      more.add(driver);
    }
    // A driver that has too many already is no reason where none of it is added.
    for (const driver of more)
      if ((there.get(driver)?.size ?? 0) > (limits.get(driver) ?? Infinity)) return true;
    return false;
  }

  get isEmpty(): boolean {
    return this.#limits.size === 0;
  }
}

function count(counts: Map<string, number>, key: string, sign: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + sign;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}

const known = new WeakMap<Pod, readonly string[]>();
const none: readonly string[] = [];

/** Most pods have no volumes, and those that have some are asked again and again. */
function claimKeysOf(pod: Pod): readonly string[] {
  if (pod.spec?.volumes === undefined) return none;
  let keys = known.get(pod);
  if (keys === undefined) {
    keys = claimsOf(pod).map(({ name }) => `${pod.metadata.namespace}/${name}`);
    known.set(pod, keys);
  }
  return keys;
}
