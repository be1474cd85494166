/**
 * What to do next for one pod. Pure: the same observation gives the same plan.
 *
 *   Observed ──▶ viewPod ──▶ removal | termination | end | run ──▶ Plan { steps, status, wakeAtMs }
 *
 * A step is asked for again in each plan until its effect is observed; the shell starts it when no step of its key is under way.
 * Invariants: two attempts of one container never run at once; a terminating or finished pod starts nothing; steps never name a
 * key that is busy (but a stop may be asked for again when it has to be faster).
 */
import { keyOfStep, type Observed, type Plan, type Step } from './observed.ts';
import { volumeRootPrefix } from './pod-state.ts';
import { isResized, resizeWork } from './resize.ts';
import { pullErrorShownMs, statusOf } from './status.ts';
import { activeDeadlineOf, type ContainerView, graceOf, type PodView, viewPod } from './view.ts';

/** Even a pod that is killed at once gets so long. */
const leastGraceMs = 1000;
/** Changes of a container's image that follow each other so soon make one restart. */
const changeSettlesMs = 1000;
/** A pod whose object vanished (deleted by force, or while the agent was away). */
const goneGraceMs = 2000;

class Draft {
  readonly steps: Step[] = [];
  wakeAtMs: number | undefined;
  readonly #observed: Observed;

  constructor(observed: Observed) {
    this.#observed = observed;
  }

  /** Asks for a step unless its key is under way, or failed and has to wait. */
  add(step: Step): void {
    const key = keyOfStep(step);
    const busy = this.#observed.busy.get(key);
    if (busy !== undefined) {
      const hastened =
        step.kind === 'stopContainer' &&
        busy.deadlineMs !== undefined &&
        step.deadlineMs < busy.deadlineMs - 500;
      if (!hastened) return;
    }
    const fault = this.#observed.faults.get(key);
    if (fault !== undefined && fault.retryAtMs > this.#observed.nowMs) {
      this.wakeBy(fault.retryAtMs);
      return;
    }
    this.steps.push(step);
  }

  wakeBy(atMs: number): void {
    if (this.wakeAtMs === undefined || atMs < this.wakeAtMs) this.wakeAtMs = atMs;
  }

  busy(key: string): boolean {
    return this.#observed.busy.has(key);
  }
}

export function planPod(observed: Observed): Plan {
  const draft = new Draft(observed);
  const { pod } = observed;
  if (pod === undefined || observed.deleted) {
    planRemoval(observed, draft);
    return { steps: draft.steps, status: undefined, wakeAtMs: draft.wakeAtMs };
  }
  const view = viewPod(observed, pod);
  const phase = pod.status?.phase;
  const terminal = phase === 'Succeeded' || phase === 'Failed';
  if (pod.metadata.deletionTimestamp !== undefined) {
    planTermination(observed, view, draft);
  } else if (terminal || observed.verdict !== undefined) planEnd(observed, view, draft);
  else {
    const deadlineMs = activeDeadlineOf(observed, pod);
    if (deadlineMs !== undefined && deadlineMs <= observed.nowMs) planEnd(observed, view, draft);
    else {
      if (deadlineMs !== undefined) draft.wakeBy(deadlineMs);
      if (view.finished) planEnd(observed, view, draft);
      else planRun(observed, view, draft);
    }
  }
  return { steps: draft.steps, status: statusOf(observed, view), wakeAtMs: draft.wakeAtMs };
}

// ── running ──

function planRun(observed: Observed, view: PodView, draft: Draft): void {
  const { spec } = view.pod;
  if (view.restartAll !== 'none') {
    planRestartAll(observed, view, draft);
    return;
  }
  if (!observed.volumesReady) draft.add({ kind: 'setUpVolumes' });
  if (!spec?.hostNetwork && !observed.attached) draft.add({ kind: 'attachNetwork' });
  else if (!observed.sandbox) draft.add({ kind: 'createSandbox' });

  const turn = new Set<ContainerView>();
  for (const init of view.inits) {
    if (init.role === 'sidecar' && (init.current !== undefined || view.initialized)) turn.add(init);
  }
  if (view.currentInit !== undefined) turn.add(view.currentInit);
  else for (const main of view.mains) turn.add(main);
  // They are there to see why others do not start.
  for (const guest of view.ephemerals) turn.add(guest);

  for (const container of view.containers) {
    if (container.alive) planAlive(observed, view, container, draft);
    else if (container.wanted && turn.has(container)) planStart(observed, container, draft);
    cleanAttempts(observed, container, draft);
  }
  cleanRoots(observed, view, draft);
  planResize(observed, view, draft);
}

