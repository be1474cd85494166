/**
 * Asks the agents what their nodes and pods use, while somebody wants to know it.
 *
 *   somebody asks ─▶ nothing known, or too old: every node now, and once more a second later ─▶ answer
 *                 └▶ known: answer at once ┄ every 15 s while somebody has asked of late: every node, a few at a time
 *
 * Owns the last two readings of each node. Nobody asks: no timer, no request, and after a while nothing kept.
 * Invariant: what a node told longer ago than `staleMs` is not told any more.
 */
import type { Node } from '../api/index.ts';
import type { Informer } from '../client/index.ts';
import type { Clock, Log, Random, Timer } from '../lib/index.ts';
import { type NodeReading, readSummary } from './summary.ts';
import { type NodeUse, nodeUse, type PodUse } from './usage.ts';

/** Gives the `/stats/summary` document of a node. Rejects where it cannot be had. */
export type ReadNode = (node: Node, signal: AbortSignal) => Promise<unknown>;

export interface GathererOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly nodes: Informer<Node>;
  readonly read: ReadNode;
}

const periodMs = 15_000;
/** Between the first two readings, when somebody waits for them. */
const firstWindowMs = 1_000;
/** For so long after the last question it goes on. */
const interestMs = 120_000;
const staleMs = 40_000;
const readMsMax = 5_000;
/** However slow some nodes are, nobody waits for longer. */
const patienceMs = 4_000;
/** Nodes that are asked at the same time. */
const readsMax = 16;

const isLost = ({ status }: Node): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'Unknown') === true;

interface Known {
  before: NodeReading | undefined;
  last: NodeReading;
  /** Made of both when first asked for. */
  use: NodeUse | undefined;
}

export class Gatherer {
  readonly #options: GathererOptions;
  readonly #known = new Map<string, Known>();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #roundAtMs = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #starting: Promise<void> | undefined;
  /** One of those that follow on their own is under way. */
  #isRound = false;
  #stopped = false;

  constructor(options: GathererOptions) {
    this.#options = options;
  }

  /** Resolves when there is something to tell, or could not be had. A promise only where it has to be waited for. */
  prepare(): Promise<void> | undefined {
    if (this.#stopped) return undefined;
    const { clock } = this.#options;
    this.#askedAtMs = clock.monotonicMs();
    // As long as there is a timer it is kept up by itself.
    if (this.#timer !== undefined || this.#isRound) return undefined;
    if (this.#starting === undefined) {
      const started = this.#start().finally(() => this.#schedule());
      const { promise, resolve } = Promise.withResolvers<void>();
      const limit = clock.after(patienceMs, resolve);
      void started.finally(() => {
        limit.cancel();
        resolve();
      });
      this.#starting = promise.finally(() => {
        this.#starting = undefined;
      });
    }
    return this.#starting;
  }

  node(name: string): NodeUse['node'] {
    return this.#use(name)?.node;
  }

  pod(nodeName: string, uid: string): PodUse | undefined {
    return this.#use(nodeName)?.pods.get(uid);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#known.clear();
  }

  #use(nodeName: string): NodeUse | undefined {
    const known = this.#known.get(nodeName);
    if (known === undefined || this.#options.clock.monotonicMs() - known.last.atMs > staleMs)
      return undefined;
    known.use ??= nodeUse(known.before, known.last);
    return known.use;
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    const { clock } = this.#options;
    for (const [name, { last }] of this.#known)
      if (clock.monotonicMs() - last.atMs > staleMs) this.#known.delete(name);
    await this.#round();
    const isNew = [...this.#known.values()].some(({ before }) => before === undefined);
    if (!isNew || this.#stopped) return;
    await clock.sleep(firstWindowMs);
    await this.#round();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    const { clock, random } = this.#options;
    const dueMs = this.#roundAtMs + periodMs * (0.95 + random.float() / 10);
    this.#timer = clock.after(Math.max(0, dueMs - clock.monotonicMs()), () => {
      this.#timer = undefined;
      const isWanted = clock.monotonicMs() - this.#askedAtMs < interestMs;
      if (!isWanted) {
        this.#known.clear();
        return;
      }
      this.#isRound = true;
      void this.#round().then(() => {
        this.#isRound = false;
        this.#schedule();
      });
    });
  }

  /** Every node, a few at a time. Never rejects. */
  async #round(): Promise<void> {
    const { clock, nodes } = this.#options;
    this.#roundAtMs = clock.monotonicMs();
    const all = [...nodes.list()];
    const names = new Set(all.map(({ metadata }) => metadata.name));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    // One that has not been heard of for long would only be waited for.
    const waiting = all.filter((node) => !isLost(node));
    const work = async (): Promise<void> => {
      for (let node = waiting.pop(); node !== undefined && !this.#stopped; node = waiting.pop())
        await this.#read(node);
    };
    await Promise.all(Array.from({ length: Math.min(readsMax, waiting.length) }, work));
  }

  async #read(node: Node): Promise<void> {
    const { clock, read, log } = this.#options;
    const { name = '' } = node.metadata;
    const abort = new AbortController();
    const deadline = clock.after(readMsMax, () => abort.abort(new Error(`no answer within ${readMsMax} ms`)));
    try {
      const document = await read(node, abort.signal);
      if (this.#stopped) return;
      const last = readSummary(document, clock.monotonicMs());
      this.#known.set(name, { before: this.#known.get(name)?.last, last, use: undefined });
    } catch (error) {
      log.debug('cannot read what a node uses', { node: name, error });
    } finally {
      deadline.cancel();
    }
  }
}
