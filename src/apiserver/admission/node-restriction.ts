/**
 * What a node's agent may write, beyond what the node authorizer decides by names: its own Node without others' labels and taints, its own pods' status, tokens of its
 * own pods, its own lease, CSINode and device slices. Pure.
 * Source: Kubernetes 1.36, admission plugin NodeRestriction, as behaviour.
 */
import {
  forbidden,
  type KubeObject,
  localMade,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type ResourceSlice,
  storageFinalizer,
  type TokenRequest,
} from '../../api/index.ts';
import { type CaelumError, sameJson } from '../../lib/index.ts';
import { nodeOf } from '../identity.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { refused } from './refusal.ts';

const checked = new Set([
  'nodes',
  'pods',
  'persistentvolumeclaims',
  'persistentvolumes',
  'serviceaccounts',
  'leases.coordination.k8s.io',
  'csinodes.storage.k8s.io',
  'resourceslices.resource.k8s.io',
]);

export function nodeRestriction(context: AdmissionContext): AdmissionStep {
  return {
    name: 'NodeRestriction',
    concerns: ({ groupResource }) => checked.has(groupResource),
    handles: ({ identity }) => nodeOf(identity) !== undefined,
    validate(admission) {
      const node = nodeOf(admission.identity) ?? '';
      switch (admission.resource.groupResource) {
        case 'nodes':
          return checkNode(admission, node);
        case 'pods':
          return checkPod(context, admission, node);
        case 'persistentvolumeclaims':
          return checkClaim(admission, node);
        case 'persistentvolumes':
          return checkVolume(admission, node);
        case 'serviceaccounts':
          return checkToken(context, admission, node);
        case 'leases.coordination.k8s.io':
          return checkLease(admission, node);
        case 'csinodes.storage.k8s.io':
          return checkNamed(
            admission,
            node,
            'can only access CSINode with the same name as the requesting node',
          );
        default:
          return checkSlice(admission, node);
      }
    },
  };
}

const quoted = (text: string): string => JSON.stringify(text);

function nameOf({ name, object }: Admission): string {
  return name === '' ? (object?.metadata?.name ?? '') : name;
}

function checkNode(admission: Admission, node: string): void {
  const name = nameOf(admission);
  if (name !== node)
    throw refused(admission, `node ${quoted(node)} is not allowed to modify node ${quoted(name)}`);
  const { operation, subresource } = admission;
  if (subresource !== '' && subresource !== 'status') return;
  const now = admission.object as unknown as Node | undefined;
  if (operation === 'CREATE' && now !== undefined) {
    const wrong = foreignLabels({}, now.metadata.labels ?? {});
    if (wrong.length > 0)
      throw refused(
        admission,
        `node ${quoted(node)} is not allowed to set the following labels: ${wrong.join(', ')}`,
      );
    if ((now.metadata.ownerReferences?.length ?? 0) > 0)
      throw refused(admission, `node ${quoted(node)} is not allowed to set ownerReferences`);
  }
  if (operation !== 'UPDATE' || now === undefined) return;
  const old = admission.oldObject as Node;
  if (!sameJson(now.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? []))
    throw refused(admission, `node ${quoted(node)} is not allowed to modify ownerReferences`);
  if (!sameJson(now.spec?.taints ?? [], old.spec?.taints ?? []))
    throw refused(admission, `node ${quoted(node)} is not allowed to modify taints`);
  const wrong = foreignLabels(old.metadata.labels ?? {}, now.metadata.labels ?? {});
  if (wrong.length > 0) throw refused(admission, `is not allowed to modify labels: ${wrong.join(', ')}`);
}

const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
]);

const isIn = (domain: string, of: string): boolean => domain === of || domain.endsWith(`.${of}`);

/** Labels by which others isolate nodes are theirs to set. */
function isForeign(label: string): boolean {
  const slash = label.indexOf('/');
  const domain = slash < 0 ? '' : label.slice(0, slash);
  if (isIn(domain, 'node-restriction.kubernetes.io')) return true;
  if (!isIn(domain, 'kubernetes.io') && !isIn(domain, 'k8s.io')) return false;
  return (
    !ownLabels.has(label) && !isIn(domain, 'kubelet.kubernetes.io') && !isIn(domain, 'node.kubernetes.io')
  );
}

type Labels = Readonly<Record<string, string>>;

function foreignLabels(old: Labels, now: Labels): readonly string[] {
  const changed = new Set(
    [...Object.keys(old), ...Object.keys(now)].filter((label) => old[label] !== now[label]),
  );
  return [...changed].filter(isForeign).sort();
}

