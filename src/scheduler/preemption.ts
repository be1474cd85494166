/**
 * Whom a pod that fits nowhere may put out of its place. Pure: what it takes away to try is there again when it returns.
 *
 *   nodes where less important pods are in the way ─▶ on each: all of them away, then back again as many as can stay ─▶ victims ─▶ the node that loses least
 *
 * Owns the choice of victims and of the node. Does not own that they go: that is the shell's part.
 * Invariant: no victim has the priority of the pod or more, and without its victims the node takes the pod.
 * Source: kube-scheduler's DefaultPreemption.
 */
import { type LabelSelector, labelPredicate, type Pod, type PodDisruptionBudget } from '../api/index.ts';
import type { VictimBook } from './engine/victim-book.ts';
import type { Step, WaitingPod } from './plan.ts';
import type { Snapshot } from './snapshot.ts';

/** Whom it concerns, as the shell writes to it. */
export interface Victim {
  readonly key: string;
  readonly pod: Pod;
}

export type Preemption =
  | {
      readonly kind: 'chosen';
      readonly nodeName: string;
      /** The most important first. */
      readonly victims: readonly Victim[];
      /** How many of them a budget would rather keep. */
      readonly violations: number;
      /** Pods of less priority that were to have the node. */
      readonly displaced: readonly Victim[];
      /** How many nodes could have been chosen. */
      readonly candidates: number;
      /** Why they have to go, where it is not for priority. */
      readonly because?: string;
    }
  | { readonly kind: 'none'; readonly message: string; readonly isWaiting: boolean };

/** Whether a node takes the pod, asked again and again while pods are taken away and put back. */
export interface Check {
  /** Why a row is refused now, as the filters word it. */
  reasons(row: number): readonly string[];
  /** Pods came to the row or have left it. */
  changed(pod: Pod, row: number, sign: 1 | -1): void;
  /** What those had who have gone is about to be given back, and the row would do then. */
  comesFree?(row: number): boolean;
}

export interface Question {
  readonly key: string;
  readonly pod: Pod;
  /** Rows that refuse it for what other pods take. */
  readonly potential: readonly number[];
  readonly check: Check;
}

/** Of a pod that only asks for room: what has been found out about nodes. */
export interface QuickQuestion {
  readonly key: string;
  readonly pod: Pod;
  readonly isPotential: (row: number) => boolean;
  readonly book: VictimBook;
}

/** Where tenants share the cloud: who may be put out, beside or instead of those of less priority. */
export interface VictimRule {
  /** The order in which those of a batch are planned, which come in the order of turns. */
  inTurn(this: void, pods: readonly WaitingPod[]): readonly WaitingPod[];
  /** What the plan has come to so far. */
  catchUp(steps: readonly Step[]): void;
  /** Of those on one node, in the order in which it is to be tried: all of a list may go together, or any of them; the most important first. */
  victims(preemptor: Victim, placed: Iterable<readonly [string, Pod]>): readonly (readonly Victim[])[];
  because(preemptor: Victim, victims: readonly Victim[]): string | undefined;
}

export const notHelpful = 'Preemption is not helpful for scheduling';
export const noVictims = 'No preemption victims found for incoming pod';
/** In one plan, which nothing interrupts; for the others it is tried when room changes, which the first ones see to. */
export const preemptionsMax = 1000;
/** So many where each means to try nodes pod by pod. */
export const slowPreemptionsMax = 50;
/** At least so many candidates are compared, and a tenth of the nodes. */
const leastCandidates = 100;

export const priorityOf = ({ spec }: Pod): number => spec?.priority ?? 0;

interface Candidate {
  readonly nodeName: string;
  readonly victims: readonly Victim[];
  readonly violations: number;
}

export function preempt(snapshot: Snapshot, question: Question): Preemption {
  const { pod, potential } = question;
  if (pod.spec?.preemptionPolicy === 'Never')
    return none('not eligible due to preemptionPolicy=Never.', false);
  if (waitsForVictims(snapshot, question))
    return none('not eligible due to a terminating pod on the nominated node.', true);
  const counts = new Map<string, number>();
  const tell = (reason: string, number: number): void => {
    if (number > 0) counts.set(reason, (counts.get(reason) ?? 0) + number);
  };
  tell(notHelpful, snapshot.nodeCount - potential.length);
  const candidates: Candidate[] = [];
  if (snapshot.tenants === undefined && !snapshot.hasBelow(priorityOf(pod)))
    tell(noVictims, potential.length);
  else {
    const enough = Math.max(leastCandidates, Math.floor(snapshot.nodeCount / 10));
    for (const row of potential) {
      const found = victimsOn(snapshot, question, row);
      if ('nodeName' in found) candidates.push(found);
      else for (const reason of found.reasons) tell(reason, 1);
      if (candidates.length >= enough && candidates.some(({ violations }) => violations === 0)) break;
    }
  }
  const best = bestOf(candidates);
  if (best === undefined) return noneFor(snapshot, counts);
  return chosen(snapshot, question, { ...best, candidates: candidates.length });
}

