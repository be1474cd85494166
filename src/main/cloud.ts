/**
 * A cloud inside your own process, for tests of controllers and tools: API server, controllers, scheduler, simulated nodes. In milliseconds, no root.
 *
 *   const cloud = await Cloud.start({ store: 'memory', hollow: 3 });
 *   … any Kubernetes client with cloud.kubeconfig() …
 *   await cloud.stop();
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../client/index.ts';
import { Closing, type Log, silentLog } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import type { ScoreFunction } from '../scheduler/index.ts';
import { ensurePki } from '../security/index.ts';
import { createMemoryStore, openSqliteStore } from '../store/index.ts';
import { buildControlPlane, type ControlPlane } from './control-plane-parts.ts';
import { kubeconfigText } from './kubeconfig.ts';

export interface CloudOptions {
  /** `memory` (default): gone with the process. `{ file }`: durable, in SQLite. */
  readonly store?: 'memory' | { readonly file: string };
  /** How many simulated nodes; default 1. */
  readonly hollow?: number;
  /** How long a simulated pod takes from bound to Running; default 0. */
  readonly startDelayMs?: number;
  /** Port of the API server on 127.0.0.1; default: any free one. */
  readonly port?: number;
  readonly log?: Log;
  /**
   * Custom scores, by the name that a SchedulingProfile calls them (`spec.custom.function`): 0 to 100 for a node. Called in the scheduler itself: a function must
   * end by itself; one that throws gives 0.
   */
  readonly scores?: Readonly<Record<string, ScoreFunction>>;
}

export class Cloud {
  readonly #controlPlane: ControlPlane;
  readonly #closing: Closing;
  readonly #kubeconfig: string;

  private constructor(controlPlane: ControlPlane, closing: Closing, kubeconfig: string) {
    this.#controlPlane = controlPlane;
    this.#closing = closing;
    this.#kubeconfig = kubeconfig;
  }

  /** Resolves when the API answers and every simulated node is Ready. */
  static async start(options: CloudOptions = {}): Promise<Cloud> {
    const closing = new Closing();
    const directory = mkdtempSync(join(tmpdir(), 'caelum-cloud-'));
    closing.add('files', () => rmSync(directory, { recursive: true, force: true }));
    try {
      const log = options.log ?? silentLog;
      const names = ['127.0.0.1', 'localhost'];
      const pki = await ensurePki({
        directory,
        nodeName: 'hollow',
        names,
        agentNames: names,
        nowMs: realClock.nowMs(),
      });
      const store =
        options.store === undefined || options.store === 'memory'
          ? createMemoryStore({ clock: realClock })
          : await openSqliteStore({ file: options.store.file, clock: realClock, log });
      closing.add('store', () => store.close());
      const controlPlane = await buildControlPlane(
        {
          store,
          pki,
          log,
          listen: { host: '127.0.0.1', port: options.port ?? 0 },
          advertise: { address: '127.0.0.1', port: 0 },
          serviceCidr: '10.96.0.0/16',
          hollow: options.hollow ?? 1,
          ...(options.startDelayMs === undefined ? {} : { hollowStartDelayMs: options.startDelayMs }),
          ...(options.scores === undefined ? {} : { scores: options.scores }),
        },
        closing,
      );
      return new Cloud(
        controlPlane,
        closing,
        kubeconfigText(`https://127.0.0.1:${controlPlane.server.port}`, pki),
      );
    } catch (error) {
      await closing.close();
      throw error;
    }
  }

  get url(): string {
    return `https://127.0.0.1:${this.#controlPlane.server.port}`;
  }

  /** An administrator's, as text. */
  kubeconfig(): string {
    return this.#kubeconfig;
  }

  /** Our own client, without a socket in between. Objects are shared: never change one. */
  get client(): Client {
    return this.#controlPlane.client;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const [problem] = await this.#closing.close();
    if (problem !== undefined) throw problem;
  }
}