function checkPod(context: AdmissionContext, admission: Admission, node: string): void {
  const { operation, subresource } = admission;
  switch (subresource) {
    case '':
      if (operation === 'CREATE') checkMirrorPod(context, admission, node);
      if (operation === 'DELETE') checkOwnPod(context, admission, node, 'delete pods');
      return;
    case 'status':
      checkPodStatus(admission, node);
      return;
    case 'eviction':
      checkOwnPod(context, admission, node, 'evict pods');
      return;
    default:
      throw refused(
        admission,
        `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`,
      );
  }
}

/** An agent makes pods only to show those that it was given by a file: they stand for themselves and have nothing of the cluster's. */
function checkMirrorPod(context: AdmissionContext, admission: Admission, node: string): void {
  const { metadata, spec } = admission.object as unknown as Pod;
  const fail = (why: string): CaelumError => refused(admission, why);
  const annotation = 'kubernetes.io/config.mirror';
  if (metadata.annotations?.[annotation] === undefined)
    throw fail(
      `pod does not have ${quoted(annotation)} annotation, node ${quoted(node)} can only create mirror pods`,
    );
  if (spec?.nodeName !== node)
    throw fail(`node ${quoted(node)} can only create pods with spec.nodeName set to itself`);
  const owners = metadata.ownerReferences ?? [];
  const uid = context.store.latest(context.resources.core('nodes').key('', node))?.object() as
    | KubeObject
    | undefined;
  if (owners.length > 1)
    throw fail(`node ${quoted(node)} can only create pods with a single owner reference set to itself`);
  for (const owner of owners)
    if (owner.kind !== 'Node' || owner.name !== node || owner.uid !== uid?.metadata.uid)
      throw fail(`node ${quoted(node)} can only create pods with an owner reference set to itself`);
  if ((spec.serviceAccountName ?? '') !== '')
    throw fail(`node ${quoted(node)} can not create pods that reference a service account`);
  for (const volume of spec.volumes ?? []) {
    if (volume.secret !== undefined || volume.projected?.sources?.some((one) => one.secret !== undefined))
      throw fail(`node ${quoted(node)} can not create pods that reference secrets`);
    if (volume.configMap !== undefined)
      throw fail(`node ${quoted(node)} can not create pods that reference configmaps`);
    if (volume.persistentVolumeClaim !== undefined)
      throw fail(`node ${quoted(node)} can not create pods that reference persistentvolumeclaims`);
  }
  if ((spec.resourceClaims?.length ?? 0) > 0)
    throw fail(`node ${quoted(node)} can not create pods that reference resourceclaims`);
}

function checkOwnPod(context: AdmissionContext, admission: Admission, node: string, what: string): void {
  const key = context.resources.core('pods').key(admission.namespace, nameOf(admission));
  const pod = (admission.oldObject ?? context.store.latest(key)?.object()) as Pod | undefined;
  // Gone already: the operation itself says so.
  if (pod !== undefined && pod.spec?.nodeName !== node)
    throw refused(admission, `node ${quoted(node)} can only ${what} with spec.nodeName set to itself`);
}

function checkPodStatus(admission: Admission, node: string): void {
  const old = admission.oldObject as Pod | undefined;
  const now = admission.object as unknown as Pod | undefined;
  if (admission.operation !== 'UPDATE' || old === undefined || now === undefined) return;
  if (old.spec?.nodeName !== node)
    throw refused(
      admission,
      `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`,
    );
  if (!sameJson(old.metadata.labels ?? {}, now.metadata.labels ?? {}))
    throw refused(admission, `node ${quoted(node)} cannot update labels through pod status`);
  if (!sameJson(old.status?.resourceClaimStatuses ?? [], now.status?.resourceClaimStatuses ?? []))
    throw refused(admission, `node ${quoted(node)} cannot update resource claim statuses`);
  if (!sameJson(old.status?.extendedResourceClaimStatus, now.status?.extendedResourceClaimStatus))
    throw refused(admission, `node ${quoted(node)} cannot update extended resource claim status`);
}

/** Growing a volume is told through its claim's status, and nothing else is. */
function checkClaim(admission: Admission, node: string): void {
  if (admission.operation !== 'UPDATE') return;
  const plain = (claim: PersistentVolumeClaim): object => ({
    ...claim,
    metadata: { ...claim.metadata, resourceVersion: '', managedFields: [] },
    status: {
      ...claim.status,
      capacity: undefined,
      conditions: undefined,
      allocatedResources: undefined,
      allocatedResourceStatuses: undefined,
      currentVolumeAttributesClassName: undefined,
      modifyVolumeStatus: undefined,
    },
  });
  const now = admission.object as unknown as PersistentVolumeClaim;
  if (!sameJson(plain(now), plain(admission.oldObject as PersistentVolumeClaim)))
    throw refused(
      admission,
      `node ${quoted(node)} is not allowed to update fields other than status.quantity and status.conditions`,
    );
}

