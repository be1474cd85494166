/** What is done to Pods beside writing them: binding to a node. Eviction is in `eviction.ts`. */
import {
  conflict,
  type Draft,
  invalid,
  isTermOf,
  type KubeObject,
  type Pod,
  type PodStatus,
  readSchedulingTerm,
  schedulingTermKey,
} from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { admitAt } from './admitted.ts';
import type { Answer } from './answer.ts';
import { changeObject } from './update.ts';

const success: Answer = {
  kind: 'status',
  status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
};

/** Gives a pod its node, once. `binding` is a core/v1 Binding. */
export async function bindPod(
  context: ApiContext,
  pods: Resource,
  request: WriteRequest,
  name: string,
  binding: DraftObject,
): Promise<Answer> {
  return admitAt(context, { resource: pods, request, name, subresource: 'binding' }, binding, (admitted) =>
    bind(context, pods, request, name, admitted),
  );
}

async function bind(
  context: ApiContext,
  pods: Resource,
  request: WriteRequest,
  name: string,
  binding: DraftObject,
): Promise<Answer> {
  const target = binding['target'] as { kind?: string; name?: string } | undefined;
  const node = target?.name ?? '';
  if (node === '')
    throw invalid({ group: '', kind: 'Binding' }, name, [
      { reason: 'FieldValueRequired', field: 'target.name', message: 'Required value' },
    ]);
  if (target?.kind !== undefined && target.kind !== '' && target.kind !== 'Node')
    throw invalid({ group: '', kind: 'Binding' }, name, [
      {
        reason: 'FieldValueNotSupported',
        field: 'target.kind',
        message: `Unsupported value: "${target.kind}": supported values: "Node", "<empty>"`,
      },
    ]);
  const meta = binding.metadata as Draft<KubeObject['metadata']> | undefined;
  const { [schedulingTermKey]: term, ...given } = meta?.annotations ?? {};
  await changeObject(context, pods, request, {
    name,
    part: 'exact',
    admission: 'admitted',
    make: (old) => {
      const pod = old as Pod;
      if (term !== undefined) refuseDeposed(context, pods, name, term);
      if (meta?.uid !== undefined && meta.uid !== '' && meta.uid !== old.metadata.uid)
        throw conflict(
          pods.ref,
          name,
          `Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${old.metadata.uid ?? ''}`,
        );
      if (old.metadata.deletionTimestamp !== undefined)
        throw conflict(pods.ref, name, `pod ${name} is being deleted, cannot be assigned to a host`);
      if (pod.spec?.nodeName !== undefined && pod.spec.nodeName !== '')
        throw conflict(pods.ref, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
      if ((pod.spec?.schedulingGates?.length ?? 0) > 0)
        throw conflict(pods.ref, name, `pod ${name} has non-empty .spec.schedulingGates`);
      const { metadata, spec, status } = pod;
      const isMarked = Object.keys(given).length > 0;
      // What stays as it is is shared with the old version: nothing below changes it, but for what metadata hold themselves.
      const bound: Pod = {
        ...pod,
        metadata: {
          ...metadata,
          ...(isMarked ? { annotations: { ...metadata.annotations, ...given } } : {}),
        },
        ...(spec === undefined ? {} : { spec: { ...spec, nodeName: node } }),
        status: scheduled(status, formatTime(context.clock.nowMs())),
      };
      return bound as Draft<Pod> as unknown as DraftObject;
    },
  });
  return success;
}

/** What a scheduler sent while it led comes too late when somebody else leads. */
function refuseDeposed(context: ApiContext, pods: Resource, name: string, text: string): void {
  const term = readSchedulingTerm(text);
  const leases = context.resources.find('coordination.k8s.io', 'v1', 'leases');
  if (term === undefined || leases === undefined) return;
  const lease = context.store.latest(leases.key(term.namespace, term.lease));
  if (isTermOf(lease && (leases.objectOf(lease) as KubeObject), term)) return;
  throw conflict(
    pods.ref,
    name,
    `Precondition failed: the scheduler that binds it is not the holder of lease ${term.namespace}/${term.lease} any more`,
  );
}

function scheduled(status: PodStatus | undefined, now: string): PodStatus {
  // It has a node now; that it was to have one says nothing any more.
  const { nominatedNodeName: _, conditions = [], ...kept } = status ?? {};
  const others = conditions.filter((one) => one.type !== 'PodScheduled');
  return {
    ...kept,
    conditions: [...others, { type: 'PodScheduled', status: 'True', lastTransitionTime: now }],
  };
}
