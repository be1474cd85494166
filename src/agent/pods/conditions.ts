/** A pod's conditions: those that the agent owns, and the others as they are. Pure; reasons and messages as the kubelet has them. */
import type { PodCondition } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import type { Observed } from './observed.ts';
import type { PodView } from './view.ts';

interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

const yes: Verdict = { status: 'True' };

export function conditionsOf(observed: Observed, view: PodView, phase: string): PodCondition[] {
  const { pod } = view;
  const old = pod.status?.conditions ?? [];
  const generation = pod.metadata.generation;
  const now = formatTime(observed.nowMs);
  const make = (type: string, verdict: Verdict): PodCondition => {
    const before = old.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === verdict.status ? (before.lastTransitionTime ?? now) : now;
    return {
      type,
      ...verdict,
      lastTransitionTime,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  };
  const containersReady = containersReadyOf(view, phase);
  const owned = [
    make('PodReadyToStartContainers', {
      status: observed.sandbox && (observed.attached || pod.spec?.hostNetwork === true) ? 'True' : 'False',
    }),
    make('Initialized', initializedOf(view, phase)),
    make('Ready', readyOf(view, containersReady)),
    make('ContainersReady', containersReady),
  ];
  const scheduled = old.find((condition) => condition.type === 'PodScheduled');
  const passing = [
    ...resizeConditions(observed, phase, make),
    ...disruptionOf(observed, make),
    ...restartingOf(view, phase, make),
  ];
  return [...passing, ...owned, ...(scheduled === undefined ? [make('PodScheduled', yes)] : [])];
}

/** Conditions that the agent takes away when they do not hold any more. */
export const passingConditions: ReadonlySet<string> = new Set(['PodResizePending', 'PodResizeInProgress']);

type Make = (type: string, verdict: Verdict) => PodCondition;

function resizeConditions(observed: Observed, phase: string, make: Make): PodCondition[] {
  const { desired, resizeRefusal: refusal, allocation, faults } = observed;
  if (phase === 'Succeeded' || phase === 'Failed') return [];
  const of = (condition: PodCondition, generation: number | undefined): PodCondition =>
    generation === undefined ? condition : { ...condition, observedGeneration: generation };
  const result: PodCondition[] = [];
  if (desired !== undefined && refusal !== undefined) {
    const { reason, message, generation } = refusal;
    result.push(of(make('PodResizePending', { status: 'True', reason, message }), generation));
  }
  if (allocation?.resizing !== undefined) {
    const fault = faults.get('resize');
    const why = fault === undefined ? {} : { reason: 'Error', message: fault.message };
    result.push(of(make('PodResizeInProgress', { status: 'True', ...why }), allocation.resizing));
  }
  return result;
}

/** Only of pods that may be begun anew in place. */
function restartingOf(view: PodView, phase: string, make: Make): PodCondition[] {
  const mayRestart = [...view.inits, ...view.mains].some(({ container }) =>
    container.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  );
  if (!mayRestart) return [];
  const type = 'AllContainersRestarting';
  if (view.restartAll !== 'none')
    return [make(type, { status: 'True', reason: 'RestartAllContainersStarted' })];
  const reason = phase === 'Succeeded' ? 'PodCompleted' : phase === 'Failed' ? 'PodFailed' : undefined;
  return [make(type, { status: 'False', ...(reason === undefined ? {} : { reason }) })];
}

function disruptionOf({ verdict }: Observed, make: Make): PodCondition[] {
  if (verdict?.isDisruption !== true) return [];
  const { message } = verdict;
  return [make('DisruptionTarget', { status: 'True', reason: 'TerminationByKubelet', message })];
}

function initializedOf(view: PodView, phase: string): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  if (view.initialized) return yes;
  const waiting = view.inits.filter((item) => !(item.role === 'sidecar' ? item.started : item.ready));
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${waiting.map((item) => item.container.name).join(' ')}]`,
  };
}

function containersReadyOf(view: PodView, phase: string): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const unready = [...view.inits.filter((item) => item.role === 'sidecar'), ...view.mains].filter(
    (item) => !item.ready,
  );
  if (unready.length === 0 && view.initialized) return yes;
  const names = unready.map((item) => item.container.name).join(' ');
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${names}]`,
  };
}

function readyOf(view: PodView, containersReady: Verdict): Verdict {
  if (containersReady.status === 'False') return containersReady;
  const conditions = view.pod.status?.conditions ?? [];
  const problems: string[] = [];
  for (const gate of view.pod.spec?.readinessGates ?? []) {
    const found = conditions.find((condition) => condition.type === gate.conditionType);
    const name = `corresponding condition of pod readiness gate "${gate.conditionType}"`;
    if (found === undefined) problems.push(`${name} does not exist.`);
    else if (found.status !== 'True')
      problems.push(
        `the status of pod readiness gate "${gate.conditionType}" is not "True", but ${found.status}`,
      );
  }
  if (problems.length === 0) return yes;
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: problems.join(', ') };
}
