/**
 * Chooses a node for every waiting pod. Pure: the same snapshot gives the same plan.
 *
 *   snapshot ──▶ feasible (filters) ──▶ scored ──▶ steps: bind, or wait with the reason for each node
 *
 * Pods that ask the same are planned together, from a board (engine/board.ts): all nodes that could take them, kept from plan to plan, so that a placement costs
 * as little on 50,000 nodes as on a few. What claims of volumes and devices ask of nodes, gates say (claiming.ts); where these cannot, pods are planned one by one
 * over all nodes.
 *
 * A pod that fits nowhere may preempt others (preemption.ts): it is nominated to their node and has it when they have gone.
 *
 * Owns the order of placement: priority, then age. Does not own retries, binding or clocks.
 * Invariant: a plan never overcommits a node. What it binds, nominates and chooses as victims is in the snapshot when it returns.
 */
import type { Pod } from '../api/index.ts';
import { Claiming } from './claiming.ts';
import { backedDemand } from './claims/extended-claims.ts';
import { type Demand, demandOf } from './demand.ts';
import type { Board } from './engine/board.ts';
import { boardFor } from './engine/boards.ts';
import type { Shape } from './engine/pod-table.ts';
import { countsOnOthers } from './engine/rules.ts';
import { isByClaim, isLargeEnough, roomRefusals } from './filters.ts';
import { Fit, type Prepared, unresolvable } from './fit.ts';
import { planWithGangs } from './gangs/plan-with-gangs.ts';
import { suitableWithin } from './gangs/within.ts';
import { Guard } from './neighbours.ts';
import { Nominees } from './nominees.ts';
import { packableFrom, planPacked } from './packing/plan-packed.ts';
import { demandsOf, inOrder } from './plan-order.ts';
import {
  type Check,
  notHelpfulAnywhere,
  type Preemption,
  preempt,
  preemptionsMax,
  preemptQuickly,
  priorityOf,
  slowPreemptionsMax,
} from './preemption.ts';
import { planHeld } from './reservations/plan-held.ts';
import type { Policy, Scorer, Scoring } from './scorer.ts';
import { defaultPolicy } from './scores.ts';
import type { Snapshot } from './snapshot.ts';
import { Standing } from './standing.ts';
import { type Suitable, suitableNodes } from './suitable.ts';
import { Welcome } from './welcome.ts';

/** How many nodes were refused, by reason. */
export type Refusals = ReadonlyMap<string, number>;

export type Step =
  | ({
      readonly kind: 'bind';
      readonly podKey: string;
      readonly nodeName: string;
      readonly score: number;
      readonly possible: number;
      readonly refused: Refusals;
      /** The reservation whose place it takes. */
      readonly heldBy?: string;
      /** Which GPUs of the node it has. */
      readonly gpus?: readonly number[];
      /** Has to be carried out first: its volumes and devices on that node. */
    } & Prepared)
  | {
      readonly kind: 'wait';
      readonly podKey: string;
      readonly nodes: number;
      readonly refused: Refusals;
      /** No node was looked at, since none would do. */
      readonly unresolved?: string;
      /** What else is worth knowing about what is free. */
      readonly note?: string;
      /** What is done to make room, or why nothing is. */
      readonly preemption?: Preemption;
    };

export interface WaitingPod {
  readonly key: string;
  readonly pod: Pod;
}

export function plan(
  snapshot: Snapshot,
  pods: readonly WaitingPod[],
  policy: Policy = defaultPolicy,
): readonly Step[] {
  snapshot.table.sweep();
  const steps: Step[] = [];
  const nominees = new Nominees(snapshot);
  const left = { preemptions: preemptionsMax, slow: slowPreemptionsMax };
  const order = snapshot.tenants?.inTurn ?? inOrder;
  if (snapshot.gangs.isEmpty) placeAll(snapshot, order(pods), policy, { nominees, steps, left });
  else
    planWithGangs(pods, order, {
      snapshot,
      nominees,
      steps,
      left,
      place: (some, into, limits, by = policy) => {
        placeAll(snapshot, some, by, { nominees, steps: into, ...limits });
      },
    });
  nominees.end();
  return steps;
}

/** Places those that fit, each by itself whatever it belongs to, and puts nobody out. Who asks takes back what was placed. */
export function placeEach(
  snapshot: Snapshot,
  pods: readonly WaitingPod[],
  policy: Policy,
  within?: ReadonlySet<number>,
): readonly Step[] {
  const steps: Step[] = [];
  const nominees = new Nominees(snapshot);
  const ordered = inOrder(pods);
  if (snapshot.nominations.size > 0) nominees.holdFrom(Math.min(...pods.map(({ pod }) => priorityOf(pod))));
  for (const { key } of pods) nominees.release(key);
  placeAll(snapshot, ordered, policy, { nominees, steps, left: { preemptions: 0 }, within });
  nominees.end();
  return steps;
}