/** The same answer, from what is known already. Not where tenants have a say. */
export function preemptQuickly(snapshot: Snapshot, question: QuickQuestion): Preemption {
  const { key, pod, isPotential, book } = question;
  if (pod.spec?.preemptionPolicy === 'Never')
    return none('not eligible due to preemptionPolicy=Never.', false);
  const row = snapshot.rowOf(snapshot.nominations.get(key)?.nodeName ?? '');
  if (row !== undefined && isPotential(row) && isBeingCleared(snapshot, pod, row))
    return none('not eligible due to a terminating pod on the nominated node.', true);
  const enough = Math.max(leastCandidates, Math.floor(snapshot.nodeCount / 10));
  const best = book.choose(enough);
  if (best !== undefined) return chosen(snapshot, question, best);
  return noneFor(snapshot, book.reasons());
}

function noneFor({ nodeCount }: Snapshot, counts: ReadonlyMap<string, number>): Preemption {
  const reasons = [...counts].map(([reason, number]) => `${number} ${reason}`).sort();
  return none(`0/${nodeCount} nodes are available: ${reasons.join(', ')}.`, false);
}

function chosen(
  snapshot: Snapshot,
  { key, pod }: Victim,
  best: Candidate & { readonly candidates: number },
): Preemption {
  const displaced: Victim[] = [];
  const because = snapshot.tenants?.because({ key, pod }, best.victims);
  // A place that was made for another tenant stays theirs.
  if (snapshot.tenants === undefined)
    for (const [other, nomination] of snapshot.nominations.on(best.nodeName))
      if (other !== key && priorityOf(nomination.pod) < priorityOf(pod))
        displaced.push({ key: other, pod: nomination.pod });
  return { kind: 'chosen', ...best, displaced, ...(because === undefined ? {} : { because }) };
}

/** What a pod asks can be met nowhere, whoever goes. */
export function notHelpfulAnywhere({ nodeCount }: Snapshot): Preemption {
  return none(`0/${nodeCount} nodes are available: ${nodeCount} ${notHelpful}.`, false);
}

function none(message: string, isWaiting: boolean): Preemption {
  return { kind: 'none', message: `preemption: ${message}`, isWaiting };
}

/** The room that it has made already is still being cleared. */
function waitsForVictims(snapshot: Snapshot, { key, pod, potential, check }: Question): boolean {
  const nomination = snapshot.nominations.get(key);
  const row = nomination === undefined ? undefined : snapshot.rowOf(nomination.nodeName);
  if (row === undefined || !potential.includes(row)) return false;
  return isBeingCleared(snapshot, pod, row) || check.comesFree?.(row) === true;
}

function isBeingCleared(snapshot: Snapshot, pod: Pod, row: number): boolean {
  for (const [other, one] of snapshot.placedOn(row))
    if (
      (snapshot.tenants !== undefined || priorityOf(one) < priorityOf(pod)) &&
      isMakingRoom(snapshot, other, one)
    )
      return true;
  return false;
}

export function isMakingRoom({ going }: Snapshot, key: string, { metadata, status }: Pod): boolean {
  if (going.has(key) && going.get(key) === metadata.uid) return true;
  return (
    metadata.deletionTimestamp !== undefined &&
    (status?.conditions ?? []).some(
      ({ type, status: is, reason }) =>
        type === 'DisruptionTarget' && is === 'True' && reason === 'PreemptionByScheduler',
    )
  );
}

type NoCandidate = { readonly reasons: readonly string[] };

function victimsOn(snapshot: Snapshot, question: Question, row: number): Candidate | NoCandidate {
  let found: Candidate | NoCandidate = { reasons: [noVictims] };
  const lists = snapshot.tenants?.victims(question, snapshot.placedOn(row)) ?? [
    lessImportant(snapshot, question.pod, row),
  ];
  for (const below of lists) {
    if (below.length > 0) found = victimsAmong(snapshot, question, row, below);
    if ('nodeName' in found) break;
  }
  return found;
}

