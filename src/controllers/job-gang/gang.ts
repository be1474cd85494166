/** The gang that the pods of a Job are, where it asks for that: what it is called, and how many are needed at once. Pure. */
import { gangAnnotation, gangTopologyAnnotation, type Job } from '../../api/index.ts';
import { contentHash } from '../history/content-hash.ts';

export interface JobGang {
  /** Of its PodGroup, and of the Workload that holds the template of that. Of this very Job: one of the same name after it has another. */
  readonly name: string;
  readonly templateName: string;
  readonly minCount: number;
  readonly topologyKey: string | undefined;
}

const nameLengthMax = 253;
const labelLengthMax = 63;

/** undefined: its pods go one by one, or say themselves which group they are in. */
export function gangOf({ metadata, spec }: Job): JobGang | undefined {
  const { annotations, name = '', uid = '' } = metadata;
  if (annotations?.[gangAnnotation] !== 'true') return undefined;
  if (spec?.template?.spec?.schedulingGroup !== undefined) return undefined;
  const { parallelism = 1, completions = parallelism } = spec ?? {};
  const topologyKey = annotations[gangTopologyAnnotation];
  return {
    name: withEnd(name, contentHash(uid, 0), nameLengthMax),
    templateName: withEnd(name.replaceAll('.', '-'), 'pgt-0', labelLengthMax),
    minCount: Math.max(1, Math.min(parallelism, completions)),
    topologyKey: topologyKey === '' ? undefined : topologyKey,
  };
}

const withEnd = (name: string, end: string, most: number): string =>
  `${name.slice(0, most - end.length - 1)}-${end}`;
