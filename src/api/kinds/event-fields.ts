/**
 * What both faces of events share: columns, and what an event may say. All told of the core form.
 * Source: Kubernetes 1.36, pkg/apis/core/validation/events.go and pkg/printers, as behaviour.
 */
import type { Column } from '../kind.ts';
import type { Event } from '../types/core.v1.ts';
import { qualifiedName } from '../validation/names.ts';
import { type Problems, required, wrong } from '../validation/problems.ts';
import { ageOf, column, nameColumn, wideColumn } from './cells.ts';

const wordMax = 128;
const noteMax = 1024;

export const isTime = (time: string | null | undefined): time is string =>
  time !== undefined && time !== null && time !== '';

function firstSeen(event: Event, nowMs: number): string {
  return ageOf(isTime(event.firstTimestamp) ? event.firstTimestamp : event.eventTime, nowMs);
}

function lastSeen(event: Event, nowMs: number): string {
  if (event.series !== undefined) return ageOf(event.series.lastObservedTime, nowMs);
  return isTime(event.lastTimestamp) ? ageOf(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function objectCell({ involvedObject }: Event): string {
  const kind = (involvedObject?.kind ?? '').toLowerCase();
  return involvedObject?.name ? `${kind}/${involvedObject.name}` : kind;
}

function sourceCell({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || '';
  const host = source?.host || reportingInstance || '';
  return host === '' ? component : `${component}, ${host}`;
}

export const eventColumns: readonly Column[] = [
  column<Event>('Last Seen', 'How long ago it happened last.', lastSeen),
  column<Event>('Type', 'Normal or Warning.', ({ type }) => type ?? ''),
  column<Event>('Reason', 'Why, in one word.', ({ reason }) => reason ?? ''),
  column<Event>('Object', 'What it happened to.', objectCell),
  wideColumn<Event>(
    'Subobject',
    'Which part of it.',
    ({ involvedObject }) => involvedObject?.fieldPath ?? '',
  ),
  wideColumn<Event>('Source', 'Who says so.', sourceCell),
  column<Event>('Message', 'What happened.', ({ message }) => (message ?? '').trim()),
  wideColumn<Event>('First Seen', 'How long ago it happened first.', firstSeen),
  wideColumn<Event>('Count', 'How often.', ({ series, count }) => series?.count ?? (count || 1), 'integer'),
  { ...nameColumn, priority: 1 },
];

/**
 * What holds for every event, in the words of the form that the client speaks.
 * Events are kept beside what they tell of; those of cluster-wide objects in `default` (new ones also in `kube-system`).
 * New events, those with an `eventTime`, also say who did what.
 */
export function validateEvent(problems: Problems, event: Event, controllerField: string): void {
  const { namespace = '' } = event.metadata;
  const about = event.involvedObject?.namespace ?? '';
  const isNew = isTime(event.eventTime);
  const isElsewhere =
    about === ''
      ? !(namespace === '' || namespace === 'default' || (isNew && namespace === 'kube-system'))
      : !isNew && about !== namespace;
  if (isElsewhere) problems.push(wrong('involvedObject.namespace', about, 'does not match event.namespace'));
  if (!isNew) return;
  const { reportingComponent = '', message = '' } = event;
  if (reportingComponent === '') problems.push(required(controllerField));
  for (const why of qualifiedName(reportingComponent))
    problems.push(wrong(controllerField, reportingComponent, why));
  for (const name of ['reportingInstance', 'action', 'reason'] as const) {
    const length = Buffer.byteLength(event[name] ?? '');
    if (length === 0) problems.push(required(name));
    if (length > wordMax) problems.push(wrong(name, '', `can have at most ${wordMax} characters`));
  }
  if (Buffer.byteLength(message) > noteMax)
    problems.push(wrong('message', '', `can have at most ${noteMax} characters`));
}
