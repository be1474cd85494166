/** Moving pods to better places: which, where to, that it comes to an end; and doing it. */
export { type Applied, applyMoves } from './apply.ts';
export { type RebalancerOptions, recordMove, startRebalancer } from './controller.ts';
export { type Move, type MovePlan, measures, movesOf, type Phase, planMoves } from './plan-moves.ts';
export { statusOf, tellStatus } from './policy-status.ts';
export { holdTaint, type World } from './trial.ts';
export { readWorld } from './world.ts';
