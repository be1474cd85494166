/** What the claims of a pod come to, and which pods ask alike by theirs. Pure. */
import {
  askedStorage,
  classOf,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type StorageClass,
  selectedNode,
} from '../../api/index.ts';
import type { Few } from '../engine/gate.ts';
import type { Attachable } from '../volume-limits.ts';
import type { ReachedRows } from './reached-rows.ts';
import { type StorageNode, volumeRefusals } from './storage-node.ts';
import type { StorageGround } from './volume-gate.ts';
import { placeOf } from './zones.ts';

/** Where a volume is being made for a claim. */
export type SelectedFor = (claim: PersistentVolumeClaim) => string | undefined;

export interface Unbound {
  readonly claim: PersistentVolumeClaim;
  readonly storageClass: StorageClass;
}

export interface Asked {
  /** Undefined: its volume is not there. */
  readonly bound: readonly (PersistentVolume | undefined)[];
  readonly unbound: readonly Unbound[];
  readonly isTaken: boolean;
  readonly wanted: readonly Attachable[];
}

export const handleOf = (driver: string, handle: string): string => `${driver} ${handle}`;

/** The same for claims that ask alike. */
export function shapeOf({ bound, unbound, isTaken, wanted }: Asked, selectedFor: SelectedFor): string {
  if (isTaken) return 'taken';
  const places = bound.map((volume) => (volume === undefined ? 'gone' : placeOf(volume)));
  const asks = unbound.map(({ claim }) => `${askTextOf(claim)} ${selectedFor(claim) ?? ''}`);
  const drivers = wanted.map(({ driver, id }) => handleOf(driver, id));
  const parts = [...new Set(places.filter((place) => place !== '')), ...asks, ...drivers];
  return parts.length === 0 ? '' : parts.join('\n');
}

const askTexts = new WeakMap<NonNullable<PersistentVolumeClaim['spec']>, string>();

function askTextOf(claim: PersistentVolumeClaim): string {
  const { spec } = claim;
  let text = spec === undefined ? '' : askTexts.get(spec);
  if (text === undefined && spec !== undefined) {
    const { accessModes, selector, volumeMode, volumeAttributesClassName } = spec;
    const asked = [askedStorage(claim), accessModes, selector, volumeMode, volumeAttributesClassName];
    text = JSON.stringify([classOf(claim), ...asked]);
    askTexts.set(spec, text);
  }
  return text ?? '';
}

/** It stands for all that ask the same: nothing is decided for it. */
export function anybodysOf({ claim, storageClass }: Unbound, selected: string | undefined): Unbound {
  const annotations = selected === undefined ? {} : { [selectedNode]: selected };
  return { storageClass, claim: { ...claim, metadata: { namespace: '', name: '', annotations } } };
}

/** Of so many nodes each is asked by itself. */
const fewMax = 64;

/** Where all claims are bound to volumes of a few nodes, or have theirs made on one: these. Undefined: it is not so. */
export function fewOf(
  { bound, unbound, isTaken, wanted }: Asked,
  ground: StorageGround,
  reached: ReachedRows,
  selectedFor: SelectedFor,
  refusals: (node: StorageNode, pods: () => Iterable<Pod>) => readonly string[],
): Few | undefined {
  // All others have to say the same.
  if (isTaken || wanted.length > 0 || (bound.length > 0 && unbound.length > 0)) return undefined;
  const rows = new Set<number>();
  for (const volume of bound) {
    if (volume === undefined) return undefined;
    for (const row of reached.of(volume, ground, fewMax) ?? []) rows.add(row);
  }
  for (const { claim } of unbound) {
    const row = ground.rowOf(selectedFor(claim) ?? '');
    if (row === undefined) return undefined;
    rows.add(row);
  }
  if (rows.size === 0) return undefined;
  return {
    rows: [...rows],
    others: [bound.length > 0 ? volumeRefusals.affinity : volumeRefusals.bind],
    lacks: (row) => {
      const node = ground.facts(row);
      const reasons = node === undefined ? [] : refusals(node, () => ground.podsOn(row));
      return reasons.length === 0 ? undefined : reasons;
    },
  };
}
