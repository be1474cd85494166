/**
 * `node src/sim/io/exhaustive-command.ts [SCENARIO…] [--orders N] [--faults N] [--twists A,B] [--seconds N] [--all]`: tries every order of small worlds.
 * `node src/sim/io/exhaustive-command.ts SCENARIO --replay 12:delay,40:kill`: tells one history.
 */
import { parseArgs } from 'node:util';
import { SeededRandom } from '../../lib/index.ts';
import { explore, type Report, readDeviations, writeDeviations } from '../exhaustive.ts';
import { faults, orders, runSmall, type Twist } from '../exhaustive-run.ts';
import { type Scenario, scenarios } from '../exhaustive-scenarios.ts';
import { properties } from '../properties/index.ts';
import { turn } from './environment.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: 'string', default: '2' },
    faults: { type: 'string', default: '2' },
    twists: { type: 'string', default: '' },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    all: { type: 'boolean', default: false },
    replay: { type: 'string' },
    mutant: { type: 'string' },
  },
});
const environment = { turn, properties };
const refuse = (why: string): never => {
  console.error(why);
  process.exit(2);
};
const unknown = positionals.find((name) => !scenarios.some((one) => one.name === name));
if (unknown !== undefined)
  refuse(`Cannot explore "${unknown}": there are ${scenarios.map(({ name }) => name).join(', ')}`);
const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

async function tell(scenario: Scenario, text: string): Promise<boolean> {
  const deviations = readDeviations(text) ?? refuse(`Cannot replay "${text}": this is no list of deviations`);
  const { story, violation } = await runSmall({ scenario, deviations, environment, tells: true });
  console.log(story.join('\n'));
  return violation === undefined;
}

function row(report: Report, tookMs: number): string {
  const { scenario, runs, pruned, states, choices, length, completeTo, findings } = report;
  const perMinute = Math.round((runs / tookMs) * 60_000);
  return `${scenario}: ${runs} interleavings (${pruned} met a known state), ${states} states, ${choices} choices made, ${length} in the plain history; complete to ${completeTo} deviations; ${(tookMs / 1000).toFixed(1)} s, ${perMinute} a minute; ${findings.length === 0 ? 'nothing broken' : `${findings.length} broken`}`;
}

async function hunt(scenario: Scenario): Promise<boolean> {
  const startMs = performance.now();
  const report = await explore({
    scenario,
    environment,
    ordersMax: Math.min(3, Number(values.orders)),
    faultsMax: Math.min(3, Number(values.faults)),
    ...(values.twists === '' ? {} : { twists: values.twists.split(',') as Twist[] }),
    random: new SeededRandom(values.seed),
    ...(values.runs === '' ? {} : { runsMax: Number(values.runs) }),
    isOver: () => performance.now() - startMs > Number(values.seconds) * 1000,
    findsAll: values.all,
  });
  console.log(row(report, performance.now() - startMs));
  for (const { property, message, deviations, runs } of report.findings) {
    console.log(`\n${property}: ${message}\n  found after ${runs} interleavings; told by`);
    console.log(
      `  node src/sim/io/exhaustive-command.ts ${scenario.name} --replay '${writeDeviations(deviations)}'`,
    );
  }
  return report.findings.length === 0;
}

if (
  values.twists !== '' &&
  !values.twists.split(',').every((one) => [...orders, ...faults].includes(one as Twist))
)
  refuse(`Cannot try "${values.twists}": there are ${[...orders, ...faults].join(', ')}`);
let isWell = true;
for (const scenario of chosen) {
  const one = values.replay === undefined ? hunt(scenario) : tell(scenario, values.replay);
  if (!(await one)) isWell = false;
}
process.exitCode = isWell ? 0 : 1;
