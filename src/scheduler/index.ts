/** The door of `scheduler`: which node each pod goes to, and why. */
export { type Scheduler, type SchedulerOptions, startScheduler } from './bind-loop.ts';
export { type ElectedScheduler, type ElectedSchedulerOptions, startElectedScheduler } from './elected.ts';
export type { Explanation, PreemptionRecord } from './explanation.ts';
export { plan, type Step, type WaitingPod, waitMessage } from './plan.ts';
export {
  type Applied,
  applyMoves,
  holdTaint,
  type Move,
  type MovePlan,
  measures,
  movesOf,
  type Phase,
  planMoves,
  type RebalancerOptions,
  readWorld,
  recordMove,
  startRebalancer,
  statusOf,
  tellStatus,
  type World,
} from './rebalance/index.ts';
export { type Remedies, remediesOf, type Way } from './remedies/index.ts';
export type { Aspect, Policy, Relative, Scorer, Scoring } from './scorer.ts';
export { defaultPolicy } from './scores.ts';
export { Snapshot } from './snapshot.ts';
export { type Understood, understandConfiguration } from './strategies/configuration.ts';
export type { ScoreFunction } from './strategies/custom.ts';
export type { NodeUsage, NodeUse } from './strategies/figures.ts';
export { connectionsKey, responseKey } from './strategies/load.ts';
export type { ProfileSources } from './strategies/profile-part.ts';