/** All of the pod begins anew. Nothing is asked whether it would like to end. */
function planRestartAll(observed: Observed, view: PodView, draft: Draft): void {
  if (view.restartAll === 'due') {
    const attempts: Record<string, number> = { ...observed.allocation?.restartAll };
    for (const { container, current } of [...view.inits, ...view.mains])
      if (current !== undefined) attempts[container.name] = current.attempt;
    draft.add({ kind: 'restartAll', attempts });
    return;
  }
  for (const { container, current, alive } of [...view.inits, ...view.mains]) {
    const { name } = container;
    if (!alive || current === undefined || (draft.busy(`container/${name}`) && current.state === 'created'))
      continue;
    const because = `Stopping container ${name}`;
    const deadlineMs = observed.nowMs;
    draft.add({
      kind: 'stopContainer',
      container: name,
      id: current.id,
      deadlineMs,
      preStop: false,
      because,
    });
  }
}

/** First it is decided whether the pod gets what it asks for, then what it was granted is carried out. */
function planResize(observed: Observed, view: PodView, draft: Draft): void {
  const { desired, resizeRefusal: refusal, allocation } = observed;
  if (desired !== undefined) {
    const retryAtMs = refusal?.generation === desired.metadata.generation ? (refusal?.retryAtMs ?? 0) : 0;
    if (retryAtMs <= observed.nowMs) draft.add({ kind: 'allocate' });
    else if (Number.isFinite(retryAtMs)) draft.wakeBy(retryAtMs);
  }
  // While it is decided, what was granted may change.
  if (draft.busy('allocation')) return;
  const work = resizeWork(observed, view);
  if (work !== undefined && (work.pod !== undefined || work.containers.length > 0))
    draft.add({ kind: 'resize', pod: work.pod, containers: work.containers });
  for (const { container, current } of work?.restarts ?? []) {
    const { name } = container;
    if (current === undefined || draft.busy(`stop/${name}`)) continue;
    const deadlineMs = observed.nowMs + Math.max(leastGraceMs, graceOf(view.pod));
    const because = `Container ${name} resize requires restart`;
    draft.add({
      kind: 'stopContainer',
      container: name,
      id: current.id,
      deadlineMs,
      preStop: true,
      because,
      restarts: true,
    });
  }
  if (allocation?.resizing !== undefined && isResized(observed, view, work))
    draft.add({ kind: 'concludeResize' });
}

/** A container that is up: its hook, and what its probes demand. */
function planAlive(observed: Observed, view: PodView, container: ContainerView, draft: Draft): void {
  const { current } = container;
  if (current === undefined || current.state !== 'running') return;
  const { name } = container.container;
  if (container.hook === 'pending') {
    draft.add({ kind: 'runPostStart', container: name, id: current.id });
    return;
  }
  const stop = (because: string, graceSeconds: number | undefined, isChanged = false): void => {
    const graceMs = graceSeconds === undefined ? graceOf(view.pod) : graceSeconds * 1000;
    const deadlineMs = observed.nowMs + Math.max(leastGraceMs, graceMs);
    if (draft.busy(`stop/${name}`)) return;
    draft.add({
      kind: 'stopContainer',
      container: name,
      id: current.id,
      deadlineMs,
      preStop: true,
      because,
      ...(isChanged && { restarts: true }),
    });
  };
  const probes = observed.probes.get(current.id);
  const { startupProbe, livenessProbe } = container.container;
  if (container.hook === 'failed') stop('FailedPostStartHook', undefined);
  else if (probes?.startup === 'failure')
    stop(
      `Container ${name} failed startup probe, will be restarted`,
      startupProbe?.terminationGracePeriodSeconds,
    );
  else if (probes?.liveness === 'failure')
    stop(
      `Container ${name} failed liveness probe, will be restarted`,
      livenessProbe?.terminationGracePeriodSeconds,
    );
  else if (isOutdated(container)) {
    const settledMs = (container.memory.changedAtMs ?? 0) + changeSettlesMs;
    if (settledMs > observed.nowMs) draft.wakeBy(settledMs);
    else stop(`Container ${name} definition changed, will be restarted`, undefined, true);
  }
}

/** It runs from another image than is asked for by now. */
function isOutdated({ role, startedImage, container }: ContainerView): boolean {
  return role !== 'init' && startedImage !== undefined && startedImage !== container.image;
}

