/**
 * Asks a pod to go, as far as its disruption budget allows.
 *
 *   pod ─▶ its end would cost nothing (pending, finished, going): marked, deleted
 *       ─▶ its budget ─▶ unhealthy, and the policy lets it go: marked, deleted as it was seen
 *                     ─▶ one allowance spent: a write of the budget's status on the version that was looked at ─▶ marked, deleted
 *
 * Invariant: two evictions never pass one allowance: `disruptionsAllowed` falls, and the pod is noted in `disruptedPods`, in one write, before the
 * pod is marked. Source: k8s.io/kubernetes/pkg/registry/core/pod/storage/eviction.go.
 */
import {
  badRequest,
  type Condition,
  conflict,
  disruptionAllowedType,
  disruptionConditions,
  forbidden,
  type KubeObject,
  labelPredicate,
  notFound,
  type Pod,
  type PodCondition,
  type PodDisruptionBudget,
  syncFailedReason,
} from '../../api/index.ts';
import type { DeleteOptions } from '../../client/index.ts';
import { CaelumError, formatTime, isError } from '../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import { admitAt } from './admitted.ts';
import type { Answer } from './answer.ts';
import { checkPreconditions, deleteObject } from './delete.ts';
import { settled } from './settled.ts';
import { changeObject } from './update.ts';

const triesMax = 20;
/** More evictions than this that the controller has not confirmed: it is not there. */
const disruptedPodsMax = 2000;
const retryAfterSeconds = 10;

const success: Answer = {
  kind: 'status',
  status: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 },
};

/** DeleteOptions as they are sent: `dryRun` says which stages. */
type SentOptions = Omit<DeleteOptions, 'dryRun'> & { readonly dryRun?: readonly string[] };

/** One eviction on its way. */
interface Eviction {
  readonly context: ApiContext;
  readonly pods: Resource;
  readonly request: WriteRequest;
  readonly name: string;
  readonly options: DeleteOptions;
}

export async function evictPod(
  context: ApiContext,
  pods: Resource,
  sent: WriteRequest,
  name: string,
  eviction: DraftObject,
): Promise<Answer> {
  const meta = eviction.metadata as KubeObject['metadata'] | undefined;
  if (meta?.name !== undefined && meta.name !== '' && meta.name !== name)
    throw badRequest('name in URL does not match name in Eviction object');
  const stages = (eviction['deleteOptions'] as SentOptions | undefined)?.dryRun ?? [];
  if (stages.some((stage) => stage !== 'All'))
    throw badRequest(
      `Non-matching dry-run options in request and content: [${sent.dryRun ? 'All' : ''}] and [${stages.join(' ')}]`,
    );
  const request = stages.length > 0 ? { ...sent, dryRun: true } : sent;
  const at = { resource: pods, request, name, subresource: 'eviction' };
  return admitAt(context, at, eviction, async (admitted) => {
    const { dryRun: _, ...options } = (admitted['deleteOptions'] as SentOptions | undefined) ?? {};
    await evict({ context, pods, request, name, options });
    return success;
  });
}

async function evict(eviction: Eviction): Promise<void> {
  for (let tries = 1; ; tries++) {
    const pod = await podOf(eviction);
    const isSure = eviction.options.preconditions?.resourceVersion !== undefined;
    try {
      if (isWithoutCost(pod)) {
        // Its state must still be the one that made it free; once it has ended it stays so.
        const mayChange = pod.status?.phase === 'Pending' && pod.metadata.deletionTimestamp === undefined;
        return await markAndDelete(eviction, pod, mayChange);
      }
      return await evictWithin(eviction, pod);
    } catch (error) {
      const isLate = isError(error, 'conflict') && isWithoutCost(pod) && !isSure;
      if (!isLate || tries === triesMax) throw error;
    }
  }
}

async function podOf({ context, pods, request, name }: Eviction): Promise<Pod> {
  const current = context.store.latest(pods.key(request.namespace, name));
  if (current === undefined) {
    await settled(context);
    throw notFound(pods.ref, name);
  }
  return pods.objectOf(current) as Pod;
}

/** It runs not yet, or no more, or is being ended already. */
function isWithoutCost({ metadata, status }: Pod): boolean {
  const phase = status?.phase;
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    metadata.deletionTimestamp !== undefined
  );
}

async function evictWithin(eviction: Eviction, pod: Pod): Promise<void> {
  const { context, pods, name, options } = eviction;
  const budgets = context.resources.find('policy', 'v1', 'poddisruptionbudgets');
  const found = budgets === undefined ? [] : budgetsOf(context, budgets, pod);
  const [budget] = found;
  if (found.length > 1)
    throw new CaelumError(
      'internal',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      { details: { said: { code: 500 } } },
    );
  if (budgets === undefined || budget === undefined) return markAndDelete(eviction, pod, false);
  const isSpared = !isReady(pod) && mayGoUnhealthy(budget);
  // Nothing is spent on what a precondition forbids.
  checkPreconditions(pods, name, pod.metadata, options);
  if (!isSpared) await spend(eviction, budgets, budget.metadata.name ?? '', pod);
  try {
    await markAndDelete(eviction, pod, isSpared);
  } catch (error) {
    const isOurs = isSpared && options.preconditions?.resourceVersion === undefined;
    if (isOurs && isError(error, 'conflict')) throw stillProcessed(budget);
    throw error;
  }
}

const isReady = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True');

function budgetsOf(context: ApiContext, budgets: Resource, { metadata }: Pod): PodDisruptionBudget[] {
  const { namespace = '', labels = {} } = metadata;
  if (Object.keys(labels).length === 0) return [];
  return context.store
    .list(budgets.prefixOf(namespace))
    .items.map((stored) => budgets.objectOf(stored) as PodDisruptionBudget)
    .filter(({ spec }) => labelPredicate(spec?.selector)(labels));
}

