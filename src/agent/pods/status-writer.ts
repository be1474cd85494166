/**
 * Writes one pod's status: one patch at a time, only what changed; what changes meanwhile is written next.
 * What others act on (phase, states, readiness) is written at once; the rest waits a moment, so that a quick start is one patch.
 *
 * Invariant: the last wanted status is the one that is written in the end, however often the API server is away.
 */
import type { Pod, PodStatus } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { Backoff, type Clock, isError, type Log, type Random, type Timer } from '../../lib/index.ts';
import { podsRef } from '../objects.ts';
import { passingConditions } from './conditions.ts';
import { allStatusesOf } from './containers.ts';

export interface StatusWriterOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The object as the API server answered. */
  readonly onWritten: (pod: Pod) => void;
  /** The object as it was found when the one that was known was too old. */
  readonly onConflict: (pod: Pod) => void;
}

/** How long what nobody waits for may be late. */
const calmDelayMs = 250;
/** How long what somebody else has written instead is left: the first time, and when it comes again and again. */
const overwritten = { firstMs: 1000, maxMs: 10_000, forgiveAfterMs: 30_000 };

/** What others act on. A container that is being created is like one of which nothing has been said. */
function urgentPart(status: PodStatus | undefined): string {
  const containers = allStatusesOf(status === undefined ? undefined : { status })
    .map(({ name, state, ready, restartCount }) => {
      const reason = state?.waiting?.reason ?? '';
      const creating = reason === 'ContainerCreating' || reason === 'PodInitializing';
      const kind = state?.running ? 'running' : state?.terminated ? 'terminated' : creating ? '' : reason;
      return [name, kind, ready, restartCount];
    })
    .filter(([, kind, ready, restartCount]) => kind !== '' || ready || restartCount !== 0);
  const conditions = (status?.conditions ?? [])
    .filter(
      (condition) => condition.type !== 'PodReadyToStartContainers' && condition.type !== 'PodScheduled',
    )
    .filter((condition) => condition.status === 'True')
    .map((condition) => condition.type)
    .filter((type) => type !== 'Initialized');
  return JSON.stringify([status?.phase ?? 'Pending', status?.reason, containers, conditions.sort()]);
}

/** What of a status somebody else might overwrite, as `current` (the wanted one itself without it) has it: times are none of it. */
function claimsOf(wanted: PodStatus, current: PodStatus = wanted): string {
  const statusOf = (type: string): string | undefined =>
    current.conditions?.find((condition) => condition.type === type)?.status;
  return JSON.stringify([current.phase, (wanted.conditions ?? []).map(({ type }) => [type, statusOf(type)])]);
}

/** Conditions are merged by their type: a reason that no longer holds has to be taken away expressly. */
function patchOf(current: PodStatus | undefined, wanted: PodStatus): object {
  const conditions = wanted.conditions?.map((condition) => {
    const before = current?.conditions?.find(({ type }) => type === condition.type);
    const stale = (['reason', 'message'] as const).filter(
      (key) => before?.[key] !== undefined && condition[key] === undefined,
    );
    return { ...condition, ...Object.fromEntries(stale.map((key) => [key, null])) };
  });
  const over = (current?.conditions ?? []).filter(
    ({ type }) => passingConditions.has(type) && !wanted.conditions?.some((one) => one.type === type),
  );
  const taken = over.map(({ type }) => ({ $patch: 'delete', type }));
  return { ...wanted, ...(conditions === undefined ? {} : { conditions: [...conditions, ...taken] }) };
}

