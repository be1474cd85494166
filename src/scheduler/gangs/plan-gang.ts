/**
 * Places a gang: so many of its members as it needs at once, or none. Pure.
 *
 *   members ─▶ enough of them? ─▶ trial (in one domain, where it wants that) ─ enough fit ─▶ bind all
 *                                   └─ too few: undone ─▶ trial of the small ones, tightly ─▶ trial that preempts ─ enough ─▶ all are nominated, victims go
 *                                                            └─ too few: undone ─▶ all wait, and are told how many fit
 *
 * Owns all or none. Does not own how a pod is placed: that is the plan's (`place`).
 * Invariant: when it returns, either the members that have a place (placed before, bound now, or nominated) are as many as the gang needs, or nothing of what
 * was tried is in the snapshot.
 */
import type { Pod } from '../../api/index.ts';
import type { Nominees } from '../nominees.ts';
import type { Refusals, Step, WaitingPod } from '../plan.ts';
import { isMakingRoom, type Preemption, priorityOf, type Victim } from '../preemption.ts';
import type { Nomination, Snapshot } from '../snapshot.ts';
import { type Domain, domainsOf, mayHold } from './domains.ts';
import { type Gang, type GangRule, placedOf } from './gang-book.ts';
import { fitNote, missingNote, nominatedNote, unknownNote } from './notes.ts';
import { smallest } from './tight.ts';

/** What is asked of the plan that is being made. */
export interface GangPlanner {
  readonly snapshot: Snapshot;
  readonly nominees: Nominees;
  /** Plans these like any others. Only in the rows `within`; at most so many preempt. `isTight`: so that most room is left. */
  place(
    members: readonly WaitingPod[],
    within: ReadonlySet<number> | undefined,
    preemptions: number,
    isTight?: boolean,
  ): Step[];
}

/** In so many domains at most it is tried what preemption would give. */
const preemptedDomainsMax = 16;

const isBind = (step: Step): step is Step & { kind: 'bind' } => step.kind === 'bind';

export function planGang(members: readonly WaitingPod[], gang: Gang, planner: GangPlanner): readonly Step[] {
  const { rule } = gang;
  if (rule === undefined) return waitAll(members, planner.snapshot, unknownNote(gang));
  return new GangPlan(members, gang, rule, planner).steps();
}

function waitAll(members: readonly WaitingPod[], { nodeCount }: Snapshot, note: string): readonly Step[] {
  return members.map(({ key }) => ({
    kind: 'wait',
    podKey: key,
    nodes: nodeCount,
    refused: nothingRefused,
    note,
  }));
}

interface Trial {
  readonly steps: readonly Step[];
  readonly fitting: number;
  undo(): void;
}

class GangPlan {
  readonly #members: readonly WaitingPod[];
  readonly #gang: Gang;
  readonly #rule: GangRule;
  readonly #planner: GangPlanner;
  /** Is its place what this is about? */
  readonly #isAsked: (podKey: string) => boolean;
  readonly #already: number;
  readonly #need: number;

  constructor(members: readonly WaitingPod[], gang: Gang, rule: GangRule, planner: GangPlanner) {
    this.#members = members;
    this.#gang = gang;
    this.#rule = rule;
    this.#planner = planner;
    const asked = new Set(members.map(({ key }) => key));
    const { snapshot, nominees } = planner;
    this.#isAsked = (key) => asked.has(key) || nominees.holds(key);
    this.#already = placedOf(gang, snapshot, this.#isAsked);
    // What comes to one that is at work comes by itself.
    const isAtWork = rule.wasScheduled && this.#already > 0;
    this.#need = isAtWork ? 0 : Math.max(0, rule.minCount - this.#already);
  }

