/** Events as events.k8s.io names their fields. Stored as core's Event: both are views of one object. */
import type { Draft, KubeObject } from '../object.ts';
import type { Event as CoreEvent } from '../types/core.v1.ts';
import type { Event } from '../types/events.v1.ts';
import { type Problems, required, wrong } from '../validation/problems.ts';
import { defineKind } from './define.ts';
import { eventColumns, isTime, validateEventPlace, validateNewEvent } from './event-fields.ts';

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

/** Clients of this form may not use the old fields. */
const deprecated = ['deprecatedCount', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp'] as const;

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
  validate(object) {
    const problems: Problems = [];
    const core = coreFormOf(object);
    // Events that were first told in the old form stay as they are.
    if (!isTime(object.eventTime)) {
      if (!deprecated.some((name) => object[name])) problems.push(required('eventTime'));
      return problems;
    }
    validateEventPlace(problems, 'regarding', core);
    validateNewEvent(problems, core, { controller: 'reportingController', note: 'note' });
    if (object.type !== 'Normal' && object.type !== 'Warning')
      problems.push(wrong('type', '', `has invalid value: ${object.type ?? ''}`));
    for (const name of deprecated) if (object[name]) problems.push(wrong(name, '', 'needs to be unset'));
    return problems;
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
