/**
 * A pod in one line, as `kubectl get pods` shows it: READY, STATUS and RESTARTS are read from many fields. Pure.
 *
 *   init containers, in order, up to the first that is not done ─▶ `Init:1/3`, `Init:CrashLoopBackOff`
 *   otherwise containers, the first one's trouble winning      ─▶ `CrashLoopBackOff`, `Completed`, `Running`
 *   being deleted                                              ─▶ `Terminating`
 *
 * Source: the behaviour of Kubernetes 1.36, pkg/printers.
 */
import type { Column } from '../../kind.ts';
import type { ContainerStatus, Pod } from '../../types/core.v1.ts';
import { ageColumn, ageOf, column, nameColumn, none, orNone, wideColumn } from '../cells.ts';

export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly status: string;
  readonly restarts: number;
  /** RFC 3339; '' when nothing ever restarted. */
  readonly lastRestart: string;
}

interface Tally {
  restarts: number;
  lastRestart: string;
}

function count(tally: Tally, status: ContainerStatus): void {
  tally.restarts += status.restartCount ?? 0;
  const finished = status.lastState?.terminated?.finishedAt ?? '';
  if (finished > tally.lastRestart) tally.lastRestart = finished;
}

/** Why a container ended, where nobody gave a reason. */
function endReason({ signal = 0, exitCode }: { signal?: number; exitCode: number }): string {
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

const hasCondition = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.some((one) => one.type === type && one.status === 'True') ?? false;

interface Beginning {
  /** What holds the pod up; undefined when all init containers are done or running as they should. */
  readonly status: string | undefined;
  readonly ready: number;
  readonly all: Tally;
  /** Of those that stay: they count among the containers once the pod runs. */
  readonly sidecars: Tally;
}

function beginningOf(pod: Pod, sidecars: ReadonlySet<string>): Beginning {
  const all: Tally = { restarts: 0, lastRestart: '' };
  const lasting: Tally = { restarts: 0, lastRestart: '' };
  let ready = 0;
  for (const [index, one] of (pod.status?.initContainerStatuses ?? []).entries()) {
    count(all, one);
    const isSidecar = sidecars.has(one.name);
    if (isSidecar) count(lasting, one);
    const { terminated, waiting } = one.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && one.started === true) {
      if (one.ready) ready++;
      continue;
    }
    const reason =
      terminated !== undefined
        ? terminated.reason || endReason(terminated)
        : waiting?.reason && waiting.reason !== 'PodInitializing'
          ? waiting.reason
          : `${index}/${pod.spec?.initContainers?.length ?? 0}`;
    return { status: `Init:${reason}`, ready, all, sidecars: lasting };
  }
  return { status: undefined, ready, all, sidecars: lasting };
}

export function summaryOf(pod: Pod): PodSummary {
  const sidecars = new Set(
    pod.spec?.initContainers?.flatMap((one) => (one.restartPolicy === 'Always' ? [one.name] : [])),
  );
  const total = (pod.spec?.containers?.length ?? 0) + sidecars.size;
  let status = pod.status?.reason || pod.status?.phase || '';
  if (pod.status?.conditions?.some((one) => one.type === 'PodScheduled' && one.reason === 'SchedulingGated'))
    status = 'SchedulingGated';
  const beginning = beginningOf(pod, sidecars);
  status = beginning.status ?? status;
  let { ready } = beginning;
  let tally = beginning.all;
  if (beginning.status === undefined || hasCondition(pod, 'Initialized')) {
    tally = { ...beginning.sidecars };
    let isRunning = false;
    // From the last to the first: the first one's trouble is shown.
    for (const one of (pod.status?.containerStatuses ?? []).toReversed()) {
      count(tally, one);
      const { waiting, terminated, running } = one.state ?? {};
      if (waiting?.reason) status = waiting.reason;
      else if (terminated !== undefined) status = terminated.reason || endReason(terminated);
      else if (one.ready && running !== undefined) {
        isRunning = true;
        ready++;
      }
    }
    if (status === 'Completed' && isRunning) status = hasCondition(pod, 'Ready') ? 'Running' : 'NotReady';
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    const { phase, reason } = pod.status ?? {};
    if (reason === 'NodeLost') status = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') status = 'Terminating';
  }
  return { ready, total, status, restarts: tally.restarts, lastRestart: tally.lastRestart };
}

function restartsCell(pod: Pod, nowMs: number): string {
  const { restarts, lastRestart } = summaryOf(pod);
  return restarts === 0 || lastRestart === ''
    ? `${restarts}`
    : `${restarts} (${ageOf(lastRestart, nowMs)} ago)`;
}

function gatesCell(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return none;
  return `${gates.filter((gate) => hasCondition(pod, gate.conditionType)).length}/${gates.length}`;
}

export const podColumns: readonly Column[] = [
  nameColumn,
  column<Pod>('Ready', 'How many of its containers are ready, of how many.', (pod) => {
    const { ready, total } = summaryOf(pod);
    return `${ready}/${total}`;
  }),
  column<Pod>('Status', 'Its state, or what its containers wait for.', (pod) => summaryOf(pod).status),
  column<Pod>('Restarts', 'How often its containers were restarted, and when last.', restartsCell),
  ageColumn,
  wideColumn<Pod>('IP', 'Its address.', ({ status }) => orNone(status?.podIPs?.[0]?.ip ?? status?.podIP)),
  wideColumn<Pod>('Node', 'The node it runs on.', ({ spec }) => orNone(spec?.nodeName)),
  wideColumn<Pod>('Nominated Node', 'The node where room is being made for it.', ({ status }) =>
    orNone(status?.nominatedNodeName),
  ),
  wideColumn<Pod>('Readiness Gates', 'How many of its readiness gates are open, of how many.', gatesCell),
];
