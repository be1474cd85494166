/** A store in one SQLite file, which a worker thread owns. The event loop never waits for the disk. */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { CaelumError, Clock, Log } from '../../lib/index.ts';
import type { HistoryLimits } from '../history.ts';
import type { Store } from '../store.ts';
import { openThreadStore, type StoreThread, type ThreadListener } from '../thread-store.ts';
import type { FromWorker } from './group-writer.ts';
import { saveSnapshot } from './snapshot.ts';

export interface SqliteStoreOptions {
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: HistoryLimits;
  /**
   * The disk failed in a way that leaves open what it holds. The process has to end: what was being written is answered never, and the
   * next start reads what is there. Default: exit with status 70.
   */
  readonly onFatal?: (error: CaelumError) => void;
}

/** Opens or creates a store. Throws `unavailable` when another process has it open, `corrupt` when it is damaged. */
export function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  return openThreadStore({
    ...options,
    thread: startWorker(options.file),
    save: saveSnapshot,
    schedule: (flush) => void setImmediate(flush),
    onFatal: options.onFatal ?? (() => process.exit(70)),
  });
}

/** Compiled code is cached as in this thread (a third of the time to open); a worker does not do so by itself. */
function startWorker(file: string): StoreThread {
  const url = new URL('./sqlite-worker.ts', import.meta.url);
  // Not the flags that this process was started with: those for its main script confuse a worker.
  const options = { name: 'store', workerData: { file }, execArgv: [] };
  const cache = getCompileCacheDir();
  if (cache === undefined) return threadOf(new Worker(url, options));
  const [folder, target] = [JSON.stringify(dirname(cache)), JSON.stringify(url.href)];
  const code = `require('node:module').enableCompileCache(${folder}); import(${target});`;
  return threadOf(new Worker(code, { ...options, eval: true }));
}

function threadOf(worker: Worker): StoreThread {
  let listener: ThreadListener | undefined;
  worker.on('message', (message: FromWorker) => listener?.onMessage(message));
  worker.on('error', (error) => listener?.onEnd(error));
  worker.on('exit', () => listener?.onEnd(undefined));
  return {
    send: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    listen: (next) => {
      listener = next;
    },
    terminate: () => worker.terminate(),
  };
}
