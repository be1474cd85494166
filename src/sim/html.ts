/**
 * One history as a page that a person reads: a time line of processes, faults, nodes and deployments, the broken property, and what came before it.
 * Pure; self-contained: no other file is loaded. Well-formed as XML too, so that a test can say that it is.
 */
import { formatDuration, formatNumber } from '../cli/index.ts';
import { pageScript, pageStyle } from './html-assets.ts';
import { isRoutine, logText, momentMs, momentText, timeText } from './moment-text.ts';
import type { Property } from './property.ts';
import type { Moment, Result } from './run.ts';
import { type Lane, type Mark, type Span, type Steps, type Timeline, timelineOf } from './timeline.ts';

export interface PageOptions {
  readonly result: Result;
  readonly moments: readonly Moment[];
  readonly properties: readonly Property[];
  /** The words that replay it. */
  readonly command: string;
}

const momentsShown = 60;
const laneHeight = 18;
const chartHeight = 44;

export function historyPage({ result, moments, properties, command }: PageOptions): string {
  const title = `Caelum simulator: seed ${result.plan.seed}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>${escaped(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${verdict(result, properties)}
${summary(result, command)}
${timelineSection(timelineOf(moments, result.simulatedMs), result)}
${momentTable(result, moments)}
${logTable(result)}
<script>${pageScript}</script>
</body>
</html>
`;
}

