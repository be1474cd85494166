/** Each namespace has what pods in it need. */
import type { Property } from '../../property.ts';
import { isGoing } from '../facts.ts';

export const namespacesFurnished: Property = {
  name: 'api/namespaces-furnished',
  source: 'Kubernetes: service accounts, root CA publication',
  statement:
    "When faults have stopped, soon every namespace has its default service account and the authority's certificate.",
  check({ truth }) {
    return {
      goal() {
        for (const [name, namespace] of truth.objects('namespaces')) {
          if (isGoing(namespace)) return `namespace ${name} is still being deleted`;
          if (!truth.objects('serviceaccounts').has(`${name}/default`))
            return `namespace ${name} has no default service account`;
          if (!truth.objects('configmaps').has(`${name}/kube-root-ca.crt`))
            return `namespace ${name} has no kube-root-ca.crt`;
        }
        return undefined;
      },
    };
  },
};
