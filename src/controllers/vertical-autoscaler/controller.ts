/**
 * The controller of vertical autoscalers: each minute the use of its containers is taken in, a recommendation made of it, and pods that are off brought up to
 * date. What is known of each container is kept in a checkpoint, so that a restart forgets nothing.
 *
 * Who brings the definitions of Kubernetes' own vertical autoscaler brings its controllers too: then nothing is done here.
 */
import type {
  ContainerChange,
  KindRegistry,
  KubeObject,
  Pod,
  VerticalPodAutoscaler,
  VerticalPodAutoscalerCheckpoint,
} from '../../api/index.ts';
import { quantityMilli, startupBoostsOf, verticalModeOf, verticalPodAutoscalers } from '../../api/index.ts';
import { type Change, type Client, type Informers, keyOf, LabelIndex } from '../../client/index.ts';
import { type Clock, sameJson } from '../../lib/index.ts';
import { type MetricsApis, type PodUse, readUse } from '../pod-autoscaler/metrics-source.ts';
import { isActive, isReady } from '../pod-state.ts';
import { podsRef, type Resource, referenceTo } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Step, statusSteps, type Write } from '../step.ts';
import { Pace } from './pace.ts';
import { recommend } from './recommend.ts';
import { statusOf } from './status.ts';
import { findScope, type Scope } from './targets.ts';
import { boostEndsInMs, planUpdates, type Update } from './update.ts';
import { type BumpUp, ContainerUse } from './use.ts';

export const verticalPodAutoscalersRef: Resource = {
  ...verticalPodAutoscalers,
  kind: 'VerticalPodAutoscaler',
};
export const checkpointsRef: Resource = {
  ...verticalPodAutoscalersRef,
  resource: 'verticalpodautoscalercheckpoints',
  kind: 'VerticalPodAutoscalerCheckpoint',
};

export interface VerticalAutoscalerOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly registry: KindRegistry;
  readonly clock: Clock;
  /** undefined: nobody tells what pods use. */
  readonly apis: MetricsApis | undefined;
  /** Shared with others who look for pods by selectors. */
  readonly podIndex?: LabelIndex<Pod>;
}

const periodMs = 60_000;
/** Timers are not exact. */
const earlyMs = 1000;
/** Bounds that only grow narrower are written no more often. */
const boundsMs = 300_000;
const checkpointMs = 300_000;
/** Of all autoscalers together. */
const evictionsAMinute = 30;
const containersMax = 100;
const forgottenMs = 14 * 86_400_000;
const ourRecommender = 'default';
/** A resize that was asked for so often and did not come about was refused. */
const asksMax = 2;

export interface Observed {
  readonly autoscaler: VerticalPodAutoscaler;
  readonly scope: Scope | { readonly error: string };
  readonly pods: readonly Pod[];
  /** Or why it could not be read. */
  readonly use: ReadonlyMap<string, PodUse> | { readonly error: string };
  readonly isYounger: boolean;
}

interface Kept {
  readonly uses: Map<string, ContainerUse>;
  /** Of a container that ran out of memory: the end that was taken in last, by pod and container. */
  readonly ends: Map<string, string>;
  /** Resizes asked for, by the pod's uid: what, and how often. */
  readonly asked: Map<string, { readonly what: string; readonly times: number }>;
  /** When pods were last disturbed. */
  disturbedAtMs: number;
  boundsAtMs: number;
  checkpointAtMs: number;
  /** Samples in each checkpoint. */
  readonly kept: Map<string, number>;
}

