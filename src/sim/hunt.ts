/**
 * What many runs have shown, added up as they come, and told as a report. Pure.
 *
 *   Result ─▶ outcomeOf ─▶ Outcome (plain data, crosses threads) ─▶ Tally ─▶ progress line, report
 */
import { formatDuration, formatNumber, textTable } from '../cli/index.ts';
import type { Property } from './property.ts';
import type { Result, Violation } from './run.ts';

/** Of one run. Plain data. */
export interface Outcome {
  readonly seed: number;
  readonly hash: string;
  readonly violation: Violation | undefined;
  readonly simulatedMs: number;
  readonly cpuMs: number;
  readonly changes: number;
  readonly recoveredMs: number | undefined;
  readonly facts: Readonly<Record<string, number>>;
  readonly states: readonly string[];
}

export const outcomeOf = (result: Result, cpuMs: number): Outcome => ({
  seed: result.plan.seed,
  hash: result.hash,
  violation: result.violation,
  simulatedMs: result.simulatedMs,
  cpuMs,
  changes: result.changes,
  recoveredMs: result.recoveredMs,
  facts: result.facts,
  states: [...result.coverage],
});

export interface ReportOptions {
  readonly properties: readonly Property[];
  /** On the wall, for all. */
  readonly tookMs: number;
  readonly workers: number;
  /** What a seed is replayed with besides. */
  readonly words: readonly string[];
}

const seedsShown = 12;

export class Tally {
  readonly #states = new Set<string>();
  /** By the order in which runs ended: how many states were new in it. */
  readonly #newStates: number[] = [];
  readonly #facts = new Map<string, number>();
  readonly #violations = new Map<string, Outcome[]>();
  #simulatedMs = 0;
  #cpuMs = 0;
  #changes = 0;
  #slowest: Outcome | undefined;
  #busiest: Outcome | undefined;

  add(outcome: Outcome): void {
    const before = this.#states.size;
    for (const state of outcome.states) this.#states.add(state);
    this.#newStates.push(this.#states.size - before);
    for (const [fact, count] of Object.entries(outcome.facts))
      this.#facts.set(fact, (this.#facts.get(fact) ?? 0) + count);
    this.#simulatedMs += outcome.simulatedMs;
    this.#cpuMs += outcome.cpuMs;
    this.#changes += outcome.changes;
    if ((outcome.recoveredMs ?? -1) > (this.#slowest?.recoveredMs ?? -1)) this.#slowest = outcome;
    if (outcome.changes > (this.#busiest?.changes ?? -1)) this.#busiest = outcome;
    const { violation } = outcome;
    if (violation === undefined) return;
    const same = this.#violations.get(violation.property);
    if (same === undefined) this.#violations.set(violation.property, [outcome]);
    else same.push(outcome);
  }

  get seeds(): number {
    return this.#newStates.length;
  }

  get failures(): number {
    return [...this.#violations.values()].reduce((sum, { length }) => sum + length, 0);
  }

  get states(): number {
    return this.#states.size;
  }

  /** `120 seeds, 8.2 h simulated, 12 400 changes, 1 failed`. */
  progress(): string {
    return `${this.seeds} seeds, ${formatDuration(this.#simulatedMs)} simulated, ${formatNumber(this.#changes)} changes, ${this.#states.size} states, ${this.failures} failed`;
  }

  /** Speeds are by the CPU time of the threads, so that they do not hang on what else the machine does. */
  report({ properties, tookMs, workers, words }: ReportOptions): string {
    const cpuSeconds = Math.max(0.001, this.#cpuMs / 1000);
    const last = Math.ceil(this.#newStates.length / 10);
    const newLately = this.#newStates.slice(-last).reduce((sum, count) => sum + count, 0);
    const { seed, recoveredMs } = this.#slowest ?? {};
    const rows: [string, string][] = [
      ['seeds', `${this.seeds}, ${this.failures} failed`],
      ['took', `${formatDuration(tookMs)} with ${workers} worker${workers === 1 ? '' : 's'}`],
      [
        'simulated',
        `${formatDuration(this.#simulatedMs)}, ${formatNumber(this.#simulatedMs / 1000 / cpuSeconds)} s a second of CPU`,
      ],
      [
        'changes',
        `${formatNumber(this.#changes)}, ${formatNumber(this.#changes / cpuSeconds)} a second of CPU`,
      ],
      ['properties', `${properties.length} checked after every change`],
      ['coverage', `${this.#states.size} states, ${newLately} of them new in the last ${last} seeds`],
      ['slowest recovery', recoveredMs === undefined ? '-' : `${formatDuration(recoveredMs)} (seed ${seed})`],
    ];
    return [
      textTable(['', ''], rows).trimStart(),
      this.#counts('faults', (fact) => /^fault: (.*)$/.exec(fact)?.[1]),
      this.#counts('errors that users got', (fact) => /^user: (.*)$/.exec(fact)?.[1]),
      this.#counts('besides', (fact) => (/^(fault|user): /.test(fact) ? undefined : fact)),
      this.#broken(properties, words),
    ].join('\n');
  }

  #counts(title: string, nameOf: (fact: string) => string | undefined): string {
    const counts = [...this.#facts].flatMap(([fact, count]): [string, number][] => {
      const name = nameOf(fact);
      return name === undefined || count === 0 ? [] : [[name, count]];
    });
    counts.sort((a, b) => b[1] - a[1]);
    const text = counts.map(([name, count]) => `${name} ${formatNumber(count)}`).join(', ');
    return `${title}: ${text || 'none'}`;
  }

  #broken(properties: readonly Property[], words: readonly string[]): string {
    if (this.#violations.size === 0) return '\nEvery property held.\n';
    const lines = [''];
    for (const [name, outcomes] of [...this.#violations].sort((a, b) => b[1].length - a[1].length)) {
      const property = properties.find((one) => one.name === name);
      const seeds = outcomes.map((outcome) => outcome.seed).sort((a, b) => a - b);
      const more = seeds.length > seedsShown ? ` and ${seeds.length - seedsShown} more` : '';
      lines.push(
        `BROKEN ${name}: ${outcomes.length} ${outcomes.length === 1 ? 'seed' : 'seeds'}: ${seeds.slice(0, seedsShown).join(', ')}${more}`,
      );
      if (property !== undefined) lines.push(`  ${property.statement} [${property.source}]`);
      const first = outcomes.find((outcome) => outcome.seed === seeds[0]);
      lines.push(`  seed ${seeds[0]}: ${first?.violation?.message ?? ''}`);
      lines.push(`  replay: npm run sim -- ${[seeds[0], ...words].join(' ')}`);
    }
    return `${lines.join('\n')}\n`;
  }
}
