/** The door of `client`: reading and changing objects, whatever the transport; informers; an in-memory API for tests. */
export * from './client.ts';
export {
  createEventRecorder,
  type EventDraft,
  type EventRecorder,
  type EventRecorderOptions,
} from './event-recorder.ts';
export { createFakeClient, type FakeClient, type FakeRequest } from './fake-client.ts';
export { createInformers, type InformersOptions } from './informer.ts';
export { createHttpClient, type HttpClient, type HttpClientOptions } from './io/http-client.ts';
export { readKubeconfig } from './io/kubeconfig.ts';
export { LabelIndex, pairsOf } from './label-index.ts';
export {
  type LeaderElection,
  type LeaderElectionOptions,
  leasesRef,
  startLeaderElection,
  termOf,
} from './leader-election.ts';
