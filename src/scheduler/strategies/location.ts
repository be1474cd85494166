/**
 * Nodes by where they are: in places that the profile prefers, and near to where the pod wants to be. Pure.
 * A place is a region, a zone in it, a datacenter in that, a rack.
 */
import type { LocationLabels, Pod, ProfileLocations } from '../../api/index.ts';
import type { OwnScore, Question } from './strategy.ts';

/** Of a pod: where it wants to be near to, as `region=eu,zone=eu-1,rack=r7`. */
export const nearAnnotation = 'scheduling.caelum.dev/near';

const levels = ['region', 'zone', 'datacenter', 'rack'] as const;
type Level = (typeof levels)[number];
type Place = Partial<Readonly<Record<Level, string>>>;

export const usualLabels: Required<LocationLabels> = {
  region: 'topology.kubernetes.io/region',
  zone: 'topology.kubernetes.io/zone',
  datacenter: 'topology.caelum.dev/datacenter',
  rack: 'topology.caelum.dev/rack',
};

/** What is not understood is left out. */
export function placeOf(text: string): Place {
  const place: { [level in Level]?: string } = {};
  for (const part of text.split(',')) {
    const [key = '', value = ''] = part.split('=').map((one) => one.trim());
    const level = levels.find((one) => one === key);
    if (level !== undefined && value !== '') place[level] = value;
  }
  return place;
}

export const nearKeyOf = ({ metadata }: Pod): string => metadata.annotations?.[nearAnnotation] ?? '';

/** By the smallest place that both are in, 25 to 100; what one of the two does not tell is passed over. */
export function nearness(wanted: Place, there: Place): number {
  let near = 0;
  for (const [at, level] of levels.entries()) {
    const [a, b] = [wanted[level], there[level]];
    if (a === undefined || b === undefined) continue;
    if (a !== b) break;
    near = 25 * (at + 1);
  }
  return near;
}

export function byLocation({ snapshot, pod }: Question, locations: ProfileLocations): OwnScore {
  const labels = { ...usualLabels, ...locations.labels };
  const { preferred = [] } = locations;
  const all = preferred.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const wanted = placeOf(nearKeyOf(pod));
  const hereOf = (row: number): Place => {
    const facts = snapshot.facts(row)?.labels ?? {};
    const place: { [level in Level]?: string } = {};
    for (const level of levels) {
      const value = facts[labels[level]];
      if (value !== undefined) place[level] = value;
    }
    return place;
  };
  const isWanted = Object.keys(wanted).length > 0;
  return {
    steadyKey: nearKeyOf(pod),
    ...(preferred.length === 0
      ? {}
      : {
          fixed: (row: number) => {
            const here = hereOf(row);
            let sum = 0;
            for (const place of preferred)
              if (levels.every((level) => (place[level] ?? here[level]) === here[level]))
                sum += place.weight ?? 1;
            return (100 * sum) / all;
          },
        }),
    ...(isWanted ? { value: (row: number) => nearness(wanted, hereOf(row)) } : {}),
  };
}
