/**
 * A store whose writes are made durable by another thread: all of it in memory for reading, every write on disk before it is acknowledged.
 *
 *   this thread: check, encode, pack ──one buffer a turn──▶ other thread: one transaction for all that waits, sync ──▶ this thread: apply, answer
 *
 * The thread is a worker with an SQLite file (`io/`), or a simulated one with a simulated disk. Owns neither.
 */
import { assert, CaelumError, type Clock, type Log } from '../lib/index.ts';
import type { Change, HistoryLimits } from './history.ts';
import type { FileState } from './io/file-state.ts';
import type { FromWorker, ToWorker } from './io/group-writer.ts';
import { checksumOf, Packer, unpack } from './io/packing.ts';
import { createLogStore, type Durability, type SaveCopy } from './log-store.ts';
import { ObjectIndex } from './object-index.ts';
import type { Store } from './store.ts';
import { Version } from './version.ts';

/** The thread that owns the data file, as seen from the store. */
export interface StoreThread {
  send(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  /** Who listens from now on; messages come in order. The one before hears nothing more. */
  listen(listener: ThreadListener): void;
  terminate(): Promise<unknown>;
}

export interface ThreadListener {
  onMessage(message: FromWorker): void;
  /** The thread has failed, or has ended (undefined). */
  onEnd(error: unknown): void;
}

export interface ThreadStoreOptions {
  readonly thread: StoreThread;
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: HistoryLimits;
  readonly save: SaveCopy;
  /** Calls soon, after the requests that are there now have been read: their writes share a batch. */
  readonly schedule: (flush: () => void) => void;
  readonly onFatal: (error: CaelumError) => void;
}

/** Reads what the thread has, then writes through it. Throws `unavailable`, `corrupt`. */
export async function openThreadStore(options: ThreadStoreOptions): Promise<Store> {
  const { thread, file, log } = options;
  const startMs = options.clock.monotonicMs();
  const index = new ObjectIndex({ ...options, revision: 0 });
  const state = await receiveAll(thread, file, index);
  const { revision, compacted, lastId } = state;
  index.startAt(revision, compacted);
  const tookMs = Math.round(options.clock.monotonicMs() - startMs);
  log.info('store opened', { file, revision, keys: state.keys, tookMs });
  const durability = new ThreadDurability(thread, state, options);
  return createLogStore({ index, durability, save: options.save, nextId: lastId + 1 });
}

/** Fills the index while the worker still reads. */
function receiveAll(thread: StoreThread, file: string, index: ObjectIndex): Promise<FileState> {
  return new Promise((resolve, reject) => {
    let twice: string | undefined;
    const onMessage = (message: FromWorker): void => {
      if (message.kind === 'chunk') {
        unpack(message.rows, message.bytes, ({ id, revision, sum, key, value }) => {
          const version = new Version(key, revision, value, id, undefined, undefined, index.kin);
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
      thread.listen(deaf);
      void thread.terminate().then(() => reject(error));
    };
    const settle = (action: () => void): void => {
      thread.listen(deaf);
      action();
    };
    thread.listen({
      onMessage,
      onEnd: (error) =>
        settle(() => reject((error as Error | undefined) ?? new Error('the thread of the store has ended'))),
    });
  });
}

const deaf: ThreadListener = { onMessage: () => {}, onEnd: () => {} };

interface Sent {
  readonly number: number;
  readonly state: FileState;
  readonly resolve: () => void;
  readonly reject: (error: CaelumError) => void;
}

class ThreadDurability implements Durability {
  readonly #thread: StoreThread;
  readonly #schedule: (flush: () => void) => void;
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
    thread: StoreThread,
    state: FileState,
    options: Pick<ThreadStoreOptions, 'file' | 'log' | 'onFatal' | 'schedule'>,
  ) {
    this.#thread = thread;
    this.#schedule = options.schedule;
    this.#state = state;
    this.#durableState = state;
    this.#file = options.file;
    this.#log = options.log;
    this.#onFatal = options.onFatal;
    thread.listen({
      onMessage: (message) => this.#onMessage(message),
      onEnd: (error) =>
        error === undefined ? this.#onExit() : this.#stop('the thread of the store has failed', error),
    });
  }

  schedule(flush: () => void): void {
    this.#schedule(flush);
  }

  submit(changes: readonly Change[], revision: number): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped);
    const { rows, bytes, state } = this.#pack(changes, revision);
    this.#state = state;
    const number = ++this.#number;
    const message: ToWorker = { kind: 'batch', number, run: this.#run, rows, bytes, state };
    this.#thread.send(message, [rows]);
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
    this.#thread.send(message);
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
