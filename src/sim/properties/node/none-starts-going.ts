/** Who is on the way out is not let in. */
import type { Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isGoing, sinceMs } from '../facts.ts';

export const noneStartsGoing: Property = {
  name: 'node/none-starts-going',
  source: 'Kubernetes: pod life cycle',
  statement:
    'A pod that was being deleted at all moments of which its node may still be thinking does not begin to run.',
  check(world, broken) {
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (kind === 'delete' || resource !== 'pods' || previous === undefined || !isGoing(object)) return;
        if ((object as Pod).status?.phase !== 'Running' || (previous as Pod).status?.phase === 'Running')
          return;
        const wasWanted = world.truth.heldSince(
          'pods',
          name,
          sinceMs(world),
          (was) => was !== undefined && !isGoing(was),
        );
        if (!wasWanted) broken(`${name} began to run, and had long been on the way out`);
      },
    };
  },
};
