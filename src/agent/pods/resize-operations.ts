/**
 * The operations that change what a running pod has.
 *
 *   allocate: does it fit? ─▶ on disk ─▶ granted      resize: the kernel, from the outside in when it grows, from the inside out when it shrinks
 *
 * Killed at any point, the next agent finds what was granted on the disk and what the containers have from the runtime, and goes on.
 */
import { explainError, isError } from '../../lib/index.ts';
import type { Limits } from '../runtime/index.ts';
import { type Allocation, allocationOf, resizeRefusal, resizeSummary } from './allocation.ts';
import type { Resizing, Step } from './observed.ts';
import { referenceTo } from './parts.ts';
import type { PodWorker } from './pod-worker.ts';
import { largerLimits, losesMemory } from './resize.ts';

type StepOf<Kind extends Step['kind']> = Extract<Step, { kind: Kind }>;

/** A resize that has to wait is looked at again when others leave room, and else after so long. */
const refusedRetryMs = 3 * 60_000;

function say(worker: PodWorker, type: 'Normal' | 'Warning', reason: string, message: string): void {
  const pod = worker.state.lastPod;
  if (pod !== undefined) worker.parts.events.record({ about: referenceTo(pod), type, reason, message });
}

/** Remembers at once, so that nobody else is given the same room, and resolves when it is on disk. */
async function keep(worker: PodWorker, allocation: Allocation): Promise<void> {
  const { state, parts } = worker;
  const before = state.allocation;
  state.allocation = allocation;
  try {
    await parts.disk.writeAllocation(state.uid, JSON.stringify(allocation));
  } catch (error) {
    state.allocation = before;
    throw error;
  }
}

export async function allocate(worker: PodWorker): Promise<void> {
  const { state, parts } = worker;
  const desired = state.pod;
  if (desired === undefined || state.granted === desired) return;
  const { generation } = desired.metadata;
  const refusal = resizeRefusal(parts.capacity, parts.others(state.uid), desired);
  if (refusal !== undefined) {
    const nowMs = parts.clock.nowMs();
    const before = state.resizeRefusal;
    const same = before?.reason === refusal.reason && before.generation === generation;
    const sinceMs = same ? before.sinceMs : nowMs;
    // What can never be is not tried again.
    const retryAtMs = refusal.reason === 'Infeasible' ? Number.POSITIVE_INFINITY : nowMs + refusedRetryMs;
    state.resizeRefusal = { ...refusal, generation, sinceMs, retryAtMs };
    if (same && before.message === refusal.message) return;
    const { reason, message } = refusal;
    const summary = resizeSummary(desired, generation, message);
    say(worker, 'Warning', `Resize${reason}`, `Pod resize ${reason}: ${summary}`);
    return;
  }
  const { restarts, restartAll } = state.allocation ?? {};
  state.resizeRefusal = undefined;
  state.faults.delete('resize');
  await keep(worker, {
    ...allocationOf(desired),
    resizing: generation ?? 0,
    ...(restarts === undefined ? {} : { restarts }),
    ...(restartAll === undefined ? {} : { restartAll }),
  });
  say(worker, 'Normal', 'ResizeStarted', `Pod resize started: ${resizeSummary(desired, generation)}`);
  worker.refreshVolumes();
}

export async function resize(worker: PodWorker, step: StepOf<'resize'>): Promise<void> {
  const { state, parts } = worker;
  try {
    await refuseTooLittle(worker, step);
    await carryOut(worker, step);
    state.faults.delete('resize');
  } catch (error) {
    const message = explainError(error);
    const isNew = state.faults.get('resize')?.message !== message;
    state.fail('resize', message, parts.clock.nowMs());
    const { granted: pod } = state;
    if (!isNew || pod === undefined) return;
    const generation = state.allocation?.resizing ?? pod.metadata.generation;
    say(worker, 'Warning', 'ResizeError', `Pod resize error: ${resizeSummary(pod, generation, message)}`);
  }
}

/** A limit below what is in use would have the kernel kill: it waits until less is. */
async function refuseTooLittle(worker: PodWorker, step: StepOf<'resize'>): Promise<void> {
  const { runtime } = worker.parts;
  const { uid, sandboxLimits } = worker.state;
  const problems: string[] = [];
  const check = async (what: string, from: Limits | undefined, to: Limits, id?: string): Promise<void> => {
    if (from === undefined || !losesMemory(from, to)) return;
    const usage = await (id === undefined ? runtime.podUsage(uid) : runtime.usage(id));
    const used = usage?.memoryWorkingSetBytes ?? 0;
    const limit = to.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
    if (used > limit)
      problems.push(`attempting to set ${what} memory limit (${limit}) below current usage (${used})`);
  };
  if (step.pod !== undefined) await check('pod', sandboxLimits, step.pod);
  for (const { name, id, from, to } of step.containers) await check(`container "${name}"`, from, to, id);
  if (problems.length === 0) return;
  const list = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
  throw new Error(`cannot decrease memory limits: ${list}`);
}

async function carryOut(worker: PodWorker, step: StepOf<'resize'>): Promise<void> {
  const { state } = worker;
  const setPod = async (limits: Limits): Promise<void> => {
    await worker.parts.runtime.updateSandbox(state.uid, limits);
    state.sandboxLimits = limits;
  };
  const before = state.sandboxLimits;
  if (step.pod !== undefined && before !== undefined) await setPod(largerLimits(before, step.pod));
  // What becomes free is there before it is given away.
  const shrinking = step.containers.filter(({ from, to }) => losesMemory(from, to));
  const growing = step.containers.filter((one) => !shrinking.includes(one));
  for (const one of [...shrinking, ...growing]) await setContainer(worker, one);
  if (step.pod !== undefined) await setPod(step.pod);
}

async function setContainer(worker: PodWorker, { name, id, to }: Resizing): Promise<void> {
  const { state, parts } = worker;
  try {
    await parts.runtime.updateResources(id, to);
  } catch (error) {
    // It has ended meanwhile: whatever starts next is started with what was granted.
    if (isError(error, 'conflict', 'notFound')) return;
    throw error;
  }
  const known = state.latest(name);
  if (known?.id === id) state.setContainer({ ...known, limits: to });
}

export async function concludeResize(worker: PodWorker): Promise<void> {
  const { state } = worker;
  const { granted: pod, allocation } = state;
  if (pod === undefined || allocation?.resizing === undefined) return;
  const { resizing, restarts: _, ...rest } = allocation;
  await keep(worker, rest);
  say(worker, 'Normal', 'ResizeCompleted', `Pod resize completed: ${resizeSummary(pod, resizing)}`);
}

/** From now on all that has run so far is of a life before. */
export async function restartAll(worker: PodWorker, step: StepOf<'restartAll'>): Promise<void> {
  const { allocation } = worker.state;
  if (allocation !== undefined) await keep(worker, { ...allocation, restartAll: step.attempts });
}

/** Before a container is stopped to be resized: whoever finds it ended knows that it has to start again. */
export async function noteRestart(worker: PodWorker, container: string, id: string): Promise<void> {
  const { allocation } = worker.state;
  if (allocation === undefined) return;
  await keep(worker, { ...allocation, restarts: { ...allocation.restarts, [container]: id } });
}
