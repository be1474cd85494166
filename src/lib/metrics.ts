/**
 * Counters, gauges and histograms, and their text as Prometheus reads it. Pure.
 *
 *   family.with(label values) ─▶ cell, kept by whoever counts ─▶ cell.value++        text(): families in order, read when asked for
 *
 * Counting is an addition to a number: no look-up where the cell is kept. What others count already is read when the text is made (`collect`).
 * Invariant: memory is bounded. A family has `seriesMax` cells; what comes after is counted in one more, whose labels say `other`.
 * Source: Prometheus, "exposition formats", text format 0.0.4.
 */

export interface Cell {
  value: number;
}

export interface HistogramCell {
  observe(value: number): void;
  readonly count: number;
  readonly sum: number;
}

export type MetricType = 'counter' | 'gauge';

/** A line that is made when the text is: label values in the order of the family's names. */
export type Sample = readonly [labels: readonly string[], value: number];

export interface FamilyOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly seriesMax?: number;
}

const seriesMaxDefault = 4000;

interface Printed {
  print(lines: string[]): void;
}

class Family<C> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly #seriesMax: number;
  readonly #make: () => C;
  readonly #cells = new Map<string, { readonly values: readonly string[]; readonly cell: C }>();

  constructor({ name, help, labels = [], seriesMax = seriesMaxDefault }: FamilyOptions, make: () => C) {
    this.name = name;
    this.help = help;
    this.labels = labels;
    this.#seriesMax = seriesMax;
    this.#make = make;
  }

  /** The same cell for the same values, in the order of the labels' names. */
  with(...values: readonly string[]): C {
    const key = values.join('\0');
    let found = this.#cells.get(key);
    if (found === undefined) {
      if (this.#cells.size >= this.#seriesMax) return this.#other();
      found = { values, cell: this.#make() };
      this.#cells.set(key, found);
    }
    return found.cell;
  }

  #other(): C {
    const values = this.labels.map(() => 'other');
    const key = values.join('\0');
    let found = this.#cells.get(key);
    if (found === undefined) {
      found = { values, cell: this.#make() };
      this.#cells.set(key, found);
    }
    return found.cell;
  }

  cells(): Iterable<{ readonly values: readonly string[]; readonly cell: C }> {
    return this.#cells.values();
  }
}

export type NumberFamily = Pick<Family<Cell>, 'with'>;
export type HistogramFamily = Pick<Family<HistogramCell>, 'with'>;

class Buckets implements HistogramCell {
  readonly #bounds: readonly number[];
  /** Not cumulated; one more than bounds. */
  readonly counts: number[];
  count = 0;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    (this.counts[at] as number)++;
    this.count++;
    this.sum += value;
  }
}

export class Metrics {
  readonly #printed: Printed[] = [];

  counter(options: FamilyOptions): NumberFamily {
    return this.#numbers('counter', options);
  }

  gauge(options: FamilyOptions): NumberFamily {
    return this.#numbers('gauge', options);
  }

  #numbers(type: MetricType, options: FamilyOptions): NumberFamily {
    const family = new Family<Cell>(options, () => ({ value: 0 }));
    this.#printed.push({
      print: (lines) => {
        head(lines, family, type);
        for (const { values, cell } of family.cells())
          lines.push(`${family.name}${labelText(family.labels, values)} ${numberText(cell.value)}`);
      },
    });
    return family;
  }

  /** `bounds`: upper, rising. */
  histogram(options: FamilyOptions & { readonly bounds: readonly number[] }): HistogramFamily {
    const family = new Family<Buckets>(options, () => new Buckets(options.bounds));
    this.#printed.push({
      print: (lines) => {
        head(lines, family, 'histogram');
        const names = [...family.labels, 'le'];
        for (const { values, cell } of family.cells()) {
          let below = 0;
          for (const [at, count] of cell.counts.entries()) {
            below += count;
            const bound = options.bounds[at];
            const le = bound === undefined ? '+Inf' : String(bound);
            lines.push(`${family.name}_bucket${labelText(names, [...values, le])} ${below}`);
          }
          const labels = labelText(family.labels, values);
          lines.push(`${family.name}_sum${labels} ${numberText(cell.sum)}`);
          lines.push(`${family.name}_count${labels} ${cell.count}`);
        }
      },
    });
    return family;
  }

  /** What somebody else keeps account of. */
  collect(type: MetricType, options: FamilyOptions, read: () => Iterable<Sample>): void {
    const { labels = [], name, help } = options;
    this.#printed.push({
      print: (lines) => {
        head(lines, { name, help }, type);
        for (const [values, value] of read())
          lines.push(`${name}${labelText(labels, values)} ${numberText(value)}`);
      },
    });
  }

  text(): string {
    const lines: string[] = [];
    for (const one of this.#printed) one.print(lines);
    return `${lines.join('\n')}\n`;
  }
}

function head(
  lines: string[],
  { name, help }: { readonly name: string; readonly help: string },
  type: string,
): void {
  lines.push(`# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`, `# TYPE ${name} ${type}`);
}

function labelText(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return '';
  return `{${names.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`).join(',')}}`;
}

const escaped = (text: string): string =>
  /[\\"\n]/.test(text) ? text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : text;

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}
