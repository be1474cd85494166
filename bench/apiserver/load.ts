/**
 * Load on an HTTPS server from this process, over raw TLS sockets, one request under way a socket: cheaper than an HTTP client, so that
 * the server is what is measured. Also starts such servers in processes of their own.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { ensurePki, type Pki, type PkiOptions } from '../../src/security/index.ts';
import type { World } from './world.ts';

export const collection = '/api/v1/namespaces/default/configmaps';

export function pkiOptions(folder: string): PkiOptions {
  const names = ['127.0.0.1'];
  return {
    directory: join(folder, 'pki'),
    nodeName: 'bench',
    names,
    agentNames: names,
    nowMs: Date.now(),
  };
}

/** 1 KiB as it is stored. */
export function benchObject(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default' },
    data: { text: 'x'.repeat(820) },
  };
}

/** What a server of ours is told to do. */
export type Order =
  | { readonly kind: 'fill'; readonly world: World }
  | { readonly kind: 'weigh'; readonly pods: number }
  | { readonly kind: 'stir'; readonly world: World; readonly perSecond: number }
  | { readonly kind: 'rest' };

export interface ServerProcess {
  readonly port: number;
  cpuMicroseconds(): Promise<number>;
  order<T>(order: Order): Promise<T>;
  stop(): void;
}

export interface Workplace {
  readonly folder: string;
  readonly pki: Pki;
  start(mode: 'bare' | 'memory' | 'sqlite'): Promise<ServerProcess>;
  remove(): void;
}

export async function openWorkplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-bench-api-'));
  const pki = await ensurePki(pkiOptions(folder));
  const children: ChildProcess[] = [];
  return {
    folder,
    pki,
    start: async (mode) => {
      const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), [mode, folder], {
        execArgv: [
          '--expose-gc',
          // As our processes are run (main/supervisor.ts).
          '--max-semi-space-size=4',
          ...(process.env['CAELUM_BENCH_PROFILE'] === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir=/tmp']),
          // Such as --trace-gc.
          ...(process.env['CAELUM_BENCH_FLAGS']?.split(' ') ?? []),
        ],
      });
      children.push(child);
      const { port } = await answerOf<{ port: number }>(child);
      return {
        port,
        cpuMicroseconds: async () => {
          const answer = answerOf<{ cpuMicroseconds: number }>(child);
          child.send('cpu');
          return (await answer).cpuMicroseconds;
        },
        order: <T>(order: Order) => {
          const answer = answerOf<T>(child);
          child.send(order);
          return answer;
        },
        stop: () => child.disconnect(),
      };
    },
    remove: () => {
      for (const child of children) if (child.connected) child.disconnect();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('the server has ended'));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message as T);
    });
  });
}

/** Opens a connection as the administrator. */
export function openSocket(port: number, pki: Pki): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port, ca: pki.ca.cert, ...pki.admin, minVersion: 'TLSv1.3' },
      () => {
        socket.setNoDelay(true);
        resolve(socket);
      },
    );
    socket.once('error', reject);
  });
}

export interface Load {
  readonly perSecond: number;
  /** CPU that the server used for one request. */
  readonly serverMicroseconds: number;
  readonly latenciesMs: readonly number[];
}

/** Requests for `ms`, one after the other on each of `connections`. Answers of another status than `expected` are errors. */
export async function load(options: {
  readonly server: ServerProcess;
  readonly pki: Pki;
  readonly connections: number;
  readonly ms: number;
  readonly request: () => Buffer;
  readonly expected: number;
}): Promise<Load> {
  const { server, pki, request } = options;
  const sockets = await Promise.all(
    Array.from({ length: options.connections }, () => openSocket(server.port, pki)),
  );
  const wanted = Buffer.from(`HTTP/1.1 ${options.expected} `);
  const latenciesMs: number[] = [];
  const cpuBefore = await server.cpuMicroseconds();
  const startedMs = performance.now();
  const endMs = startedMs + options.ms;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          let sentMs = 0;
          let missing = 0;
          const send = (): void => {
            sentMs = performance.now();
            socket.write(request());
          };
          socket.on('error', reject);
          socket.on('data', (chunk: Buffer) => {
            if (missing === 0) {
              if (chunk.compare(wanted, 0, wanted.length, 0, wanted.length) !== 0) {
                reject(new Error(`unexpected answer: ${chunk.toString().slice(0, 300)}`));
                return;
              }
              missing = lengthOf(chunk);
            }
            missing -= chunk.length;
            if (missing > 0) return;
            missing = 0;
            const nowMs = performance.now();
            latenciesMs.push(nowMs - sentMs);
            if (nowMs < endMs) send();
            else resolve();
          });
          send();
        }),
    ),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const cpu = (await server.cpuMicroseconds()) - cpuBefore;
  for (const socket of sockets) socket.destroy();
  return {
    perSecond: latenciesMs.length / seconds,
    serverMicroseconds: cpu / latenciesMs.length,
    latenciesMs,
  };
}

/** The whole length of the answer that begins in `chunk`: heads are small and come in one piece. */
function lengthOf(chunk: Buffer): number {
  const end = chunk.indexOf('\r\n\r\n');
  const head = chunk.toString('latin1', 0, end);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (end < 0 || length === undefined) throw new Error(`Cannot read answer: ${head.slice(0, 200)}`);
  return end + 4 + Number(length);
}
