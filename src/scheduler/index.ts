/** The door of `scheduler`: which node each pod goes to, and why. */
export { type Scheduler, type SchedulerOptions, startScheduler } from './bind-loop.ts';
export type { Explanation, PreemptionRecord } from './explanation.ts';
export { plan, type Step, type WaitingPod, waitMessage } from './plan.ts';
export { defaultPolicy, type Policy } from './scores.ts';
export { Snapshot } from './snapshot.ts';
