/** A watch tells every change of its selection once, in order, from where it began; a list is a state that once was. */
import { keyOf } from '../../../client/index.ts';
import type { Property } from '../../property.ts';

export const watchIsComplete: Property = {
  name: 'store/watch-is-complete',
  source: 'Kubernetes API concepts: efficient detection of changes; mission T5 (event order)',
  statement:
    'A watcher is told every revision of its selection after the one it began with, each once, in order, also across reconnections.',
  check(_world, broken) {
    /** Every change of a pod: revision and name, oldest first. */
    const log: { readonly revision: number; readonly name: string; readonly gone: boolean }[] = [];
    /** Index in `log` of what the witness must be told next; undefined before its first list. */
    let next: number | undefined;
    const firstAfter = (revision: number): number => {
      let [low, high] = [0, log.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((log[middle]?.revision ?? 0) > revision) high = middle;
        else low = middle + 1;
      }
      return low;
    };
    const stateAt = (revision: number): Map<string, number> => {
      const state = new Map<string, number>();
      for (const one of log) {
        if (one.revision > revision) break;
        if (one.gone) state.delete(one.name);
        else state.set(one.name, one.revision);
      }
      return state;
    };
    return {
      onEvent({ resource, name, revision, kind }) {
        if (resource === 'pods') log.push({ revision, name, gone: kind === 'delete' });
      },
      onWitness(seen) {
        if (seen.kind === 'list') {
          const state = stateAt(seen.revision);
          for (const object of seen.objects) {
            const revision = state.get(keyOf(object));
            if (revision !== Number(object.metadata.resourceVersion))
              broken(
                `a list at revision ${seen.revision} has ${keyOf(object)} at ${object.metadata.resourceVersion}, the truth was ${revision}`,
              );
          }
          if (seen.objects.length !== state.size)
            broken(
              `a list at revision ${seen.revision} has ${seen.objects.length} pods, the truth was ${state.size}`,
            );
          next = firstAfter(seen.revision);
          return;
        }
        if (next === undefined) return;
        const due = log[next++];
        const revision = Number(seen.object.metadata.resourceVersion);
        if (due?.revision !== revision || due.name !== keyOf(seen.object))
          broken(
            `a watch told ${seen.type} ${keyOf(seen.object)} at ${revision}; due was ${due === undefined ? 'nothing' : `${due.name} at ${due.revision}`}`,
          );
      },
    };
  },
};
