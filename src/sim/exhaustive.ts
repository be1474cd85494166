/**
 * Every order of a small world, within bounds: depth-first from choice to choice would never end, so the number of deviations from the order of age
 * is bounded (delay bounding), and the number of faults. Stateless: each history is run from its beginning.
 *
 *   no deviation ─▶ all of one ─▶ all of two ─▶ …            each run offers the deviations behind its last one
 *                     └─ a run whose state was seen, with as many deviations left, is given up there
 *
 * Sound: equal states (`ChosenNetwork.state`) have equal futures, since a process is a function of what has arrived there; but for collisions of 53
 * bits. Not sound beyond the bounds: what takes more deviations is not found; the API server carries out one request at a time; time passes only when
 * nothing is under way, but for `tick`.
 *
 * Sources: Emmi, Qadeer, Rakamarić, Delay-Bounded Scheduling, POPL 2011; Musuvathi, Qadeer, CHESS, PLDI 2007; Godefroid, partial orders, 1996.
 */
import type { Random } from '../lib/index.ts';
import {
  type Choice,
  type Deviation,
  faults,
  orders,
  runSmall,
  type SmallEnvironment,
  type Twist,
} from './exhaustive-run.ts';
import type { Scenario } from './exhaustive-scenarios.ts';

export interface ExploreOptions {
  readonly scenario: Scenario;
  readonly environment: SmallEnvironment;
  /** Deviations from the order of age in one history, at most 3. */
  readonly ordersMax: number;
  /** Faults in one history, at most 3. */
  readonly faultsMax: number;
  /** Which twists are tried; default all. */
  readonly twists?: readonly Twist[];
  /** In which order histories of as many deviations are tried; where all are, it does not matter. */
  readonly random: Random;
  /** Histories. */
  readonly runsMax?: number;
  /** Asked before each history. */
  readonly isOver?: () => boolean;
  /** True: go on after a property was broken. */
  readonly findsAll?: boolean;
  readonly onProgress?: (report: Report) => void;
}

export interface Finding {
  readonly property: string;
  readonly message: string;
  readonly deviations: readonly Deviation[];
  /** How many histories had been run. */
  readonly runs: number;
}

export interface Report {
  readonly scenario: string;
  /** Histories run, those without deviations included. */
  runs: number;
  /** Given up because their state had been seen. */
  pruned: number;
  /** Different states. */
  states: number;
  /** Choices made, those repeated in each history included. */
  choices: number;
  /** Of the history without deviations. */
  length: number;
  /** Deviations up to which every history was run, or pruned. */
  completeTo: number;
  readonly findings: Finding[];
}

const allTwists: readonly Twist[] = [...orders, ...faults];
const isFault = (twist: Twist): boolean => (faults as readonly Twist[]).includes(twist);

/** A history that was run, and what is left to try behind its last deviation. */
interface Branch {
  readonly deviations: readonly Deviation[];
  readonly firstAt: number;
  /** By choice, from `firstAt`: a bit for each twist. */
  readonly twists: number[];
  left: number;
}

interface Budget {
  readonly orders: number;
  readonly faults: number;
}

export async function explore(options: ExploreOptions): Promise<Report> {
  const one = new Exploration(options);
  return one.run();
}

class Exploration {
  readonly #options: ExploreOptions;
  readonly #twists: readonly Twist[];
  /** By state: a bit for each budget with which it was reached, or less. */
  readonly #seen = new Map<number, number>();
  readonly #report: Report;