function placeAll(
  snapshot: Snapshot,
  ordered: readonly WaitingPod[],
  policy: Policy,
  rest: Omit<Making, 'scorer'>,
): void {
  const { nominees } = rest;
  const demands = demandsOf(ordered);
  for (let at = 0; at < ordered.length; ) {
    const first = ordered[at] as WaitingPod;
    const demand = demands?.[at] ?? demandOf(first.pod);
    const priority = priorityOf(first.pod);
    const scorer = policy.scorerOf(first.pod);
    const making: Making = { scorer, ...rest };
    if (snapshot.nominations.size > 0) nominees.holdFrom(priority);
    let end = at + 1;
    const packed =
      scorer.packs === true && rest.isPacked !== true ? packableFrom(snapshot, ordered, at, policy) : 0;
    if (snapshot.nominations.has(first.key)) planNominated(snapshot, demand, first, making);
    else if (packed > 1) {
      end = at + packed;
      placePacked(snapshot, ordered.slice(at, end), policy, making);
    } else {
      for (; end < ordered.length; end++) {
        const { key, pod } = ordered[end] as WaitingPod;
        const other = demands?.[end] ?? demandOf(pod);
        if ((other !== demand && other.key !== demand.key) || priorityOf(pod) !== priority) break;
        if (snapshot.nominations.size > 0 && snapshot.nominations.has(key)) break;
        if (policy.scorerOf(pod) !== scorer) break;
        if (scorer.keyOf !== undefined && scorer.keyOf(pod) !== scorer.keyOf(first.pod)) break;
      }
      const isAll = at === 0 && end === ordered.length;
      planGroup(snapshot, demand, isAll ? ordered : ordered.slice(at, end), making);
    }
    at = end;
  }
}

function placePacked(snapshot: Snapshot, run: readonly WaitingPod[], policy: Policy, making: Making): void {
  const { steps, scorer, ...rest } = making;
  planPacked(snapshot, run, scorer, {
    at: (waiting, only) => {
      planGroup(snapshot, demandOf(waiting.pod), [waiting], { ...making, only });
      if (steps.at(-1)?.kind === 'bind') return true;
      steps.pop();
      return false;
    },
    anywhere: (some) => placeAll(snapshot, some, policy, { ...rest, steps, isPacked: true }),
  });
}

/** Of the plan that is being made. */
interface Making {
  /** Of the pods at hand. */
  readonly scorer: Scorer;
  readonly nominees: Nominees;
  readonly steps: Step[];
  /** How many may still be preempted for; undefined: as many as that. */
  readonly left: { preemptions: number; slow?: number };
  /** They have been looked at together already. */
  readonly isPacked?: boolean;
  /** No other row comes into question, and nobody is preempted. */
  readonly only?: number;
  /** Nor do rows that are not among these, where a gang has to be together. */
  readonly within?: ReadonlySet<number> | undefined;
}

const nothingRefused: Refusals = new Map();

function planGroup(snapshot: Snapshot, demand: Demand, group: readonly WaitingPod[], making: Making): void {
  const may = snapshot.holds.isEmpty ? undefined : snapshot.holds.of((group[0] as WaitingPod).pod);
  if (may === undefined) {
    planFree(snapshot, demand, group, making);
    return;
  }
  const { only: _, ...anywhere } = making;
  const others = planHeld(group, may, {
    snapshot,
    steps: making.steps,
    within: making.within,
    place: (waiting, within) => {
      const steps: Step[] = [];
      planFree(snapshot, demand, [waiting], { ...anywhere, steps, within, left: { preemptions: 0 } });
      const step = steps.at(-1);
      // It looks for room elsewhere now: what was to be its own is not in its way.
      if (step?.kind !== 'bind') making.nominees.release(waiting.key);
      return step;
    },
  });
  if (others.length > 0) planFree(snapshot, demand, others, making);
}

function planFree(snapshot: Snapshot, asked: Demand, group: readonly WaitingPod[], making: Making): void {
  const demand = asked.extended.size === 0 ? asked : backedDemand(asked, snapshot.deviceClaims.classOf);
  if (demand.impossible !== undefined) {
    const why = { refused: nothingRefused, unresolved: demand.impossible };
    for (const waiting of group) fail(snapshot, waiting, making, why, () => notHelpfulAnywhere(snapshot));
    return;
  }
  const scoring = making.scorer.begin(demand, snapshot, (group[0] as WaitingPod).pod);
  let planned = 0;
  if (demand.hasClaims || demand.hasDeviceClaims)
    planned = planClaimers(snapshot, demand, group, making, scoring);
  else
    while (planned < group.length)
      planned += planOnBoard(snapshot, demand, planned === 0 ? group : group.slice(planned), making, scoring);
  if (planned < group.length) planOneByOne(snapshot, demand, group.slice(planned), making, scoring);
}

