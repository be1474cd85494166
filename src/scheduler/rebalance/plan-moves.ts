/**
 * Plans which pods are moved to better places. Pure: the same world and policy give the same plan.
 *
 *   world ─▶ trial ─▶ each strategy in its order: candidates ─▶ may they go? ─▶ where would they go? ─▶ is it better then? ─▶ phases of moves
 *
 * Owns what is moved and that plans come to an end (strategy.ts). Does not own the moves: these are made by evictions (apply.ts).
 */
import { durationNanoseconds, type RebalancePolicySpec, type RebalanceStrategy } from '../../api/index.ts';
import { policyOf } from '../strategies/profiles.ts';
import { antiAffinity, duplicates, spreadRepair } from './neighbour-strategies.ts';
import { drain, lifetime, nodeAffinity, nodeTaints, restarts } from './node-strategies.ts';
import { Stays } from './stays.ts';
import type { Candidate, Strategy, Touched } from './strategy.ts';
import { type Placed, Trial, type World } from './trial.ts';
import { defragment, lowUtilization } from './use-strategies.ts';

export interface Move {
  /** `namespace/name`. */
  readonly pod: string;
  readonly uid: string;
  readonly from: string;
  /** Where it would go now; empty: nobody makes it again. */
  readonly to: string;
  readonly strategy: string;
  readonly reason: string;
}

/** Moves that are made together, while new pods are kept off some nodes. */
export interface Phase {
  readonly strategy: string;
  /** Cordoned before, and for good: they shall go. */
  readonly cordon: readonly string[];
  /** Kept free until the moves are made. */
  readonly hold: readonly string[];
  readonly moves: readonly Move[];
}

export interface MovePlan {
  readonly phases: readonly Phase[];
  /** Pods that a strategy would have moved, by the reason for which they stay. */
  readonly stays: readonly { readonly reason: string; readonly pods: readonly string[] }[];
}

export const movesOf = ({ phases }: MovePlan): readonly Move[] => phases.flatMap(({ moves }) => moves);

/** Tries beyond this are not made: a plan is made while others wait. */
const triesMax = 2000;
const noPlace = 'there is no place for it elsewhere';
const noBetter = 'no place would be better';

export function planMoves(world: World, spec: RebalancePolicySpec): MovePlan {
  const planning = planningOf(world, spec);
  for (;;) {
    const step = planning.next();
    if (step.done === true) return step.value;
  }
}

/** The same bit by bit, for those who have others to serve in between: of a world of one moment. */
export function* planningOf(world: World, spec: RebalancePolicySpec): Generator<undefined, MovePlan> {
  const trial = new Trial(world, policyOf(world.profiles ?? []));
  const stays = new Stays(trial, spec, world.budgets ?? [], milliseconds(spec.limits?.minPodAge));
  const strategies = spec.strategies.map(strategyOf);
  const reasons = new Map<string, Set<string>>();
  const moved = new Set<string>();
  const left = { tries: triesMax };
  const phases: Phase[] = [];
  for (const [at, strategy] of strategies.entries()) {
    const before = strategies.slice(0, at);
    const cordon = [...(strategy.cordons?.(trial) ?? [])];
    const hold = [...(strategy.holds?.(trial) ?? [])];
    const making: Making = { trial, stays, strategy, before, reasons, moved, left, cordon, hold, phases: [] };
    for (const node of cordon) trial.cordon(node);
    for (const node of hold) trial.hold(node);
    while (!stays.isFull && left.tries > 0 && (yield* round(making)));
    for (const node of hold) trial.release(node);
    if (cordon.length > 0 && making.phases.length === 0) phaseFor(making, []);
    phases.push(...making.phases);
  }
  const list = [...reasons].map(([reason, pods]) => ({
    reason,
    pods: [...pods].filter((key) => !moved.has(key)).sort(),
  }));
  return {
    phases,
    stays: list.filter(({ pods }) => pods.length > 0).sort((a, b) => b.pods.length - a.pods.length),
  };
}

interface Making {
  readonly trial: Trial;
  readonly stays: Stays;
  readonly strategy: Strategy;
  /** Those that stand before it: what they have mended stays mended. */
  readonly before: readonly Strategy[];
  readonly reasons: Map<string, Set<string>>;
  /** A pod is moved once in a plan. */
  readonly moved: Set<string>;
  readonly left: { tries: number };
  readonly cordon: readonly string[];
  /** Grows by the nodes that were emptied. */
  readonly hold: string[];
  readonly phases: OpenPhase[];
}

interface OpenPhase extends Phase {
  readonly moves: Move[];
}

