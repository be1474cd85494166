/** Kinds that are only posted, and answered at once: questions about identity and access, and bindings. Nothing of them is stored. */
import type { ServedKind } from './kind.ts';

function posted(
  own: Pick<ServedKind, 'group' | 'kind' | 'namespaced' | 'message' | 'description'>,
): ServedKind {
  const singular = own.kind.toLowerCase();
  return { ...own, version: 'v1', singular, resource: `${singular}s`, verbs: ['create'], subresources: [] };
}

const authentication = { group: 'authentication.k8s.io', namespaced: false };
const authorization = { group: 'authorization.k8s.io', namespaced: false };

export const postedKinds: readonly ServedKind[] = [
  posted({
    group: '',
    kind: 'Binding',
    namespaced: true,
    message: 'core.v1.Binding',
    description: 'Gives a pod its node.',
  }),
  posted({
    ...authentication,
    kind: 'SelfSubjectReview',
    message: 'authentication.v1.SelfSubjectReview',
    description: 'Asks who the caller is.',
  }),
  posted({
    ...authentication,
    kind: 'TokenReview',
    message: 'authentication.v1.TokenReview',
    description: 'Asks whose a token is.',
  }),
  posted({
    ...authorization,
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
    message: 'authorization.v1.LocalSubjectAccessReview',
    description: 'Asks whether someone may do something in one namespace.',
  }),
  posted({
    ...authorization,
    kind: 'SelfSubjectAccessReview',
    message: 'authorization.v1.SelfSubjectAccessReview',
    description: 'Asks whether the caller may do something.',
  }),
  posted({
    ...authorization,
    kind: 'SelfSubjectRulesReview',
    message: 'authorization.v1.SelfSubjectRulesReview',
    description: 'Asks for all that the caller may do in a namespace.',
  }),
  posted({
    ...authorization,
    kind: 'SubjectAccessReview',
    message: 'authorization.v1.SubjectAccessReview',
    description: 'Asks whether someone may do something.',
  }),
];
