/** What a namespace that is going does not let in. */

import type { Property } from '../../property.ts';
import { isGoing } from '../facts.ts';

export const namespacesClosed: Property = {
  name: 'api/namespaces-closed',
  source: 'Kubernetes: NamespaceLifecycle admission',
  statement: 'Nothing is created in a namespace that is not there, or is being deleted.',
  check({ truth }, broken) {
    return {
      onEvent({ kind, resource, name, object, previous }) {
        const { namespace } = object.metadata;
        if (kind === 'delete' || previous !== undefined || !namespace) return;
        const home = truth.objects('namespaces').get(namespace);
        if (home === undefined) broken(`${resource}/${name} was created in a namespace that is not there`);
        else if (isGoing(home))
          broken(`${resource}/${name} was created in a namespace that is being deleted`);
      },
    };
  },
};
