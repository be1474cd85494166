/**
 * Who may do what, until roles come: administrators everything, node agents what their pods need, everybody known may look at discovery
 * and at themselves. Pure.
 */
import type { CaelumError } from '../lib/index.ts';
import { CaelumError as Failure } from '../lib/index.ts';
import { type Identity, isMaster, nodeOf } from './identity.ts';

export interface Attributes {
  /** get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

export type Decision =
  | { readonly allowed: true; readonly because: string }
  | { readonly allowed: false; readonly because: string };

const yes = (because: string): Decision => ({ allowed: true, because });
const no = (because: string): Decision => ({ allowed: false, because });

const readVerbs = new Set(['get', 'list', 'watch']);
/** What a node agent may read anywhere: its pods' ingredients and the Services it makes reachable. */
const nodeReads = new Set([
  'pods',
  'nodes',
  'services',
  'endpoints',
  'namespaces',
  'configmaps',
  'secrets',
  'serviceaccounts',
  'endpointslices.discovery.k8s.io',
  'leases.coordination.k8s.io',
]);
const selfReviews = new Set(['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews']);

export function authorize(identity: Identity, asked: Attributes): Decision {
  if (isMaster(identity)) return yes('group system:masters may do everything');
  if (identity.groups.includes('system:unauthenticated')) return no('anonymous');
  if (selfReviews.has(asked.resource) && asked.verb === 'create')
    return yes('everybody may ask about themselves');
  const node = nodeOf(identity);
  if (node !== undefined) return authorizeNode(node, asked);
  return no('no rule allows it');
}

function authorizeNode(node: string, asked: Attributes): Decision {
  const { verb, resource, subresource } = asked;
  const named = asked.group === '' ? resource : `${resource}.${asked.group}`;
  if (readVerbs.has(verb) && subresource === '' && nodeReads.has(named))
    return yes('node agents read what pods are made of');
  switch (named) {
    case 'nodes':
      if (verb === 'create' && subresource === '') return yes('a node registers itself');
      return asked.name === node && ['update', 'patch'].includes(verb)
        ? yes('a node describes itself')
        : no('a node may change only its own node');
    case 'pods':
      if (subresource === 'status' && ['update', 'patch'].includes(verb))
        return yes('a node reports its pods');
      return subresource === '' && verb === 'delete'
        ? yes('a node removes pods that have ended')
        : no('a node may only report and remove pods');
    case 'leases.coordination.k8s.io':
      return asked.namespace === 'kube-node-lease' && (verb === 'create' || asked.name === node)
        ? yes('a node says that it lives')
        : no('a node has one lease, its own');
    case 'events':
    case 'events.events.k8s.io':
      return ['create', 'patch', 'update'].includes(verb)
        ? yes('a node tells what happens')
        : no('a node only writes events');
    case 'serviceaccounts':
      return subresource === 'token' && verb === 'create'
        ? yes('tokens for its pods')
        : no('a node only asks for tokens');
    case 'services':
    case 'endpointslices.discovery.k8s.io':
      return asked.namespace === 'kube-system' && ['create', 'update', 'patch'].includes(verb)
        ? yes('a node answers DNS')
        : no('a node may only announce DNS');
    default:
      return no('no rule allows it');
  }
}

/** Worded as Kubernetes words it. */
export function refusal(identity: Identity, asked: Attributes): CaelumError {
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  const named = asked.group === '' ? asked.resource : `${asked.resource}.${asked.group}`;
  const object = asked.name === '' ? `${named} is forbidden` : `${named} "${asked.name}" is forbidden`;
  const where = asked.namespace === '' ? ' at the cluster scope' : ` in the namespace "${asked.namespace}"`;
  return new Failure(
    'forbidden',
    `${object}: User "${identity.user}" cannot ${asked.verb} resource "${resource}" in API group "${asked.group}"${where}`,
    { details: { group: asked.group, kind: asked.resource, name: asked.name } },
  );
}
