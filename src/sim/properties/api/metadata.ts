/** What no writer may break: identity, generation, finalizers. */
import { sameJson } from '../../../lib/index.ts';
import type { Property } from '../../property.ts';

/** Kinds whose generation counts changes of the spec. */
const withGeneration = new Set(['deployments.apps', 'replicasets.apps', 'pods']);

export const metadata: Property = {
  name: 'api/metadata',
  source: 'Kubernetes API conventions: metadata',
  statement:
    'An object keeps uid and creation time for life; its generation grows by one exactly when its spec changes; with finalizers it is not removed.',
  check(_world, broken) {
    const uids = new Set<string>();
    return {
      onEvent({ kind, resource, name, object, previous, isFound }) {
        const { uid = '', creationTimestamp, generation = 0, deletionTimestamp } = object.metadata;
        const what = `${resource}/${name}`;
        if (kind === 'delete') {
          // The last state of a namespace may still name its finalizer in spec; metadata may not.
          const left = object.metadata.finalizers ?? [];
          if (left.length > 0 && !isFound) broken(`${what} was removed with finalizers ${left.join(', ')}`);
          return;
        }
        if (previous === undefined) {
          if (uids.has(uid)) broken(`${what} has the uid ${uid}, which another had`);
          uids.add(uid);
          return;
        }
        const before = previous.metadata;
        if (before.uid !== uid) broken(`${what} changed its uid from ${before.uid} to ${uid}`);
        if (before.creationTimestamp !== creationTimestamp) broken(`${what} changed its creation time`);
        if (before.deletionTimestamp !== undefined && deletionTimestamp === undefined)
          broken(`${what} was going and is so no more`);
        if (!withGeneration.has(resource) || isFound) return;
        // Binding sets the node and counts as no change of the spec.
        const specOf = (of: unknown): unknown => ({
          ...(of as { spec?: object }).spec,
          nodeName: undefined,
        });
        const isChanged = !sameJson(specOf(object), specOf(previous));
        const grew = generation - (before.generation ?? 0);
        const mayGrow =
          deletionTimestamp !== before.deletionTimestamp ||
          object.metadata.deletionGracePeriodSeconds !== before.deletionGracePeriodSeconds;
        if (isChanged ? grew !== 1 : grew !== 0 && !(mayGrow && grew === 1))
          broken(
            `${what}: generation went from ${before.generation} to ${generation} while the spec ${isChanged ? 'changed' : 'did not change'}`,
          );
      },
    };
  },
};
