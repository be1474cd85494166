/** The door of `agent`: pods as containers on this node, and hollow nodes that only pretend. */
export { type HollowNodes, type HollowOptions, startHollowNodes } from './hollow/hollow-nodes.ts';
export { createHollowEndpoint } from './hollow/io/hollow-endpoint.ts';
export { type Agent, type AgentOptions, startAgent } from './io/agent.ts';
export type {
  AgentEndpoint,
  AttachOptions,
  ExecOptions,
  LogOptions,
  StreamHandler,
  StreamTargets,
} from './server/endpoint.ts';
export { type AgentServer, type AgentServerSettings, startAgentServer } from './server/io/agent-server.ts';
export { createStreamHandler } from './streams/io/stream-handler.ts';
