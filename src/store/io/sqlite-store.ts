/**
 * A store in one SQLite file: all of it in memory for reading, every write on disk before it is acknowledged.
 *
 *   this thread: check, encode, pack ──one buffer a turn──▶ worker: one transaction for all that waits, fsync ──▶ this thread: apply, answer
 *
 * Owns the worker. The event loop never waits for the disk.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { assert, CaelumError, type Clock, type Log } from '../../lib/index.ts';
import type { Change, HistoryLimits } from '../history.ts';
import { createLogStore, type Durability } from '../log-store.ts';
import { ObjectIndex } from '../object-index.ts';
import type { Store } from '../store.ts';
import { Version } from '../version.ts';
import type { FromWorker, ToWorker } from './group-writer.ts';
import { checksumOf, Packer, unpack } from './packing.ts';
import { saveSnapshot } from './snapshot.ts';
import type { FileState } from './sqlite-file.ts';

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
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, log } = options;
  const startMs = options.clock.monotonicMs();
  const worker = startWorker(file);
  const index = new ObjectIndex({ ...options, revision: 0 });
  const state = await receiveAll(worker, file, index);
  const { revision, compacted, lastId } = state;
  index.startAt(revision, compacted);
  const tookMs = Math.round(options.clock.monotonicMs() - startMs);
  log.info('store opened', { file, revision, keys: state.keys, tookMs });
  const onFatal = options.onFatal ?? (() => process.exit(70));
  const durability = new WorkerDurability(worker, state, { file, log, onFatal });
  return createLogStore({ index, durability, save: saveSnapshot, nextId: lastId + 1 });
}

/** Compiled code is cached as in this thread (a third of the time to open); a worker does not do so by itself. */
function startWorker(file: string): Worker {
  const url = new URL('./sqlite-worker.ts', import.meta.url);
  // Not the flags that this process was started with: those for its main script confuse a worker.
  const options = { name: 'store', workerData: { file }, execArgv: [] };
  const cache = getCompileCacheDir();
  if (cache === undefined) return new Worker(url, options);
  const [folder, target] = [JSON.stringify(dirname(cache)), JSON.stringify(url.href)];
  const code = `require('node:module').enableCompileCache(${folder}); import(${target});`;
  return new Worker(code, { ...options, eval: true });
}

