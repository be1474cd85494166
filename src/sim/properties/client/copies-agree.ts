/** What an informer holds is what is there. */
import type { Property } from '../../property.ts';

export const copiesAgree: Property = {
  name: 'client/copies-agree',
  source: 'the contract of informer.ts; Kubernetes API concepts: list, then watch; label selectors',
  statement:
    'When faults and users have stopped, soon an informer, of all objects or of a selection, holds exactly what is there, in its newest version.',
  check({ truth, copies }) {
    return {
      goal() {
        for (const { resource, what, informer, selects } of copies()) {
          if (!informer.synced) return `the copy of ${what} is not there yet`;
          let count = 0;
          for (const [name, object] of truth.objects(resource)) {
            if (!selects(object)) continue;
            count++;
            const { resourceVersion } = object.metadata;
            const held = informer.get(name)?.metadata.resourceVersion;
            if (held !== resourceVersion)
              return `the copy of ${what} has ${name} at ${held ?? 'no revision'}, it is at ${resourceVersion}`;
          }
          if (informer.size !== count)
            return `the copy of ${what} has ${informer.size} objects, there are ${count}`;
        }
        return undefined;
      },
    };
  },
};
