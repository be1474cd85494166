/** Events: what happened to an object, for people to read. */
import type { Event } from '../types/core.v1.ts';
import type { Problems } from '../validation/problems.ts';
import { defineKind } from './define.ts';
import { eventColumns, validateEvent } from './event-fields.ts';

export const event = defineKind<Event>({
  group: '',
  version: 'v1',
  kind: 'Event',
  resource: 'events',
  message: 'core.v1.Event',
  description: 'Event reports something that happened to an object.',
  shortNames: ['ev'],
  columns: eventColumns,
  selectableFields: {
    'involvedObject.kind': (object) => object.involvedObject?.kind ?? '',
    'involvedObject.namespace': (object) => object.involvedObject?.namespace ?? '',
    'involvedObject.name': (object) => object.involvedObject?.name ?? '',
    'involvedObject.uid': (object) => object.involvedObject?.uid ?? '',
    'involvedObject.apiVersion': (object) => object.involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': (object) => object.involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': (object) => object.involvedObject?.fieldPath ?? '',
    reason: (object) => object.reason ?? '',
    reportingComponent: (object) => object.reportingComponent ?? '',
    source: (object) => object.source?.component || object.reportingComponent || '',
    type: (object) => object.type ?? '',
  },
  validate(object) {
    const problems: Problems = [];
    validateEvent(problems, object, 'reportingComponent');
    return problems;
  },
});
