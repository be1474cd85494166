/**
 * What a node's agent may do: what its own pods need, and no more. Pure; `podsOf` tells what is bound to the node.
 * Source: Kubernetes' node authoriser and node restriction.
 */
import type { Pod } from '../../api/index.ts';
import type { Attributes } from './rules.ts';

export type NodeDecision = { readonly allowed: boolean; readonly because: string };

const yes = (because: string): NodeDecision => ({ allowed: true, because });
const no = (because: string): NodeDecision => ({ allowed: false, because });

const readVerbs = new Set(['get', 'list', 'watch']);
/** What an agent may read anywhere: pods are found by their node, and Services are for all. */
const nodeReads = new Set([
  'pods',
  'nodes',
  'services',
  'endpoints',
  'namespaces',
  'endpointslices.discovery.k8s.io',
  'leases.coordination.k8s.io',
  'csidrivers.storage.k8s.io',
  'runtimeclasses.node.k8s.io',
]);

export function nodeAccess(
  node: string,
  asked: Attributes & { kind: 'resource' },
  podsOf: (node: string) => Iterable<Pod>,
): NodeDecision {
  const { verb, resource, subresource } = asked;
  const named = asked.group === '' ? resource : `${resource}.${asked.group}`;
  if (readVerbs.has(verb) && subresource === '' && nodeReads.has(named))
    return yes('node agents read what pods are made of');
  switch (named) {
    case 'nodes':
      if (verb === 'create' && subresource === '') return yes('a node registers itself');
      return asked.name === node && ['update', 'patch'].includes(verb) && ['', 'status'].includes(subresource)
        ? yes('a node describes itself')
        : no('a node may change only its own node');
    case 'pods':
      if (subresource === 'status' && ['update', 'patch'].includes(verb))
        return yes('a node reports its pods');
      return subresource === '' && verb === 'delete'
        ? yes('a node removes pods that have ended')
        : no('a node may only report and remove pods');
    case 'secrets':
    case 'configmaps':
    case 'serviceaccounts':
    case 'persistentvolumeclaims':
      if (named === 'serviceaccounts' && subresource === 'token' && verb === 'create')
        return refers(podsOf(node), asked, namesServiceAccount)
          ? yes('tokens for its pods')
          : no('no pod of this node has this service account');
      if (subresource !== '' || !readVerbs.has(verb)) return no('a node may only read it');
      if (asked.name === '') return no('a node reads what its pods name, one by one');
      return refers(podsOf(node), asked, namersOf[named] ?? namesNothing)
        ? yes('a pod of this node names it')
        : no(`no relationship found between node '${node}' and this object`);
    case 'leases.coordination.k8s.io':
      return asked.namespace === 'kube-node-lease' && (verb === 'create' || asked.name === node)
        ? yes('a node says that it lives')
        : no('a node has one lease, its own');
    case 'events':
    case 'events.events.k8s.io':
      return ['create', 'patch', 'update'].includes(verb)
        ? yes('a node tells what happens')
        : no('a node only writes events');
    case 'services':
    case 'endpointslices.discovery.k8s.io':
      return asked.namespace === 'kube-system' && ['create', 'update', 'patch'].includes(verb)
        ? yes('a node answers DNS')
        : no('a node may only announce DNS');
    case 'tokenreviews.authentication.k8s.io':
    case 'subjectaccessreviews.authorization.k8s.io':
      return verb === 'create' ? yes('a node asks who calls it') : no('reviews are only created');
    default:
      return no('');
  }
}

type Names = (pod: Pod, name: string) => boolean;

function refers(
  pods: Iterable<Pod>,
  { namespace, name }: Attributes & { kind: 'resource' },
  names: Names,
): boolean {
  for (const pod of pods) if (pod.metadata.namespace === namespace && names(pod, name)) return true;
  return false;
}

const namesNothing: Names = () => false;
const namesServiceAccount: Names = ({ spec }, name) => (spec?.serviceAccountName ?? 'default') === name;

function namesSecret({ spec }: Pod, name: string): boolean {
  if (spec?.imagePullSecrets?.some((one) => one.name === name)) return true;
  const byVolume = spec?.volumes?.some(
    ({ secret, projected }) =>
      secret?.secretName === name || projected?.sources?.some((source) => source.secret?.name === name),
  );
  return (
    byVolume === true ||
    containersOf(spec).some(
      ({ env = [], envFrom = [] }) =>
        env.some(({ valueFrom }) => valueFrom?.secretKeyRef?.name === name) ||
        envFrom.some(({ secretRef }) => secretRef?.name === name),
    )
  );
}

function namesConfigMap({ spec }: Pod, name: string): boolean {
  const byVolume = spec?.volumes?.some(
    ({ configMap, projected }) =>
      configMap?.name === name || projected?.sources?.some((source) => source.configMap?.name === name),
  );
  return (
    byVolume === true ||
    containersOf(spec).some(
      ({ env = [], envFrom = [] }) =>
        env.some(({ valueFrom }) => valueFrom?.configMapKeyRef?.name === name) ||
        envFrom.some(({ configMapRef }) => configMapRef?.name === name),
    )
  );
}

const namesClaim: Names = ({ spec, metadata }, name) =>
  spec?.volumes?.some(
    (volume) =>
      volume.persistentVolumeClaim?.claimName === name ||
      (volume.ephemeral !== undefined && `${metadata.name}-${volume.name}` === name),
  ) === true;

const containersOf = (spec: Pod['spec']) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];

const namersOf: Readonly<Record<string, Names>> = {
  secrets: namesSecret,
  configmaps: namesConfigMap,
  serviceaccounts: namesServiceAccount,
  persistentvolumeclaims: namesClaim,
};
