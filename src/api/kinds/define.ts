/** Fills in what is usual for a kind, so that a kind's file holds only what is its own. */
import type { Kind, ScalePaths, Subresource, Verb } from '../kind.ts';
import type { KubeObject } from '../object.ts';
import { subdomainName } from '../validation/names.ts';
import { ageColumn, nameColumn } from './cells.ts';

const verbs: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];
const nothing = () => {};
const noProblems = () => [];

type Own<T extends KubeObject> = Pick<
  Kind<T>,
  'group' | 'version' | 'kind' | 'resource' | 'message' | 'description'
> &
  Partial<Kind<T>>;

export function defineKind<T extends KubeObject>(own: Own<T>): Kind {
  const kind: Kind<T> = {
    singular: own.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    namespaced: true,
    verbs,
    subresources: [],
    columns: [nameColumn, ageColumn],
    hasStatus: false,
    hasGeneration: false,
    selectableFields: {},
    validateName: subdomainName,
    applyDefaults: nothing,
    prepareCreate: nothing,
    prepareUpdate: nothing,
    validate: noProblems,
    validateUpdate: noProblems,
    validateStatusUpdate: noProblems,
    ...own,
  };
  // A registry holds kinds of every type; each is only ever given objects of its own.
  return kind as unknown as Kind;
}

export const statusSubresource: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] };

/** HTTP to what the object stands for. */
export const proxySubresource = (kind: string): Subresource => ({
  name: 'proxy',
  verbs: ['create', 'delete', 'get', 'patch', 'update'],
  kind: { group: '', version: 'v1', kind },
});

/** Where kinds that keep replicas say how many. */
export const replicasScale: ScalePaths = {
  specReplicas: ['spec', 'replicas'],
  statusReplicas: ['status', 'replicas'],
  selector: ['spec', 'selector'],
};

export const scaleSubresource: Subresource = {
  name: 'scale',
  verbs: ['get', 'patch', 'update'],
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
};
