/** Events as events.k8s.io names their fields. Stored as core's Event: both are views of one object. */
import { sameJson } from '../../lib/index.ts';
import type { Draft, KubeObject } from '../object.ts';
import type { Event as CoreEvent } from '../types/core.v1.ts';
import type { Event } from '../types/events.v1.ts';
import { immutableWhy, type Problems, required, wrong } from '../validation/problems.ts';
import { defineKind } from './define.ts';
import { eventColumns, isTime, validateEvent } from './event-fields.ts';

/** Of this kind, and of core's. All other fields have the same name in both. */
const renamed: readonly (readonly [keyof Event, keyof CoreEvent])[] = [
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
];

const toCoreName = new Map<string, string>(renamed);
const fromCoreName = new Map<string, string>(renamed.map(([name, coreName]) => [coreName, name]));

function rename(object: object, names: ReadonlyMap<string, string>, apiVersion: string): object {
  const result: Record<string, unknown> = { apiVersion, kind: 'Event' };
  for (const [name, value] of Object.entries(object))
    if (name !== 'apiVersion' && name !== 'kind') result[names.get(name) ?? name] = value;
  return result;
}

const coreFormOf = (event: Event): CoreEvent => rename(event, toCoreName, 'v1') as CoreEvent;

/** Fields of the old form, by the names that Kubernetes gives them here too. */
const outdated = ['firstTimestamp', 'lastTimestamp', 'count', 'source'] as const;

/** Only the series of an event goes on. */
const fixed = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const;

const fieldNames: Readonly<Record<string, string>> = { reportingComponent: 'reportingController' };

const isSaid = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);

/** What only new events of this form are held to: those that were told in the old form stay as they are. */
function validateNewEvent(problems: Problems, event: CoreEvent): void {
  const { series, type = '' } = event;
  if (series !== undefined && (series.count ?? 0) < 2)
    problems.push(wrong('series.count', '', 'should be at least 2'));
  if (series !== undefined && !isTime(series.lastObservedTime))
    problems.push(required('series.lastObservedTime'));
  if (!isTime(event.eventTime)) problems.push(required('eventTime'));
  if (type !== 'Normal' && type !== 'Warning') problems.push(wrong('type', '', `has invalid value: ${type}`));
  for (const name of outdated) if (isSaid(event[name])) problems.push(wrong(name, '', 'needs to be unset'));
}

export const eventsV1Event = defineKind<Event>({
  group: 'events.k8s.io',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  message: 'events.v1.Event',
  description: 'Event reports something that happened to an object.',
  shortNames: ['ev'],
  columns: eventColumns.map((column) => ({
    ...column,
    cell: (object: Event, nowMs: number) => column.cell(coreFormOf(object) as never, nowMs),
  })),
  selectableFields: {
    'regarding.kind': (object) => object.regarding?.kind ?? '',
    'regarding.namespace': (object) => object.regarding?.namespace ?? '',
    'regarding.name': (object) => object.regarding?.name ?? '',
    'regarding.uid': (object) => object.regarding?.uid ?? '',
    'regarding.apiVersion': (object) => object.regarding?.apiVersion ?? '',
    'regarding.resourceVersion': (object) => object.regarding?.resourceVersion ?? '',
    'regarding.fieldPath': (object) => object.regarding?.fieldPath ?? '',
    reason: (object) => object.reason ?? '',
    reportingController: (object) => object.reportingController ?? '',
    type: (object) => object.type ?? '',
  },
  prepareUpdate({ metadata }, old) {
    if (old.metadata.resourceVersion !== undefined) metadata.resourceVersion ||= old.metadata.resourceVersion;
  },
  validate(object) {
    const problems: Problems = [];
    const core = coreFormOf(object);
    validateEvent(problems, core, 'reportingController');
    // Only updates carry a resourceVersion.
    if (object.metadata.resourceVersion === undefined) validateNewEvent(problems, core);
    return problems;
  },
  validateUpdate(object, old) {
    const [now, before] = [coreFormOf(object), coreFormOf(old)];
    return fixed
      .filter((name) => !sameJson(now[name] ?? null, before[name] ?? null))
      .map((name) => wrong(fieldNames[name] ?? name, now[name] ?? null, immutableWhy));
  },
  storedAs: {
    group: '',
    version: 'v1',
    kind: 'Event',
    toStored(object) {
      const stored = rename(object, toCoreName, 'v1') as Record<string, unknown>;
      // Core's form has always had these, empty where nothing is known.
      stored['involvedObject'] ??= {};
      stored['source'] ??= {};
      stored['firstTimestamp'] ??= null;
      stored['lastTimestamp'] ??= null;
      return stored as unknown as Draft<KubeObject>;
    },
    fromStored: (object) => rename(object, fromCoreName, 'events.k8s.io/v1') as Event,
  },
});