export function verticalAutoscalerController(options: VerticalAutoscalerOptions): Controller<Observed> {
  const { client, informers, registry, clock, apis } = options;
  const autoscalers = informers.informer<VerticalPodAutoscaler>(verticalPodAutoscalersRef);
  const autoscalersIn = autoscalers.index('namespace', ({ metadata }) => [metadata.namespace ?? '']);
  const checkpoints = informers.informer<VerticalPodAutoscalerCheckpoint>(checkpointsRef);
  const { podIndex = new LabelIndex(informers.informer<Pod>(podsRef)) } = options;
  const pace = new Pace(evictionsAMinute, 60_000);
  const kept = new Map<string, Kept>();
  const keptOf = ({ metadata: { uid = '' } }: VerticalPodAutoscaler): Kept => {
    let found = kept.get(uid);
    if (found === undefined) {
      const startMs = clock.monotonicMs();
      found = {
        uses: new Map(),
        ends: new Map(),
        asked: new Map(),
        disturbedAtMs: Number.NEGATIVE_INFINITY,
        boundsAtMs: Number.NEGATIVE_INFINITY,
        checkpointAtMs: startMs,
        kept: new Map(),
      };
      kept.set(uid, found);
    }
    return found;
  };
  const isOurs = (): boolean =>
    registry.byKind('autoscaling.k8s.io', 'v1', 'VerticalPodAutoscaler')?.givesWay === true;
  return {
    name: 'vertical-pod-autoscaler',
    workers: 4,
    watches: [
      watch<VerticalPodAutoscaler>(informers, verticalPodAutoscalersRef, (change) => {
        if (change.kind === 'deleted') kept.delete(change.object.metadata.uid ?? '');
        const isSame = change.kind === 'updated' && sameJson(change.previous.spec, change.object.spec);
        return isSame ? [] : [keyOf(change.object)];
      }),
      watch<VerticalPodAutoscalerCheckpoint>(informers, checkpointsRef, () => []),
      watch<Pod>(informers, podsRef, boostsThatEnd),
    ],
    async observe(key) {
      const autoscaler = autoscalers.get(key);
      if (autoscaler === undefined || !isOurs()) return undefined;
      const { namespace = '' } = autoscaler.metadata;
      const scope = await findScope(client, registry, autoscaler);
      const others = autoscalersIn(namespace);
      const isYounger = others.some((one) => goesBefore(one, autoscaler));
      if ('error' in scope) return { autoscaler, scope, pods: [], use: new Map(), isYounger };
      const pods = podIndex.select(namespace, scope.text);
      try {
        const use = pods.length === 0 ? new Map() : await readUse(apis, namespace, scope.text, pods);
        return { autoscaler, scope, pods, use, isYounger };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return { autoscaler, scope, pods, use: { error: why }, isYounger };
      }
    },
    plan(observed, { nowMs }) {
      const { autoscaler, scope, pods, isYounger } = observed;
      const mine = keptOf(autoscaler);
      takeIn(mine, observed, (container) => checkpoints.get(checkpointKey(autoscaler, container)), nowMs);
      const afterMs = pods.reduce(
        (least, pod) => Math.min(least, boostEndsInMs(autoscaler, pod, nowMs) || periodMs),
        periodMs,
      );
      const steps: Step[] = [{ kind: 'again', afterMs }];
      if ('error' in scope || isYounger) return steps;
      const updates = planUpdates(autoscaler, pods, {
        nowMs,
        replicas: scope.replicas ?? pods.filter(isActive).length,
        isRefused: (pod, changes) => isRefused(mine, pod, changes),
        evictionsLeft: pace.left(clock.monotonicMs()),
        isResting: clock.monotonicMs() - mine.disturbedAtMs <= periodMs - earlyMs,
      });
      if (updates.some(({ disturbs }) => disturbs)) mine.disturbedAtMs = clock.monotonicMs();
      pace.take(clock.monotonicMs(), updates.filter(({ kind }) => kind === 'evict').length);
      noteAsked(mine, updates, pods);
      if (updates.length > 0) steps.push({ kind: 'together', writes: updates.map(writeOf) });
      return steps;
    },
    conclude(observed, { nowMs }) {
      const { autoscaler } = observed;
      const mine = keptOf(autoscaler);
      const steps: Step[] = [];
      const isRecommended = (autoscaler.spec.recommenders ?? []).every(({ name }) => name === ourRecommender);
      if (isRecommended) {
        const next = statusOf(observed, recommend(autoscaler, mine.uses), mine.uses, nowMs);
        const isLasting = !sameJson(targetsOf(next), targetsOf(autoscaler.status));
        const atMs = clock.monotonicMs();
        if (isLasting || atMs - mine.boundsAtMs >= boundsMs) {
          mine.boundsAtMs = atMs;
          steps.push(...statusSteps(verticalPodAutoscalersRef, autoscaler, next));
        }
        steps.push(...checkpointSteps(mine, autoscaler, checkpoints, atMs, nowMs));
      }
      return steps;
    },
  };
}

