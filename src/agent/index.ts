/** The door of `agent`: pods as containers on this node, and hollow nodes that only pretend. */
export { type HollowNodes, type HollowOptions, startHollowNodes } from './hollow/hollow-nodes.ts';
export { createHollowEndpoint } from './hollow/io/hollow-endpoint.ts';
export type {
  AgentEndpoint,
  AttachOptions,
  ExecOptions,
  LogOptions,
  StreamHandler,
  StreamTargets,
} from './server/endpoint.ts';
