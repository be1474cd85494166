/** `caelum snapshot save|restore`: all objects of a cloud in one file. Saving works while the cloud runs, or when it is stopped; restoring only when it is stopped. */
import { createWriteStream, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { usage } from '../../cli/index.ts';
import { CaelumError, silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { openSqliteStore, restoreSnapshot } from '../../store/index.ts';
import { dataOption, print, type RunnableCommand } from '../command.ts';
import { dataDirectoryOf, type Layout, layoutOf } from '../layout.ts';
import { snapshotPath } from '../snapshot-paths.ts';
import { liveProcess, readState } from '../state.ts';

export const snapshot: RunnableCommand = {
  name: 'snapshot',
  summary: "Saves or restores the cloud's objects.",
  words: 'save FILE | restore FILE',
  wordCount: { min: 2, max: 2 },
  options: [dataOption],
  notes:
    'A restored cloud counts revisions on from beyond the old ones, so no client sees time run backwards. What was there before is kept beside the store.',
  async run(given) {
    const layout = layoutOf(dataDirectoryOf(given.value('data')));
    const [verb, name = ''] = given.words;
    const file = resolve(name);
    if (verb === 'save') print(await save(layout, file));
    else if (verb === 'restore') print(restore(layout, file));
    else throw usage(snapshot, `there is no "snapshot ${verb}"; there are: save FILE, restore FILE`);
    return 0;
  },
};

async function save(layout: Layout, file: string): Promise<string> {
  const state = readState(layout);
  if (liveProcess(state, 'control-plane') !== undefined && state !== undefined) {
    const { revision, keys } = await fetchSnapshot(layout, state.apiUrl, file);
    return `saved ${keys} objects at revision ${revision} to ${file}\n`;
  }
  if (!existsSync(layout.store))
    throw new CaelumError('notFound', `Cannot find a cloud in "${layout.data}": there is no store to save`);
  const store = await openSqliteStore({ file: layout.store, clock: realClock, log: silentLog });
  try {
    const { revision, keys } = await store.save(file);
    return `saved ${keys} objects at revision ${revision} to ${file}\n`;
  } finally {
    await store.close();
  }
}

async function fetchSnapshot(
  layout: Layout,
  apiUrl: string,
  file: string,
): Promise<{ revision: string; keys: string }> {
  const read = (name: string): Buffer => readFileSync(join(layout.pki, name));
  const response = await new Promise<import('node:http').IncomingMessage>((done, reject) => {
    request(
      `${apiUrl}${snapshotPath}`,
      { ca: read('ca.crt'), cert: read('admin.crt'), key: read('admin.key'), agent: false },
      done,
    )
      .on('error', reject)
      .end();
  }).catch((cause: unknown) => {
    throw new CaelumError(
      'unavailable',
      `Cannot save a snapshot: the API server at ${apiUrl} does not answer`,
      { cause },
    );
  });
  if (response.statusCode !== 200) {
    let text = '';
    for await (const chunk of response) text += String(chunk);
    throw new CaelumError(
      'unavailable',
      `Cannot save a snapshot: ${text.trim() || `the API server answers ${response.statusCode}`}`,
    );
  }
  const beside = `${file}.${process.pid}`;
  try {
    await pipeline(response, createWriteStream(beside, { mode: 0o600, flush: true }));
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  const header = (name: string): string => String(response.headers[name] ?? '?');
  return { revision: header('caelum-revision'), keys: header('caelum-keys') };
}

function restore(layout: Layout, file: string): string {
  if (liveProcess(readState(layout), 'control-plane') !== undefined)
    throw new CaelumError(
      'conflict',
      `Cannot restore into cloud "${layout.data}": it runs; stop it first with: caelum down --data ${layout.data}`,
    );
  const { revision, keys, previous } = restoreSnapshot(file, layout.store);
  return `restored ${keys} objects; revisions go on from ${revision}${previous === undefined ? '' : `; what was there is kept in ${previous}`}\n`;
}
