/**
 * Writes batches to the data file, as many in one transaction as have come: group commit.
 *
 *   batch batch batch ──▶ BEGIN, rows, state, COMMIT ──▶ durable (up to number N)
 *                              └─ failed ─▶ looks what the file holds ─▶ refused, the whole run │ unclear, stop
 *
 * A batch of a run that has failed is dropped: the store has refused it already. Checkpoints are made when it is quiet, or when the
 * log has become long. Invariant: what is called refused is not in the file, and never will be.
 */
import { type ErrorCode, explainError } from '../../lib/index.ts';
import type { FileState } from './file-state.ts';
import { unpack } from './packing.ts';
import { codeOf, type DataFile, isUnclear } from './sqlite-file.ts';

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

export type BatchMessage = Extract<ToWorker, { kind: 'batch' }>;

const groupBytesMax = 16 << 20;
const quietMs = 100;
const checkpointBytes = { quiet: 4 << 20, busy: 48 << 20 };
/** What a row costs in the write-ahead log, roughly: the page that it is in. */
const pageBytes = 4096;

export interface GroupWriterOptions {
  readonly data: Pick<
    DataFile,
    | 'begin'
    | 'put'
    | 'delete'
    | 'writeState'
    | 'commit'
    | 'rollback'
    | 'reopen'
    | 'readState'
    | 'checkpoint'
    | 'close'
  >;
  readonly state: FileState;
  readonly say: (message: FromWorker) => void;
  /** The next message that has arrived, without waiting. */
  readonly next: () => ToWorker | undefined;
  /** Ends everything: the outcome of a commit cannot be known. */
  readonly stop: () => void;
  /** Calls back once when it has been quiet for so long. Default: a timer. */
  readonly after?: (delayMs: number, action: () => void) => { cancel(): void };
}

export class GroupWriter {
  readonly #data: GroupWriterOptions['data'];
  readonly #say: (message: FromWorker) => void;
  readonly #next: () => ToWorker | undefined;
  readonly #stop: () => void;
  #state: FileState;
  /** Batches of this run and those before are dropped. */
  #failedRun = -1;
  #isClosed = false;
  /** Since the last checkpoint. */
  #logBytes = 0;
  readonly #after: (delayMs: number, action: () => void) => { cancel(): void };
  #quiet: { cancel(): void } | undefined;

  constructor({ data, state, say, next, stop, after = realAfter }: GroupWriterOptions) {
    this.#data = data;
    this.#state = state;
    this.#say = say;
    this.#next = next;
    this.#stop = stop;
    this.#after = after;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Carries out a message and all that have arrived meanwhile. */
  work(message: ToWorker): void {
    this.#quiet?.cancel();
    for (let next: ToWorker | undefined = message; next !== undefined; ) {
      if (next.kind === 'close') {
        this.#close();
        return;
      }
      const group: BatchMessage[] = [next];
      let bytes = next.bytes;
      next = this.#next();
      while (next?.kind === 'batch' && next.run === group[0]?.run && bytes < groupBytesMax) {
        group.push(next);
        bytes += next.bytes;
        next = this.#next();
      }
      this.#write(group);
      if (this.#logBytes > checkpointBytes.busy) this.#checkpoint();
    }
    if (this.#logBytes > checkpointBytes.quiet) this.#quiet = this.#after(quietMs, () => this.#checkpoint());
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
    this.#say({ kind: 'durable', number: last.number });
  }

  #onFailure(error: unknown, wasCommitting: boolean, last: BatchMessage): void {
    let doubt = wasCommitting && isUnclear(error) ? explainError(error) : undefined;
    try {
      this.#data.rollback();
      if (doubt === undefined && wasCommitting && this.#isThere(last)) doubt = explainError(error);
    } catch (inner) {
      doubt = `${explainError(error)}; then: ${explainError(inner)}`;
    }
    this.#failedRun = last.run;
    if (doubt === undefined) {
      this.#say({ kind: 'refused', run: last.run, code: codeOf(error), message: explainError(error) });
      return;
    }
    this.#failedRun = Number.POSITIVE_INFINITY;
    this.#say({ kind: 'unclear', number: last.number, message: doubt });
    this.#stop();
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
      this.#say({ kind: 'note', message: 'store cannot checkpoint', error: explainError(error) });
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
      this.#say({ kind: 'note', message: 'store was not closed in good order', error: explainError(error) });
    }
    this.#isClosed = true;
    this.#say({ kind: 'closed' });
  }
}

function realAfter(delayMs: number, action: () => void): { cancel(): void } {
  const timer = setTimeout(action, delayMs).unref();
  return { cancel: () => clearTimeout(timer) };
}
