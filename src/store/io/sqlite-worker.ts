/**
 * The thread that owns the data file.
 *
 *   open ──▶ chunk … chunk ──▶ ready          batch batch batch ──one transaction──▶ durable (up to number N)
 *                                                                └─▶ refused (from number N on) │ unclear (stop)
 *
 * All batches that have arrived while one transaction was being written go into the next: group commit. A batch of a run that has
 * failed is dropped: the store has refused it already. Checkpoints are made when it is quiet, or when the log has become long.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { assert, CaelumError, type ErrorCode, explainError } from '../../lib/index.ts';
import { Packer, unpack } from './packing.ts';
import { codeOf, DataFile, type FileState, isUnclear } from './sqlite-file.ts';

export type ToWorker =
  | {
      readonly kind: 'batch';
      readonly number: number;
      /** Raised by each failure. */
      readonly run: number;
      readonly rows: ArrayBuffer;
      readonly bytes: number;
      readonly state: FileState;
    }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'chunk'; readonly rows: ArrayBuffer; readonly bytes: number }
  | { readonly kind: 'ready'; readonly state: FileState }
  | { readonly kind: 'cannotOpen'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'durable'; readonly number: number }
  | { readonly kind: 'refused'; readonly run: number; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'unclear'; readonly number: number; readonly message: string }
  | { readonly kind: 'note'; readonly message: string; readonly error: string }
  | { readonly kind: 'closed' };

type BatchMessage = Extract<ToWorker, { kind: 'batch' }>;

const chunkBytes = 1 << 20;
/** Burnt revisions of a run that ended badly are skipped: more than could have been given out since the last commit. */
const revisionJump = 1_000_000;
const groupBytesMax = 16 << 20;
const quietMs = 100;
const checkpointBytes = { quiet: 4 << 20, busy: 48 << 20 };

/** What a row costs in the write-ahead log, roughly: the page that it is in. */
const pageBytes = 4096;

const port = parentPort as MessagePort;
assert(parentPort !== null, 'this file is a worker thread');
const say = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

class Writer {
  readonly #data: DataFile;
  #state: FileState;
  #failedRun = -1;
  /** Since the last checkpoint. */
  #logBytes = 0;
  #quiet: NodeJS.Timeout | undefined;

  constructor(data: DataFile, state: FileState) {
    this.#data = data;
    this.#state = state;
  }

  /** Carries out a message and all that have arrived meanwhile. */
  work(message: ToWorker): void {
    clearTimeout(this.#quiet);
    for (let next: ToWorker | undefined = message; next !== undefined; ) {
      if (next.kind === 'close') {
        this.#close();
        return;
      }
      const group: BatchMessage[] = [next];
      let bytes = next.bytes;
      next = nextMessage();
      while (next?.kind === 'batch' && next.run === group[0]?.run && bytes < groupBytesMax) {
        group.push(next);
        bytes += next.bytes;
        next = nextMessage();
      }
      this.#write(group);
      if (this.#logBytes > checkpointBytes.busy) this.#checkpoint();
    }
    if (this.#logBytes > checkpointBytes.quiet)
      this.#quiet = setTimeout(() => this.#checkpoint(), quietMs).unref();
  }

  #write(group: readonly BatchMessage[]): void {
    const last = group.at(-1) as BatchMessage;
    if (last.run <= this.#failedRun) return;
    let isCommitting = false;
    try {
      this.#data.begin();
      for (const { rows, bytes } of group) {
        this.#logBytes += bytes + 2 * pageBytes;
        unpack(rows, bytes, (row) => {
          this.#logBytes += pageBytes;
          if (row.value.length === 0) this.#data.delete(row.id);
          else this.#data.put(row);
        });
      }
      this.#data.writeState(last.state);
      isCommitting = true;
      this.#data.commit();
    } catch (error) {
      this.#onFailure(error, isCommitting, last);
      return;
    }
    this.#state = last.state;
    say({ kind: 'durable', number: last.number });
  }

  #onFailure(error: unknown, wasCommitting: boolean, last: BatchMessage): void {
    try {
      this.#data.rollback();
      if (wasCommitting && (isUnclear(error) || this.#isThere(last))) {
        say({ kind: 'unclear', number: last.number, message: explainError(error) });
        process.exit(1); // Ends this thread.
      }
    } catch (inner) {
      const message = `${explainError(error)}; then: ${explainError(inner)}`;
      say({ kind: 'unclear', number: last.number, message });
      process.exit(1);
    }
    this.#failedRun = last.run;
    say({ kind: 'refused', run: last.run, code: codeOf(error), message: explainError(error) });
  }

  /** Looks at the file as a new process would: whether a commit that failed is in it after all. */
  #isThere(last: BatchMessage): boolean {
    this.#data.reopen();
    return this.#data.readState().revision === last.state.revision;
  }

  #checkpoint(): void {
    this.#logBytes = 0;
    try {
      this.#data.checkpoint();
    } catch (error) {
      // The log stays as it is, and is complete: tried again when it has grown.
      say({ kind: 'note', message: 'store cannot checkpoint', error: explainError(error) });
    }
  }

  #close(): void {
    try {
      this.#data.begin();
      this.#data.writeState({ ...this.#state, clean: this.#failedRun < 0 });
      this.#data.commit();
      this.#data.close();
    } catch (error) {
      // As after a crash: nothing is lost, the next start skips some revisions.
      say({ kind: 'note', message: 'store was not closed in good order', error: explainError(error) });
    }
    say({ kind: 'closed' });
    port.close();
  }
}

function nextMessage(): ToWorker | undefined {
  return receiveMessageOnPort(port)?.message as ToWorker | undefined;
}

/** Sends all rows in chunks. */
function load(data: DataFile): FileState {
  let packer = new Packer(chunkBytes);
  const send = (): void => {
    const { rows, bytes } = packer.take();
    say({ kind: 'chunk', rows, bytes }, [rows]);
  };
  const state = data.load((row) => {
    const bytes = Packer.rowBytes(row.key, row.value.length);
    if (!packer.fits(bytes)) {
      if (!packer.isEmpty) send();
      packer = new Packer(Math.max(chunkBytes, bytes));
    }
    packer.add(row);
  });
  if (!packer.isEmpty) send();
  return state;
}

/** Notes that the file is in use, and skips revisions that a killed process may have given out. */
function claim(data: DataFile, found: FileState): FileState {
  const revision = found.clean ? found.revision : found.revision + revisionJump;
  const compacted = Math.max(found.compacted, found.revision);
  const state: FileState = { ...found, revision, compacted, clean: false };
  try {
    data.begin();
    data.writeState(state);
    data.commit();
  } catch (error) {
    // What is there can still be read; the first write that succeeds makes the claim.
    if (codeOf(error) !== 'storageFull') throw error;
    data.reopen();
    say({ kind: 'note', message: 'store opened on a full disk', error: explainError(error) });
  }
  return state;
}

function start(file: string): void {
  let data: DataFile | undefined;
  try {
    data = new DataFile(file);
    const state = claim(data, load(data));
    const writer = new Writer(data, state);
    port.on('message', (message: ToWorker) => writer.work(message));
    say({ kind: 'ready', state });
  } catch (error) {
    data?.close();
    const message =
      error instanceof CaelumError ? error.message : `Cannot open store "${file}": ${explainError(error)}`;
    say({ kind: 'cannotOpen', code: codeOf(error), message });
  }
}

start((workerData as { file: string }).file);
