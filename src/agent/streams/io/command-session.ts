/**
 * A remote command between a client's channels and a container: bytes both ways, window sizes in, the exit status out.
 * The protocols differ only in how they make the channels.
 */
import type { Readable, Writable } from 'node:stream';
import type { ExecSession, TerminalSize } from '../../runtime/runtime.ts';
import type { StreamTargets } from '../../server/endpoint.ts';
import { exitStatus, failureStatus } from '../command-status.ts';
import type { StreamRequest } from '../stream-request.ts';

export interface CommandChannels {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Calls with each window size that the client sends. */
  onResize(handler: (columns: number, rows: number) => void): void;
  /** The client is gone. Called at most once. */
  onGone(handler: () => void): void;
  /** Sends what is left, then the status, then closes all. */
  finish(status: string): void;
}

/** How long a command with a terminal waits for its first size: clients send it at once, and programs ask for it at once. */
const firstSizeTimeoutMs = 150;

export async function runCommand(
  request: StreamRequest & { kind: 'exec' | 'attach' },
  targets: StreamTargets,
  channels: CommandChannels,
): Promise<void> {
  let session: ExecSession;
  const sizes = rememberSizes(channels);
  try {
    if (request.kind === 'exec' && request.terminal) await sizes.first;
    session = await open(request, targets, sizes.last());
  } catch (error) {
    channels.finish(failureStatus(error));
    return;
  }
  let gone = false;
  channels.onGone(() => {
    gone = true;
    session.kill();
  });
  sizes.passOn((columns, rows) => session.resize(columns, rows));
  if (session.stdin !== undefined) {
    const { stdin } = session;
    // A command that closes its input early is no error.
    stdin.on('error', () => {});
    if (channels.stdin === undefined) stdin.end();
    else channels.stdin.pipe(stdin);
  }
  try {
    const [code] = await Promise.all([
      session.exited,
      carry(session.stdout, channels.stdout),
      session.stderr === undefined ? undefined : carry(session.stderr, channels.stderr),
    ]);
    if (!gone) channels.finish(exitStatus(code));
  } catch (error) {
    if (!gone) channels.finish(failureStatus(error));
  }
}

/** Sizes that come before there is anything to resize. */
function rememberSizes(channels: CommandChannels) {
  let last: TerminalSize | undefined;
  let handler: ((columns: number, rows: number) => void) | undefined;
  const first = Promise.withResolvers<void>();
  const timer = setTimeout(first.resolve, firstSizeTimeoutMs);
  channels.onResize((columns, rows) => {
    last = { columns, rows };
    clearTimeout(timer);
    first.resolve();
    handler?.(columns, rows);
  });
  return {
    /** Resolves with the first size, or when there will be none. */
    first: first.promise,
    last: (): TerminalSize | undefined => last,
    passOn(to: (columns: number, rows: number) => void): void {
      handler = to;
      if (last !== undefined) to(last.columns, last.rows);
    },
  };
}

function open(
  request: StreamRequest & { kind: 'exec' | 'attach' },
  targets: StreamTargets,
  size: TerminalSize | undefined,
): Promise<ExecSession> {
  const { namespace, pod, container, terminal, stdin, args } = request;
  return request.kind === 'exec'
    ? targets.openExec(namespace, pod, container, { args, terminal, stdin, size })
    : targets.openAttach(namespace, pod, container, { terminal, stdin });
}

/** Resolves when the source has ended and all of it is handed on. The sink stays open: the status comes after it. */
function carry(source: NodeJS.ReadableStream, sink: Writable | undefined): Promise<void> {
  return new Promise((resolve) => {
    source.on('end', resolve);
    source.on('close', resolve);
    source.on('error', () => resolve());
    if (sink === undefined) source.resume();
    else {
      sink.on('close', () => {
        source.resume();
        resolve();
      });
      source.pipe(sink, { end: false });
    }
  });
}
