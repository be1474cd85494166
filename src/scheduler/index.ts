/** The door of `scheduler`: which node each pod goes to, and why. */
export { type Explanation, type Scheduler, type SchedulerOptions, startScheduler } from './bind-loop.ts';
export { plan, type Step, type WaitingPod, waitMessage } from './plan.ts';
export { defaultPolicy, type Policy } from './scores.ts';
export { Snapshot } from './snapshot.ts';
