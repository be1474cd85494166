/** The operations on one container: its image, its root, its start, its hooks, its stop. Events as the kubelet words them. */
import type { Container, LifecycleHandler } from '../../api/index.ts';
import { CaelumError, explainError } from '../../lib/index.ts';
import { editsFor } from '../devices/pod-claims.ts';
import type { ProbeOutcome } from '../probes/prober.ts';
import { formatDuration, nextBackoff } from './backoff.ts';
import { containerSpecOf } from './container-spec.ts';
import { findContainer as find } from './containers.ts';
import { environmentOf } from './environment.ts';
import { obtainImage, refusalOf } from './image-operations.ts';
import { hostNameOf } from './network-files.ts';
import type { Step } from './observed.ts';
import { referenceTo } from './parts.ts';
import type { PodWorker } from './pod-worker.ts';
import { noteRestart } from './resize-operations.ts';
import { seccompAsked } from './security.ts';

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

/** A configuration that cannot work yet is looked at again after so long (and at once when an object that it needs changes). */
const configRetryMs = 10_000;
/** What remains for the container itself when its preStop hook has used up the grace period. */
const graceAfterHookMs = 2000;

function say(
  worker: PodWorker,
  container: string,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): void {
  const pod = worker.state.lastPod;
  const found = find(pod, container);
  if (pod === undefined || found === undefined) return;
  const about = referenceTo(pod, container, found.list);
  worker.parts.events.record({ about, type, reason, message });
}

// ── image and root ──

export async function ensureImage(
  worker: PodWorker,
  step: StepOf<'ensureImage'>,
  signal: AbortSignal,
): Promise<void> {
  const { state, parts } = worker;
  const found = find(state.pod, step.container);
  if (found === undefined || state.pod === undefined) return;
  const name = found.container.image ?? '';
  const policy = found.container.imagePullPolicy ?? 'IfNotPresent';
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    say(worker, step.container, type, reason, message);
  try {
    const image = await obtainImage(worker, state.pod, { name, policy, signal }, tell);
    state.remember(step.container, {
      image: { attempt: step.attempt, image, name },
      imageFailure: undefined,
    });
  } catch (error) {
    if (signal.aborted) return;
    const nowMs = parts.clock.nowMs();
    const { reason, message } = refusalOf(name, error, tell);
    const before = state.memory.get(step.container)?.imageFailure;
    const backoff = nextBackoff(before?.name === name ? before.backoff : undefined, nowMs);
    state.remember(step.container, { imageFailure: { reason, message, atMs: nowMs, backoff, name } });
  }
}

export async function mountRoot(worker: PodWorker, step: StepOf<'mountRoot'>): Promise<void> {
  const { state, parts } = worker;
  const found = state.memory.get(step.container)?.image;
  if (found === undefined) return;
  const { image, name } = found;
  const key = `${step.container}/${step.attempt}`;
  try {
    // Also when it fails, something of it may be there.
    state.roots.add(key);
    const { rootPath } = await parts.images.mountRoot(image, `${state.uid}/${key}`);
    const root = { attempt: step.attempt, rootPath, ...(name !== undefined && { name }) };
    state.remember(step.container, { root });
  } catch (error) {
    // The image may have been removed between finding and mounting: look for it again.
    state.remember(step.container, { image: undefined });
    failStart(worker, step.container, step.attempt, 'CreateContainerError', explainError(error));
    const atMs = parts.clock.nowMs();
    const backoff = nextBackoff(state.memory.get(step.container)?.imageFailure?.backoff, atMs);
    const message = explainError(error);
    state.remember(step.container, {
      imageFailure: { reason: 'CreateContainerError', message, atMs, backoff },
    });
  }
}

// ── start ──

function failStart(
  worker: PodWorker,
  container: string,
  attempt: number,
  reason: string,
  message: string,
): void {
  const atMs = worker.parts.clock.nowMs();
  const retryAtMs = atMs + configRetryMs;
  worker.state.remember(container, { startFailure: { attempt, reason, message, atMs, retryAtMs } });
  say(worker, container, 'Warning', 'Failed', `Error: ${message}`);
}