/** Of its volumes a node says that their folders have been made, and that they have been erased. */
function checkVolume(admission: Admission, node: string): void {
  const old = admission.oldObject as PersistentVolume;
  if (admission.operation === 'DELETE') {
    const isOver = old.status?.phase === 'Released' && old.spec?.persistentVolumeReclaimPolicy === 'Delete';
    if (!isOver) throw refused(admission, `node ${quoted(node)} may only delete volumes that are released`);
    return;
  }
  const plain = ({ metadata, ...rest }: PersistentVolume): object => {
    const { [localMade]: _, ...annotations } = metadata.annotations ?? {};
    const finalizers = (metadata.finalizers ?? []).filter((one) => one !== storageFinalizer);
    return {
      ...rest,
      metadata: { ...metadata, annotations, finalizers, resourceVersion: '', managedFields: [] },
    };
  };
  const now = admission.object as unknown as PersistentVolume;
  if (!sameJson(plain(now), plain(old)))
    throw refused(
      admission,
      `node ${quoted(node)} is not allowed to update more of a volume than that it was made or erased`,
    );
}

function checkToken(context: AdmissionContext, admission: Admission, node: string): void {
  if (admission.subresource !== 'token') return;
  const { spec } = admission.object as unknown as TokenRequest;
  const bound = spec?.boundObjectRef;
  const fail = (why: string): CaelumError => refused(admission, why);
  if (bound?.kind !== 'Pod' || (bound.name ?? '') === '')
    throw fail('node requested token not bound to a pod');
  if ((bound.uid ?? '') === '') throw fail('node requested token with a pod binding without a uid');
  const pods = context.resources.core('pods');
  const pod = context.store.latest(pods.key(admission.namespace, bound.name ?? ''))?.object() as
    | Pod
    | undefined;
  if (pod === undefined) throw fail(`pod "${bound.name}" not found`);
  if (pod.metadata.uid !== bound.uid)
    throw forbidden(
      pods.ref,
      bound.name ?? '',
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (pod.spec?.nodeName !== node)
    throw fail('node requested token bound to a pod scheduled on a different node');
  const audiences = spec?.audiences ?? [];
  if (audiences.length > 1) throw fail('node may only request 0 or 1 audiences');
  const [audience = ''] = audiences;
  const wanted = (pod.spec.volumes ?? []).flatMap(({ projected }) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }) =>
      serviceAccountToken === undefined ? [] : [serviceAccountToken.audience ?? ''],
    ),
  );
  if (audience !== '' && !wanted.includes(audience) && !isOfDriver(context, pod, audience))
    throw fail(
      `audience ${quoted(audience)} not found in pod spec volume, ${node} is not authorized to request it`,
    );
}

/** Drivers of the pod's volumes say for which audiences they want tokens. */
function isOfDriver(context: AdmissionContext, pod: Pod, audience: string): boolean {
  const drivers = context.resources.find('storage.k8s.io', 'v1', 'csidrivers');
  const claims = context.resources.core('persistentvolumeclaims');
  const volumes = context.resources.core('persistentvolumes');
  const read = <T>(of: typeof claims | undefined, namespace: string, name: string): T | undefined =>
    of === undefined ? undefined : (context.store.latest(of.key(namespace, name))?.object() as T | undefined);
  return (pod.spec?.volumes ?? []).some((volume) => {
    const claim = read<PersistentVolumeClaim>(
      claims,
      pod.metadata.namespace ?? '',
      volume.persistentVolumeClaim?.claimName ??
        (volume.ephemeral === undefined ? '' : `${pod.metadata.name}-${volume.name}`),
    );
    const driver =
      volume.csi?.driver ??
      read<{ spec?: { csi?: { driver: string } } }>(volumes, '', claim?.spec?.volumeName ?? '')?.spec?.csi
        ?.driver;
    if (driver === undefined) return false;
    const found = read<{ spec?: { tokenRequests?: readonly { audience: string }[] } }>(drivers, '', driver);
    return found?.spec?.tokenRequests?.some((one) => one.audience === audience) === true;
  });
}

function checkLease(admission: Admission, node: string): void {
  if (admission.namespace !== 'kube-node-lease')
    throw refused(admission, 'can only access leases in the "kube-node-lease" system namespace');
  checkNamed(admission, node, 'can only access node lease with the same name as the requesting node');
}

function checkNamed(admission: Admission, node: string, why: string): void {
  if (nameOf(admission) !== node) throw refused(admission, why);
}

function checkSlice(admission: Admission, node: string): void {
  const slice = (admission.object ?? admission.oldObject) as ResourceSlice | undefined;
  if (slice?.spec?.nodeName === node) return;
  const what = admission.operation === 'DELETE' ? 'delete' : 'create';
  throw refused(admission, `can only ${what} ResourceSlice with the same NodeName as the requesting node`);
}