/** Image, root, then the container itself, as soon as the sandbox and the volumes are there. */
function planStart(observed: Observed, view: ContainerView, draft: Draft): void {
  const container = view.container.name;
  const attempt = view.nextAttempt;
  if (draft.busy(`container/${container}`) || draft.busy(`stop/${container}`)) return;
  if (view.backoffUntilMs !== undefined && view.backoffUntilMs > observed.nowMs) {
    draft.wakeBy(view.backoffUntilMs);
    return;
  }
  const { image, root, startFailure } = view.memory;
  const isFor = (found: { readonly name?: string } | undefined): boolean =>
    found?.name === undefined || found.name === view.container.image;
  const imageFailure = isFor(view.memory.imageFailure) ? view.memory.imageFailure : undefined;
  if (image?.attempt !== attempt || !isFor(image)) {
    const retryAtMs = imageFailure === undefined ? 0 : imageFailure.atMs + imageFailure.backoff.delayMs;
    if (retryAtMs > observed.nowMs) {
      draft.wakeBy(retryAtMs);
      const shownUntilMs = (imageFailure?.atMs ?? 0) + pullErrorShownMs;
      if (shownUntilMs > observed.nowMs) draft.wakeBy(shownUntilMs);
    } else draft.add({ kind: 'ensureImage', container, attempt });
    return;
  }
  if (root?.attempt !== attempt) {
    draft.add({ kind: 'mountRoot', container, attempt });
    return;
  }
  if (!isFor(root)) {
    draft.add({ kind: 'unmountRoot', root: `${container}/${attempt}` });
    return;
  }
  if (!observed.sandbox || !observed.volumesReady) return;
  if (startFailure?.attempt === attempt && startFailure.retryAtMs > observed.nowMs) {
    draft.wakeBy(startFailure.retryAtMs);
    return;
  }
  draft.add({ kind: 'startContainer', container, attempt });
}

/** Of ended containers only the last one stays, for `logs --previous`. */
function cleanAttempts(observed: Observed, view: ContainerView, draft: Draft): void {
  const { name } = view.container;
  for (const item of observed.containers) {
    if (item.name !== name || item.state !== 'exited' || item.id === '') continue;
    const newest = view.current?.attempt ?? view.previous?.attempt ?? 0;
    const stays = item.attempt === newest || (item.attempt === newest - 1 && view.alive);
    if (!stays) draft.add({ kind: 'removeContainer', container: name, id: item.id, attempt: item.attempt });
  }
}

/** A root is there for the attempt that is up, or about to be started: not for one that has ended, failed to start, or went with a restart of the machine. */
function cleanRoots(observed: Observed, view: PodView, draft: Draft): void {
  for (const root of observed.roots) {
    const [name = '', attempt] = root.split('/');
    // Those of volumes are the whole pod's.
    if (draft.busy(`container/${name}`) || name.startsWith(volumeRootPrefix)) continue;
    const owner = view.containers.find(({ container }) => container.name === name);
    const needed =
      owner?.alive === true ? owner.current?.attempt : owner?.wanted ? owner.nextAttempt : undefined;
    if (String(needed) !== attempt) draft.add({ kind: 'unmountRoot', root });
  }
}

// ── ending ──

/** Stops what runs: main and init containers together, then sidecars, last started first. True when nothing is left alive. */
function stopAll(
  observed: Observed,
  view: PodView,
  draft: Draft,
  deadlineMs: number,
  because: string,
): boolean {
  for (const key of observed.busy.keys())
    if (key.startsWith('image/')) draft.add({ kind: 'abortPull', container: key.slice('image/'.length) });
  const starting = [...observed.busy.keys()].some((key) => key.startsWith('container/'));
  const others = view.containers.filter((item) => item.role !== 'sidecar' && item.alive);
  const sidecars = view.inits.filter((item) => item.role === 'sidecar' && item.alive);
  const late = deadlineMs <= observed.nowMs + leastGraceMs;
  const last = sidecars.at(-1);
  const stage =
    others.length > 0 ? (late ? [...others, ...sidecars] : others) : late ? sidecars : last ? [last] : [];
  for (const item of stage) {
    const { name } = item.container;
    if (item.current === undefined) continue;
    // Wait for a hook or a start that is under way only while there is time.
    if (draft.busy(`container/${name}`) && item.current.state === 'created') continue;
    const words = because === '' ? `Stopping container ${name}` : because;
    draft.add({
      kind: 'stopContainer',
      container: name,
      id: item.current.id,
      deadlineMs,
      preStop: true,
      because: words,
    });
  }
  const stopping = [...observed.busy.keys()].some((key) => key.startsWith('stop/'));
  return others.length === 0 && sidecars.length === 0 && !starting && !stopping;
}