export const escaped = (text: string): string =>
  text
    .replace(/[^\t\n\r\x20-\uFFFD]/g, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

function verdict({ violation }: Result, properties: readonly Property[]): string {
  if (violation === undefined) return `<p class="verdict held">All ${properties.length} properties held.</p>`;
  const property = properties.find(({ name }) => name === violation.property);
  const said =
    property === undefined
      ? ''
      : `<p>${escaped(property.statement)} <span class="quiet">${escaped(property.source)}</span></p>`;
  return `<div class="verdict broken"><p><strong>Broken: ${escaped(violation.property)}</strong> at ${timeText(violation.atMs)}, revision ${violation.revision}</p>
<p class="message">${escaped(violation.message)}</p>${said}</div>`;
}

function summary(result: Result, command: string): string {
  const { plan } = result;
  const faults = Object.entries(result.facts)
    .filter(([fact]) => fact.startsWith('fault: '))
    .map(([fact, count]) => `${fact.slice(7)} ${count}`);
  const rows: readonly (readonly [string, string])[] = [
    ['World', `${plan.nodes.length} nodes, ${plan.actions.length} actions, ${plan.faults.length} faults`],
    ['Time', `${formatDuration(result.simulatedMs)} simulated, ${formatNumber(result.changes)} changes`],
    [
      'Recovered',
      result.recoveredMs === undefined ? 'no' : `${timeText(result.recoveredMs)} after the last fault`,
    ],
    ['Faults', faults.join(', ') || 'none'],
    ['History', result.hash],
    ['Replay', command],
  ];
  const cells = rows.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`);
  return `<dl>${cells.join('')}</dl>`;
}

/** A row of the picture: what is in its box of the given height. */
interface Row {
  readonly label: string;
  readonly note: string;
  readonly height: number;
  readonly inside: string;
  readonly isHead?: boolean;
}

function timelineSection(timeline: Timeline, { violation }: Result): string {
  const { endMs } = timeline;
  const rows: readonly Row[] = [
    head(''),
    spansRow({ name: 'phase', spans: timeline.phases }, endMs, 'phase'),
    marksRow('users', timeline.users, endMs),
    ...group('Processes', timeline.processes, (lane) => spansRow(lane, endMs, 'process')),
    ...group('Faults', timeline.faults, (lane) => spansRow(lane, endMs, 'fault')),
    ...group('Nodes and their pods', timeline.nodes, (lane) => {
      const most = maxOf(lane.pods);
      const inside = `${spans(lane.spans, endMs, chartHeight - 8, 8, 'node')}${chart([['pods', lane.pods]], most, endMs, chartHeight - 10)}`;
      return { label: lane.name, note: `up to ${most} pods`, height: chartHeight, inside };
    }),
    ...group('Deployments', timeline.deployments, ({ name, wanted, ready, updated }) => {
      const most = Math.max(maxOf(wanted), maxOf(ready), maxOf(updated));
      const lines = [['ready', ready] as const, ['updated', updated] as const, ['wanted', wanted] as const];
      return {
        label: name,
        note: `up to ${most}`,
        height: chartHeight,
        inside: chart(lines, most, endMs, chartHeight - 2),
      };
    }),
  ];
  let top = 0;
  const parts: string[] = [];
  const labels: string[] = [];
  for (const row of rows) {
    const kind = row.isHead === true ? 'head' : 'lane';
    labels.push(
      `<div class="${kind}" style="height:${row.height}px" title="${escaped(`${row.label} ${row.note}`)}">${escaped(row.label)} <small>${escaped(row.note)}</small></div>`,
    );
    parts.push(
      `<svg y="${top}" width="100%" height="${row.height}" class="${kind}"><rect class="ground" width="100%" height="${row.height - 1}" />${row.inside}</svg>`,
    );
    top += row.height;
  }
  const broken =
    violation === undefined
      ? ''
      : `<g class="violation" data-text="${escaped(`${violation.property}: ${violation.message}`)}"><title>${escaped(`${violation.property}: ${violation.message}`)}</title><line x1="${percent(violation.atMs, endMs)}" x2="${percent(violation.atMs, endMs)}" y1="0" y2="${top}" /><text x="${percent(violation.atMs, endMs)}" dx="-5" y="${top + 14}" text-anchor="end">${escaped(violation.property)}</text></g>`;
  return `<h2>Time line</h2>
<p class="legend"><span class="key up">up</span> <span class="key down">down</span> <span class="key fault">fault</span> <span class="key ready">Ready, ready</span> <span class="key bad">not ready</span> <span class="key unknown">unknown</span> <span class="key updated">updated</span> <span class="key wanted">wanted</span>
<span class="zoom">Zoom: <button data-zoom="1">1</button> <button data-zoom="4">4</button> <button data-zoom="16">16</button> <button data-zoom="64">64</button></span></p>
<p id="details" class="quiet">Click something for its details.</p>
<div class="timeline"><div class="labels">${labels.join('')}</div><div class="scroll"><svg id="lanes" data-end="${endMs}" data-violation="${violation?.atMs ?? endMs}" width="100%" height="${top + 20}" xmlns="http://www.w3.org/2000/svg">${ticks(endMs, top)}${parts.join('\n')}${broken}</svg></div></div>`;
}

const head = (label: string): Row => ({ label, note: '', height: laneHeight + 4, inside: '', isHead: true });

const group = <T>(label: string, lanes: readonly T[], row: (lane: T) => Row): readonly Row[] =>
  lanes.length === 0 ? [] : [head(label), ...lanes.map(row)];

const percent = (ms: number, endMs: number): string =>
  `${Number(((ms / Math.max(1, endMs)) * 100).toFixed(4))}%`;

function spansRow(lane: Lane, endMs: number, of: string): Row {
  const note = of === 'fault' ? String(lane.spans.length) : '';
  return {
    label: lane.name,
    note,
    height: laneHeight,
    inside: spans(lane.spans, endMs, 3, laneHeight - 7, of),
  };
}

function spans(all: readonly Span[], endMs: number, y: number, height: number, of: string): string {
  return all
    .map(({ fromMs, toMs, state, text }) => {
      const said = escaped(`${text}: ${timeText(fromMs)} to ${timeText(toMs)}`);
      const kind = `${of} ${state.replace(/[^a-zA-Z]+/g, ' ')}`;
      // So that the shortest can be seen too.
      const width = `max(2px, ${percent(toMs - fromMs, endMs)})`;
      const name =
        of === 'phase' ? `<text x="${percent(fromMs, endMs)}" dx="4" y="13">${escaped(state)}</text>` : '';
      return `<rect class="${kind}" x="${percent(fromMs, endMs)}" y="${y}" style="width:${width}" height="${height}" data-text="${said}"><title>${said}</title></rect>${name}`;
    })
    .join('');
}

function marksRow(name: string, marks: readonly Mark[], endMs: number): Row {
  const inside = marks
    .map(({ atMs, text }) => {
      const said = escaped(`${timeText(atMs)}: ${text}`);
      return `<rect class="user" x="${percent(atMs, endMs)}" y="3" width="3" height="${laneHeight - 7}" data-text="${said}"><title>${said}</title></rect>`;
    })
    .join('');
  return { label: name, note: String(marks.length), height: laneHeight, inside };
}

const maxOf = (steps: Steps): number => steps.reduce((most, [, value]) => Math.max(most, value), 0);

/** Step lines in a box of their own that stretches with the page, while the strokes do not. */
function chart(
  lines: readonly (readonly [string, Steps])[],
  most: number,
  endMs: number,
  height: number,
): string {
  const scale = (value: number): string =>
    (height - 2 - (value / Math.max(1, most)) * (height - 6)).toFixed(1);
  const paths = lines.map(([kind, steps]) => {
    const first = steps[0];
    if (first === undefined) return '';
    const start = `M${first[0].toFixed(0)} ${scale(0)}`;
    const path = steps.map(([atMs, value]) => `H${atMs.toFixed(0)}V${scale(value)}`).join('');
    const end = `H${endMs.toFixed(0)}`;
    const isArea = kind === 'ready' || kind === 'pods';
    return `<path class="${kind}" d="${start}${path}${end}${isArea ? `V${scale(0)}Z` : ''}" />`;
  });
  return `<svg x="0" y="0" width="100%" height="${height}" viewBox="0 0 ${Math.max(1, Math.ceil(endMs))} ${height}" preserveAspectRatio="none">${paths.join('')}</svg>`;
}

function ticks(endMs: number, height: number): string {
  const stepMs =
    [1000, 5000, 10_000, 20_000, 30_000, 60_000, 300_000].find((ms) => endMs / ms <= 16) ?? endMs;
  const found: string[] = [];
  for (let atMs = 0; atMs < endMs; atMs += Math.max(1, stepMs)) {
    const x = percent(atMs, endMs);
    found.push(
      `<line class="tick" x1="${x}" x2="${x}" y1="0" y2="${height}" /><text class="tick" x="${x}" dx="3" y="14">${atMs / 1000} s</text>`,
    );
  }
  return found.join('');
}

function momentTable({ violation }: Result, moments: readonly Moment[]): string {
  const until = violation?.atMs ?? Number.POSITIVE_INFINITY;
  const rows = moments
    .filter((moment) => momentMs(moment) <= until && !isRoutine(moment))
    .slice(-momentsShown)
    .map(
      (moment) =>
        `<tr class="${moment.kind}"><td>${timeText(momentMs(moment))}</td><td>${escaped(momentText(moment))}</td></tr>`,
    );
  const last =
    violation === undefined
      ? ''
      : `<tr class="violated"><td>${timeText(violation.atMs)}</td><td>${escaped(`${violation.property}: ${violation.message}`)}</td></tr>`;
  return `<h2>The last that happened${violation === undefined ? '' : ' before it'}</h2>
<p class="quiet">Without leases and events.</p>
<table><tbody>${rows.join('\n')}${last}</tbody></table>`;
}

function logTable({ logs }: Result): string {
  if (logs.length === 0) return '';
  const rows = logs
    .slice(-momentsShown)
    .map(
      ({ atMs, process, line }) =>
        `<tr><td>${timeText(atMs)}</td><td>${escaped(process)}</td><td>${escaped(logText(line))}</td></tr>`,
    );
  return `<h2>The last warnings of the log</h2>\n<table><tbody>${rows.join('\n')}</tbody></table>`;
}
