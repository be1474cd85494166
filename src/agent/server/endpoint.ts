/**
 * What an agent answers about its pods when the API server asks: logs, exec, attach, ports, statistics.
 * The HTTPS server and the stream protocols speak to this; the real agent and the hollow nodes implement it.
 *
 * Errors are CaelumErrors whose message is what a Kubernetes client expects to read.
 */
import type { Pod } from '../../api/index.ts';
import type { ExecSession, TerminalSize } from '../runtime/runtime.ts';
import type { NodeUsageNow } from './statistics.ts';

export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** undefined: all. */
  readonly tailLines: number | undefined;
  /** Only lines written at or after this; milliseconds since the epoch. */
  readonly sinceMs: number | undefined;
  readonly limitBytes: number | undefined;
  /** undefined: both. */
  readonly stream: 'Stdout' | 'Stderr' | undefined;
}

export interface ExecOptions {
  readonly args: readonly string[];
  readonly terminal: boolean;
  readonly stdin: boolean;
  /** The terminal's size from its beginning, where the client has told it by then. */
  readonly size?: TerminalSize | undefined;
}

export interface AttachOptions {
  readonly terminal: boolean;
  readonly stdin: boolean;
}

/** What stream protocols need: sessions and connections, found by namespace, pod and container ('' means the only one). */
export interface StreamTargets {
  openExec(namespace: string, pod: string, container: string, options: ExecOptions): Promise<ExecSession>;
  openAttach(namespace: string, pod: string, container: string, options: AttachOptions): Promise<ExecSession>;
  openPort(namespace: string, pod: string, port: number): Promise<import('node:stream').Duplex>;
}

export interface AgentEndpoint extends StreamTargets {
  pods(): Iterable<Pod>;
  /** Chunks of log text, ready to send. Ends when the reader stops iterating or `signal` aborts. */
  logs(
    namespace: string,
    pod: string,
    container: string,
    options: LogOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** `nodeName`: of which node, where it answers for several. */
  usage(nodeName?: string): Promise<NodeUsageNow>;
}

/** Carries exec, attach and port-forward over whichever protocol the request asks for. */
export type StreamHandler = (
  request: import('node:http').IncomingMessage,
  socket: import('node:stream').Duplex,
  head: Buffer,
  targets: StreamTargets,
) => void;
