/**
 * `caelum sim`: replays one history, or hunts through many seeds.
 *
 *   SEED | --plan FILE ─▶ run under guard ─▶ text, page ─▶ broken? ─▶ shrink ─▶ sim-failure-SEED.json
 *   --seeds N | --minutes N ─▶ crew of threads ─▶ progress, report
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Arguments, usage } from '../../cli/index.ts';
import { CaelumError, explainError } from '../../lib/index.ts';
import { print, type RunnableCommand, say } from '../../main/command.ts';
import { type GenerateOptions, generatePlan } from '../generate.ts';
import { historyPage } from '../html.ts';
import { Tally } from '../hunt.ts';
import type { SimPlan } from '../plan.ts';
import { properties } from '../properties/index.ts';
import { resultText } from '../result-text.ts';
import { type Moment, run } from '../run.ts';
import { shrink } from '../shrink.ts';
import { runSeeds } from './crew.ts';
import { cpuMs, guarded } from './environment.ts';

const defaultSeeds = 200;
const shrinkRunsMax = 200;
const shrinkMsMax = 180_000;
const progressMs = 2000;

export const sim: RunnableCommand = {
  name: 'sim',
  summary: 'Runs the whole cloud under simulated time, network, disk and chance, and checks what must hold.',
  words: '[SEED]',
  wordCount: { min: 0, max: 1 },
  options: [
    { name: 'plan', value: 'FILE', help: 'replay the history in a file, as a failure has left it' },
    { name: 'seeds', value: 'N', help: `run many seeds and report (default ${defaultSeeds})` },
    { name: 'from', value: 'N', help: 'the first of them (default 1)' },
    { name: 'minutes', value: 'N', help: 'run seeds for so long, beginning with a random one' },
    { name: 'workers', value: 'N', help: 'threads for many seeds (default 2)' },
    { name: 'nodes', value: 'N', help: 'nodes of each world (default: by the seed)' },
    { name: 'seconds', value: 'N', help: 'how long users act and faults happen (default: by the seed)' },
    { name: 'calm', help: 'no faults' },
    { name: 'only-deployments', help: 'no StatefulSets, DaemonSets, Jobs, CronJobs, budgets, autoscalers' },
    { name: 'without-claims', help: 'nothing claims storage' },
    { name: 'html', value: 'FILE', help: 'write the history as a page' },
    { name: 'exhaustive', help: 'all orders of small worlds instead; with --seconds N for each' },
    { name: 'mutants', help: 'plant faults, one at a time, and see which property finds each' },
    { name: 'no-shrink', help: 'leave a failing history as long as it is' },
  ],
  notes: 'Exit code 1: a property is broken.',
  async run(given) {
    if (given.flag('exhaustive'))
      return program('exhaustive-command.ts', [...given.words, ...secondsOf(given)]);
    if (given.flag('mutants')) return program('mutant-command.ts', [...given.words, ...secondsOf(given)]);
    const [word] = given.words;
    const file = given.value('plan');
    const isHunt = ['seeds', 'minutes', 'from'].some((name) => given.has(name));
    if ([word !== undefined, file !== undefined, isHunt].filter(Boolean).length > 1)
      throw usage(sim, 'a SEED, --plan, or --seeds and --minutes: one of them');
    if (file !== undefined) return replay(readPlan(file), `--plan ${file}`, given);
    if (word === undefined) return hunt(given);
    if (!/^\d{1,15}$/.test(word)) throw usage(sim, `SEED is a whole number, not "${word}"`);
    return replay(
      generatePlan(Number(word), generateOptions(given)),
      [word, ...optionWords(given)].join(' '),
      given,
    );
  },
};

const secondsOf = (given: Arguments): readonly string[] =>
  given.has('seconds') ? ['--seconds', given.value('seconds') ?? ''] : [];

/** These change what is loaded, and so are programs of their own. */
function program(file: string, words: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...words], {
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function generateOptions(given: Arguments): GenerateOptions {
  const nodes = given.integer('nodes', 1, 10_000);
  const seconds = given.integer('seconds', 1, 1_000_000);
  return {
    ...(nodes === undefined ? {} : { nodes }),
    ...(seconds === undefined ? {} : { activeMs: seconds * 1000 }),
    ...(given.flag('calm') ? { calm: true } : {}),
    ...(given.flag('only-deployments') ? { onlyDeployments: true } : {}),
    ...(given.flag('without-claims') ? { withoutClaims: true } : {}),
  };
}

/** The words that make the same plan of a seed. */
const optionWords = (given: Arguments): readonly string[] => [
  ...(['nodes', 'seconds'] as const).flatMap((name) =>
    given.has(name) ? [`--${name} ${given.value(name)}`] : [],
  ),
  ...(given.flag('calm') ? ['--calm'] : []),
  ...(given.flag('only-deployments') ? ['--only-deployments'] : []),
  ...(given.flag('without-claims') ? ['--without-claims'] : []),
];

function readPlan(file: string): SimPlan {
  let plan: Partial<SimPlan>;
  try {
    plan = JSON.parse(readFileSync(file, 'utf8')) as Partial<SimPlan>;
  } catch (error) {
    throw new CaelumError('usage', `Cannot read plan "${file}": ${explainError(error)}`);
  }
  const lists = [plan?.nodes, plan?.actions, plan?.faults];
  const numbers = [plan?.seed, plan?.activeMs, plan?.recoverMs, plan?.restMs, plan?.historyEvents];
  if (!lists.every(Array.isArray) || !numbers.every(Number.isFinite))
    throw new CaelumError('usage', `Cannot read plan "${file}": it is not a plan of the simulator`);
  return plan as SimPlan;
}

async function replay(plan: SimPlan, words: string, given: Arguments): Promise<number> {
  const moments: Moment[] = [];
  const startMs = cpuMs();
  const result = await run(plan, { ...guarded, onMoment: (moment) => void moments.push(moment) });
  print(resultText({ result, moments, properties, cpuMs: cpuMs() - startMs }));
  const page = given.value('html');
  if (page !== undefined)
    writeFileSync(page, historyPage({ result, moments, properties, command: `npm run sim -- ${words}` }));
  if (result.violation === undefined) return 0;
  if (!given.flag('no-shrink')) await shrinkToFile(plan, result.violation.property);
  return 1;
}

async function shrinkToFile(plan: SimPlan, property: string): Promise<void> {
  const endMs = performance.now() + shrinkMsMax;
  const small = await shrink(
    plan,
    async (candidate) => {
      const { violation } = await run(candidate, guarded);
      return violation?.property === property;
    },
    {
      runsMax: shrinkRunsMax,
      isOver: () => performance.now() > endMs,
      onSmaller: (smaller, runs) => say(`shrinking, run ${runs}: ${sizeOf(smaller)}`),
    },
  );
  const file = `sim-failure-${plan.seed}.json`;
  writeFileSync(file, `${JSON.stringify(small.plan, undefined, 1)}\n`);
  print(
    `\nThe smallest history found that breaks it (${small.runs} runs): ${sizeOf(small.plan)}\n  npm run sim -- --plan ${file}\n`,
  );
}

const sizeOf = ({ nodes, actions, faults, activeMs }: SimPlan): string =>
  `${nodes.length} nodes, ${actions.length} actions, ${faults.length} faults, ${activeMs / 1000} s`;

function* numbersFrom(first: number, count: number): Iterable<number> {
  for (let number = first; number < first + count; number++) yield number;
}

async function hunt(given: Arguments): Promise<number> {
  const minutes = given.integer('minutes', 1, 100_000);
  const workers = given.integer('workers', 1, 64) ?? 2;
  const count = given.integer('seeds', 1, 1e9) ?? (minutes === undefined ? defaultSeeds : 1e9);
  const first = given.integer('from', 0, 1e15) ?? (minutes === undefined ? 1 : randomInt(1e6, 1e9));
  const startMs = performance.now();
  const endMs = minutes === undefined ? Number.POSITIVE_INFINITY : startMs + minutes * 60_000;
  say(`seeds from ${first}${minutes === undefined ? ` to ${first + count - 1}` : ` for ${minutes} min`}`);
  const tally = new Tally();
  const tell = (): void => say(tally.progress());
  const timer = setInterval(tell, process.stderr.isTTY ? progressMs : progressMs * 10);
  try {
    await runSeeds({
      seeds: numbersFrom(first, count),
      workers,
      generate: generateOptions(given),
      isOver: () => performance.now() > endMs,
      onOutcome: (outcome) => {
        tally.add(outcome);
        const { violation, seed } = outcome;
        if (violation !== undefined) say(`seed ${seed}: ${violation.property}: ${violation.message}`);
      },
    });
  } finally {
    clearInterval(timer);
  }
  const tookMs = performance.now() - startMs;
  print(tally.report({ properties, tookMs, workers, words: optionWords(given) }));
  return tally.failures === 0 ? 0 : 1;
}