/** Where it preempted others it goes before anywhere else. */
function planNominated(snapshot: Snapshot, demand: Demand, waiting: WaitingPod, making: Making): void {
  const { key } = waiting;
  const { steps, nominees } = making;
  const only = snapshot.rowOf(snapshot.nominations.get(key)?.nodeName ?? '');
  nominees.release(key);
  if (only !== undefined) {
    planGroup(snapshot, demand, [waiting], { ...making, only });
    if (steps.at(-1)?.kind === 'bind') return;
    steps.pop();
  }
  planGroup(snapshot, demand, [waiting], making);
}

function suitableRows(
  demand: Demand,
  snapshot: Snapshot,
  { scorer, only, within }: Making,
  scoring: Scoring,
): Suitable {
  const suitable = suitableNodes(demand, snapshot, scorer, scoring);
  if (only === undefined) return within === undefined ? suitable : suitableWithin(suitable, within);
  const at = suitable.rows.indexOf(only);
  const part = <T>(list: { subarray(from: number, to: number): T }): T =>
    at < 0 ? list.subarray(0, 0) : list.subarray(at, at + 1);
  const relative = suitable.relative.map((column) => ({ ...column, raw: part(column.raw) }));
  return { ...suitable, rows: part(suitable.rows), fixed: part(suitable.fixed), relative };
}

/** It fits nowhere: who has to go, or why that would not help. */
function fail(
  snapshot: Snapshot,
  { key, pod }: WaitingPod,
  { steps, nominees, only, left }: Making,
  why: { readonly refused: Refusals; readonly unresolved?: string },
  look: () => Preemption,
  isQuick = false,
): Preemption | undefined {
  const { slow = Number.POSITIVE_INFINITY } = left;
  const isLeft = left.preemptions > 0 && (isQuick || slow > 0);
  const isAsked = only === undefined && snapshot.nodeCount > 0 && isLeft;
  if (isAsked) snapshot.tenants?.catchUp(steps);
  const preemption = isAsked ? look() : undefined;
  if (preemption?.kind === 'chosen') {
    const { nodeName, victims, displaced } = preemption;
    left.preemptions--;
    if (!isQuick) left.slow = slow - 1;
    for (const one of displaced) {
      nominees.release(one.key);
      snapshot.nominations.delete(one.key);
    }
    for (const victim of victims) snapshot.going.set(victim.key, victim.pod.metadata.uid);
    snapshot.nominations.set(key, { pod, nodeName });
    nominees.hold(key);
  } else if (preemption === undefined || preemption.isWaiting) {
    if (only === undefined) nominees.hold(key);
  } else snapshot.nominations.delete(key);
  const { gpus } = demandOf(pod);
  const note = gpus && snapshot.gpus.note(gpus, (row) => snapshot.facts(row)?.name ?? '');
  steps.push({
    kind: 'wait',
    podKey: key,
    nodes: snapshot.nodeCount,
    ...why,
    ...(note === undefined ? {} : { note }),
    ...(preemption === undefined ? {} : { preemption }),
  });
  return preemption;
}

/** Those whose claims ask alike from one board; answers how many it has planned: of the next it is not clear what its claims find. */
function planClaimers(
  snapshot: Snapshot,
  demand: Demand,
  group: readonly WaitingPod[],
  making: Making,
  scoring: Scoring,
): number {
  for (let at = 0; at < group.length; ) {
    const waiting = group[at] as WaitingPod;
    const claiming = new Claiming(snapshot, demand, waiting.pod);
    if (claiming.unresolved !== undefined) {
      const { key, pod } = waiting;
      const check: Check = { reasons: () => [], changed: () => {} };
      const why = { refused: nothingRefused, unresolved: claiming.unresolved };
      fail(snapshot, waiting, making, why, () => preempt(snapshot, { key, pod, potential: [], check }));
      at++;
      continue;
    }
    const rest = at === 0 ? group : group.slice(at);
    const planned = claiming.isOdd ? 0 : planOnBoard(snapshot, demand, rest, making, scoring, claiming);
    at += planned;
    if (planned > 0) continue;
    if (!claiming.isOdd && claiming.few === undefined) return at;
    planOneByOne(snapshot, demand, [waiting], making, scoring);
    at++;
  }
  return group.length;
}

