/** Who is deleted is who was seen. */
import type { Property } from '../../property.ts';

export const seenDeleted: Property = {
  name: 'garbage/seen-deleted',
  source: 'Kubernetes: deletion preconditions; mission C3 (no harm)',
  statement:
    'Parts of the cloud delete by uid: what has come to bear the name since their copy was made is not what they saw, and stays.',
  check(_world, broken) {
    return {
      onWrite({ by, verb, resource, name, uid }) {
        if (by !== 'user' && verb === 'delete' && uid === undefined)
          broken(`${by} deleted whatever is called ${resource}/${name}`);
      },
    };
  },
};