/** Fills the index while the worker still reads. */
function receiveAll(worker: Worker, file: string, index: ObjectIndex): Promise<FileState> {
  return new Promise((resolve, reject) => {
    let twice: string | undefined;
    const onMessage = (message: FromWorker): void => {
      if (message.kind === 'chunk') {
        unpack(message.rows, message.bytes, ({ id, revision, sum, key, value }) => {
          const version = new Version(key, revision, value, id);
          version.sum = sum;
          if (!index.load(version)) twice = key;
        });
      } else if (message.kind === 'ready') {
        if (twice === undefined) settle(() => resolve(message.state));
        else onTwice(twice);
      }
      if (message.kind === 'cannotOpen') settle(() => reject(new CaelumError(message.code, message.message)));
    };
    const onTwice = (key: string): void => {
      const error = new CaelumError('corrupt', `Cannot open store "${file}": it holds "${key}" twice`);
      settle(() => void worker.terminate().then(() => reject(error)));
    };
    const onError = (error: unknown): void => settle(() => reject(error as Error));
    const onExit = (): void => onError(new Error('the thread of the store has ended'));
    const settle = (action: () => void): void => {
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      action();
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

interface Sent {
  readonly number: number;
  readonly state: FileState;
  readonly resolve: () => void;
  readonly reject: (error: CaelumError) => void;
}

class WorkerDurability implements Durability {
  readonly #worker: Worker;
  readonly #file: string;
  readonly #log: Log;
  readonly #onFatal: (error: CaelumError) => void;
  /** As of the newest batch sent. */
  #state: FileState;
  #durableState: FileState;
  #sent: Sent[] = [];
  #number = 0;
  #run = 0;
  #stopped: CaelumError | undefined;
  #isClosing = false;
  #onClosed: (() => void) | undefined;

  constructor(
    worker: Worker,
    state: FileState,
    options: { file: string; log: Log; onFatal: (error: CaelumError) => void },
  ) {
    this.#worker = worker;
    this.#state = state;
    this.#durableState = state;
    this.#file = options.file;
    this.#log = options.log;
    this.#onFatal = options.onFatal;
    worker.on('message', (message: FromWorker) => this.#onMessage(message));
    worker.on('error', (error) => this.#stop('the thread of the store has failed', error));
    worker.on('exit', () => this.#onExit());
  }

  /** After the sockets that are readable now have been read: their writes share a batch. */
  schedule(flush: () => void): void {
    setImmediate(flush);
  }

  submit(changes: readonly Change[], revision: number): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    const { rows, bytes, state } = this.#pack(changes, revision);
    this.#state = state;
    const number = ++this.#number;
    const message: ToWorker = { kind: 'batch', number, run: this.#run, rows, bytes, state };
    this.#worker.postMessage(message, [rows]);
    return new Promise((resolve, reject) => this.#sent.push({ number, state, resolve, reject }));
  }

  #pack(changes: readonly Change[], revision: number) {
    let { keys, fingerprint, lastId } = this.#state;
    let size = 0;
    for (const { kind, key, current } of changes)
      size += Packer.rowBytes(key, kind === 'put' ? current.bytes.length : 0);
    const packer = new Packer(size);
    for (const { kind, key, current, previous } of changes) {
      fingerprint ^= previous?.sum ?? 0;
      keys -= previous === undefined ? 0 : 1;
      const { id } = current;
      if (kind === 'put') {
        assert(current.bytes.length > 0, 'an object is not empty');
        current.sum = checksumOf(id, current.revision, key, current.bytes);
        fingerprint ^= current.sum;
        keys++;
        lastId = Math.max(lastId, id);
      }
      const value = kind === 'put' ? current.bytes : noBytes;
      packer.add({ id, revision: current.revision, sum: current.sum, key, value });
    }
    const state: FileState = { ...this.#state, revision, keys, fingerprint: fingerprint >>> 0, lastId };
    return { ...packer.take(), state };
  }

  close(): Promise<void> {
    this.#isClosing = true;
    if (this.#stopped !== undefined) return Promise.resolve();
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve;
    });
    const message: ToWorker = { kind: 'close' };
    this.#worker.postMessage(message);
    return closed;
  }

  #onMessage(message: FromWorker): void {
    if (message.kind === 'durable') this.#onDurable(message.number);
    else if (message.kind === 'refused') this.#onRefused(message.run, message.code, message.message);
    else if (message.kind === 'unclear') this.#stop('the disk failed while writing', message.message);
    else if (message.kind === 'note')
      this.#log.warn(message.message, { file: this.#file, error: message.error });
  }

  #onDurable(number: number): void {
    for (let first = this.#sent[0]; first !== undefined && first.number <= number; first = this.#sent[0]) {
      this.#sent.shift();
      this.#durableState = first.state;
      first.resolve();
    }
  }

  /** Everything sent so far belongs to the run that failed: the worker drops it. */
  #onRefused(run: number, code: CaelumError['code'], why: string): void {
    if (run !== this.#run) return;
    this.#run++;
    this.#state = this.#durableState;
    const what = code === 'storageFull' ? 'the disk is full' : why;
    this.#log.error('store refused writes', {
      file: this.#file,
      code,
      error: why,
      batches: this.#sent.length,
    });
    const refused = this.#sent;
    this.#sent = [];
    const error = new CaelumError(code, `Cannot write to store "${this.#file}": ${what}`, { cause: why });
    for (const { reject } of refused) reject(error);
  }

  #onExit(): void {
    if (this.#isClosing) this.#onClosed?.();
    else this.#stop('the thread of the store has ended', undefined);
  }

  #stop(what: string, cause: unknown): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = new CaelumError('unavailable', `Cannot write to store "${this.#file}": ${what}`, {
      cause,
    });
    this.#log.error('store stopped: the outcome of a write cannot be known', {
      file: this.#file,
      error: this.#stopped,
    });
    this.#onClosed?.();
    this.#onFatal(this.#stopped);
  }
}

const noBytes = Buffer.alloc(0);
