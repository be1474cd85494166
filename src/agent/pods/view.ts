/**
 * Each container of a pod as the plan and the status see it: which attempt is current, whether it is up, whether it will run again.
 *
 *   Observed ──▶ viewPod ──▶ PodView ──▶ plan.ts (what to do), status.ts (what to say)
 *
 * What only the API object remembers (a container that ran before the machine was restarted) is shown as an exited attempt.
 */
import type { Container, ContainerStatus, Pod } from '../../api/index.ts';
import { backoffUntil } from './backoff.ts';
import type { ContainerMemory, Observed, RuntimeStatus } from './observed.ts';

export type Role = 'init' | 'sidecar' | 'main' | 'ephemeral';

export interface ContainerView {
  readonly container: Container;
  readonly role: Role;
  /** The latest attempt that was started. */
  readonly current: RuntimeStatus | undefined;
  /** The attempt before it. */
  readonly previous: RuntimeStatus | undefined;
  /** What the API object said last. */
  readonly reported: ContainerStatus | undefined;
  readonly memory: ContainerMemory;
  /** created or running */
  readonly alive: boolean;
  readonly exited: boolean;
  /** Exited (or never started), and policy wants it run (again). */
  readonly wanted: boolean;
  /** Exited because we stopped it to start it anew, whatever the policy. */
  readonly restarting: boolean;
  readonly nextAttempt: number;
  /** Exited, wanted, and made to wait. */
  readonly backoffUntilMs: number | undefined;
  readonly hook: 'none' | 'pending' | 'done' | 'failed';
  /** What the current attempt was started from, as far as anybody knows. */
  readonly startedImage: string | undefined;
  readonly started: boolean;
  readonly ready: boolean;
}

/**
 * Whether the pod begins anew in place. due: a container has ended in a way that wants it. stopping: what still runs has to end first.
 * Source: KEP-5532.
 */
export type RestartAll = 'none' | 'due' | 'stopping';

export interface PodView {
  readonly pod: Pod;
  readonly containers: readonly ContainerView[];
  readonly inits: readonly ContainerView[];
  readonly mains: readonly ContainerView[];
  /** Put in to look around: each runs once, and nothing depends on it. */
  readonly ephemerals: readonly ContainerView[];
  readonly restartAll: RestartAll;
  /** All init containers have succeeded and all sidecars have started (or once had). */
  readonly initialized: boolean;
  /** The init container (or sidecar) whose turn it is. */
  readonly currentInit: ContainerView | undefined;
  /** An init container failed for good. */
  readonly initFailed: boolean;
  /** Every main container has ended and none will run again; or an init container failed for good. */
  readonly finished: boolean;
}

/** When activeDeadlineSeconds runs out. */
export function activeDeadlineOf(observed: Observed, pod: Pod): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds;
  if (seconds === undefined) return undefined;
  const startedMs = Date.parse(pod.status?.startTime ?? '') || observed.seenAtMs;
  return startedMs + seconds * 1000;
}

