/**
 * Run by the kill -9 test: writes to a store as fast as it can on a few lines, and prints each write once it is acknowledged, until killed.
 *
 *   ready REVISION │ put KEY REVISION │ deleting KEY (asked, not yet acknowledged) │ delete KEY REVISION
 */
import { writeSync } from 'node:fs';
import { silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { jsonOf } from '../contract.ts';
import type { Write } from '../store.ts';
import { openSqliteStore } from './sqlite-store.ts';

const [file = '', round = ''] = process.argv.slice(2);
const store = await openSqliteStore({ file, clock: realClock, log: silentLog });
// Written synchronously: what is in the pipe survives this process.
writeSync(1, `ready ${store.revision()}\n`);

async function line(number: number): Promise<never> {
  for (let count = 0; ; count++) {
    const fresh = `pods/${round}/${number}-${count}`;
    const write: Write =
      count % 5 === 4
        ? { kind: 'delete', key: `pods/${round}/${number}-${count - 2}` }
        : {
            kind: 'put',
            key: count % 5 === 3 ? `nodes/${number}` : fresh,
            encode: jsonOf('x'.repeat(count % 3000)),
          };
    if (write.kind === 'delete') writeSync(1, `deleting ${write.key}\n`);
    const answer = await store.transact([write]);
    const revision = answer.kind === 'committed' ? answer.revision : -1;
    writeSync(1, `${write.kind} ${write.key} ${revision}\n`);
  }
}

for (let number = 0; number < 16; number++) void line(number);