/**
 * Answers how many of the group it has planned: once somebody has been nominated, those who count on others have another board; and claims of others may ask
 * otherwise.
 */
function planOnBoard(
  snapshot: Snapshot,
  demand: Demand,
  group: readonly WaitingPod[],
  making: Making,
  scoring: Scoring,
  claiming?: Claiming,
): number {
  const { steps, only, nominees, scorer, within } = making;
  const gates = claiming?.gates();
  if (claiming?.isUnclear === true) return 0;
  const isCareful = !nominees.isEmpty && countsOnOthers(demand);
  const board = boardFor(demand, snapshot, scorer, scoring, within, gates, isCareful);
  let alike: { readonly found: Preemption; readonly end: number } | undefined;
  let shape: Shape | undefined;
  for (let at = 0; at < group.length; at++) {
    const { key, pod } = group[at] as WaitingPod;
    if (board.hasRules && !nominees.isEmpty && !isCareful && countsOnOthers(demand)) return at;
    const own = claiming === undefined || at === 0 ? claiming : new Claiming(snapshot, demand, pod);
    if (own !== undefined && !isForGates(own, claiming)) return at;
    const few = own?.few;
    const ofFew = few === undefined || only !== undefined ? undefined : board.pickAmong(few);
    // Who has to go there is not for a board to say.
    if (few !== undefined && ofFew === undefined) return at;
    const pick = ofFew?.pick ?? (only === undefined ? board.pick() : board.pickOnly(only));
    if (pick !== undefined) {
      const { row, score, possible } = pick;
      const nodeName = snapshot.nameOf(row);
      const refused = ofFew?.refused ?? (only === undefined ? board.refusals() : board.unsuitable);
      const gpus = demand.gpus && give(snapshot, demand, row, pod, scoring);
      const found = { kind: 'bind', podKey: key, nodeName, score, possible, refused } as const;
      if (own === undefined || claiming === undefined)
        steps.push(gpus === undefined ? found : { ...found, gpus });
      else steps.push({ ...found, ...(gpus && { gpus }), ...own.decide(key, row, claiming) });
      if (snapshot.nominations.size > 0) snapshot.nominations.delete(key);
      // Who asks the same is the same to others.
      if (shape === undefined || pod.metadata.deletionTimestamp !== undefined)
        shape = snapshot.table.shapeOf(pod);
      snapshot.addPod(key, pod, nodeName, shape, row);
      scoring.placed?.(row);
      scoring.zones?.placed(row);
      board.sync();
      continue;
    }
    const isNever = pod.spec?.preemptionPolicy === 'Never';
    const known = !isNever && alike?.end === snapshot.log.end ? alike.found : undefined;
    const book = snapshot.tenants === undefined ? board.victims(priorityOf(pod)) : undefined;
    const look = (): Preemption => {
      if (known !== undefined) return known;
      if (book !== undefined)
        return preemptQuickly(snapshot, { key, pod, isPotential: board.isPotential, book });
      const check = checkOf(snapshot, demand, pod, board, nominees);
      return preempt(snapshot, { key, pod, potential: board.potential(), check });
    };
    const found = fail(
      snapshot,
      { key, pod },
      making,
      { refused: board.refusals() },
      look,
      book !== undefined,
    );
    board.sync();
    if (!isNever && found?.kind === 'none' && snapshot.tenants === undefined)
      alike = { found, end: snapshot.log.end };
  }
  return group.length;
}

/** Which GPUs of the row it has; undefined: none by itself, a claim sees to it. */
function give(
  snapshot: Snapshot,
  demand: Demand,
  row: number,
  pod: Pod,
  scoring: Scoring,
): readonly number[] | undefined {
  const { gpus } = demand;
  if (gpus === undefined || isByClaim(demand, snapshot, row, gpus.resource)) return undefined;
  const nodeName = snapshot.facts(row)?.name ?? '';
  return snapshot.gpus.give(row, gpus, pod, nodeName, scoring.gpusOf?.(row));
}

const isForGates = ({ unresolved, isOdd, shape }: Claiming, claiming: Claiming | undefined): boolean =>
  unresolved === undefined && !isOdd && shape === claiming?.shape && !claiming.isUnclear;

/** Whether a node takes a pod, while others come and go. */
function checkOf(snapshot: Snapshot, demand: Demand, pod: Pod, board: Board, nominees: Nominees): Check {
  if (board.hasRules || demand.hostPorts.length > 0 || demand.hasClaims || demand.hasDeviceClaims) {
    const fit = new Fit(snapshot, demand, new Guard(snapshot, demand), nominees);
    fit.begin(pod);
    return fit;
  }
  return { reasons: (row) => roomRefusals(demand, snapshot, row), changed: () => {} };
}

