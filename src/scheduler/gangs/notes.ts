/** What is said of a gang that waits. Pure: the same words in Events, conditions and explanations. */
import type { Gang, GangRule } from './gang-book.ts';

export const missingNote = ({ label, noun }: Gang, lacking: number): string =>
  `waiting for ${lacking} more ${lacking === 1 ? noun.replace(/s$/, '') : noun} of ${label}`;

export function fitNote({ label, noun }: Gang, { minCount, topologyKey }: GangRule, fitting: number): string {
  const where = topologyKey === undefined ? '' : ` into one ${topologyKey}`;
  return `only ${fitting} of ${minCount} ${noun} of ${label} fit${where}.`;
}

export const nominatedNote = ({ label }: Gang): string => `room is being made for ${label}.`;
export const unknownNote = ({ label }: Gang): string => `waiting for ${label} to be created`;
