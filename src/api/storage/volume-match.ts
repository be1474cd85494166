/**
 * Which volume fits a claim: for the controller that binds, and for the scheduler, which looks at one node at a time. Pure.
 * Source: Kubernetes 1.36, component-helpers/storage/volume, as behaviour.
 */
import { labelPredicate } from '../label-selector.ts';
import { selectsNode } from '../node-selection.ts';
import { compareQuantities } from '../quantity.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../types/core.v1.ts';
import { classOf, isReservedFor } from './claims.ts';

export interface NodePlace {
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

export interface MatchOptions {
  /** Only volumes that this node reaches. */
  readonly node?: NodePlace;
  /** The claim waits for a pod: only what was reserved for it by hand is bound without a node. */
  readonly waitsForPod: boolean;
  /** Taken by a decision that does not show yet. */
  isTaken?(volume: PersistentVolume): boolean;
}

export const askedStorage = ({ spec }: PersistentVolumeClaim): string =>
  spec?.resources?.requests?.['storage'] ?? '0';
const capacityOf = ({ spec }: PersistentVolume): string => spec?.capacity?.['storage'] ?? '0';

export function reaches({ spec }: PersistentVolume, node: NodePlace): boolean {
  const required = spec?.nodeAffinity?.required;
  return required === undefined || selectsNode(required, node);
}

const modeOf = (object: PersistentVolume | PersistentVolumeClaim): string =>
  object.spec?.volumeMode ?? 'Filesystem';
const attributesOf = (object: PersistentVolume | PersistentVolumeClaim): string =>
  object.spec?.volumeAttributesClassName ?? '';

export const sameVolumeMode = (volume: PersistentVolume, claim: PersistentVolumeClaim): boolean =>
  modeOf(volume) === modeOf(claim);

export function allowsAccess({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  return (claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode) === true);
}

/**
 * What was reserved for the claim, else the smallest that is big enough (without a node: of those with the fewest ways of access); of equal ones the
 * first by name. A volume that was reserved for the claim and does not fit is passed over.
 */
export function findVolume(
  claim: PersistentVolumeClaim,
  volumes: Iterable<PersistentVolume>,
  { node, waitsForPod, isTaken }: MatchOptions,
): PersistentVolume | undefined {
  const asked = askedStorage(claim);
  const wantsLabels = claim.spec?.selector === undefined ? undefined : labelPredicate(claim.spec.selector);
  const className = classOf(claim);
  let best: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (isTaken?.(volume) === true) continue;
    const isReserved = isReservedFor(volume, claim);
    if (volume.spec?.claimRef !== undefined && !isReserved) continue;
    if (compareQuantities(capacityOf(volume), asked) < 0) continue;
    if (!sameVolumeMode(volume, claim) || attributesOf(volume) !== attributesOf(claim)) continue;
    if (volume.metadata.deletionTimestamp !== undefined) continue;
    if (node !== undefined && !reaches(volume, node)) continue;
    if (isReserved) return volume;
    if (waitsForPod && node === undefined) continue;
    if (volume.status?.phase !== 'Available' || classOf(volume) !== className) continue;
    if (wantsLabels?.(volume.metadata.labels) === false || !allowsAccess(volume, claim)) continue;
    if (best === undefined || isBetter(volume, best, node === undefined)) best = volume;
  }
  return best;
}

function isBetter(a: PersistentVolume, b: PersistentVolume, countsModes: boolean): boolean {
  const modes = (a.spec?.accessModes?.length ?? 0) - (b.spec?.accessModes?.length ?? 0);
  if (countsModes && modes !== 0) return modes < 0;
  const size = compareQuantities(capacityOf(a), capacityOf(b));
  if (size !== 0) return size < 0;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '');
}

/** Why a volume that the claim names cannot be its own; undefined: it can. */
export function misfit(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp !== undefined)
    return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (compareQuantities(capacityOf(volume), askedStorage(claim)) < 0) return 'requested PV is too small';
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match';
  if (attributesOf(volume) !== attributesOf(claim)) return 'volumeAttributesClassName does not match';
  if (!sameVolumeMode(volume, claim)) return 'incompatible volumeMode';
  return allowsAccess(volume, claim) ? undefined : 'incompatible accessMode';
}
