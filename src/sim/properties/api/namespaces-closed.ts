/** What a namespace that is going does not let in. */

import type { Property } from '../../property.ts';
import type { Truth } from '../../truth.ts';
import { isGoing } from '../facts.ts';

function leftIn(truth: Truth, namespace: string): string | undefined {
  for (const resource of truth.resources())
    for (const [name, object] of truth.objects(resource))
      if (object.metadata.namespace === namespace) return `${resource}/${name}`;
  return undefined;
}

export const namespacesClosed: Property = {
  name: 'api/namespaces-closed',
  source: 'Kubernetes: NamespaceLifecycle admission',
  statement:
    'Nothing is created in a namespace that is not there, or is being deleted; a namespace is removed only when nothing is in it.',
  check({ truth }, broken) {
    return {
      onEvent({ kind, resource, name, object, previous }) {
        if (kind === 'delete' && resource === 'namespaces') {
          const left = leftIn(truth, name);
          if (left !== undefined) broken(`namespace ${name} was removed while ${left} was in it`);
        }
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
