/**
 * Keeps a table of rules as the Services say. Pure apart from the kernel, which is passed in.
 *
 *   informers ──change──▶ rulesFor ──▶ diffRules ──▶ kernel.load      one run at a time; what changes meanwhile is the next run
 *
 * At the start the table is replaced as a whole, in one transaction: a restarted agent interrupts nothing. Established flows are the
 * kernel's and go on whatever we do. Somebody else's `flush ruleset` is noticed and mended.
 */
import type { EndpointSlice, Node, Service } from '../api/index.ts';
import type { Informers, ResourceRef } from '../client/index.ts';
import { CaelumError, type Clock, type Log, type Timer } from '../lib/index.ts';
import { diffRules, wholeTable } from './rule-plan.ts';
import { type NodeFacts, type RuleMemory, type RuleSet, rulesFor } from './virtual-ips.ts';

export const serviceRef: ResourceRef = { group: '', version: 'v1', resource: 'services', namespaced: true };
export const endpointSliceRef: ResourceRef = {
  group: 'discovery.k8s.io',
  version: 'v1',
  resource: 'endpointslices',
  namespaced: true,
};

const nodeRef: ResourceRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };
const zoneLabel = 'topology.kubernetes.io/zone';

const firstRetryMs = 100;
const longestRetryMs = 10_000;
const checkEveryMs = 30_000;
const cleanAfterMs = 1000;

/** Where rules take effect. */
export interface RuleKernel {
  /** What else has to be there before a table is loaded. */
  prepare(): Promise<void>;
  /** One transaction in nft's language: all of it, or a rejection and nothing. */
  load(text: string): Promise<void>;
  /** Rejects when our table is not there, or not as it was loaded. */
  check(): Promise<void>;
  /** Forgets flows: arguments of conntrack(8). Never rejects. */
  forget(flow: readonly string[]): Promise<void>;
}

export interface RuleKeeperOptions {
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Log;
  readonly kernel: RuleKernel;
  readonly nodeName: string;
  /** Name of the nftables table (family `ip`), ours alone. */
  readonly table: string;
  /** Addresses of all pods. */
  readonly podCidr?: string | undefined;
  /** Pods may be routed to 127.0.0.1: keep them out. */
  readonly guardsLocalhost: boolean;
}

