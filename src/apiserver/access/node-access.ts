/**
 * What a node's agent may do: what its own pods need, and no more. Pure; `facts` tells what is bound to the node, and what those name.
 *
 *   node ◀── pod ──▶ secrets, config maps, service account, claims ──▶ volumes ──▶ their secrets
 *
 * Source: Kubernetes 1.36, node authorizer, as behaviour. What it may write into what it may touch is admission's (`admission/node-restriction.ts`).
 */
import {
  type KubeObject,
  localHandle,
  localNodeLabel,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from '../../api/index.ts';
import type { Attributes } from './rules.ts';

export type NodeDecision = { readonly allowed: boolean; readonly because: string };

export interface NodeFacts {
  /** The pods bound to a node. */
  podsOf(node: string): Iterable<Pod>;
  /** Any object, as it is now. */
  object(group: string, resource: string, namespace: string, name: string): KubeObject | undefined;
}

type Asked = Extract<Attributes, { kind: 'resource' }>;

const yes = (because: string): NodeDecision => ({ allowed: true, because });
const no = (because: string): NodeDecision => ({ allowed: false, because });

const readVerbs = new Set(['get', 'list', 'watch']);
const writeVerbs = new Set(['update', 'patch']);
/** What an agent may read anywhere: Services are for all. */
const nodeReads = new Set([
  'services',
  'endpoints',
  'namespaces',
  'endpointslices.discovery.k8s.io',
  'csidrivers.storage.k8s.io',
  'runtimeclasses.node.k8s.io',
]);

export function nodeAccess(node: string, asked: Asked, facts: NodeFacts): NodeDecision {
  const { verb, resource, subresource } = asked;
  const named = asked.group === '' ? resource : `${resource}.${asked.group}`;
  if (readVerbs.has(verb) && subresource === '' && nodeReads.has(named))
    return yes('node agents read what pods are made of');
  switch (named) {
    case 'nodes':
      return ownNode(node, asked);
    case 'pods':
      return ownPods(node, asked, facts);
    case 'persistentvolumes':
      return ownVolumes(node, asked, facts);
    case 'secrets':
    case 'configmaps':
    case 'resourceclaims.resource.k8s.io':
      return oneByOne(node, asked, facts, named);
    case 'persistentvolumeclaims':
      if (subresource === 'status' && (writeVerbs.has(verb) || verb === 'get'))
        return related(node, asked, facts, named) ? yes('a pod of this node names it') : unrelated(node);
      return oneByOne(node, asked, facts, named);
    case 'serviceaccounts':
      if (subresource === 'token' && verb === 'create')
        return related(node, asked, facts, named)
          ? yes('tokens for its pods')
          : no('no pod of this node has this service account');
      return oneByOne(node, asked, facts, named);
    case 'volumeattachments.storage.k8s.io':
      if (verb !== 'get' || subresource !== '') return no('can only get individual resources of this type');
      return attachedTo(asked, facts) === node ? yes('it is attached to this node') : unrelated(node);
    case 'leases.coordination.k8s.io':
      return ownLease(node, asked);
    case 'csinodes.storage.k8s.io':
      if (subresource !== '') return no('cannot authorize CSINode subresources');
      if (verb === 'create') return yes('a node tells its drivers');
      return ['get', 'update', 'patch', 'delete'].includes(verb) && asked.name === node
        ? yes('a node tells its drivers')
        : no('can only access CSINode with the same name as the requesting node');
    case 'resourceslices.resource.k8s.io':
      return ownSlices(node, asked, facts);
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
    case 'certificatesigningrequests.certificates.k8s.io':
      return subresource === '' && ['create', 'get', 'list', 'watch'].includes(verb)
        ? yes('a node renews its certificate')
        : no('a node only asks for certificates');
    case 'tokenreviews.authentication.k8s.io':
    case 'subjectaccessreviews.authorization.k8s.io':
      return verb === 'create' ? yes('a node asks who calls it') : no('reviews are only created');
    default:
      return no('');
  }
}

const unrelated = (node: string): NodeDecision =>
  no(`no relationship found between node '${node}' and this object`);

/** Whether a list or watch is narrowed to `field=value`. */
function selects({ selectors }: Asked, field: string, value: string): boolean {
  return (selectors?.field ?? '')
    .split(',')
    .some((one) => one === `${field}=${value}` || one === `${field}==${value}`);
}

/** Just this: in a longer selector it could stand inside of something that says the contrary. */
const selectsLabel = ({ selectors }: Asked, label: string, value: string): boolean =>
  selectors?.label === `${label}=${value}`;

function ownNode(node: string, asked: Asked): NodeDecision {
  const { verb, subresource, name } = asked;
  if (verb === 'create' && subresource === '') return yes('a node registers itself');
  if (subresource !== '' && subresource !== 'status') return no('a node describes only itself');
  if (verb === 'list' || verb === 'watch')
    return name === node
      ? yes('a node looks at itself')
      : no(`can only ${verb} its own node: metadata.name=${node}`);
  if (name !== node) return no('a node may change only its own node');
  return verb === 'get' || writeVerbs.has(verb)
    ? yes('a node describes itself')
    : no('a node may change only its own node');
}

function ownPods(node: string, asked: Asked, facts: NodeFacts): NodeDecision {
  const { verb, subresource, namespace, name } = asked;
  const isOwn = (): boolean => {
    const pod = facts.object('', 'pods', namespace, name) as Pod | undefined;
    // Who asks for a pod that has gone is told so.
    return pod === undefined || pod.spec?.nodeName === node;
  };
  switch (subresource) {
    case 'status':
      return writeVerbs.has(verb)
        ? yes('a node reports its pods')
        : no('a node may only report and remove pods');
    case 'eviction':
      return verb === 'create' ? yes('a node evicts its pods') : no('a node may only report and remove pods');
    case '':
      break;
    default:
      return no('a node may only report and remove pods');
  }
  switch (verb) {
    case 'list':
    case 'watch':
      return selects(asked, 'spec.nodeName', node)
        ? yes('a node looks at its pods')
        : no(`can only list/watch pods with spec.nodeName field selector`);
    case 'get':
      return isOwn() ? yes('a node looks at its pods') : unrelated(node);
    case 'create':
      return yes('a node shows the pods that it was given by a file');
    case 'delete':
      return yes('a node removes pods that have ended');
    default:
      return no('a node may only report and remove pods');
  }
}

/** Volumes of the built-in provisioner are folders of a node, which makes and erases them. Others it reads as its pods name them. */
function ownVolumes(node: string, asked: Asked, facts: NodeFacts): NodeDecision {
  const { verb, subresource, name } = asked;
  if (subresource !== '') return no('a node may only change its own volumes');
  if ((verb === 'list' || verb === 'watch') && selectsLabel(asked, localNodeLabel, node))
    return yes('a node looks at its volumes');
  if (name !== '' && ['get', 'patch', 'delete'].includes(verb)) {
    const volume = facts.object('', 'persistentvolumes', '', name);
    // Who asks for one that has gone is told so.
    if (volume === undefined || isOf(node, volume)) return yes('a node keeps its volumes');
  }
  return oneByOne(node, asked, facts, 'persistentvolumes');
}

const isOf = (node: string, volume: PersistentVolume): boolean =>
  localHandle(volume) !== undefined && volume.metadata.labels?.[localNodeLabel] === node;

/** What pods name is read one by one. */
function oneByOne(node: string, asked: Asked, facts: NodeFacts, what: string): NodeDecision {
  if (asked.subresource !== '' || !readVerbs.has(asked.verb)) return no('a node may only read it');
  if (asked.name === '') return no('a node reads what its pods name, one by one');
  return related(node, asked, facts, what) ? yes('a pod of this node names it') : unrelated(node);
}

function ownLease(node: string, { verb, namespace, name }: Asked): NodeDecision {
  if (namespace !== 'kube-node-lease')
    return no('can only access leases in the "kube-node-lease" system namespace');
  if (verb === 'create') return yes('a node says that it lives');
  return ['get', 'update', 'patch', 'delete'].includes(verb) && name === node
    ? yes('a node says that it lives')
    : no('can only access node lease with the same name as the requesting node');
}

function ownSlices(node: string, asked: Asked, facts: NodeFacts): NodeDecision {
  const { verb, subresource, name } = asked;
  if (subresource !== '') return no('cannot authorize ResourceSlice subresources');
  if (verb === 'create') return yes('a node tells its devices');
  if (verb === 'list' || verb === 'watch' || verb === 'deletecollection')
    return selects(asked, 'spec.nodeName', node)
      ? yes('a node looks at its devices')
      : no(`can only ${verb} resourceslices with spec.nodeName field selector`);
  const slice = facts.object('resource.k8s.io', 'resourceslices', '', name) as
    | { readonly spec?: { readonly nodeName?: string } }
    | undefined;
  return slice === undefined || slice.spec?.nodeName === node
    ? yes('a node tells its devices')
    : unrelated(node);
}

function attachedTo({ name }: Asked, facts: NodeFacts): string | undefined {
  const found = facts.object('storage.k8s.io', 'volumeattachments', '', name);
  return (found as { spec?: { nodeName?: string } } | undefined)?.spec?.nodeName;
}

/** Does a pod of this node lead to the object? */
function related(node: string, { namespace, name }: Asked, facts: NodeFacts, what: string): boolean {
  for (const pod of facts.podsOf(node)) {
    if (pod.metadata.namespace === namespace && namersOf[what]?.(pod, name) === true) return true;
    if (what === 'persistentvolumes' && volumesOf(pod, facts).some(({ metadata }) => metadata.name === name))
      return true;
    if (what === 'secrets' && volumesOf(pod, facts).some((volume) => namesSecretOf(volume, namespace, name)))
      return true;
  }
  return false;
}

/** The volumes that are bound to a pod's claims. */
function volumesOf(pod: Pod, facts: NodeFacts): readonly PersistentVolume[] {
  const found: PersistentVolume[] = [];
  for (const volume of pod.spec?.volumes ?? []) {
    const claimName =
      volume.persistentVolumeClaim?.claimName ??
      (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
    if (claimName === undefined) continue;
    const claim = facts.object('', 'persistentvolumeclaims', pod.metadata.namespace ?? '', claimName);
    const bound = (claim as PersistentVolumeClaim | undefined)?.spec?.volumeName;
    const persistent = bound === undefined ? undefined : facts.object('', 'persistentvolumes', '', bound);
    if (persistent !== undefined) found.push(persistent as PersistentVolume);
  }
  return found;
}

interface SecretRef {
  readonly name?: string;
  readonly namespace?: string;
}

function namesSecretOf({ spec }: PersistentVolume, namespace: string, name: string): boolean {
  const { csi, cephfs, flexVolume, rbd, scaleIO, iscsi, azureFile, storageos } = spec ?? {};
  const own = spec?.claimRef?.namespace ?? '';
  const refs: readonly (SecretRef | undefined)[] = [
    csi?.controllerExpandSecretRef,
    csi?.controllerPublishSecretRef,
    csi?.nodeExpandSecretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeStageSecretRef,
    cephfs?.secretRef,
    flexVolume?.secretRef,
    rbd?.secretRef,
    scaleIO?.secretRef,
    iscsi?.secretRef,
    storageos?.secretRef,
    azureFile === undefined
      ? undefined
      : { name: azureFile.secretName, namespace: azureFile.secretNamespace ?? own },
  ];
  return refs.some((ref) => ref?.name === name && (ref.namespace ?? own) === namespace);
}

type Names = (pod: Pod, name: string) => boolean;

const namesServiceAccount: Names = ({ spec }, name) => (spec?.serviceAccountName ?? 'default') === name;

function namesSecret({ spec }: Pod, name: string): boolean {
  if (spec?.imagePullSecrets?.some((one) => one.name === name)) return true;
  const byVolume = spec?.volumes?.some(
    (volume) =>
      volume.secret?.secretName === name ||
      volume.projected?.sources?.some((source) => source.secret?.name === name) ||
      [
        volume.csi?.nodePublishSecretRef,
        volume.cephfs?.secretRef,
        volume.flexVolume?.secretRef,
        volume.iscsi?.secretRef,
        volume.rbd?.secretRef,
        volume.scaleIO?.secretRef,
        volume.storageos?.secretRef,
      ].some((ref) => ref?.name === name) ||
      volume.azureFile?.secretName === name,
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

const namesDeviceClaim: Names = ({ spec, status }, name) =>
  spec?.resourceClaims?.some((one) => one.resourceClaimName === name) === true ||
  status?.resourceClaimStatuses?.some((one) => one.resourceClaimName === name) === true ||
  status?.extendedResourceClaimStatus?.resourceClaimName === name;

const containersOf = (spec: Pod['spec']) => [
  ...(spec?.initContainers ?? []),
  ...(spec?.containers ?? []),
  ...(spec?.ephemeralContainers ?? []),
];

const namersOf: Readonly<Record<string, Names>> = {
  secrets: namesSecret,
  configmaps: namesConfigMap,
  serviceaccounts: namesServiceAccount,
  persistentvolumeclaims: namesClaim,
  'resourceclaims.resource.k8s.io': namesDeviceClaim,
};