/** Of two of the same target the older acts. */
function goesBefore(one: VerticalPodAutoscaler, than: VerticalPodAutoscaler): boolean {
  const ageOf = ({ metadata }: VerticalPodAutoscaler): string =>
    `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  const [a, b] = [one.spec.targetRef, than.spec.targetRef];
  return (
    one.metadata.uid !== than.metadata.uid &&
    verticalModeOf(one) !== 'Off' &&
    a.kind === b.kind &&
    a.name === b.name &&
    ageOf(one) < ageOf(than)
  );
}

const checkpointName = ({ metadata }: VerticalPodAutoscaler, container: string): string =>
  `${metadata.name ?? ''}-${container}`;
const checkpointKey = (autoscaler: VerticalPodAutoscaler, container: string): string =>
  `${autoscaler.metadata.namespace ?? ''}/${checkpointName(autoscaler, container)}`;

function takeIn(
  mine: Kept,
  { autoscaler, pods, use }: Observed,
  checkpointOf: (container: string) => VerticalPodAutoscalerCheckpoint | undefined,
  nowMs: number,
): void {
  const present = new Set(pods.filter(isActive).map(({ metadata }) => metadata.uid ?? ''));
  for (const pod of pods) {
    if (!isActive(pod)) continue;
    const { uid = '', name: podName = '' } = pod.metadata;
    const used = 'error' in use ? undefined : (use as ReadonlyMap<string, PodUse>).get(podName);
    for (const { name, resources } of pod.spec?.containers ?? []) {
      const known = useOf(mine, name, checkpointOf);
      if (known === undefined) continue;
      takeEnds(mine, known, pod, name, bumpOf(autoscaler, name));
      const amount = used?.containers.get(name);
      if (amount === undefined || used === undefined) continue;
      // A clock that was set back, or ahead: what is not of now teaches nothing.
      if (Math.abs(nowMs - used.atMs) > 600_000) continue;
      known.add(uid, {
        atMs: used.atMs,
        cores: amount.cpuNanocores / 1e9,
        bytes: amount.memoryBytes,
        requestedCores: (quantityMilli(resources?.requests?.['cpu']) ?? 0) / 1000,
      });
    }
  }
  for (const [name, known] of mine.uses) {
    known.keepOnly(present);
    if (known.lastMs > 0 && nowMs - known.lastMs > forgottenMs) mine.uses.delete(name);
  }
  for (const key of mine.ends.keys()) if (!present.has(key.slice(0, key.indexOf('/')))) mine.ends.delete(key);
}

function useOf(
  mine: Kept,
  container: string,
  checkpointOf: (container: string) => VerticalPodAutoscalerCheckpoint | undefined,
): ContainerUse | undefined {
  const known = mine.uses.get(container);
  if (known !== undefined || mine.uses.size >= containersMax) return known;
  const made = new ContainerUse();
  const { status } = checkpointOf(container) ?? {};
  if (status !== undefined) made.load(status);
  mine.uses.set(container, made);
  mine.kept.set(container, made.samples);
  return made;
}

/** A container that ran out of memory since the last look. */
function takeEnds(
  mine: Kept,
  known: ContainerUse,
  { metadata, spec, status }: Pod,
  name: string,
  bump: BumpUp,
): void {
  const found = status?.containerStatuses?.find((one) => one.name === name);
  const ended = found?.state?.terminated ?? found?.lastState?.terminated;
  if (ended?.reason !== 'OOMKilled' || ended.finishedAt === undefined) return;
  const key = `${metadata.uid ?? ''}/${name}`;
  const endedMs = Date.parse(ended.finishedAt);
  if (mine.ends.get(key) === ended.finishedAt) return;
  const isKnown = !mine.ends.has(key) && endedMs <= known.lastMs;
  mine.ends.set(key, ended.finishedAt);
  if (isKnown) return;
  const { requests, limits } = spec?.containers.find((one) => one.name === name)?.resources ?? {};
  const had = quantityMilli(limits?.['memory']) ?? quantityMilli(requests?.['memory']) ?? 0;
  known.outOfMemory(metadata.uid ?? '', endedMs, had / 1000, bump);
}

const [bumpRatio, bumpBytes] = [1.2, 100 * 1024 * 1024];

function bumpOf({ spec }: VerticalPodAutoscaler, container: string): BumpUp {
  const policies = spec.resourcePolicy?.containerPolicies ?? [];
  const policy =
    policies.find(({ containerName }) => containerName === container) ??
    policies.find(({ containerName }) => containerName === '*');
  const ratio = quantityMilli(policy?.oomBumpUpRatio);
  const least = quantityMilli(policy?.oomMinBumpUp);
  return {
    ratio: ratio === undefined ? bumpRatio : ratio / 1000,
    leastBytes: least === undefined ? bumpBytes : least / 1000,
  };
}

const textOf = (changes: readonly ContainerChange[]): string =>
  JSON.stringify(changes.map(({ name, resources }) => [name, resources]));

function isRefused({ asked }: Kept, { metadata }: Pod, changes: readonly ContainerChange[]): boolean {
  const before = asked.get(metadata.uid ?? '');
  return before !== undefined && before.times >= asksMax && before.what === textOf(changes);
}

/** Who is asked for the same again was not resized the last time. */
function noteAsked(mine: Kept, updates: readonly Update[], pods: readonly Pod[]): void {
  const present = new Set(pods.map(({ metadata }) => metadata.uid ?? ''));
  for (const uid of mine.asked.keys()) if (!present.has(uid)) mine.asked.delete(uid);
  for (const { kind, pod, changes } of updates) {
    if (kind !== 'resize') continue;
    const { uid = '' } = pod.metadata;
    const what = textOf(changes);
    const before = mine.asked.get(uid);
    mine.asked.set(uid, { what, times: before?.what === what ? before.times + 1 : 1 });
  }
}

function writeOf({ kind, pod, changes }: Update): Write {
  const { namespace, name = '', uid = '' } = pod.metadata;
  const about = referenceTo(podsRef, pod);
  if (kind === 'evict')
    return {
      kind: 'post',
      ref: podsRef,
      namespace,
      name,
      subresource: 'eviction',
      object: {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace },
        deleteOptions: { preconditions: { uid } },
      } as KubeObject,
      done: {
        about,
        type: 'Normal',
        reason: 'EvictedByVPA',
        message: 'Pod was evicted by VPA Updater to apply resource recommendation.',
      },
      accept: ['tooManyRequests', 'notFound', 'conflict'],
    };
  return {
    kind: 'patch',
    ref: podsRef,
    namespace,
    name,
    type: 'strategic',
    subresource: 'resize',
    patch: {
      metadata: { uid },
      spec: { containers: changes.map((one) => ({ name: one.name, resources: one.resources })) },
    },
    done: {
      about,
      type: 'Normal',
      reason: 'InPlaceResizedByVPA',
      message: 'Pod was resized in place by VPA Updater.',
    },
    accept: ['invalid', 'forbidden', 'notFound', 'conflict'],
  };
}

/** Who is Ready now and started with more CPU than it keeps: its autoscaler need not be waited for. */
function boostsThatEnd(change: Change<Pod>): readonly string[] {
  if (change.kind === 'deleted') return [];
  const boosts = startupBoostsOf(change.object);
  if (boosts === undefined || !isReady(change.object)) return [];
  if (change.kind === 'updated' && isReady(change.previous)) return [];
  return [`${change.object.metadata.namespace ?? ''}/${boosts.by}`];
}

/** What a status says beside bounds, which grow narrower all the time. */
function targetsOf(status: VerticalPodAutoscaler['status']): object {
  return {
    conditions: status?.conditions ?? [],
    targets: (status?.recommendation?.containerRecommendations ?? []).map(
      ({ containerName, target, uncappedTarget }) => [containerName, target, uncappedTarget ?? {}],
    ),
  };
}

function checkpointSteps(
  mine: Kept,
  autoscaler: VerticalPodAutoscaler,
  present: { get(key: string): VerticalPodAutoscalerCheckpoint | undefined },
  atMs: number,
  nowMs: number,
): readonly Step[] {
  if (atMs - mine.checkpointAtMs < checkpointMs) return [];
  mine.checkpointAtMs = atMs;
  const { namespace = '', name: vpaObjectName = '', uid = '' } = autoscaler.metadata;
  const steps: Step[] = [];
  for (const [container, use] of mine.uses) {
    if (mine.kept.get(container) === use.samples) continue;
    mine.kept.set(container, use.samples);
    const there = present.get(checkpointKey(autoscaler, container));
    const object: VerticalPodAutoscalerCheckpoint = {
      apiVersion: 'autoscaling.k8s.io/v1',
      kind: 'VerticalPodAutoscalerCheckpoint',
      metadata: {
        name: checkpointName(autoscaler, container),
        namespace,
        ownerReferences: [
          { apiVersion: 'autoscaling.k8s.io/v1', kind: 'VerticalPodAutoscaler', name: vpaObjectName, uid },
        ],
        ...(there?.metadata.resourceVersion === undefined
          ? {}
          : { resourceVersion: there.metadata.resourceVersion }),
      },
      spec: { vpaObjectName, containerName: container },
      status: use.checkpoint(nowMs),
    };
    steps.push(
      there === undefined
        ? { kind: 'create', ref: checkpointsRef, object: object as KubeObject, accept: ['alreadyExists'] }
        : {
            kind: 'update',
            ref: checkpointsRef,
            object: object as KubeObject,
            accept: ['conflict', 'notFound'],
          },
    );
  }
  return steps;
}
