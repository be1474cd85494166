/** `caelum bench [NAME]`: every figure beside its peer or floor, measured in the same run. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Figure } from '../../../bench/benchmark.ts';
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
    { name: 'plots', value: 'DIR', help: 'where plots are written, as SVG (default: caelum-bench)' },
  ],
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
        figures.push(...(await one.run((line) => say(`  ${line}`))));
        writePlots(one, given.value('plots') ?? 'caelum-bench');
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

function writePlots(one: Benchmark, directory: string): void {
  for (const plot of one.plots?.() ?? []) {
    const file = join(directory, `${plot.name}.svg`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(file, svgOf(plot));
    say(`  ${plot.title}: ${file}`);
  }
}

/** For scripts that run one benchmark file by itself. */
export function figureTable(figures: readonly Figure[]): string {
  return textTable(
    ['FIGURE', 'MEDIAN', 'UNIT', 'PEER', 'PEER MEDIAN', 'RATIO', 'GOAL'],
    figures.map((figure) => [
      figure.name,
      formatNumber(figure.value),
      figure.unit,
      figure.peer?.name ?? '-',
      figure.peer === undefined ? '-' : formatNumber(figure.peer.value),
      figure.ratio === undefined ? '-' : figure.ratio.toFixed(2),
      figure.goal ?? '',
    ]),
  );
}

/** Where the benchmarks are. */
export const benchFolder = fileURLToPath(folder);
