/**
 * Runs a controller: the same loop for all of them.
 *
 *   informers ──change──▶ keys ──▶ queue ──▶ observe ──▶ plan ──▶ steps carried out ──▶ conclude (status)
 *                                    ▲                                  │ failed: back-off
 *                                    └── own writes seen by informers ──┘
 *
 * A controller is a declaration: what it watches, how a change maps to keys, what it observes of a key, and a pure plan.
 * Invariants: one key is worked by one worker at a time; a key is worked only when the informers show all its own earlier writes;
 * at rest nothing is written, because plans of a reached goal are empty.
 */
import type { KubeObject } from '../api/index.ts';
import type {
  Change,
  Client,
  EventDraft,
  EventRecorder,
  Informer,
  Informers,
  ListOptions,
  ResourceRef,
} from '../client/index.ts';
import { createEventRecorder, keyOf } from '../client/index.ts';
import {
  type Clock,
  explainError,
  flat,
  isError,
  type Log,
  nameSuffix,
  type Random,
  WorkQueue,
} from '../lib/index.ts';
import { OwnWrites } from './own-writes.ts';
import type { Failure, PlanContext, Step, Write } from './step.ts';

export interface ShellOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Watch {
  readonly ref: ResourceRef;
  readonly informer: Informer<KubeObject>;
  /** Only a part of the objects: writes are not expected to show in it. */
  readonly partial: boolean;
  keysOf(change: Change<KubeObject>): Iterable<string>;
}

/** Declares what is watched, and which keys a change concerns. */
export function watch<T extends KubeObject>(
  informers: Informers,
  ref: ResourceRef,
  keysOf: (change: Change<T>) => Iterable<string>,
  selection?: Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector'>,
): Watch {
  const informer = informers.informer<T>(ref, selection);
  return { ref, informer, keysOf, partial: selection !== undefined } as unknown as Watch;
}

export interface Controller<Observed> {
  /** As the source of events: `deployment-controller`. */
  readonly name: string;
  /** Keys worked at the same time. Default 4. */
  readonly workers?: number;
  readonly watches: readonly Watch[];
  /** Beside `watches`: those that come and go while it runs. Nothing waits for them. */
  laterWatches?(
    follow: (watch: Watch) => { cancel(): void },
    work: (key: string) => void,
  ): { cancel(): void };
  /** Keys to be worked when all informers have synced. */
  readonly firstKeys?: () => Iterable<string>;
  /** Undefined: nothing of the kind is there. */
  observe(key: string): Observed | undefined | Promise<Observed | undefined>;
  plan(observed: Observed, context: PlanContext): readonly Step[];
  /** How long a key rests at least after it has been worked, so that what comes meanwhile is worked together. */
  restMs?(observed: Observed): number;
  /** Steps after the others, whether or not those succeeded: the status. */
  conclude?(observed: Observed, context: PlanContext, failure: Failure | undefined): readonly Step[];
}

export interface RunningController {
  /** Keys waiting or being worked. */
  readonly busy: number;
  stop(): void;
}

/** Writes at the same time for one key. */
const writesMax = 128;
/** Tries of one creation whose outcome is not known. */
const createTriesMax = 3;
/** Names made up for one object until one is free. */
const namesMax = 8;
/** A key rests for this many times as long as its observing, planning and concluding took, so that large ones do not crowd out others. */
const restFactor = 19;
const restMsMax = 1000;

export function startController<Observed>(
  controller: Controller<Observed>,
  options: ShellOptions,
): RunningController {
  const shell = new Shell(controller, options);
  void shell.start();
  return shell;
}

class Shell<Observed> implements RunningController {
  readonly #controller: Controller<Observed>;
  readonly #options: ShellOptions;
  readonly #log: Log;
  readonly #random: Random;
  readonly #recorder: EventRecorder;
  readonly #queue: WorkQueue<string>;
  readonly #ownWrites: OwnWrites;
  readonly #subscriptions: { cancel(): void }[] = [];
  /** By key: creations of which it is not known whether they were carried out, or still will be. */
  readonly #uncertain = new Map<string, Creation[]>();
  /** Made up, of objects that are being created. */
  readonly #names = new Set<string>();
  #stopped = false;

