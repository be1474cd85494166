/** `caelum bench [NAME]`: every figure beside its peer or floor, measured in the same run. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Figure, Progress } from '../../../bench/benchmark.ts';
import { svgOf } from '../../../bench/plot.ts';
import { formatNumber, suggestion, textTable, usage } from '../../cli/index.ts';
import { explainError } from '../../lib/index.ts';
import { outputOption, print, printJson, type RunnableCommand, say } from '../command.ts';

const folder = new URL('../../../bench/', import.meta.url);

export const bench: RunnableCommand = {
  name: 'bench',
  summary:
    'Measures this machine, side by side with the peers that are installed. A ratio above 1: we are better.',
  words: '[NAME …]',
  wordCount: { min: 0, max: 100 },
  options: [
    outputOption,
    { name: 'list', help: 'only say what there is to measure' },
    {
      name: 'plots',
      value: 'DIR',
      help: 'where plots (SVG) and reports are written (default: caelum-bench)',
    },
  ],
  notes: `Environment:
  CAELUM_BENCH_ONLY=plain,growth   parts of api, controllers, scheduler, scheduler-api or scheduler-quality
  CAELUM_BENCH_SCALE=0.1           makes api, controllers and scheduler-api smaller
  CAELUM_BENCH_PODS=10000000       in the memory figure of scheduler (default 1,000,000; ten take a minute and 4 GiB)`,
  async run(given) {
    const names = readdirSync(folder)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => file.slice(0, -3))
      .sort();
    const known = new Map<string, Benchmark>();
    for (const name of names) {
      const module = (await import(new URL(`${name}.ts`, folder).href)) as { bench?: Benchmark };
      if (module.bench !== undefined) known.set(name, module.bench);
    }
    for (const word of given.words)
      if (!known.has(word))
        throw usage(
          bench,
          `there is no benchmark "${word}"${suggestion(word, [...known.keys()])}; there are: ${[...known.keys()].join(', ')}`,
        );
    const chosen = [...known].filter(([name]) => given.words.length === 0 || given.words.includes(name));
    if (given.flag('list')) {
      print(
        textTable(
          ['NAME', 'SECONDS', 'WHAT'],
          chosen.map(([name, one]) => [name, String(one.seconds), one.description]),
        ),
      );
      return 0;
    }
    const figures: Figure[] = [];
    let failed = false;
    for (const [name, one] of chosen) {
      const reason = one.unavailable?.();
      if (reason !== undefined) {
        say(`${name}: left out: ${reason}`);
        continue;
      }
      say(`${name}: ${one.description} (about ${one.seconds} s)`);
      try {
        const progress = new BenchProgress();
        const found = await one.run((line) => progress.say(line), progress);
        progress.end();
        figures.push(...found);
        writeReport(name, one, found, given.value('plots') ?? 'caelum-bench');
      } catch (error) {
        failed = true;
        say(`${name}: Cannot measure: ${explainError(error)}`);
      }
    }
    if (given.value('output') === 'json')
      printJson(
        figures.map((figure) => ({ ...figure, peer: figure.peer ?? null, ratio: figure.ratio ?? null })),
      );
    else print(figureTable(figures));
    return failed ? 1 : 0;
  },
};

/** On a terminal one line that changes; elsewhere a line for each step, so that a log shows where it is. */
class BenchProgress implements Progress {
  readonly #isTerminal = process.stderr.isTTY;
  #steps = 0;
  #done = 0;

  begin(steps: number): void {
    this.#steps = steps;
  }

  step(what: string): void {
    const share = this.#steps === 0 ? '' : `${this.#done}/${this.#steps} `;
    this.#done++;
    if (this.#isTerminal) process.stderr.write(`\r\x1b[K  ${share}${what} …`);
    else say(`  ${share}${what}`);
  }

  say(line: string): void {
    this.end();
    say(`  ${line}`);
  }

  end(): void {
    if (this.#isTerminal) process.stderr.write('\r\x1b[K');
  }
}

/** Of benchmarks that have something to show: the plots, and a page that has figures and plots. */
function writeReport(name: string, one: Benchmark, figures: readonly Figure[], directory: string): void {
  const plots = one.plots?.() ?? [];
  if (plots.length === 0) return;
  mkdirSync(directory, { recursive: true });
  for (const plot of plots) writeFileSync(join(directory, `${plot.name}.svg`), svgOf(plot));
  const file = join(directory, `${name}.md`);
  writeFileSync(file, reportOf(name, one, figures));
  say(`  report: ${file}`);
}

function reportOf(name: string, one: Benchmark, figures: readonly Figure[]): string {
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `# ${name}: ${one.description}`,
    '',
    machine,
    '',
    ...(one.plots?.() ?? []).flatMap((plot) => [`![${plot.title}](${plot.name}.svg)`, '']),
    row(figureHeads),
    row(figureHeads.map(() => '---')),
    ...figures.map((figure) => row(figureCells(figure))),
    '',
  ].join('\n');
}

/** For scripts that run one benchmark file by itself. */
export function figureTable(figures: readonly Figure[]): string {
  return textTable(figureHeads, figures.map(figureCells));
}

const figureHeads = ['FIGURE', 'MEDIAN', 'UNIT', 'PEER', 'PEER MEDIAN', 'RATIO', 'GOAL'];

function figureCells(figure: Figure): string[] {
  return [
    figure.name,
    formatNumber(figure.value),
    figure.unit,
    figure.peer?.name ?? '-',
    figure.peer === undefined ? '-' : formatNumber(figure.peer.value),
    figure.ratio === undefined ? '-' : figure.ratio.toFixed(2),
    figure.goal ?? '',
  ];
}

/** Where the benchmarks are. */
export const benchFolder = fileURLToPath(folder);
