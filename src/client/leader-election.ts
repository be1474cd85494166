/**
 * One of several programs is the leader, by a Lease: as client-go elects, so that it can be shared with programs that use that.
 *
 *   follow the lease ─▶ nobody's, ours, or not renewed for its duration ─▶ take it ─▶ leader ─▶ renew ─ not for 10 s, or somebody else has it ─▶ deposed ─┐
 *          ▲                                                                                                                                           │
 *          └───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Who stands by follows the lease, and so takes over when its duration has passed since it was renewed last. All is measured on the own monotonic clock: what
 * others' clocks say, and jumps of the own, make no difference. The leader steps down before anybody may take over.
 * Every term of office has a name of its own, which a write may carry: what somebody deposed has sent can be told from what the leader sends.
 * Invariant: `isLeader` is true in one program at most, as long as clocks run at the same speed (within a third).
 */
import type { KubeObject } from '../api/index.ts';
import { type Clock, formatMicroTime, isError, type Log, type Random, type Timer } from '../lib/index.ts';
import type { Client, Informer, Informers, ResourceRef } from './client.ts';

export interface LeaderElectionOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly namespace: string;
  /** Of the lease. */
  readonly name: string;
  /** Who we are: different for each program that stands for election. Who comes back with the same takes up its lease again at once. */
  readonly identity: string;
  /** Default 15 s, 10 s and 2 s, as Kubernetes. */
  readonly leaseMs?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
  onElected(term: string): void;
  onDeposed(): void;
}

export interface LeaderElection {
  /** Asked before each deed: true only while the lease was renewed lately. */
  readonly isLeader: boolean;
  /** Who leads, as far as is known. */
  readonly leader: string;
  /** Gives the lease back, so that somebody else need not wait for its end. Never rejects. */
  stop(): Promise<void>;
}

export const leasesRef: ResourceRef = {
  group: 'coordination.k8s.io',
  version: 'v1',
  resource: 'leases',
  namespaced: true,
};

interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** Names a term of office: `<uid of the lease>/<its transitions>`. */
export const termOf = ({ metadata, spec }: KubeObject & Pick<Lease, 'spec'>): string =>
  `${metadata.uid ?? ''}/${spec?.leaseTransitions ?? 0}`;

export function startLeaderElection(options: LeaderElectionOptions): LeaderElection {
  const election = new Election(options);
  election.start();
  return election;
}

