/**
 * The thread that owns the data file.
 *
 *   open ──▶ chunk … chunk ──▶ ready ──▶ group writer, until closed
 *
 * Reads everything once, in chunks that are handed over while it reads on; then only writes.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { assert, CaelumError, explainError } from '../../lib/index.ts';
import { claimedState, type FileState } from './file-state.ts';
import { type FromWorker, GroupWriter, type ToWorker } from './group-writer.ts';
import { Packer } from './packing.ts';
import { codeOf, DataFile } from './sqlite-file.ts';

const chunkBytes = 1 << 20;

const port = parentPort as MessagePort;
assert(parentPort !== null, 'this file is a worker thread');
const say = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

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
  const state = claimedState(found);
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
    // Ending the thread gives up the file; the store's own thread sees it end.
    const writer = new GroupWriter({ data, state, say, next: nextMessage, stop: () => process.exit(1) });
    port.on('message', (message: ToWorker) => {
      writer.work(message);
      if (writer.isClosed) port.close();
    });
    say({ kind: 'ready', state });
  } catch (error) {
    data?.close();
    const message =
      error instanceof CaelumError ? error.message : `Cannot open store "${file}": ${explainError(error)}`;
    say({ kind: 'cannotOpen', code: codeOf(error), message });
  }
}

start((workerData as { file: string }).file);
