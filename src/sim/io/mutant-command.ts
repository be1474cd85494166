/** `node src/sim/io/mutant-command.ts [NAME…] [--seeds N] [--workers N] [--seconds N]`: plants faults and prints which property found each. */
import { parseArgs } from 'node:util';
import { summary, tableHead, tableRow } from '../mutant-table.ts';
import { mutants } from '../mutants.ts';
import { runMutants } from './mutant-run.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '200' },
    workers: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '60' },
  },
});
const chosen = mutants.filter(
  ({ name, harmless }) =>
    positionals.some((part) => name === part || name.startsWith(`${part}/`)) ||
    (positionals.length === 0 && harmless === undefined),
);
if (chosen.length === 0) {
  console.error(`Cannot plant "${positionals.join(' ')}": there is no such mutant`);
  process.exit(2);
}
console.log(tableHead);
const results = await runMutants({
  mutants: chosen,
  seedsMax: Number(values.seeds),
  workers: Number(values.workers),
  tookMsMax: Number(values.seconds) * 1000,
  onResult: (result) => console.log(tableRow(result)),
});
console.log(
  `\n${summary(
    results,
    mutants.filter(({ harmless }) => harmless !== undefined),
  )}`,
);
process.exitCode = results.every(({ found }) => found !== undefined) ? 0 : 1;