export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #backoff: Backoff;
  readonly #overwritten: Backoff;
  #pod: Pod | undefined;
  #wanted: PodStatus | undefined;
  #wantedText = '';
  #writtenText = '';
  #saidUrgent: string | undefined;
  #saidClaims: string | undefined;
  #calm: Timer | undefined;
  #writing = false;
  #stopped = false;
  #retry: Timer | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    const { random } = options;
    this.#backoff = new Backoff({ firstMs: 200, maxMs: 10_000, jitter: 0.3, random });
    this.#overwritten = new Backoff({ ...overwritten, jitter: 0.3, random });
  }

  write(pod: Pod, status: PodStatus): void {
    this.#hear(pod);
    this.#wanted = status;
    this.#wantedText = JSON.stringify(status);
    if (this.#writing || this.#retry !== undefined || this.#stopped) return;
    this.#saidUrgent ??= urgentPart(pod.status);
    if (urgentPart(status) !== this.#saidUrgent || this.#waiters.length > 0) void this.#run();
    else if (this.#isOverwritten()) this.#mend();
    else if (this.#wantedText !== this.#writtenText) this.#calm ??= this.#runAfter(calmDelayMs);
  }

  #runAfter(delayMs: number): Timer {
    return this.#options.clock.after(delayMs, () => {
      this.#calm = undefined;
      if (!this.#writing && this.#retry === undefined) void this.#run();
    });
  }

  /** Resolves when what is wanted has been written, or can never be (the object is gone). */
  flushed(): Promise<void> {
    if (this.#wantedText === this.#writtenText || this.#stopped) return Promise.resolve();
    const flushed = new Promise<void>((resolve) => this.#waiters.push(resolve));
    if (!this.#writing && this.#retry === undefined) void this.#run();
    return flushed;
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#calm?.cancel();
    this.#release();
  }

  #release(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter();
  }

  async #run(): Promise<void> {
    this.#writing = true;
    this.#calm?.cancel();
    this.#calm = undefined;
    // Several changes within one turn become one patch.
    await Promise.resolve();
    while (!this.#stopped && this.#wanted !== undefined && this.#wantedText !== this.#writtenText) {
      const text = this.#wantedText;
      const wanted = this.#wanted;
      try {
        const answer = await this.#patch(this.#pod as Pod, wanted);
        this.#writtenText = text;
        this.#saidUrgent = urgentPart(wanted);
        this.#saidClaims = claimsOf(wanted);
        this.#backoff.reset();
        this.#hear(answer);
        this.#options.onWritten(answer);
      } catch (error) {
        if (isError(error, 'notFound') || (isError(error, 'conflict') && !(await this.#lookAgain()))) {
          // Gone, or another pod of that name: nobody wants this status.
          this.stop();
          break;
        }
        if (isError(error, 'conflict')) continue;
        // A server that is away comes back; one that refuses what we say will not have it later either.
        const isRefused = isError(error, 'invalid', 'forbidden', 'badRequest');
        const words = { pod: this.#pod?.metadata.name, error };
        if (isRefused) this.#options.log.warn('the API refuses the status of a pod', words);
        else this.#options.log.debug('cannot write pod status', words);
        this.#writing = false;
        this.#retry = this.#options.clock.after(this.#backoff.next(), () => {
          this.#retry = undefined;
          if (!this.#writing && !this.#stopped) void this.#run();
        });
        return;
      }
    }
    this.#writing = false;
    this.#release();
    if (this.#isOverwritten()) this.#mend();
  }

  /** With the revision that it was made for: a request that was held up on its way must not undo what was written since. */
  #patch({ metadata, status }: Pod, wanted: PodStatus): Promise<Pod> {
    const { namespace, name = '', uid, resourceVersion } = metadata;
    const patch = { metadata: { uid, resourceVersion }, status: patchOf(status, wanted) };
    const options = { subresource: 'status' };
    return this.#options.client.patch<Pod>(podsRef, namespace, name, 'strategic', patch, options);
  }

  /** After a conflict: false when the pod is another one or gone. What was wanted may have changed by what is found. */
  async #lookAgain(): Promise<boolean> {
    const { namespace, name = '', uid } = (this.#pod as Pod).metadata;
    const found = await this.#options.client.get<Pod>(podsRef, namespace, name).catch((error: unknown) => {
      // When it cannot be asked now, the next try gets a conflict again.
      if (isError(error, 'notFound')) return undefined;
      return this.#pod;
    });
    if (found === undefined || found.metadata.uid !== uid) return false;
    if (found === this.#pod) await this.#options.clock.sleep(this.#backoff.next());
    this.#hear(found);
    this.#options.onConflict(found);
    // The worker thinks again before the next try.
    await Promise.resolve();
    await Promise.resolve();
    return true;
  }

  #hear(pod: Pod): void {
    if (isNewer(pod, this.#pod)) this.#pod = pod;
  }

  /** What we said, and would say again, is not what is there. `#pod` is never older than our own last write. */
  #isOverwritten(): boolean {
    if (this.#wanted === undefined || this.#stopped || claimsOf(this.#wanted) !== this.#saidClaims)
      return false;
    return this.#saidClaims !== claimsOf(this.#wanted, this.#pod?.status ?? {});
  }

  /** Somebody else did not hear of us, and will go on until it does (the node controller): rarer each time, so that we do not write against each other. */
  #mend(): void {
    this.#writtenText = '';
    if (this.#calm !== undefined) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#calm = this.#runAfter(this.#overwritten.next(nowMs));
  }
}

export function isNewer(pod: Pod, than: Pod | undefined): boolean {
  if (than === undefined) return true;
  return Number(pod.metadata.resourceVersion ?? 0) >= Number(than.metadata.resourceVersion ?? 0);
}