  constructor(options: ExploreOptions) {
    this.#options = options;
    this.#twists = options.twists ?? allTwists;
    this.#report = {
      scenario: options.scenario.name,
      runs: 0,
      pruned: 0,
      states: 0,
      choices: 0,
      length: 0,
      completeTo: -1,
      findings: [],
    };
  }

  async run(): Promise<Report> {
    const { ordersMax, faultsMax, random } = this.#options;
    const first = await this.#try([]);
    this.#report.length = first?.twists.length ?? 0;
    let level: Branch[] = first === undefined ? [] : [first];
    this.#report.completeTo = 0;
    for (let depth = 1; depth <= ordersMax + faultsMax; depth++) {
      const next: Branch[] = [];
      while (level.length > 0) {
        if (this.#isOver()) return this.#report;
        const at = random.integer(level.length);
        const branch = level[at] as Branch;
        const deviation = takeOne(branch, random);
        if (branch.left === 0) {
          level[at] = level[level.length - 1] as Branch;
          level.pop();
        }
        const child = await this.#try([...branch.deviations, deviation]);
        if (child !== undefined && child.left > 0) next.push(child);
        if (this.#report.runs % 100 === 0) this.#options.onProgress?.(this.#report);
      }
      this.#report.completeTo = depth;
      level = next;
    }
    return this.#report;
  }

  #isOver(): boolean {
    const { runsMax = Number.POSITIVE_INFINITY, isOver, findsAll = false } = this.#options;
    const { runs, findings } = this.#report;
    return runs >= runsMax || isOver?.() === true || (findings.length > 0 && !findsAll);
  }

  /** Runs one history. Answers what can be tried behind its last deviation. */
  async #try(deviations: readonly Deviation[]): Promise<Branch | undefined> {
    const { scenario, environment, ordersMax, faultsMax } = this.#options;
    const report = this.#report;
    const faultCount = deviations.filter(({ twist }) => isFault(twist)).length;
    const left = { orders: ordersMax - (deviations.length - faultCount), faults: faultsMax - faultCount };
    const firstAt = (deviations.at(-1)?.at ?? -1) + 1;
    const branch: Branch = { deviations, firstAt, twists: [], left: 0 };
    const outcome = await runSmall({
      scenario,
      deviations,
      environment,
      onChoice: (choice) => this.#onChoice(branch, choice, left),
    });
    report.runs++;
    report.choices += outcome.choices;
    report.states = this.#seen.size;
    if (outcome.isPruned) report.pruned++;
    if (outcome.violation !== undefined) {
      const { property, message } = outcome.violation;
      const isKnown = report.findings.some(
        (one) => one.property === property && gist(one.message) === gist(message),
      );
      if (!isKnown) report.findings.push({ property, message, deviations, runs: report.runs });
      // What comes behind it breaks it too.
      return undefined;
    }
    return branch;
  }

  #onChoice(branch: Branch, { state, twists }: Choice, left: Budget): boolean {
    const seen = this.#seen.get(state) ?? 0;
    if ((seen & (1 << (left.orders * 4 + left.faults))) !== 0) return false;
    this.#seen.set(state, seen | covered(left));
    let bits = 0;
    for (const twist of twists) {
      if ((isFault(twist) ? left.faults : left.orders) <= 0 || !this.#twists.includes(twist)) continue;
      bits |= 1 << allTwists.indexOf(twist);
      branch.left++;
    }
    branch.twists.push(bits);
    return true;
  }
}

/** Bits of this budget and of all smaller ones. */
function covered({ orders: ordersLeft, faults: faultsLeft }: Budget): number {
  let bits = 0;
  for (let order = 0; order <= ordersLeft; order++)
    for (let fault = 0; fault <= faultsLeft; fault++) bits |= 1 << (order * 4 + fault);
  return bits;
}

function takeOne(branch: Branch, random: Random): Deviation {
  const { twists, firstAt } = branch;
  let index = random.integer(twists.length);
  while (twists[index] === 0) index = (index + 1) % twists.length;
  const bits = twists[index] as number;
  let bit = random.integer(allTwists.length);
  while ((bits & (1 << bit)) === 0) bit = (bit + 1) % allTwists.length;
  twists[index] = bits & ~(1 << bit);
  branch.left--;
  return { at: firstAt + index, twist: allTwists[bit] as Twist };
}

/** The same for all histories in which the same goes wrong: without names made by chance and numbers. */
const gist = (message: string): string =>
  message.replaceAll(/-[a-z0-9]{5,10}\b/g, '').replaceAll(/\d+/g, '#');

export const writeDeviations = (deviations: readonly Deviation[]): string =>
  deviations.map(({ at, twist }) => `${at}:${twist}`).join(',');

/** The opposite of `writeDeviations`. undefined: it is not such a text. */
export function readDeviations(text: string): readonly Deviation[] | undefined {
  const deviations: Deviation[] = [];
  for (const part of text.split(',').filter((one) => one !== '')) {
    const [at, name] = part.split(':');
    const twist = allTwists.find((one) => one === name);
    if (twist === undefined || !/^\d+$/.test(at ?? '')) return undefined;
    deviations.push({ at: Number(at), twist });
  }
  return deviations;
}