/** The sandbox, the network, the roots and the volumes go, in parallel. True when all are gone. */
function tearDown(observed: Observed, draft: Draft): boolean {
  for (const root of observed.roots) draft.add({ kind: 'unmountRoot', root });
  const pulling = [...observed.busy.keys()].some((key) => key.startsWith('image/'));
  if (observed.networkPresent) draft.add({ kind: 'detachNetwork' });
  if (observed.volumesPresent && observed.roots.size === 0) draft.add({ kind: 'tearDownVolumes' });
  const settled = !['network', 'sandbox', 'volumes'].some((key) => draft.busy(key));
  const left = observed.networkPresent || observed.roots.size > 0 || observed.volumesPresent;
  return settled && !left && !pulling;
}

/** The pod is over (or its time is up): nothing runs any more; ended containers stay for their logs. */
function planEnd(observed: Observed, view: PodView, draft: Draft): void {
  const { verdict } = observed;
  const deadlineMs =
    verdict === undefined
      ? endDeadlineOf(observed, view)
      : Math.max(verdict.atMs + verdict.graceMs, observed.nowMs + leastGraceMs);
  if (!stopAll(observed, view, draft, deadlineMs, '')) {
    draft.wakeBy(deadlineMs);
    return;
  }
  tearDown(observed, draft);
}

function endDeadlineOf(observed: Observed, view: PodView): number {
  const ends = view.mains.map((item) => item.current?.finishedAtMs ?? 0);
  const startMs = view.finished && ends.length > 0 ? Math.max(...ends) : observed.nowMs;
  return Math.max(startMs + graceOf(view.pod), observed.nowMs + leastGraceMs);
}

function planTermination(observed: Observed, view: PodView, draft: Draft): void {
  const { pod } = view;
  const graceMs = (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000;
  const askedMs = Date.parse(pod.metadata.deletionTimestamp ?? '') || observed.nowMs;
  const { verdict } = observed;
  const evictedMs = verdict === undefined ? Number.POSITIVE_INFINITY : verdict.atMs + verdict.graceMs;
  // The object says until when; a clock that was set must not make it longer than was asked for.
  const deadlineMs = Math.max(
    observed.nowMs + leastGraceMs,
    Math.min(askedMs, observed.nowMs + graceMs, evictedMs),
  );
  if (!stopAll(observed, view, draft, deadlineMs, '')) {
    draft.wakeBy(deadlineMs);
    return;
  }
  const gone = tearDown(observed, draft);
  if (observed.sandboxPresent) {
    // Takes the ended containers along. Their last words must be in the object before.
    draft.add({ kind: 'removeSandbox' });
    return;
  }
  const held = (pod.metadata.finalizers ?? []).length > 0 && pod.metadata.deletionGracePeriodSeconds === 0;
  if (gone && !held) draft.add({ kind: 'deletePod' });
}

/** The API object is gone: everything of the pod goes. */
function planRemoval(observed: Observed, draft: Draft): void {
  const deadlineMs = (observed.goneAtMs ?? observed.nowMs) + goneGraceMs;
  for (const key of observed.busy.keys())
    if (key.startsWith('image/')) draft.add({ kind: 'abortPull', container: key.slice('image/'.length) });
  let alive = [...observed.busy.keys()].some((key) => /^(container|stop|image)\//.test(key));
  for (const item of observed.containers) {
    if (item.state === 'exited') continue;
    alive = true;
    if (draft.busy(`container/${item.name}`) && item.state === 'created') continue;
    draft.add({
      kind: 'stopContainer',
      container: item.name,
      id: item.id,
      deadlineMs,
      preStop: false,
      because: `Stopping container ${item.name}`,
    });
  }
  if (alive) {
    draft.wakeBy(Math.max(deadlineMs, observed.nowMs + 100));
    return;
  }
  for (const item of observed.containers)
    if (item.id !== '')
      draft.add({ kind: 'removeContainer', container: item.name, id: item.id, attempt: item.attempt });
  const gone = tearDown(observed, draft);
  if (observed.sandboxPresent) draft.add({ kind: 'removeSandbox' });
  const left = observed.containers.some((item) => item.id !== '') || observed.sandboxPresent;
  if (gone && !left && observed.busy.size === 0) draft.add({ kind: 'forget' });
}
