/** The zone that a volume is of by its labels, as VolumeZone looks at them. Pure. */
import type { PersistentVolume } from '../../api/index.ts';

const zoneLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];
const formerZoneLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
};
const all = [...zoneLabels, ...Object.keys(formerZoneLabels)];

/** By the volume's labels, where it and the node have such. */
export function isInZone(
  { metadata }: PersistentVolume,
  { labels }: { readonly labels: Readonly<Record<string, string>> },
): boolean {
  if (metadata.labels === undefined) return true;
  if (!all.some((label) => labels[label] !== undefined)) return true;
  return all.every((label) => {
    const wanted = metadata.labels?.[label];
    if (wanted === undefined) return true;
    const has = labels[label] ?? labels[formerZoneLabels[label] ?? ''];
    return has !== undefined && wanted.split('__').includes(has);
  });
}

const places = new WeakMap<PersistentVolume, string>();

/** Equal for volumes that the same nodes may have; empty: any node may. */
export function placeOf(volume: PersistentVolume): string {
  let place = places.get(volume);
  if (place === undefined) {
    const { required } = volume.spec?.nodeAffinity ?? {};
    const labels = all.map((label) => volume.metadata.labels?.[label] ?? null);
    const isAnywhere = required === undefined && labels.every((one) => one === null);
    place = isAnywhere ? '' : JSON.stringify([required, labels]);
    places.set(volume, place);
  }
  return place;
}