  steps(): readonly Step[] {
    const { snapshot } = this.#planner;
    const lacking = this.#need - this.#members.length;
    if (lacking > 0) return this.#wait(missingNote(this.#gang, lacking), undefined);
    // What is kept for its members is theirs: it counts as free.
    for (const { key } of this.#members) this.#planner.nominees.release(key);
    const key = this.#rule.topologyKey;
    const domains = key === undefined ? undefined : domainsOf(snapshot, this.#gang, key, this.#isAsked);
    // It has what it needs: more members come one by one.
    if (this.#need === 0) return this.#planner.place(this.#members, domains?.[0]?.rows, this.#members.length);
    const found = domains === undefined ? this.#inAll() : this.#inOneOf(domains);
    if ('accepted' in found) return found.accepted;
    const note = fitNote(this.#gang, this.#rule, this.#already + found.best);
    if (this.#isRoomBeingMade()) return this.#wait(nominatedNote(this.#gang), stillGoing, found.steps);
    return this.#preempt(domains, note) ?? this.#wait(note, undefined, found.steps);
  }

  #inAll(): Found {
    const trial = this.#try(undefined);
    if (trial.fitting >= this.#need) return { accepted: this.#accept(trial, undefined) };
    trial.undo();
    return this.#tightly([undefined]) ?? { best: trial.fitting, steps: trial.steps };
  }

  /** What is best for each may be in the way of the others: where they ask different amounts, as many as are needed, packed. */
  #tightly(domains: readonly (Domain | undefined)[]): Found | undefined {
    const few = smallest(this.#members, this.#need);
    for (const domain of few === undefined ? [] : domains) {
      if (few === undefined || (domain !== undefined && !mayHold(domain, few, few.length))) continue;
      const trial = this.#try(domain?.rows, few, true);
      if (trial.fitting === few.length) return { accepted: this.#accept(trial, domain?.rows) };
      trial.undo();
    }
    return undefined;
  }

  /** The tightest domain that holds all members; else the one that holds most, if these are enough. */
  #inOneOf(domains: readonly Domain[]): Found {
    let best: { readonly domain: Domain; readonly trial: Trial } | undefined;
    for (const domain of domains) {
      if (!mayHold(domain, this.#members, Math.max(1, this.#need))) continue;
      const trial = this.#try(domain.rows);
      if (trial.fitting === this.#members.length) return { accepted: this.#accept(trial, domain.rows) };
      trial.undo();
      if (best === undefined || trial.fitting > best.trial.fitting) best = { domain, trial };
    }
    if (best === undefined) return { best: 0, steps: [] };
    const { domain, trial } = best;
    if (trial.fitting === 0 || trial.fitting < this.#need)
      return this.#tightly(domains) ?? { best: trial.fitting, steps: trial.steps };
    return { accepted: this.#accept(this.#try(domain.rows), domain.rows) };
  }

  /** Nobody is preempted. */
  #try(within: ReadonlySet<number> | undefined, members = this.#members, isTight = false): Trial {
    const undo = this.#memory();
    const steps = this.#planner.place(members, within, 0, isTight);
    return { steps, fitting: steps.filter(isBind).length, undo: () => undo(steps) };
  }

  /** Enough fit. The others may preempt, each for itself. */
  #accept({ steps }: Trial, within: ReadonlySet<number> | undefined): readonly Step[] {
    const bound = steps.filter(isBind);
    if (bound.length === this.#members.length) return steps;
    const keys = new Set(bound.map(({ podKey }) => podKey));
    const others = this.#members.filter(({ key }) => !keys.has(key));
    return [...bound, ...this.#planner.place(others, within, others.length)];
  }

  /** Members were nominated before, and those that they preempted are not gone yet. */
  #isRoomBeingMade(): boolean {
    const { snapshot } = this.#planner;
    // Among tenants others than the less important give way, too.
    const mayGoFor = (pod: Pod, other: Pod): boolean =>
      snapshot.tenants !== undefined || priorityOf(other) < priorityOf(pod);
    return this.#members.some(({ key, pod }) => {
      const row = snapshot.rowOf(snapshot.nominations.get(key)?.nodeName ?? '');
      if (row === undefined) return false;
      for (const [other, one] of snapshot.placedOn(row))
        if (mayGoFor(pod, one) && isMakingRoom(snapshot, other, one)) return true;
      return false;
    });
  }

  #preempt(domains: readonly Domain[] | undefined, note: string): readonly Step[] | undefined {
    const { snapshot } = this.#planner;
    const hasVictims = (pod: Pod): boolean =>
      snapshot.tenants !== undefined || snapshot.hasBelow(priorityOf(pod));
    if (!this.#members.some(({ pod }) => mayPreempt(pod) && hasVictims(pod))) return undefined;
    if (domains === undefined) return this.#preemptIn(undefined, note);
    // Where most is free, least has to go.
    for (const { rows } of domains.toReversed().slice(0, preemptedDomainsMax)) {
      const steps = this.#preemptIn(rows, note);
      if (steps !== undefined) return steps;
    }
    return undefined;
  }

  /** One after the other, each upon the room that those before it have made. */
  #preemptIn(within: ReadonlySet<number> | undefined, note: string): readonly Step[] | undefined {
    const { snapshot, nominees } = this.#planner;
    const undo = this.#memory();
    const steps: Step[] = [];
    const gone: (Victim & { readonly nodeName: string })[] = [];
    for (const waiting of this.#members) {
      const [step] = this.#planner.place([waiting], within, 1);
      if (step === undefined) continue;
      steps.push(step);
      if (step.kind === 'bind' || step.preemption?.kind !== 'chosen') continue;
      const { nodeName, victims } = step.preemption;
      for (const victim of victims) {
        snapshot.removePod(victim.key);
        gone.push({ ...victim, nodeName });
      }
    }
    for (const { key, pod, nodeName } of gone) snapshot.addPod(key, pod, nodeName);
    const hasRoom = (step: Step): boolean => step.kind === 'bind' || step.preemption?.kind === 'chosen';
    if (gone.length === 0 || steps.filter(hasRoom).length < this.#need) {
      undo(steps);
      return undefined;
    }
    // Those that need nobody's place keep theirs until the others have one.
    const made = nominatedNote(this.#gang);
    return steps.map((step): Step => {
      if (step.kind === 'wait') return { ...step, note: hasRoom(step) ? made : note };
      const { podKey, nodeName, refused } = step;
      const pod = this.#members.find(({ key }) => key === podKey)?.pod;
      takeBack(snapshot, podKey);
      if (pod !== undefined) snapshot.nominations.set(podKey, { pod, nodeName });
      nominees.hold(podKey);
      return { kind: 'wait', podKey, nodes: snapshot.nodeCount, refused, note: made };
    });
  }

  /** What has to be as before when what is tried now does not do. */
  #memory(): (steps: readonly Step[]) => void {
    const { snapshot, nominees } = this.#planner;
    const nominations: ReadonlyMap<string, Nomination> = new Map(snapshot.nominations);
    const going = new Map(snapshot.going);
    const held = [...nominations.keys()].filter((key) => nominees.holds(key));
    return (steps) => {
      for (const step of steps) if (isBind(step)) takeBack(snapshot, step.podKey);
      for (const key of [...snapshot.nominations.keys()]) {
        if (nominations.get(key) === snapshot.nominations.get(key)) continue;
        nominees.release(key);
        snapshot.nominations.delete(key);
      }
      for (const [key, nomination] of nominations) snapshot.nominations.set(key, nomination);
      for (const key of held) nominees.hold(key);
      for (const key of [...snapshot.going.keys()]) if (!going.has(key)) snapshot.going.delete(key);
    };
  }

  #wait(note: string, preemption: Preemption | undefined, tried: readonly Step[] = []): readonly Step[] {
    const { snapshot, nominees } = this.#planner;
    const told = new Map(tried.map((step) => [step.podKey, step.refused]));
    const last = tried.findLast((step) => step.kind === 'wait')?.refused ?? nothingRefused;
    return this.#members.map(({ key }): Step => {
      if (preemption === undefined) {
        // It has no claim to a place that the others cannot join.
        nominees.release(key);
        snapshot.nominations.delete(key);
      } else nominees.hold(key);
      const isRefused = tried.some((step) => step.podKey === key && step.kind === 'wait');
      return {
        kind: 'wait',
        podKey: key,
        nodes: snapshot.nodeCount,
        refused: isRefused ? (told.get(key) ?? last) : last,
        note,
        ...(preemption === undefined ? {} : { preemption }),
      };
    });
  }
}

const mayPreempt = ({ spec }: Pod): boolean => spec?.preemptionPolicy !== 'Never';

type Found =
  | { readonly accepted: readonly Step[] }
  | { readonly best: number; readonly steps: readonly Step[] };

const nothingRefused: Refusals = new Map();
const stillGoing: Preemption = {
  kind: 'none',
  message: 'preemption: not eligible due to a terminating pod on the nominated node.',
  isWaiting: true,
};

/** What was placed is placed no more, with all that was assumed for it. */
export function takeBack(snapshot: Snapshot, podKey: string): void {
  snapshot.removePod(podKey);
  snapshot.volumes.release(podKey);
  snapshot.deviceClaims.release(podKey);
}