/** What a pod that looks at others is placed by. */
interface Around {
  readonly guard: Guard;
  readonly scoring: Scoring;
  readonly welcome: Welcome;
}

function planOneByOne(
  snapshot: Snapshot,
  demand: Demand,
  group: readonly WaitingPod[],
  making: Making,
  scoring: Scoring,
): void {
  const guard = new Guard(snapshot, demand);
  const attraction = scoring.around.pods === 0 ? undefined : snapshot.seekers.attraction(demand, snapshot);
  const welcome = new Welcome(snapshot, demand, attraction);
  planAmongOthers(snapshot, demand, group, making, { guard, scoring, welcome });
}

/** One by one over all nodes, since each placement changes what the others are worth; what others say is counted once and then kept up. */
function planAmongOthers(
  snapshot: Snapshot,
  demand: Demand,
  group: readonly WaitingPod[],
  making: Making,
  { guard, scoring, welcome }: Around,
): void {
  const { steps, nominees } = making;
  const { zones, around } = scoring;
  const suitable = suitableRows(demand, snapshot, making, scoring);
  const candidates = Array.from(suitable.rows, (row, index) => ({ row, index }));
  const fit = new Fit(snapshot, demand, guard, nominees);
  for (const waiting of group) {
    const { key, pod } = waiting;
    const unresolved = fit.begin(pod);
    const refused = new Map(unresolved === undefined ? suitable.refused : []);
    const possible: { readonly row: number; readonly index: number }[] = [];
    const potential: number[] = [];
    for (const candidate of unresolved === undefined ? candidates : []) {
      const { row } = candidate;
      const reasons = fit.reasons(row);
      if (reasons.length === 0) possible.push(candidate);
      else {
        for (const one of reasons) count(refused, one);
        if (unresolvable.has(reasons[0] ?? '') || !isLargeEnough(demand, snapshot, row)) continue;
        if (!demand.hasDeviceClaims || fit.mayEver(row)) potential.push(row);
      }
    }
    const welcomes = welcome.isIndifferent ? undefined : welcome.scores(possible.map(({ row }) => row));
    const standing = new Standing(suitable.relative);
    for (const { index } of possible) standing.add(index);
    let best: { row: number; score: number } | undefined;
    for (const { row, index } of possible) {
      const fixed = (suitable.fixed[index] ?? 0) + standing.value(index);
      let score = scoring.score(row, fixed);
      if (zones !== undefined) score += zones.score(zones.of(row));
      if (welcomes !== undefined) {
        const { spread, pods } = welcomes(row);
        score += around.spread * spread + around.pods * pods;
      }
      if (best === undefined || score > best.score) best = { row, score };
    }
    if (best === undefined) {
      const why = { refused, ...(unresolved === undefined ? {} : { unresolved }) };
      const look = (): Preemption => preempt(snapshot, { key, pod, potential, check: fit });
      const found = fail(snapshot, waiting, making, why, look);
      const row = found?.kind === 'chosen' ? snapshot.rowOf(found.nodeName) : undefined;
      if (row !== undefined) {
        fit.nominated(row);
        welcome.placed(row);
      }
      continue;
    }
    const nodeName = snapshot.facts(best.row)?.name ?? '';
    const gpus = demand.gpus && give(snapshot, demand, best.row, pod, scoring);
    snapshot.nominations.delete(key);
    snapshot.addPod(key, pod, nodeName);
    fit.placed(best.row);
    scoring.placed?.(best.row);
    zones?.placed(best.row);
    welcome.placed(best.row);
    const { score } = best;
    const found = { nodeName, score, possible: possible.length, refused, ...(gpus && { gpus }) };
    steps.push({ kind: 'bind', podKey: key, ...found, ...fit.decide(key, best.row) });
  }
}

function count(counts: Map<string, number>, reason: string): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}

/** As kube-scheduler says it: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s).` */
export function waitMessage(
  nodes: number,
  refused: Refusals,
  unresolved?: string,
  preemption?: Preemption,
  note?: string,
): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  // No node was looked at.
  if (note !== undefined && unresolved === undefined && refused.size === 0) return note;
  const reasons = [...refused].map(([reason, number]) => `${number} ${reason}`).sort();
  const why = `0/${nodes} nodes are available: ${unresolved ?? reasons.join(', ')}.`;
  const told = note === undefined ? why : `${why} ${note}`;
  return preemption?.kind === 'none' ? `${told} ${preemption.message}` : told;
}
