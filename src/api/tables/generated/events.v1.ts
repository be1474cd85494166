/** The table of events.v1. Made by tools/make-tables.ts from facts of Kubernetes 1.36 (Apache-2.0); do not edit. Grammar: ../table-text.ts. */
export const table = `
Event kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ObjectMeta default={}
  eventTime! 2 microTime
  series 3 EventSeries
  reportingController 4 string
  reportingInstance 5 string
  action 6 string
  reason 7 string
  regarding 8 core.v1.ObjectReference default={}
  related 9 core.v1.ObjectReference
  note 10 string
  type 11 string
  deprecatedSource 12 core.v1.EventSource default={}
  deprecatedFirstTimestamp 13 time
  deprecatedLastTimestamp 14 time
  deprecatedCount 15 int32

EventList kind
  apiVersion - string
  kind - string
  metadata 1 meta.v1.ListMeta default={}
  items! 2 []Event

EventSeries
  count! 1 int32 default=0
  lastObservedTime! 2 microTime
`;
