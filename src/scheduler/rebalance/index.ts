/** Moving pods to better places: which, where to, and that it comes to an end. */

export { type Move, type MovePlan, measures, movesOf, type Phase, planMoves } from './plan-moves.ts';
export { holdTaint, keyOfPod, type World } from './trial.ts';
