/**
 * `node src/sim/io/exhaustive-command.ts [SCENARIO…] [--orders N] [--faults N] [--twists A,B] [--seconds N] [--runs N] [--seed N] [--all] [--mutant NAME]`:
 * tries every order of small worlds. `… SCENARIO --replay 12:delay,40:kill`: tells one history.
 */
import { parseArgs } from 'node:util';
import type { Report } from '../exhaustive.ts';
import type { Twist } from '../exhaustive-run.ts';
import type { Scenario } from '../exhaustive-scenarios.ts';
import { explorationMutants } from '../mutants/exploration.ts';
import { mutants } from '../mutants.ts';
import { plant } from './mutant-loader.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: 'string', default: '2' },
    faults: { type: 'string', default: '2' },
    twists: { type: 'string', default: '' },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    replay: { type: 'string' },
  },
});
const refuse = (why: string): never => {
  console.error(why);
  process.exit(2);
};
if (values.mutant !== undefined)
  plant(
    [...explorationMutants, ...mutants].find(({ name }) => name === values.mutant) ??
      refuse(`Cannot plant "${values.mutant}": there is no such mutant`),
  );
// The product comes after the mutant.
const { explore, readDeviations, writeDeviations } = await import('../exhaustive.ts');
const { faults, orders, runSmall } = await import('../exhaustive-run.ts');
const { scenarios } = await import('../exhaustive-scenarios.ts');
const { cpuMs, guarded } = await import('./environment.ts');
const { SeededRandom } = await import('../../lib/index.ts');

const unknown = positionals.find((name) => !scenarios.some((one) => one.name === name));
if (unknown !== undefined)
  refuse(`Cannot explore "${unknown}": there are ${scenarios.map(({ name }) => name).join(', ')}`);
const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const known: readonly Twist[] = [...orders, ...faults];
const twists = values.twists === '' ? known : (values.twists.split(',') as Twist[]);
if (!twists.every((one) => known.includes(one)))
  refuse(`Cannot try "${values.twists}": there are ${known.join(', ')}`);

async function tell(scenario: Scenario, text: string): Promise<boolean> {
  const deviations = readDeviations(text) ?? refuse(`Cannot replay "${text}": it is no list of deviations`);
  const outcome = await runSmall({ scenario, deviations, environment: guarded, tells: true });
  console.log(outcome.story.join('\n'));
  return outcome.violation === undefined;
}

function row(report: Report, tookMs: number, tookCpuMs: number): string {
  const { scenario, runs, pruned, states, choices, length, completeTo, findings } = report;
  const perMinute = Math.round((runs / tookCpuMs) * 60_000);
  return [
    `${scenario}: ${runs} interleavings (${pruned} ended in a known state), ${states} states, ${choices} choices`,
    `${length} in the plain history; complete to ${completeTo} deviations`,
    `${(tookMs / 1000).toFixed(1)} s, ${perMinute} interleavings a minute of CPU`,
    findings.length === 0 ? 'nothing broken' : `${findings.length} broken`,
  ].join('; ');
}

async function hunt(scenario: Scenario): Promise<boolean> {
  const startMs = performance.now();
  const startCpuMs = cpuMs();
  const report = await explore({
    scenario,
    environment: guarded,
    ordersMax: Math.min(3, Number(values.orders)),
    faultsMax: Math.min(3, Number(values.faults)),
    twists,
    random: new SeededRandom(values.seed),
    runsMax: Number(values.runs),
    isOver: () => performance.now() - startMs > Number(values.seconds) * 1000,
    findsAll: values.all,
  });
  console.log(row(report, performance.now() - startMs, cpuMs() - startCpuMs));
  for (const { property, message, deviations, runs } of report.findings) {
    const again = values.mutant === undefined ? '' : ` --mutant ${values.mutant}`;
    console.log(`  ${property}: ${message}`);
    console.log(
      `  after ${runs} interleavings: node src/sim/io/exhaustive-command.ts ${scenario.name}${again} --replay '${writeDeviations(deviations)}'`,
    );
  }
  return report.findings.length === 0;
}

let isWell = true;
for (const scenario of chosen) {
  const one = values.replay === undefined ? hunt(scenario) : tell(scenario, values.replay);
  if (!(await one)) isWell = false;
}
process.exitCode = isWell ? 0 : 1;