export class RuleKeeper {
  readonly #options: RuleKeeperOptions;
  readonly #services;
  readonly #slices;
  /** This one alone, for its zone. */
  readonly #nodes;
  #node: NodeFacts;
  readonly #memory: RuleMemory = new Map();
  readonly #subscriptions: { cancel(): void }[] = [];
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  /** What the kernel has; undefined: unknown, the table is to be replaced. */
  #loaded: RuleSet | undefined;
  #leftover = '';
  /** Then it is tried again after the next change, not for ever. */
  #didCleaningFail = false;
  #isDirty = true;
  #isStopped = false;
  #retryMs = 0;
  #timer: Timer | undefined;
  #checkTimer: Timer | undefined;
  #cleanTimer: Timer | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RuleKeeperOptions) {
    this.#options = options;
    this.#node = { nodeName: options.nodeName, podCidr: options.podCidr };
    this.#services = options.informers.informer<Service>(serviceRef);
    this.#slices = options.informers.informer<EndpointSlice>(endpointSliceRef);
    this.#nodes = options.informers.informer<Node>(nodeRef, {
      fieldSelector: `metadata.name=${options.nodeName}`,
    });
    // Nothing is loaded before all are known: half the truth would cut off traffic that works.
    const all = [this.#services, this.#slices, this.#nodes];
    void Promise.all(all.map((informer) => informer.whenSynced())).then(
      () => {
        if (this.#isStopped) return;
        this.#findZone();
        this.#subscriptions.push(
          this.#nodes.onChange(() => {
            if (this.#findZone()) this.#touch();
          }),
          this.#services.onChange(() => this.#touch()),
          this.#slices.onChange(() => this.#touch()),
        );
        this.#touch();
        this.#check();
      },
      () => undefined,
    );
  }

  settled(): Promise<void> {
    if (this.#isStopped)
      return Promise.reject(new CaelumError('unavailable', 'Cannot wait for service rules: stopped'));
    if (!this.#isDirty && this.#running === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#checkTimer?.cancel();
    this.#cleanTimer?.cancel();
    for (const subscription of this.#subscriptions) subscription.cancel();
    await this.#running;
    for (const { reject } of this.#waiting.splice(0))
      reject(new CaelumError('unavailable', 'Cannot wait for service rules: stopped'));
  }

  /** Whether it is another than before. Where the node is not there, it is in the zone in which it was. */
  #findZone(): boolean {
    const node = this.#nodes.get(this.#options.nodeName);
    if (node === undefined) return false;
    const zone = node.metadata.labels?.[zoneLabel];
    if (zone === this.#node.zone) return false;
    this.#node = { ...this.#node, zone };
    this.#memory.clear();
    return true;
  }

  #touch(): void {
    this.#isDirty = true;
    if (this.#running !== undefined || this.#timer !== undefined || this.#isStopped) return;
    // As soon as the current work is done: what changes together is loaded together.
    this.#timer = this.#options.clock.after(this.#retryMs, () => {
      this.#timer = undefined;
      this.#keepRunning(this.#run());
    });
  }

  /** One task at a time has to do with the kernel. */
  #keepRunning(task: Promise<void>): void {
    this.#running = task.finally(() => {
      this.#running = undefined;
      if (this.#isStopped) return;
      if (this.#isDirty) {
        this.#touch();
        return;
      }
      for (const { resolve } of this.#waiting.splice(0)) resolve();
      if (this.#leftover === '' || this.#cleanTimer !== undefined || this.#didCleaningFail) return;
      this.#cleanTimer = this.#options.clock.after(cleanAfterMs, () => {
        this.#cleanTimer = undefined;
        // A run that is under way comes here again when it is done.
        if (this.#running === undefined && this.#timer === undefined && !this.#isStopped)
          this.#keepRunning(this.#cleanUp());
      });
    });
  }

  async #run(): Promise<void> {
    this.#isDirty = false;
    try {
      await this.#apply();
      this.#retryMs = 0;
    } catch (error) {
      // The kernel's state is in doubt: replace all of it next time.
      this.#loaded = undefined;
      this.#isDirty = true;
      this.#retryMs = Math.min(longestRetryMs, this.#retryMs === 0 ? firstRetryMs : this.#retryMs * 2);
      this.#options.log.warn('service rules could not be loaded', { table: this.#options.table, error });
    }
  }

  async #apply(): Promise<void> {
    const { table, kernel, guardsLocalhost } = this.#options;
    const rules = rulesFor(this.#services.list(), this.#slices.list(), this.#node, this.#memory);
    if (this.#loaded === undefined) {
      await kernel.prepare();
      await kernel.load(wholeTable(table, rules, { guardsLocalhost }));
      this.#leftover = '';
      this.#loaded = rules;
      return;
    }
    const plan = diffRules(table, this.#loaded, rules);
    // A chain that could not be deleted may be wanted again: `add chain` is content with one that is there, and empty.
    if (plan.apply !== '') await kernel.load(plan.apply);
    this.#loaded = rules;
    this.#leftover += plan.cleanup;
    this.#didCleaningFail = false;
    for (const flow of plan.forget) await kernel.forget(flow);
  }

  /** Deletes what nothing refers to any more, off the hot path: nobody waits for it. */
  async #cleanUp(): Promise<void> {
    const rules = this.#loaded;
    if (rules === undefined) return;
    const lines = this.#leftover.split('\n').filter((line) => {
      const words = line.split(' ');
      const name = words[4] ?? '';
      if (words[1] === 'element') return !rules.hairpin.has(words[6] ?? '');
      return line !== '' && !rules.chains.has(name) && !rules.affinities.has(name);
    });
    this.#leftover = '';
    if (lines.length === 0) return;
    const text = `${[...new Set(lines)].join('\n')}\n`;
    await this.#options.kernel.load(text).catch(() => {
      this.#didCleaningFail = true;
      // Elements are not tried again: they do no harm.
      this.#leftover = text.replace(/^delete element.*\n/gm, '');
    });
  }

  #check(): void {
    if (this.#isStopped) return;
    this.#checkTimer = this.#options.clock.after(checkEveryMs, () => {
      const { table, kernel } = this.#options;
      void kernel
        .check()
        .catch(() => {
          if (this.#isStopped || this.#running !== undefined) return;
          this.#options.log.warn('service rules were taken away by somebody; loading them again', { table });
          this.#loaded = undefined;
          this.#touch();
        })
        .finally(() => this.#check());
    });
  }
}
