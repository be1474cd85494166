/**
 * An exec session that lives in memory: what the fakes answer. Its streams are ordinary Node streams.
 */
import { PassThrough, type Writable } from 'node:stream';
import type { ExecSession } from '../runtime.ts';

export interface MemorySession {
  readonly session: ExecSession;
  /** Writes output, ends the streams and settles `exited`. Later calls do nothing. */
  finish(result: { readonly exitCode: number; readonly stdout?: string; readonly stderr?: string }): void;
  fail(error: Error): void;
  /** All that the client wrote, once it has ended its stdin; '' when it has none. */
  readonly input: Promise<string>;
  /** Sizes that `resize` was given. */
  readonly sizes: { readonly columns: number; readonly rows: number }[];
}

export function createMemorySession(
  request: { readonly terminal: boolean; readonly stdin: boolean },
  onKill: () => void,
): MemorySession {
  const stdout = new PassThrough();
  const stderr = request.terminal ? undefined : new PassThrough();
  const stdin = request.stdin ? new PassThrough() : undefined;
  const exit = Promise.withResolvers<number>();
  exit.promise.catch(() => {});
  const sizes: { columns: number; rows: number }[] = [];
  let finished = false;
  const end = (): boolean => {
    if (finished) return false;
    finished = true;
    return true;
  };
  return {
    session: {
      stdin: stdin as Writable | undefined,
      stdout,
      stderr,
      resize: (columns, rows) => void sizes.push({ columns, rows }),
      exited: exit.promise,
      kill: onKill,
    },
    finish(result) {
      if (!end()) return;
      const errors = result.stderr ?? '';
      stdout.end(stderr === undefined ? `${result.stdout ?? ''}${errors}` : (result.stdout ?? ''));
      stderr?.end(errors);
      exit.resolve(result.exitCode);
    },
    fail(error) {
      if (!end()) return;
      stdout.end();
      stderr?.end();
      exit.reject(error);
    },
    input: stdin === undefined ? Promise.resolve('') : readAll(stdin),
    sizes,
  };
}

async function readAll(stream: PassThrough): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
