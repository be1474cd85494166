/** How the default roles are written down: rules as words. */
import type { ClusterRole, PolicyRule } from '../../api/index.ts';

export const group = 'rbac.authorization.k8s.io';
export const bootstrapping = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
export const autoUpdate = 'rbac.authorization.kubernetes.io/autoupdate';

/** Words apart by spaces; `core` is the group without a name. */
export const rule = (apiGroups: string, resources: string, verbs: string, names?: string): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: apiGroups.split(' ').map((one) => (one === 'core' ? '' : one)),
  resources: resources.split(' '),
  ...(names === undefined ? {} : { resourceNames: names.split(' ') }),
});
export const paths = (urls: string, verbs = 'get'): PolicyRule => ({
  verbs: verbs.split(' '),
  nonResourceURLs: urls.split(' '),
});

export const read = 'get list watch';
export const write = 'create delete deletecollection patch update';

export function clusterRole(
  name: string,
  rules: readonly PolicyRule[],
  labels: Readonly<Record<string, string>> = {},
): ClusterRole {
  return {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...bootstrapping, ...labels }, annotations: { [autoUpdate]: 'true' } },
    rules,
  };
}
