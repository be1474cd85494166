/** A pod gets one node, once. */
import type { Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';

export const boundOnce: Property = {
  name: 'scheduler/bound-once',
  source: 'Kubernetes: binding; mission S1',
  statement: "A pod's node never changes once it is set.",
  check(_world, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'pods' || previous === undefined) return;
        const before = (previous as Pod).spec?.nodeName;
        const now = (object as Pod).spec?.nodeName;
        if (before && before !== now) broken(`${name} was on ${before} and is now on ${now ?? 'none'}`);
      },
    };
  },
};