export async function startContainer(worker: PodWorker, step: StepOf<'startContainer'>): Promise<void> {
  const { state, parts } = worker;
  const pod = state.granted;
  const found = find(pod, step.container);
  const { image, root, backoff } = state.memory.get(step.container) ?? {};
  if (pod === undefined || found === undefined || image === undefined || root === undefined) return;
  const { container, list } = found;
  const { namespace = '' } = pod.metadata;
  let spec: Awaited<ReturnType<typeof containerSpecOf>>;
  try {
    // It came after the volumes: nobody has read yet what it needs.
    if (list === 'ephemeralContainers') await parts.objects.useAllOf(state.uid, pod);
    const [services, accounts] = await Promise.all([
      parts.services(namespace),
      parts.disk.accounts(root.rootPath),
    ]);
    const environment = environmentOf(pod, container, {
      configMap: (name) => parts.objects.configMap(namespace, name),
      secret: (name) => parts.objects.secret(namespace, name),
      services,
      nodeName: parts.nodeName,
      nodeAddress: parts.nodeAddress,
      podAddresses: worker.address === '' ? [] : [worker.address],
      allocatable: parts.allocatable,
    });
    const seccomp = seccompAsked(pod, container);
    const seccompProfile =
      seccomp?.type === 'Localhost'
        ? await parts.disk.seccompProfile(seccomp.localhostProfile ?? '')
        : undefined;
    const mounts = await parts.disk.mountsOf(pod, container, step.attempt, environment);
    const devices = editsFor(container, state.deviceClaims);
    spec = containerSpecOf({
      pod,
      container,
      attempt: step.attempt,
      image: image.image,
      rootPath: root.rootPath,
      accounts,
      environment,
      mounts,
      devices,
      hostName: hostNameOf(pod, parts.nodeFiles.hostname),
      logPath: parts.disk.logPath(pod, step.container, step.attempt),
      nodeMemoryBytes: parts.allocatable.memoryBytes,
      podPidsLimit: parts.podPidsLimit,
      seccompDefault: parts.seccompDefault,
      seccompProfile,
      targetId: targetOf(worker, container.targetContainerName),
    });
  } catch (error) {
    failStart(worker, step.container, step.attempt, 'CreateContainerConfigError', explainError(error));
    return;
  }
  const before = state.latest(step.container);
  const resized = before !== undefined && state.allocation?.restarts?.[step.container] === before.id;
  if (before?.state === 'exited' && !resized)
    state.remember(step.container, { backoff: nextBackoff(backoff, parts.clock.nowMs()) });
  try {
    const status = await parts.runtime.startContainer(spec);
    // It may have ended, and its exit been told, before the start was.
    const known = state.containers.get(`${status.name}/${status.attempt}`);
    if (known?.state !== 'exited') state.setContainer(status);
    const from = image.name ?? container.image ?? '';
    state.remember(step.container, { startFailure: undefined, started: { id: status.id, image: from } });
    say(worker, step.container, 'Normal', 'Created', `Created container: ${step.container}`);
    say(worker, step.container, 'Normal', 'Started', `Started container ${step.container}`);
  } catch (error) {
    await recordFailedStart(worker, step, explainError(error));
  }
}

/** Whose processes the container shall see. */
function targetOf(worker: PodWorker, name: string | undefined): string | undefined {
  if (name === undefined || name === '') return undefined;
  const target = worker.state.latest(name);
  if (target === undefined) throw new CaelumError('invalid', `unable to find target container ${name}`);
  return target.id;
}

/** A start that failed counts as an attempt that ended at once with code 128, whether or not the runtime lists it. */
async function recordFailedStart(
  worker: PodWorker,
  step: StepOf<'startContainer'>,
  message: string,
): Promise<void> {
  const { state, parts } = worker;
  say(worker, step.container, 'Warning', 'Failed', `Error: ${message}`);
  const listed = (await parts.runtime.listContainers()).find(
    (item) => item.podUid === state.uid && item.name === step.container && item.attempt === step.attempt,
  );
  const nowMs = parts.clock.nowMs();
  if (listed !== undefined && listed.state === 'running') {
    state.setContainer(listed);
    return;
  }
  // Of those of which nothing is left but our memory, the last two are enough.
  for (const [key, { id, name, attempt }] of state.containers)
    if (id === '' && name === step.container && attempt < step.attempt - 1) state.containers.delete(key);
  state.setContainer({
    id: listed?.id ?? '',
    podUid: state.uid,
    name: step.container,
    attempt: step.attempt,
    state: 'exited',
    pid: undefined,
    startedAtMs: undefined,
    finishedAtMs: listed?.finishedAtMs ?? nowMs,
    exitCode: listed?.exitCode ?? 128,
    reason: listed?.reason ?? 'StartError',
    message: listed?.message ?? message,
  });
}