function victimsAmong(
  snapshot: Snapshot,
  { check }: Question,
  row: number,
  below: readonly Victim[],
): Candidate | NoCandidate {
  const nodeName = snapshot.facts(row)?.name ?? '';
  const away = new Set<Victim>();
  const take = (one: Victim): void => {
    away.add(one);
    snapshot.removePod(one.key);
    check.changed(one.pod, row, -1);
  };
  const putBack = (one: Victim): void => {
    away.delete(one);
    snapshot.addPod(one.key, one.pod, nodeName);
    check.changed(one.pod, row, 1);
  };
  for (const one of below) take(one);
  const reasons = check.reasons(row);
  let violations = 0;
  if (reasons.length === 0) {
    const guarded = guardedByBudgets(below, snapshot.budgets.values());
    const staying = [...below.filter((one) => guarded.has(one)), ...below.filter((one) => !guarded.has(one))];
    for (const one of staying) {
      putBack(one);
      if (check.reasons(row).length === 0) continue;
      take(one);
      if (guarded.has(one)) violations++;
    }
  }
  const victims = below.filter((one) => away.has(one));
  for (const one of victims) putBack(one);
  if (reasons.length > 0) return { reasons };
  if (snapshot.tenants === undefined) return { nodeName, victims, violations };
  // Those that go for others do so once; who they go for has their room already.
  const told = ({ key, pod: one }: Victim): boolean =>
    snapshot.going.has(key) && snapshot.going.get(key) === one.metadata.uid;
  return { nodeName, victims: victims.filter((one) => !told(one)), violations };
}

function lessImportant(snapshot: Snapshot, pod: Pod, row: number): readonly Victim[] {
  const below: Victim[] = [];
  for (const [key, one] of snapshot.placedOn(row))
    if (priorityOf(one) < priorityOf(pod) && !snapshot.holds.hasPlace(key)) below.push({ key, pod: one });
  return below.sort(byImportance);
}

/** Who has not started yet is the youngest. */
export const startOf = ({ status }: Pod): string => status?.startTime ?? '9999';

/** Higher priority first, then who runs for longer. */
export function byImportance(a: Victim, b: Victim): number {
  const priority = priorityOf(b.pod) - priorityOf(a.pod);
  if (priority !== 0) return priority;
  const [x, y] = [startOf(a.pod), startOf(b.pod)];
  if (x !== y) return x < y ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

/** Those that budgets have no allowance for, when they are asked in this order. */
export function guardedByBudgets(
  victims: readonly Victim[],
  budgets: Iterable<PodDisruptionBudget>,
): ReadonlySet<Victim> {
  const guarded = new Set<Victim>();
  for (const { metadata, spec, status } of budgets) {
    const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
    // One that selects all selects none here, as kube-scheduler has it.
    if (Object.keys(matchLabels).length + matchExpressions.length === 0) continue;
    const selects = labelPredicate(spec?.selector as LabelSelector | undefined);
    let allowed = status?.disruptionsAllowed ?? 0;
    for (const victim of victims) {
      const { namespace, name = '', labels = {} } = victim.pod.metadata;
      if (namespace !== metadata.namespace || Object.keys(labels).length === 0 || !selects(labels)) continue;
      // Its allowance is spent already.
      if (status?.disruptedPods !== undefined && Object.hasOwn(status.disruptedPods, name)) continue;
      if (--allowed < 0) guarded.add(victim);
    }
  }
  return guarded;
}

/** By each in turn; less is better. Of equals the first is taken. */
const losses: readonly ((one: Candidate) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => highest(victims),
  // Each counts, also those of priorities below zero.
  ({ victims }) => victims.reduce((sum, { pod }) => sum + priorityOf(pod) + 2 ** 31, 0),
  ({ victims }) => victims.length,
];

const highest = (victims: readonly Victim[]): number =>
  victims.reduce((most, { pod }) => Math.max(most, priorityOf(pod)), Number.NEGATIVE_INFINITY);

function bestOf(candidates: readonly Candidate[]): Candidate | undefined {
  let left = candidates;
  for (const loss of losses) {
    if (left.length <= 1) break;
    const each = left.map(loss);
    const least = Math.min(...each);
    left = left.filter((_, at) => each[at] === least);
  }
  // Of the most important victims the one that runs for longest: where it started last.
  const startedFirst = ({ victims }: Candidate): string =>
    victims
      .filter(({ pod }) => priorityOf(pod) === highest(victims))
      .map(({ pod }) => startOf(pod))
      .sort()[0] ?? '';
  return left.reduce<Candidate | undefined>(
    (best, one) => (best === undefined || startedFirst(one) > startedFirst(best) ? one : best),
    undefined,
  );
}
