/** The result of one run in words, for people. Pure. */
import { formatDuration, formatNumber } from '../cli/index.ts';
import { isRoutine, logText, momentMs, momentText, timeText } from './moment-text.ts';
import type { Property } from './property.ts';
import type { Moment, Result } from './run.ts';

export interface Told {
  readonly result: Result;
  readonly moments: readonly Moment[];
  readonly properties: readonly Property[];
  readonly cpuMs: number;
}

const momentsShown = 30;
const warningsShown = 20;

export function resultText({ result, moments, properties, cpuMs }: Told): string {
  const { plan, violation, facts } = result;
  const faults = counted(facts, 'fault: ');
  const users = counted(facts, 'user: ');
  const lines = [
    `seed ${plan.seed}: ${plan.nodes.length} nodes, ${plan.actions.length} actions, ${plan.faults.length} faults`,
    `  phases     ${phases(result, moments)}`,
    `  faults     ${faults || 'none'}`,
    `  users      ${users === '' ? 'no errors' : users}`,
    `  changes    ${formatNumber(result.changes)} in ${formatDuration(result.simulatedMs)} simulated; ${formatDuration(cpuMs)} of CPU: ${formatNumber(result.simulatedMs / cpuMs)} s a second, ${formatNumber((result.changes * 1000) / cpuMs)} changes a second`,
    `  recovered  ${result.recoveredMs === undefined ? 'no' : `${timeText(result.recoveredMs)} after the last fault`}`,
    `  coverage   ${result.coverage.size} states`,
    `  history    ${result.hash}`,
  ];
  if (violation === undefined) lines.push('', `All ${properties.length} properties held.`);
  else lines.push('', ...broken(result, moments, properties));
  return `${lines.join('\n')}\n`;
}

function broken(
  { violation, logs }: Result,
  moments: readonly Moment[],
  properties: readonly Property[],
): readonly string[] {
  if (violation === undefined) return [];
  const property = properties.find(({ name }) => name === violation.property);
  const warnings = logs.slice(-warningsShown);
  return [
    `BROKEN ${violation.property}`,
    ...(property === undefined ? [] : [`  ${property.statement} [${property.source}]`]),
    `  at ${timeText(violation.atMs)}, revision ${violation.revision}:`,
    `  ${violation.message}`,
    '',
    'Before it (without leases and events):',
    ...moments
      .filter((moment) => !isRoutine(moment))
      .slice(-momentsShown)
      .map(line),
    '',
    `The last warnings of the log${warnings.length === 0 ? ': none' : ':'}`,
    ...warnings.map(({ atMs, process, line: text }) => `  ${time(atMs)}  ${process}: ${logText(text)}`),
  ];
}

const time = (ms: number): string => timeText(ms).padStart(11);
const line = (moment: Moment): string => `  ${time(momentMs(moment))}  ${momentText(moment)}`;

function phases({ simulatedMs }: Result, moments: readonly Moment[]): string {
  const starts: (readonly [string, number])[] = [['active', 0]];
  for (const moment of moments) if (moment.kind === 'phase') starts.push([moment.what, moment.atMs]);
  return starts
    .map(([name, startMs], at) => `${name} ${formatDuration((starts[at + 1]?.[1] ?? simulatedMs) - startMs)}`)
    .join(', ');
}

/** Facts that begin with `prefix`, most first: `kill 3, cut 1`. */
function counted(facts: Readonly<Record<string, number>>, prefix: string): string {
  return Object.entries(facts)
    .filter(([fact]) => fact.startsWith(prefix))
    .sort((a, b) => b[1] - a[1])
    .map(([fact, count]) => `${fact.slice(prefix.length)} ${count}`)
    .join(', ');
}