class Election implements LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #leaseMs: number;
  readonly #renewDeadlineMs: number;
  readonly #retryMs: number;
  readonly #informer: Informer<Lease>;
  #subscription: { cancel(): void } | undefined;
  /** The lease as it was seen last, and since when. */
  #seen: Lease | undefined;
  #seenMs = 0;
  /** As we have written it last; undefined: we do not lead. */
  #own: Lease | undefined;
  #renewedMs = 0;
  #timer: Timer | undefined;
  #deadline: Timer | undefined;
  #isAsking = false;
  #stopped = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    const { informers, namespace, name, leaseMs, renewDeadlineMs, retryMs } = options;
    this.#leaseMs = leaseMs ?? 15_000;
    this.#renewDeadlineMs = renewDeadlineMs ?? 10_000;
    this.#retryMs = retryMs ?? 2000;
    this.#informer = informers.informer<Lease>(leasesRef, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
    });
  }

  get isLeader(): boolean {
    // A timer may be late.
    return (
      this.#own !== undefined && this.#options.clock.monotonicMs() < this.#renewedMs + this.#renewDeadlineMs
    );
  }

  get leader(): string {
    return (this.#own ?? this.#seen)?.spec?.holderIdentity ?? '';
  }

  start(): void {
    this.#subscription = this.#informer.onChange(({ kind, object }) =>
      this.#see(kind === 'deleted' ? undefined : object),
    );
    void this.#informer.whenSynced().then(() => this.#look());
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    const { client, clock } = this.#options;
    const own = this.isLeader ? this.#own : undefined;
    this.#stopped = true;
    this.#subscription?.cancel();
    this.#timer?.cancel();
    this.#deadline?.cancel();
    this.#own = undefined;
    if (own === undefined) return;
    const time = formatMicroTime(clock.nowMs());
    const spec = {
      ...own.spec,
      holderIdentity: '',
      leaseDurationSeconds: 1,
      renewTime: time,
      acquireTime: time,
    };
    try {
      await client.update(leasesRef, { ...own, spec });
    } catch {
      // It ends by itself.
    }
  }

  #see(lease: Lease | undefined): void {
    this.#seen = lease;
    this.#seenMs = this.#options.clock.monotonicMs();
    if (this.#own === undefined) this.#look();
    else if (lease !== undefined && isNewer(lease, this.#own) && termOf(lease) !== termOf(this.#own))
      this.#depose();
  }

  /** Is it ours to take? Now, later, or when it changes. */
  #look(): void {
    if (this.#stopped || this.#own !== undefined || this.#isAsking || !this.#informer.synced) return;
    this.#timer?.cancel();
    const { clock, identity } = this.#options;
    const { holderIdentity = '', leaseDurationSeconds } = this.#seen?.spec ?? {};
    const leaseMs = leaseDurationSeconds === undefined ? this.#leaseMs : leaseDurationSeconds * 1000;
    const leftMs = this.#seenMs + leaseMs - clock.monotonicMs();
    if (holderIdentity === '' || holderIdentity === identity || leftMs <= 0) void this.#take();
    else this.#timer = clock.after(leftMs, () => this.#look());
  }

  async #take(): Promise<void> {
    const { client, clock, namespace, name, identity, log } = this.#options;
    this.#isAsking = true;
    const askedMs = clock.monotonicMs();
    const time = formatMicroTime(clock.nowMs());
    const seen = this.#seen;
    const spec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.round(this.#leaseMs / 1000),
      acquireTime: time,
      renewTime: time,
      // Also when it was ours: what an earlier life has sent may be under way still.
      leaseTransitions: seen === undefined ? 0 : (seen.spec?.leaseTransitions ?? 0) + 1,
    };
    try {
      const own =
        seen === undefined
          ? await client.create<Lease>(leasesRef, {
              apiVersion: 'coordination.k8s.io/v1',
              kind: 'Lease',
              metadata: { namespace, name },
              spec,
            })
          : await client.update<Lease>(leasesRef, { ...seen, spec });
      this.#isAsking = false;
      if (!this.#stopped) this.#lead(own, askedMs);
    } catch (error) {
      this.#isAsking = false;
      if (!isError(error, 'conflict', 'alreadyExists', 'notFound'))
        log.warn('cannot take the lease', { lease: name, error });
      this.#lookLater();
    }
  }

  #lookLater(): void {
    if (this.#stopped) return;
    const { clock, random } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.after(this.#retryMs * (1 + 0.2 * random.float()), () => this.#look());
  }

  #lead(own: Lease, askedMs: number): void {
    const { clock, log, identity, onElected } = this.#options;
    // It may have been long under way.
    if (clock.monotonicMs() >= askedMs + this.#renewDeadlineMs) {
      this.#lookLater();
      return;
    }
    this.#own = own;
    this.#renewed(askedMs);
    log.debug('leads now', { identity, term: termOf(own) });
    this.#renewLater();
    onElected(termOf(own));
  }

  #renewed(askedMs: number): void {
    const { clock } = this.#options;
    this.#renewedMs = askedMs;
    this.#deadline?.cancel();
    const leftMs = askedMs + this.#renewDeadlineMs - clock.monotonicMs();
    this.#deadline = clock.after(leftMs, () => this.#depose());
  }

  #renewLater(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#retryMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { client, clock, namespace, name, log } = this.#options;
    const own = this.#own;
    if (own === undefined || this.#stopped) return;
    const askedMs = clock.monotonicMs();
    const isStill = (): boolean =>
      this.#own !== undefined && termOf(this.#own) === termOf(own) && !this.#stopped;
    this.#renewLater();
    try {
      const spec = { ...own.spec, renewTime: formatMicroTime(clock.nowMs()) };
      const renewed = await client.update<Lease>(leasesRef, { ...own, spec });
      if (!isStill()) return;
      this.#own = renewed;
      if (askedMs > this.#renewedMs) this.#renewed(askedMs);
    } catch (error) {
      if (!isStill()) return;
      if (!isError(error, 'conflict', 'notFound')) {
        log.warn('cannot renew the lease', { lease: name, error });
        return;
      }
      try {
        const found = await client.get<Lease>(leasesRef, namespace, name);
        if (!isStill()) return;
        // Ours, written by a request that was repeated, or by somebody who labelled it.
        if (termOf(found) === termOf(own) && found.spec?.holderIdentity === own.spec?.holderIdentity)
          this.#own = found;
        else this.#depose();
      } catch (lost) {
        if (isStill() && isError(lost, 'notFound')) this.#depose();
      }
    }
  }

  #depose(): void {
    if (this.#own === undefined || this.#stopped) return;
    this.#own = undefined;
    this.#timer?.cancel();
    this.#deadline?.cancel();
    this.#options.log.warn('leads no longer', { identity: this.#options.identity });
    this.#options.onDeposed();
    this.#lookLater();
  }
}

const isNewer = (a: KubeObject, b: KubeObject): boolean =>
  Number(a.metadata.resourceVersion) > Number(b.metadata.resourceVersion);
