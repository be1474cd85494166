/**
 * By which labels a volume's nodes are found without asking each: every node that the volume reaches has one of its anchors. Pure.
 * Not every node that has one is reached: that is for `reaches` to say.
 */
import type { PersistentVolume } from '../../api/index.ts';

/** A label of a node and its value. */
export type Anchor = readonly [label: string, value: string];

/** In place of a label: the node's name, as `matchFields` asks for it. No label has a space. */
export const nameAnchor = 'field metadata.name';
const hostname = 'kubernetes.io/hostname';
const anchorsMax = 64;

/** Undefined: its nodes are not to be told by one label. */
export function anchorsOf({ spec }: PersistentVolume): readonly Anchor[] | undefined {
  const required = spec?.nodeAffinity?.required;
  if (required === undefined) return undefined;
  const anchors: Anchor[] = [];
  for (const { matchExpressions = [], matchFields = [] } of required.nodeSelectorTerms ?? []) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    const asked = matchExpressions.filter(({ operator }) => operator === 'In');
    const label = asked.find(({ key }) => key === hostname) ?? asked[0];
    if (field !== undefined) for (const value of field.values ?? []) anchors.push([nameAnchor, value]);
    else if (label !== undefined) for (const value of label.values ?? []) anchors.push([label.key, value]);
    else return undefined;
    if (anchors.length > anchorsMax) return undefined;
  }
  return anchors;
}