// ── hooks and stop ──

export async function runPostStart(
  worker: PodWorker,
  step: StepOf<'runPostStart'>,
  signal: AbortSignal,
): Promise<void> {
  const found = find(worker.state.pod, step.container);
  const handler = found?.container.lifecycle?.postStart;
  if (found === undefined || handler === undefined) return;
  const outcome = await runHook(worker, found.container, step.id, handler, hookTimeoutMs, signal);
  const result = outcome.ok ? ('done' as const) : ('failed' as const);
  worker.state.remember(step.container, {
    hook: { id: step.id, outcome: result, message: outcome.output },
  });
  if (!outcome.ok)
    say(worker, step.container, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${outcome.output}`);
}

/** A postStart hook has no limit of its own; this one only keeps a lost command from holding the pod for ever. */
const hookTimeoutMs = 24 * 3600 * 1000;

async function runHook(
  worker: PodWorker,
  container: Container,
  id: string,
  handler: LifecycleHandler,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const { clock, probeRunner } = worker.parts;
  if (handler.sleep !== undefined) {
    const ms = Math.min(timeoutMs, handler.sleep.seconds * 1000);
    await clock.sleep(ms, signal).catch(() => {});
    return { ok: true, output: '' };
  }
  const target = { podUid: worker.state.uid, containerId: id, address: worker.address, container };
  const aborted = new Promise<ProbeOutcome>((resolve) => {
    signal.addEventListener('abort', () => resolve({ ok: true, output: 'cut short' }), { once: true });
  });
  return Promise.race([probeRunner.run(handler, target, timeoutMs), aborted]);
}

export async function stopContainer(
  worker: PodWorker,
  step: StepOf<'stopContainer'>,
  signal: AbortSignal,
): Promise<void> {
  const { state, parts } = worker;
  const container = find(state.lastPod, step.container)?.container;
  if (step.restarts === true) await noteRestart(worker, step.container, step.id);
  const leftMs = (): number => Math.max(0, step.deadlineMs - parts.clock.nowMs());
  const hastened = (state.busy.get(`stop/${step.container}`)?.count ?? 1) > 1;
  if (step.because !== 'FailedPostStartHook' && !hastened)
    say(worker, step.container, 'Normal', 'Killing', step.because);
  const handler = container?.lifecycle?.preStop;
  const running = state.latest(step.container)?.state === 'running';
  let leastMs = 0;
  if (container !== undefined && handler !== undefined && step.preStop && running && !hastened) {
    const timeoutMs = leftMs();
    const outcome = await Promise.race([
      runHook(worker, container, step.id, handler, timeoutMs, signal),
      parts.clock.sleep(timeoutMs, signal).then(
        () => ({ ok: false, output: `did not finish within ${formatDuration(timeoutMs)}` }),
        () => ({ ok: true, output: '' }),
      ),
    ]);
    if (!outcome.ok)
      say(worker, step.container, 'Warning', 'FailedPreStopHook', `PreStopHook failed: ${outcome.output}`);
    leastMs = graceAfterHookMs;
    // Somebody faster has taken over.
    if (signal.aborted) return;
  }
  const stopSignal =
    container?.lifecycle?.stopSignal ?? state.memory.get(step.container)?.image?.image.config.stopSignal;
  await parts.runtime.stopContainer(step.id, Math.max(leastMs, leftMs()), stopSignal);
  const status = await parts.runtime.status(step.id);
  if (status?.state === 'exited') await worker.onExit(status);
  else if (status === undefined) forgetLost(worker, step);
  else throw new CaelumError('timeout', `Cannot stop container "${step.container}": it is still running`);
}

/** The runtime does not know it any more: it has ended, nobody knows how. */
function forgetLost(worker: PodWorker, step: StepOf<'stopContainer'>): void {
  const known = worker.state.latest(step.container);
  if (known === undefined || known.id !== step.id || known.state === 'exited') return;
  worker.state.setContainer({
    ...known,
    state: 'exited',
    pid: undefined,
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    finishedAtMs: worker.parts.clock.nowMs(),
    message: undefined,
  });
}