/** Whether anything was taken. */
function* round(making: Making): Generator<undefined, boolean> {
  const { trial, stays, strategy, moved, left } = making;
  let hasTaken = false;
  for (const candidate of strategy.candidates(trial)) {
    if (stays.isFull || left.tries <= 0) break;
    if (candidate.group.some((key) => moved.has(key))) continue;
    const group = candidate.group.flatMap((key) => trial.placed(key) ?? []);
    const kept = stays.of(group);
    if (kept !== undefined) {
      stay(making, candidate, kept);
      continue;
    }
    left.tries--;
    if (attempt(making, candidate, group)) hasTaken = true;
    yield;
  }
  return hasTaken;
}

function attempt(making: Making, candidate: Candidate, group: readonly Placed[]): boolean {
  const { trial, stays, strategy, moved } = making;
  const { hold = [], keep = [] } = candidate;
  const held = [...hold, ...keep].filter((node) => !trial.isHeld(node));
  for (const node of held) trial.hold(node);
  const done: Placed[] = [];
  const giveUp = (reason: string): false => {
    for (const one of done.reverse()) trial.undo(one);
    for (const node of held) trial.release(node);
    stay(making, candidate, reason);
    return false;
  };
  for (const one of group) {
    const before = isBare(one)
      ? trial.drop(one.key)
      : candidate.isRenewal === true
        ? trial.renew(one.key)
        : trial.move(one.key);
    if (before === undefined) return giveUp(noPlace);
    done.push(before);
  }
  const targets = group.map(({ key }) => trial.placed(key));
  const touched: Touched = {
    keys: group.map(({ key }) => key),
    nodes: new Set([...group.map(({ node }) => node), ...targets.flatMap((one) => one?.node ?? [])]),
  };
  const watched = [...making.before, strategy];
  const after = watched.map((one) => one.cost(trial, touched));
  for (const one of done.toReversed()) trial.undo(one);
  const now = watched.map((one) => one.cost(trial, touched));
  for (const target of targets) if (target !== undefined) trial.undo(target);
  for (const [at, { key }] of group.entries()) if (targets[at] === undefined) trial.drop(key);
  if (!isLess(after, now)) return giveUp(noBetter);
  stays.take(group);
  for (const node of held) if (!keep.includes(node)) trial.release(node);
  making.hold.push(...keep);
  const { moves } = phaseFor(making, hold);
  for (const [at, { key, pod, node }] of group.entries()) {
    moved.add(key);
    const to = targets[at]?.node ?? '';
    const { uid = '' } = pod.metadata;
    moves.push({ pod: key, uid, from: node, to, strategy: strategy.type, reason: candidate.reason });
  }
  return true;
}

/** Moves that need nodes of their own kept free are made apart. */
function phaseFor({ phases, strategy, cordon, hold: base }: Making, more: readonly string[]): OpenPhase {
  const hold = [...new Set([...base, ...more])].sort();
  const last = phases.at(-1);
  if (last !== undefined && last.hold.join() === hold.join()) return last;
  const phase = { strategy: strategy.type, cordon, hold, moves: [] };
  phases.push(phase);
  return phase;
}

const isBare = ({ pod }: Placed): boolean =>
  pod.metadata.ownerReferences?.some((one) => one.controller) !== true;

/** The first that changes has become smaller. */
export function isLess(after: readonly number[], before: readonly number[]): boolean {
  for (const [at, value] of after.entries()) if (value !== before[at]) return value < (before[at] ?? 0);
  return false;
}

function stay({ reasons }: Making, { group, isWish = false }: Candidate, reason: string): void {
  if (isWish) return;
  let pods = reasons.get(reason);
  if (pods === undefined) {
    pods = new Set();
    reasons.set(reason, pods);
  }
  for (const key of group) pods.add(key);
}

export function milliseconds(duration: string | undefined): number {
  return duration === undefined ? 0 : Number((durationNanoseconds(duration) ?? 0n) / 1_000_000n);
}

const makers: Readonly<Record<string, (strategy: RebalanceStrategy) => Strategy>> = {
  Drain: drain,
  NodeTaints: nodeTaints,
  NodeAffinity: nodeAffinity,
  AntiAffinity: antiAffinity,
  SpreadRepair: ({ includeSoft = false }) => spreadRepair(includeSoft),
  Duplicates: duplicates,
  Defragment: defragment,
  LowUtilization: lowUtilization,
  Restarts: restarts,
  Lifetime: ({ maxLifetime }) => lifetime(milliseconds(maxLifetime)),
};

function strategyOf(strategy: RebalanceStrategy): Strategy {
  const make = makers[strategy.type];
  if (make === undefined) return { type: strategy.type, cost: () => 0, candidates: () => [] };
  return make(strategy);
}

/** How much is wrong in all, strategy by strategy: what a run of plans makes smaller. For those who want to see that. */
export function measures(world: World, spec: RebalancePolicySpec): readonly number[] {
  const trial = new Trial(world);
  const touched = {
    keys: [...trial.all()].map(({ key }) => key),
    nodes: new Set(trial.nodes.keys()),
  };
  return spec.strategies.map((one) => strategyOf(one).cost(trial, touched));
}
