/**
 * Keeps the kernel's nftables table of Services as the objects say.
 *
 *   informers ──change──▶ rulesFor ──▶ diffRules ──▶ nft -f -      one run at a time; what changes meanwhile is the next run
 *
 * At the start the table is replaced as a whole, in one transaction: a restarted agent interrupts nothing. Established flows are the
 * kernel's and go on whatever we do. Somebody else's `flush ruleset` is noticed and mended.
 */
import { spawn } from 'node:child_process';
import type { EndpointSlice, Service } from '../../api/index.ts';
import type { Informers, ResourceRef } from '../../client/index.ts';
import { CaelumError, type Clock, type Log, type Timer } from '../../lib/index.ts';
import { diffRules, wholeTable } from '../rule-plan.ts';
import { type NodeFacts, type RuleMemory, type RuleSet, rulesFor } from '../virtual-ips.ts';

export const serviceRef: ResourceRef = { group: '', version: 'v1', resource: 'services', namespaced: true };
export const endpointSliceRef: ResourceRef = {
  group: 'discovery.k8s.io',
  version: 'v1',
  resource: 'endpointslices',
  namespaced: true,
};

const firstRetryMs = 100;
const longestRetryMs = 10_000;
const checkEveryMs = 30_000;
const cleanAfterMs = 1000;

export interface ServiceRulesOptions {
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** Name of the nftables table (family `ip`), ours alone. */
  readonly table: string;
  /** Addresses of all pods. */
  readonly podCidr?: string;
  /** Addresses of Services. With `bridge`, a route for them is kept, so that they are reached on a machine without a default route. */
  readonly serviceCidr?: string;
  /** The bridge of this node's pods: may then route 127.0.0.1, so that node ports answer there. */
  readonly bridge?: string;
  /** Act in this network namespace instead of our own. */
  readonly namespacePath?: string;
}

export interface ServiceRules {
  /** Resolves when the kernel has what the informers hold now. Rejects when it was stopped before. */
  settled(): Promise<void>;
  /** Stops watching. The rules stay, and traffic goes on. */
  stop(): Promise<void>;
  /** Stops, and deletes the table and the route. */
  remove(): Promise<void>;
}

export function startServiceRules(options: ServiceRulesOptions): ServiceRules {
  return new Keeper(options);
}

/** Deletes a table that a process before us left. Nothing to delete is fine. */
export async function removeServiceRules(options: {
  readonly table: string;
  readonly serviceCidr?: string;
  readonly bridge?: string;
  readonly namespacePath?: string;
}): Promise<void> {
  const { table, serviceCidr, bridge, namespacePath } = options;
  await runIn(namespacePath, 'nft', ['-f', '-'], `add table ip ${table}\ndelete table ip ${table}\n`);
  if (serviceCidr !== undefined && bridge !== undefined)
    await runIn(namespacePath, 'ip', ['route', 'del', serviceCidr, 'dev', bridge]).catch(() => undefined);
}

class Keeper implements ServiceRules {
  readonly #options: ServiceRulesOptions;
  readonly #services;
  readonly #slices;
  readonly #node: NodeFacts;
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
  #hasConntrack: boolean | undefined;

  constructor(options: ServiceRulesOptions) {
    this.#options = options;
    this.#node = { nodeName: options.nodeName, podCidr: options.podCidr };
    this.#services = options.informers.informer<Service>(serviceRef);
    this.#slices = options.informers.informer<EndpointSlice>(endpointSliceRef);
    // Nothing is loaded before both are known: half the truth would cut off traffic that works.
    void Promise.all([this.#services.whenSynced(), this.#slices.whenSynced()]).then(
      () => {
        if (this.#isStopped) return;
        this.#subscriptions.push(
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

  async remove(): Promise<void> {
    await this.stop();
    await removeServiceRules(this.#options);
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
    const { table, namespacePath } = this.#options;
    const rules = rulesFor(this.#services.list(), this.#slices.list(), this.#node, this.#memory);
    if (this.#loaded === undefined) {
      await this.#prepare();
      await runIn(
        namespacePath,
        'nft',
        ['-f', '-'],
        wholeTable(table, rules, { guardsLocalhost: this.#options.bridge !== undefined }),
      );
      this.#leftover = '';
      this.#loaded = rules;
      return;
    }
    const plan = diffRules(table, this.#loaded, rules);
    // A chain that could not be deleted may be wanted again: `add chain` is content with one that is there, and empty.
    if (plan.apply !== '') await runIn(namespacePath, 'nft', ['-f', '-'], plan.apply);
    this.#loaded = rules;
    this.#leftover += plan.cleanup;
    this.#didCleaningFail = false;
    for (const flow of plan.forget) await this.#forget(flow);
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
    await runIn(this.#options.namespacePath, 'nft', ['-f', '-'], text).catch(() => {
      this.#didCleaningFail = true;
      // Elements are not tried again: they do no harm.
      this.#leftover = text.replace(/^delete element.*\n/gm, '');
    });
  }

  async #forget(flow: readonly string[]): Promise<void> {
    if (this.#hasConntrack === false) return;
    try {
      await runIn(this.#options.namespacePath, 'conntrack', flow);
    } catch (error) {
      // Exit 1 says that there was no such flow.
      this.#hasConntrack = (error as CaelumError).code !== 'notFound';
    }
  }

  /** The route to Services, and node ports on 127.0.0.1. Neither is worth failing for. */
  async #prepare(): Promise<void> {
    const { bridge, serviceCidr, namespacePath, log } = this.#options;
    if (bridge === undefined) return;
    if (!/^[\w.-]{1,15}$/.test(bridge)) throw new CaelumError('badRequest', `Cannot use bridge "${bridge}"`);
    try {
      const path = `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`;
      await runIn(namespacePath, 'sh', ['-c', `echo 1 > ${path}`]);
      if (serviceCidr !== undefined)
        await runIn(namespacePath, 'ip', ['route', 'replace', serviceCidr, 'dev', bridge]);
    } catch (error) {
      log.warn('the bridge could not be prepared for services', { bridge, error });
    }
  }

  #check(): void {
    if (this.#isStopped) return;
    this.#checkTimer = this.#options.clock.after(checkEveryMs, () => {
      const { table, namespacePath } = this.#options;
      void runIn(namespacePath, 'nft', ['list', 'chain', 'ip', table, 'prerouting'])
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

function runIn(
  namespacePath: string | undefined,
  command: string,
  args: readonly string[],
  input = '',
): Promise<void> {
  const [program, ...words] =
    namespacePath === undefined
      ? [command, ...args]
      : ['nsenter', `--net=${namespacePath}`, command, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < 2000) complaint += text;
    });
    child.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new CaelumError(cause.code === 'ENOENT' ? 'notFound' : 'unavailable', `Cannot run "${command}"`, {
          cause,
        }),
      ),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new CaelumError('internal', `Cannot run "${command}": ${complaint.trim() || `exit ${code}`}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
