/** What a write that is taken is warned of, by its kind: beside the answer. */
import { finalizerWarnings, type KubeObject, writeWarnings } from '../../api/index.ts';
import type { DraftObject, Resource } from '../resource.ts';

/** `old`: undefined when the object is made. */
export function warn(
  { kind, groupResource }: Resource,
  say: (text: string) => void,
  draft: DraftObject,
  old: KubeObject | undefined,
): void {
  const warnings =
    kind.custom === undefined
      ? writeWarnings(groupResource, draft, old)
      : finalizerWarnings(draft.metadata, old?.metadata);
  for (const text of warnings) say(text);
}