/** Whether a pod that is not ready may go without an allowance. */
function mayGoUnhealthy({ spec, status = {} }: PodDisruptionBudget): boolean {
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status;
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}

/** Takes one of the budget's allowances, or throws. Nothing is stored in a dry run. */
async function spend(eviction: Eviction, budgets: Resource, name: string, pod: Pod): Promise<void> {
  const { context, request } = eviction;
  const now = formatTime(context.clock.nowMs());
  try {
    await changeObject(context, budgets, ownRequest(request), {
      name,
      part: 'exact',
      subresource: 'status',
      admission: 'admitted',
      make: (old) => spent(old as PodDisruptionBudget, pod.metadata.name ?? '', now) as DraftObject,
    });
  } catch (error) {
    if (!isError(error, 'conflict')) throw error;
    const text = `couldn't update PodDisruptionBudget ${JSON.stringify(name)} due to conflicts`;
    throw new CaelumError('timeout', text, { cause: error, details: { retryAfterSeconds } });
  }
}

/** As one of our own parts writes it. */
const ownRequest = (request: WriteRequest): WriteRequest => ({
  ...request,
  manager: undefined,
  fieldManager: undefined,
});

function spent(budget: PodDisruptionBudget, podName: string, now: string): unknown {
  const { metadata, status = {} } = budget;
  const { name = '' } = metadata;
  const { disruptionsAllowed = 0, disruptedPods = {} } = status;
  const about = { group: 'policy', resource: 'poddisruptionbudget' };
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw stillProcessed(budget);
  if (disruptionsAllowed < 0) throw forbidden(about, name, 'pdb disruptions allowed is negative');
  if (Object.keys(disruptedPods).length > disruptedPodsMax)
    throw forbidden(
      about,
      name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    );
  if (disruptionsAllowed === 0) throw refusal(whyNone(budget));
  const left = { ...status, disruptionsAllowed: disruptionsAllowed - 1 };
  const conditions = left.disruptionsAllowed === 0 ? disruptionConditions(left, now) : left.conditions;
  return {
    ...budget,
    // Its own: who owns which fields is written into it.
    metadata: { ...metadata },
    status: {
      ...left,
      ...(conditions === undefined ? {} : { conditions }),
      disruptedPods: { ...disruptedPods, [podName]: now },
    },
  };
}

function whyNone({ metadata: { name = '' }, status = {} }: PodDisruptionBudget): string {
  const { conditions = [], desiredHealthy = 0, currentHealthy = 0 } = status;
  const failed = conditions.find(
    ({ type, status: is, reason }: Condition) =>
      type === disruptionAllowedType && is === 'False' && reason === syncFailedReason,
  );
  return failed === undefined
    ? `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
    : `The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failed.message}`;
}

const stillProcessed = ({ metadata }: PodDisruptionBudget): CaelumError =>
  refusal(
    `The disruption budget ${metadata.name ?? ''} is still being processed by the server.`,
    retryAfterSeconds,
  );

function refusal(message: string, afterSeconds?: number): CaelumError {
  return new CaelumError(
    'tooManyRequests',
    "Cannot evict pod as it would violate the pod's disruption budget.",
    {
      details: {
        causes: [{ reason: 'DisruptionBudget', message, field: '' }],
        ...(afterSeconds === undefined ? {} : { retryAfterSeconds: afterSeconds }),
      },
    },
  );
}

/** Says on the pod why it ends, and ends it. `asSeen`: only if it is still the version that was looked at. */
async function markAndDelete(eviction: Eviction, pod: Pod, asSeen: boolean): Promise<void> {
  const { context, pods, request, name, options } = eviction;
  const { uid, resourceVersion: seen = '' } = pod.metadata;
  const asked = options.preconditions?.resourceVersion;
  let { preconditions } = options;
  if (!request.dryRun) {
    const now = formatTime(context.clock.nowMs());
    const answer = await changeObject(context, pods, ownRequest(request), {
      name,
      part: 'exact',
      subresource: 'status',
      admission: 'admitted',
      make: (old) => {
        checkPreconditions(pods, name, old.metadata, options);
        if (old.metadata.uid !== uid || (asSeen && old.metadata.resourceVersion !== seen))
          throw conflict(pods.ref, name);
        return marked(old as Pod, now) as unknown as DraftObject;
      },
    });
    const after =
      answer.kind === 'stored' ? pods.objectOf(answer.stored).metadata.resourceVersion : undefined;
    // The mark has made a new version: from here on that is the one that is meant.
    if ((asSeen || asked !== undefined) && after !== undefined)
      preconditions = { ...preconditions, resourceVersion: after };
  } else if (asSeen && asked === undefined) preconditions = { ...preconditions, resourceVersion: seen };
  preconditions = { ...preconditions, ...(uid === undefined ? {} : { uid: preconditions?.uid ?? uid }) };
  await deleteObject(context, pods, request, name, { ...options, preconditions }, true);
}

const disruptionTarget = {
  type: 'DisruptionTarget',
  status: 'True',
  reason: 'EvictionByEvictionAPI',
  message: 'Eviction API: evicting',
} as const;

function marked(pod: Pod, now: string): Pod {
  const { metadata, status } = pod;
  const conditions = status?.conditions ?? [];
  const present = conditions.find(({ type }) => type === disruptionTarget.type);
  const { generation } = metadata;
  const next: PodCondition = {
    ...disruptionTarget,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: present?.status === 'True' ? (present.lastTransitionTime ?? now) : now,
  };
  const others = conditions.filter((one) => one !== present);
  return { ...pod, metadata: { ...metadata }, status: { ...status, conditions: [...others, next] } };
}
