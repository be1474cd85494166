/**
 * Which of our own writes the informers have not shown yet: the guard against deciding on a copy that is older than our last decision.
 *
 *   write done ──▶ expected (key, object, revision) ──informer shows that revision, or its end──▶ seen ──▶ `onSeen(key)`
 *
 * Kubernetes counts expected creations and deletions per key and lets them lapse after five minutes. We know the revision of each
 * write, so nothing is guessed and nothing lapses: a key is worked only on a copy that holds all its own writes.
 *
 * Where an object came and went while a watch was broken, the informer never shows it: after a while the API itself is asked.
 */
import { groupResourceOf, type KubeObject } from '../api/index.ts';
import type { Change, Client, Informer, ResourceRef } from '../client/index.ts';
import { type Clock, isError, type Timer } from '../lib/index.ts';

interface Expected {
  readonly key: string;
  readonly ref: ResourceRef;
  readonly objectKey: string;
  /** Written at this revision; undefined for a deletion. */
  readonly revision: number | undefined;
  /** Of a deletion: whose. */
  readonly uid: string | undefined;
}

interface Followed {
  readonly informer: Informer<KubeObject>;
  /** By object key. */
  readonly expected: Map<string, Expected[]>;
  /** The newest revision shown. A watch tells revisions in order, so all older ones have been shown too. */
  revision: number;
}

const askAfterMs = 5000;

export class OwnWrites {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #onSeen: (key: string) => void;
  readonly #followed = new Map<string, Followed>();
  readonly #counts = new Map<string, number>();
  readonly #subscriptions: { cancel(): void }[] = [];
  #timer: Timer | undefined;
  #stopped = false;

  constructor(client: Client, clock: Clock, onSeen: (key: string) => void) {
    this.#client = client;
    this.#clock = clock;
    this.#onSeen = onSeen;
  }

  /** Writes to `ref` are expected to show in `informer`, which must hold all that is written. Others are not waited for. */
  follow(ref: ResourceRef, informer: Informer<KubeObject>): void {
    const id = idOf(ref);
    if (this.#followed.has(id)) return;
    const followed: Followed = { informer, expected: new Map(), revision: 0 };
    this.#followed.set(id, followed);
    this.#subscriptions.push(informer.onChange((change) => this.#onChange(followed, change)));
  }

  /** Whether something of this name is in the copy, or was written and will be. */
  knows(ref: ResourceRef, objectKey: string): boolean {
    const followed = this.#followed.get(idOf(ref));
    return (
      followed !== undefined &&
      (followed.informer.get(objectKey) !== undefined || followed.expected.has(objectKey))
    );
  }

  /** Whether the copies hold all that was written for `key`. */
  allSeen(key: string): boolean {
    return !this.#counts.has(key);
  }

  get size(): number {
    return this.#counts.size;
  }

  wrote(key: string, ref: ResourceRef, objectKey: string, resourceVersion: string | undefined): void {
    const revision = Number(resourceVersion);
    if (Number.isFinite(revision)) this.#expect({ key, ref, objectKey, revision, uid: undefined });
  }

  deleted(key: string, ref: ResourceRef, objectKey: string, uid: string): void {
    this.#expect({ key, ref, objectKey, revision: undefined, uid });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    for (const subscription of this.#subscriptions) subscription.cancel();
  }

  #expect(expected: Expected): void {
    const followed = this.#followed.get(idOf(expected.ref));
    if (followed === undefined || this.#stopped) return;
    if (expected.revision !== undefined && expected.revision <= followed.revision) return;
    if (isShown(expected, followed.informer.get(expected.objectKey), undefined)) return;
    const others = followed.expected.get(expected.objectKey);
    if (others === undefined) followed.expected.set(expected.objectKey, [expected]);
    else others.push(expected);
    this.#counts.set(expected.key, (this.#counts.get(expected.key) ?? 0) + 1);
    this.#timer ??= this.#clock.after(askAfterMs, () => {
      this.#timer = undefined;
      void this.#ask();
    });
  }

  #onChange(followed: Followed, change: Change<KubeObject>): void {
    followed.revision = Math.max(followed.revision, Number(change.object.metadata.resourceVersion) || 0);
    if (!followed.expected.has(change.key)) return;
    const present = change.kind === 'deleted' ? undefined : change.object;
    const last = change.kind === 'deleted' ? change.object : undefined;
    this.#settle(followed, change.key, (expected) => isShown(expected, present, last));
  }

  #settle(followed: Followed, objectKey: string, isSeen: (expected: Expected) => boolean): void {
    const waiting = followed.expected.get(objectKey) ?? [];
    const left = waiting.filter((expected) => !isSeen(expected));
    if (left.length === 0) followed.expected.delete(objectKey);
    else followed.expected.set(objectKey, left);
    for (const expected of waiting) {
      if (left.includes(expected)) continue;
      const count = (this.#counts.get(expected.key) ?? 1) - 1;
      if (count > 0) this.#counts.set(expected.key, count);
      else {
        this.#counts.delete(expected.key);
        this.#onSeen(expected.key);
      }
    }
  }

  /** What has not shown for long and is not there has come and gone unseen. Never rejects. */
  async #ask(): Promise<void> {
    for (const followed of this.#followed.values()) {
      for (const [objectKey, [first]] of [...followed.expected]) {
        if (this.#stopped) return;
        if (first === undefined) continue;
        const isGone = await this.#isGone(first.ref, objectKey);
        // The copy may have it still: its end is on the way then, and will be shown.
        if (isGone && followed.informer.get(objectKey) === undefined)
          this.#settle(followed, objectKey, () => true);
      }
    }
    if (this.#counts.size > 0 && !this.#stopped)
      this.#timer ??= this.#clock.after(askAfterMs, () => {
        this.#timer = undefined;
        void this.#ask();
      });
  }

  async #isGone(ref: ResourceRef, objectKey: string): Promise<boolean> {
    const slash = objectKey.indexOf('/');
    const namespace = slash < 0 ? undefined : objectKey.slice(0, slash);
    try {
      await this.#client.get(ref, namespace, objectKey.slice(slash + 1));
      return false;
    } catch (error) {
      return isError(error, 'notFound');
    }
  }
}

const idOf = (ref: ResourceRef): string => groupResourceOf(ref.group, ref.resource);

/** `last` is the state with which the object ended, where it has just done so. */
function isShown(expected: Expected, present: KubeObject | undefined, last: KubeObject | undefined): boolean {
  if (expected.revision === undefined) {
    return (
      present === undefined ||
      present.metadata.uid !== expected.uid ||
      present.metadata.deletionTimestamp !== undefined
    );
  }
  return Number((present ?? last)?.metadata.resourceVersion ?? -1) >= expected.revision;
}
