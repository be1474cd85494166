/** The door of `agent`: pods as containers on this node, hollow nodes that only pretend, and what the simulator makes machines of. */
export { AgentCore, type AgentCoreOptions } from './core.ts';
export { type HollowNodes, type HollowOptions, startHollowNodes } from './hollow/hollow-nodes.ts';
export { hollowMetricsOf } from './hollow/hollow-use.ts';
export { createHollowEndpoint } from './hollow/io/hollow-endpoint.ts';
export { createFakeImageStore, type FakeImageStore } from './images/fake-image-store.ts';
export { type DiskImageStore, type ImageStoreOptions, openImageStore } from './images/io/image-store.ts';
export { type Agent, type AgentOptions, startAgent } from './io/agent.ts';
export { createFakePodNetwork, type FakePodNetwork } from './network/fake-network.ts';
export { createPodNetwork, type PodNetworkOptions } from './network/io/bridge-network.ts';
export { type NodeConfig, parseNodeConfig, shutdownMsOf } from './node/node-config.ts';
export { createFakeDisk, type FakeDisk } from './pods/fake-disk.ts';
export {
  createFakeRuntime,
  FakeHost,
  type FakeProgram,
  type FakeRuntime,
} from './runtime/fake-runtime.ts';
export { createRuntime, type RuntimeOptions } from './runtime/io/conmon-runtime.ts';
export type {
  AgentEndpoint,
  AttachOptions,
  ExecOptions,
  LogOptions,
  StreamHandler,
  StreamTargets,
} from './server/endpoint.ts';
export {
  type AgentServer,
  type AgentServerSettings,
  type ServeOptions,
  serveAgent,
} from './server/io/agent-server.ts';
export type { NodeUsageNow, PodUsageNow, Traffic, UsageNow } from './server/statistics.ts';
export { summaryOf } from './server/statistics.ts';
export { readUsageOf } from './server/usage-reading.ts';