  constructor(controller: Controller<Observed>, options: ShellOptions) {
    this.#controller = controller;
    this.#options = options;
    this.#log = options.log.with({ controller: controller.name });
    this.#random = options.random.stream(controller.name);
    this.#recorder = createEventRecorder({ ...options, random: this.#random, component: controller.name });
    this.#queue = new WorkQueue({
      clock: options.clock,
      random: this.#random,
      workers: controller.workers ?? 4,
      work: (key) => this.#work(key),
      onError: (key, error, failures, retryMs) => {
        // A conflict only says that the copy was a moment old.
        const level = isError(error, 'conflict') || failures < 3 ? 'debug' : 'warn';
        this.#log[level]('cannot reconcile', { key, failures, retryMs: Math.round(retryMs), error });
      },
    });
    this.#ownWrites = new OwnWrites(options.client, options.clock, (key) => this.#queue.add(key));
  }

  get busy(): number {
    return this.#queue.size + this.#ownWrites.size;
  }

  /** Never rejects. */
  async start(): Promise<void> {
    const { watches, firstKeys } = this.#controller;
    await Promise.all(watches.map(({ informer }) => informer.whenSynced()));
    if (this.#stopped) return;
    for (const { ref, informer, partial } of watches) if (!partial) this.#ownWrites.follow(ref, informer);
    for (const watch of watches) this.#subscriptions.push(this.#follow(watch));
    const later = this.#controller.laterWatches?.(
      (watch) => this.#follow(watch),
      (key) => this.#queue.add(key),
    );
    if (later !== undefined) this.#subscriptions.push(later);
    for (const key of firstKeys?.() ?? []) this.#queue.add(key);
  }

  #follow({ informer, keysOf }: Watch): { cancel(): void } {
    return informer.onChange((change) => {
      for (const key of keysOf(change)) this.#queue.add(key);
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const subscription of this.#subscriptions) subscription.cancel();
    this.#queue.stop();
    this.#ownWrites.stop();
    this.#recorder.stop();
  }

  async #work(key: string): Promise<void> {
    // It is added again when they are seen.
    if (this.#stopped || !this.#ownWrites.allSeen(key)) return;
    if (this.#uncertain.has(key)) {
      await this.#settleCreations(key);
      if (!this.#ownWrites.allSeen(key)) return;
    }
    const { clock } = this.#options;
    const observing = this.#controller.observe(key);
    let startMs = clock.monotonicMs();
    const observed = observing instanceof Promise ? await observing : observing;
    if (observed === undefined) {
      this.#queue.forget(key);
      return;
    }
    if (observing instanceof Promise) startMs = clock.monotonicMs();
    const steps = this.#controller.plan(observed, { nowMs: clock.nowMs() });
    let tookMs = clock.monotonicMs() - startMs;
    const restMs = this.#controller.restMs?.(observed) ?? 0;
    this.#rest(key, restMs, tookMs);
    const failed = await this.#carryOut(key, steps);
    const { conclude } = this.#controller;
    if (conclude !== undefined) {
      startMs = clock.monotonicMs();
      const last = conclude.call(this.#controller, observed, { nowMs: clock.nowMs() }, failed?.failure);
      tookMs += clock.monotonicMs() - startMs;
      this.#rest(key, restMs, tookMs);
      const failedLast = await this.#carryOut(key, last);
      if (failed === undefined && failedLast !== undefined) throw failedLast.error;
    }
    if (failed !== undefined) throw failed.error;
    this.#queue.forget(key);
  }

  #rest(key: string, restMs: number, tookMs: number): void {
    const ownMs = tookMs > 1 ? Math.min(restMsMax, tookMs * restFactor) : 0;
    if (ownMs > 0 || restMs > 0) this.#queue.rest(key, Math.max(restMs, ownMs));
  }

  /** Stops at the first failure and returns it. */
  async #carryOut(
    key: string,
    steps: readonly Step[],
  ): Promise<{ failure: Failure; error: unknown } | undefined> {
    for (const step of steps) {
      if (this.#stopped) return undefined;
      if (step.kind === 'event') this.#recorder.record(step.event);
      else if (step.kind === 'again') this.#queue.addAfter(key, step.afterMs);
      else {
        const writes = step.kind === 'together' ? step.writes : [step];
        const slowly = step.kind === 'together' && step.slowStart === true;
        const failed = await this.#writeAll(key, writes, slowly);
        if (failed !== undefined) return failed;
      }
    }
    return undefined;
  }

  async #writeAll(
    key: string,
    writes: readonly Write[],
    slowly: boolean,
  ): Promise<{ failure: Failure; error: unknown } | undefined> {
    let failed: { failure: Failure; error: unknown } | undefined;
    let width = slowly ? 1 : writesMax;
    const adopters = new Map<string, Promise<boolean>>();
    for (let at = 0; at < writes.length && failed === undefined && !this.#stopped; ) {
      const batch = writes.slice(at, at + width);
      at += batch.length;
      width = Math.min(writesMax, width * 2);
      await Promise.all(
        batch.map(async (write) => {
          try {
            if (await this.#mayWrite(write, adopters)) await this.#write(key, write);
          } catch (error) {
            failed ??= {
              error,
              failure: {
                write: write.kind,
                message: messageOf(error),
                isConflict: isError(error, 'conflict'),
              },
            };
          }
        }),
      );
    }
    return failed;
  }

  /** Whether its adopter, if any, is there and stays. One that is not will be shown as gone, and the key be worked again. */
  async #mayWrite(write: Write, asked: Map<string, Promise<boolean>>): Promise<boolean> {
    if (!('adopter' in write) || write.adopter === undefined) return true;
    const { ref, namespace, name, uid } = write.adopter;
    let answer = asked.get(uid);
    if (answer === undefined) {
      answer = this.#options.client.get<KubeObject>(ref, namespace, name).then(
        ({ metadata }) => metadata.uid === uid && metadata.deletionTimestamp === undefined,
        (error: unknown) => {
          if (isError(error, 'notFound')) return false;
          throw error;
        },
      );
      asked.set(uid, answer);
    }
    return answer;
  }

  async #write(key: string, write: Write): Promise<void> {
    if (write.kind === 'create') write = { ...write, object: this.#named(write.ref, write.object) };
    const name = 'name' in write ? write.name : write.object.metadata.name;
    try {
      if (write.kind === 'create') await this.#create(key, write.ref, write.object);
      else await this.#change(key, write);
      if (write.done !== undefined) this.#record(write.done, name, '');
    } catch (error) {
      const isGone = write.kind === 'delete' && isError(error, 'notFound');
      if (isGone || (write.accept !== undefined && isError(error, ...write.accept))) return;
      const isUntold = write.untold !== undefined && isError(error, ...write.untold);
      if (write.failed !== undefined && !isUntold) this.#record(write.failed, name, messageOf(error));
      throw error;
    } finally {
      if (write.kind === 'create') this.#names.delete(nameOf(write.ref, write.object));
    }
  }

  #record(event: EventDraft, name: string | undefined, error: string): void {
    const message = event.message.replaceAll('{name}', name ?? '').replaceAll('{error}', error);
    this.#recorder.record({ ...event, message });
  }

  /**
   * Names are made here, so that a creation whose answer was lost can be repeated under the same name: what is found under it is ours. So no name is made up
   * that something known bears, which among thousands is near certain to happen by chance.
   */
  #named(ref: ResourceRef, object: KubeObject): KubeObject {
    const { name, generateName } = object.metadata;
    if (name !== undefined || generateName === undefined) return object;
    for (let tries = 1; ; tries++) {
      // As the API server: at most 63 characters, five of them chance.
      const made = flat(`${generateName.slice(0, 58)}${nameSuffix(this.#random)}`);
      const named = { ...object, metadata: { ...object.metadata, name: made } };
      const id = nameOf(ref, named);
      if (tries < namesMax && (this.#names.has(id) || this.#ownWrites.knows(ref, keyOf(named)))) continue;
      this.#names.add(id);
      return named;
    }
  }

  async #create(key: string, ref: ResourceRef, object: KubeObject, isAgain = false): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        const created = await this.#created(ref, object, isAgain || tries > 1);
        this.#ownWrites.wrote(key, ref, keyOf(created), created.metadata.resourceVersion);
        return;
      } catch (error) {
        if (!isUncertain(error)) throw error;
        if (tries < createTriesMax) continue;
        const others = this.#uncertain.get(key);
        if (others === undefined) this.#uncertain.set(key, [{ ref, object }]);
        else others.push({ ref, object });
        throw error;
      }
    }
  }

  /**
   * What is there already under the same name is the same object where it has the same owner, or was asked for before (`mayBeThere`): then a request was only
   * carried out twice.
   */
  async #created(ref: ResourceRef, object: KubeObject, mayBeThere: boolean): Promise<KubeObject> {
    const { client } = this.#options;
    try {
      return await client.create(ref, object);
    } catch (error) {
      const [owner] = object.metadata.ownerReferences ?? [];
      if (!isError(error, 'alreadyExists') || (!mayBeThere && owner === undefined)) throw error;
      const { namespace, name = '' } = object.metadata;
      const found = await client.get(ref, namespace, name);
      if (mayBeThere || found.metadata.ownerReferences?.[0]?.uid === owner?.uid) return found;
      throw error;
    }
  }

  /**
   * Makes sure of them: repeated under the same names, so that one that is still on its way finds its place taken. Deciding again before that would
   * make a second object where the first is only late. Found by simulation: lost answers made one pod too many.
   */
  async #settleCreations(key: string): Promise<void> {
    const creations = this.#uncertain.get(key) ?? [];
    this.#uncertain.delete(key);
    const outcomes = await Promise.allSettled(
      creations.map(({ ref, object }) => this.#create(key, ref, object, true)),
    );
    for (const outcome of outcomes)
      if (outcome.status === 'rejected' && isUncertain(outcome.reason)) throw outcome.reason;
  }

  async #change(key: string, write: Exclude<Write, { kind: 'create' }>): Promise<void> {
    const { client } = this.#options;
    if (write.kind === 'delete') {
      const { ref, namespace, name, uid, resourceVersion, options } = write;
      const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      await client.delete(ref, namespace, name, { ...options, preconditions });
      this.#ownWrites.deleted(key, ref, namespace ? `${namespace}/${name}` : name, uid);
      return;
    }
    if (write.kind === 'post') {
      const { ref, namespace, name, subresource, object } = write;
      await client.createSubresource(ref, namespace, name, subresource, object);
      return;
    }
    const to = write.subresource === undefined ? {} : { subresource: write.subresource };
    const written =
      write.kind === 'update'
        ? await client.update(write.ref, write.object, to)
        : await client.patch(write.ref, write.namespace, write.name, write.type, write.patch, to);
    this.#ownWrites.wrote(key, write.ref, keyOf(written), written.metadata.resourceVersion);
  }
}

interface Creation {
  readonly ref: ResourceRef;
  readonly object: KubeObject;
}

const nameOf = (ref: ResourceRef, object: KubeObject): string =>
  `${ref.group}/${ref.resource} ${keyOf(object)}`;

/** Whether a request that failed so may have been carried out. */
const isUncertain = (error: unknown): boolean => isError(error, 'timeout', 'unavailable') || !isError(error);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : explainError(error));
