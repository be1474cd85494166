import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { contract } from '../contract.ts';
import { openSqliteStore } from './sqlite-store.ts';

contract('SQLite store', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'caelum-store-'));
  const store = await openSqliteStore({ file: join(folder, 'store.db'), clock: realClock, log: silentLog });
  return {
    store,
    done: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