export const graceOf = (pod: Pod): number => (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;

const policyOf = (pod: Pod, container: Container): string =>
  container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';

/** What the first rule of the container that fits says. Those of a container without a policy of its own do not count. */
function ruleFor({ restartPolicy, restartPolicyRules }: Container, exitCode: number): string | undefined {
  if (restartPolicy === undefined) return undefined;
  return restartPolicyRules?.find(({ exitCodes }) => {
    const isIn = exitCodes?.values?.includes(exitCode) === true;
    return exitCodes?.operator === 'NotIn' ? !isIn : isIn;
  })?.action;
}

function wantsAgain(pod: Pod, container: Container, role: Role, exitCode: number): boolean {
  const policy = policyOf(pod, container);
  if (role !== 'ephemeral' && ruleFor(container, exitCode) === 'Restart') return true;
  if (role === 'ephemeral') return false;
  if (role === 'init') return exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

export const lostContainerMessage = 'The container could not be located when the pod was terminated';

/** A container that the API object says has run, but that the runtime does not know: exited, as far as we can tell. */
function remembered(observed: Observed, reported: ContainerStatus | undefined): RuntimeStatus | undefined {
  if (reported?.containerID === undefined) return undefined;
  const { terminated, running } = reported.state ?? {};
  const known = terminated ?? reported.lastState?.terminated;
  const base = {
    id: (terminated?.containerID ?? reported.containerID).replace(/^[a-z]+:\/\//, ''),
    podUid: observed.uid,
    name: reported.name,
    attempt: reported.restartCount,
    state: 'exited' as const,
    pid: undefined,
  };
  if (running === undefined && known !== undefined)
    return {
      ...base,
      startedAtMs: parseTime(known.startedAt),
      finishedAtMs: parseTime(known.finishedAt) ?? observed.seenAtMs,
      exitCode: known.exitCode,
      reason: known.reason,
      message: known.message,
    };
  if (running === undefined) return undefined;
  return {
    ...base,
    startedAtMs: parseTime(running.startedAt),
    finishedAtMs: observed.seenAtMs,
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: lostContainerMessage,
  };
}

const parseTime = (text: string | undefined): number | undefined => {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms;
};

export function viewPod(observed: Observed, pod: Pod): PodView {
  const spec = pod.spec;
  const initList = spec?.initContainers ?? [];
  const mainList = spec?.containers ?? [];
  const reportedInits = new Map((pod.status?.initContainerStatuses ?? []).map((item) => [item.name, item]));
  const reportedMains = new Map((pod.status?.containerStatuses ?? []).map((item) => [item.name, item]));
  // With no sandbox left (the machine was restarted) init containers have to run again.
  const fresh = !observed.sandbox && observed.containers.length === 0;
  const initViews = initList.map((container) => {
    const reported = reportedInits.get(container.name);
    const role: Role = container.restartPolicy === 'Always' ? 'sidecar' : 'init';
    return viewContainer(observed, pod, container, role, reported, fresh);
  });
  const mains = mainList.map((container) =>
    viewContainer(observed, pod, container, 'main', reportedMains.get(container.name), false),
  );
  const reportedGuests = new Map(
    (pod.status?.ephemeralContainerStatuses ?? []).map((item) => [item.name, item]),
  );
  const ephemerals = ((spec?.ephemeralContainers ?? []) as readonly Container[]).map((container) =>
    viewContainer(observed, pod, container, 'ephemeral', reportedGuests.get(container.name), false),
  );
  const anyMainStarted = mains.some((view) => view.current !== undefined && !isRemembered(observed, view));
  let currentInit: ContainerView | undefined;
  let initFailed = false;
  for (let index = 0; index < initViews.length && !anyMainStarted; index++) {
    const view = initViews[index] as ContainerView;
    const laterStarted = initViews.slice(index + 1).some((later) => later.current !== undefined);
    const done =
      view.role === 'sidecar'
        ? view.started || laterStarted
        : (view.exited && view.current?.exitCode === 0) || laterStarted;
    if (done) continue;
    currentInit = view;
    initFailed = view.role === 'init' && view.exited && !view.wanted;
    break;
  }
  const initialized = currentInit === undefined;
  const restartAll = restartAllOf(observed, [...initViews, ...mains]);
  const mainsEnded = mains.length > 0 && mains.every((view) => view.exited && !view.wanted);
  return {
    pod,
    containers: [...initViews, ...mains, ...ephemerals],
    inits: initViews,
    mains,
    ephemerals,
    restartAll,
    initialized,
    currentInit,
    initFailed,
    finished: restartAll === 'none' && (initFailed || (initialized && mainsEnded)),
  };
}

function restartAllOf(observed: Observed, views: readonly ContainerView[]): RestartAll {
  const before = observed.allocation?.restartAll ?? {};
  const isOld = ({ container, current }: ContainerView): boolean =>
    current !== undefined && current.attempt <= (before[container.name] ?? -1);
  if (views.some((view) => view.alive && isOld(view))) return 'stopping';
  const isDue = views.some(
    ({ container, exited, current }) =>
      exited && ruleFor(container, current?.exitCode ?? 0) === 'RestartAllContainers',
  );
  return isDue ? 'due' : 'none';
}

const isRemembered = (observed: Observed, view: ContainerView): boolean =>
  !observed.containers.some((item) => item.name === view.container.name);

function viewContainer(
  observed: Observed,
  pod: Pod,
  container: Container,
  role: Role,
  reported: ContainerStatus | undefined,
  fresh: boolean,
): ContainerView {
  const attempts = observed.containers
    .filter((item) => item.name === container.name)
    .sort((a, b) => b.attempt - a.attempt);
  const fromApi = fresh ? undefined : remembered(observed, reported);
  const newest = attempts[0] ?? fromApi;
  // What has ended of a life before does not count any more; what still runs of it does.
  const before = observed.allocation?.restartAll?.[container.name] ?? -1;
  const isOver = newest?.state === 'exited' && newest.attempt <= before;
  const current = isOver ? undefined : newest;
  const previous = isOver ? newest : attempts[1];
  const memory = observed.memory.get(container.name) ?? {};
  const alive = current !== undefined && current.state !== 'exited';
  const exited = current?.state === 'exited';
  // Stopped to be resized: it starts again whatever its policy is.
  const resized = exited && observed.allocation?.restarts?.[container.name] === current.id;
  const wanted =
    current === undefined || resized || (exited && wantsAgain(pod, container, role, current.exitCode ?? 0));
  const countedBefore = reported?.containerID === undefined ? 0 : (reported?.restartCount ?? 0) + 1;
  const nextKnown = newest === undefined ? countedBefore : newest.attempt + 1;
  // The API may not have heard of the last attempts before the machine was restarted, and the runtime has forgotten them. Found by simulation.
  const nextAttempt = Math.max(nextKnown, (memory.lastLogged ?? -1) + 1, before + 1);
  const hook = hookOf(container, current, reported, memory);
  const running = current?.state === 'running';
  const probes = current === undefined ? undefined : observed.probes.get(current.id);
  const started =
    running &&
    (hook === 'none' || hook === 'done') &&
    (container.startupProbe === undefined || probes?.startup === 'success');
  const finishedAtMs = newest?.finishedAtMs ?? observed.nowMs;
  return {
    container,
    role,
    current,
    previous,
    reported,
    memory,
    alive,
    exited,
    wanted,
    restarting: resized,
    nextAttempt,
    backoffUntilMs:
      (exited && wanted && !resized) || isOver ? backoffUntil(memory.backoff, finishedAtMs) : undefined,
    hook,
    startedImage: startedImageOf(current, reported, memory),
    started,
    ready:
      role === 'init'
        ? exited && current?.exitCode === 0
        : started && (container.readinessProbe === undefined || probes?.readiness === 'success'),
  };
}

function startedImageOf(
  current: RuntimeStatus | undefined,
  reported: ContainerStatus | undefined,
  memory: ContainerMemory,
): string | undefined {
  if (current === undefined || current.id === '') return undefined;
  if (memory.started?.id === current.id) return memory.started.image;
  const isReported = reported?.containerID?.endsWith(current.id) === true && reported.image !== '';
  return isReported ? reported?.image : undefined;
}

/** Whether the postStart hook of the running attempt is done; after a restart of the agent the API object tells. */
function hookOf(
  container: Container,
  current: RuntimeStatus | undefined,
  reported: ContainerStatus | undefined,
  memory: ContainerMemory,
): ContainerView['hook'] {
  if (container.lifecycle?.postStart === undefined || current === undefined) return 'none';
  if (memory.hook?.id === current.id) return memory.hook.outcome;
  const said = reported?.state?.running !== undefined && reported.containerID?.endsWith(current.id) === true;
  return said ? 'done' : 'pending';
}
