/**
 * Watching: what a selection gains, changes and loses, from a revision on.
 *
 *   store events (one array a batch, shared by all watchers of a prefix) ─▶ the selection's own changes ─▶ sink
 *
 * An object that enters the selection is ADDED, one that leaves it is DELETED. Without a selector the changes of a batch are worked out once and
 * shared by every watcher, so that sinks can share their bytes too.
 * Source: Kubernetes API concepts (efficient detection of changes, streaming lists, bookmarks).
 */
import { expired } from '../../api/index.ts';
import { isError } from '../../lib/index.ts';
import type { Stored, StoreEvent, Subscription, Watcher } from '../../store/index.ts';
import type { ApiContext } from '../context.ts';
import type { Resource } from '../resource.ts';
import { checkWatchOptions } from './list-options.ts';
import { type ListRequest, listObjects, revisionOf, selectionOf, waitForRevision } from './read.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

export interface WatchChange {
  readonly type: ChangeType;
  readonly stored: Stored;
}

export interface WatchSink {
  /** Must not throw. `isShared`: others get the same array, and the same changes in it. */
  onChanges(changes: readonly WatchChange[], isShared: boolean): void;
  /** `initial`: the end of the initial events. */
  onBookmark(revision: number, initial: boolean): void;
  onEnd(error: Error | undefined): void;
  /** Between parts of what is there at the start: resolves when more can be taken. undefined: now. */
  ready?(): Promise<void> | undefined;
}

export interface WatchRequest extends ListRequest {
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

/** How often a watcher that wants bookmarks gets one while nothing happens. */
const bookmarkIntervalMs = 60_000;
/** How much of what is there at the start is made at once. */
const initialSlice = 500;

const sharedChanges = new WeakMap<readonly StoreEvent[], readonly WatchChange[]>();

/** Starts a watch; the first changes may come before it resolves. Throws `badRequest`, `expired`, `timeout`. */
export async function watchObjects(
  context: ApiContext,
  resource: Resource,
  request: WatchRequest,
  sink: WatchSink,
): Promise<Subscription> {
  checkWatchOptions(request);
  const { prefix, matches, onlyKey, indexed } = selectionOf(context, resource, request);
  const asked = request.resourceVersion ?? '';
  const revision = asked === '' ? 0 : revisionOf(asked);
  await waitForRevision(context, revision);
  let after = revision;
  const streaming = request.sendInitialEvents === true;
  if (streaming || ((asked === '' || asked === '0') && request.sendInitialEvents === undefined)) {
    // The state now, as if it had just been added; then what comes after it.
    const { labelSelector, fieldSelector, namespace } = request;
    const listing = await listObjects(context, resource, {
      namespace,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
    after = listing.revision;
    for (let from = 0; from < listing.items.length; from += initialSlice) {
      sink.onChanges(
        listing.items.slice(from, from + initialSlice).map((stored) => ({ type: 'ADDED', stored })),
        false,
      );
      const pending = sink.ready?.();
      if (pending !== undefined) await pending;
    }
    if (streaming && request.bookmarks) sink.onBookmark(after, true);
  } else if (asked === '' || asked === '0') after = context.store.revision();
  const { prepare } = resource;
  let isOver = false;
  let retiring: { cancel(): void } | undefined;
  const end = (error: Error | undefined): void => {
    if (isOver) return;
    isOver = true;
    stopBookmarks();
    retiring?.cancel();
    sink.onEnd(error);
  };
  const deliver = (events: readonly StoreEvent[]): void => {
    if (isOver) return;
    const isShared = matches === undefined && onlyKey === undefined;
    const changes = isShared ? sharedChangesOf(events) : selectedChanges(events, matches, onlyKey);
    if (changes.length > 0) sink.onChanges(changes, isShared);
  };
  const ordered = prepare === undefined ? undefined : new Ordered(prepare, deliver, end);
  const bookmark = (revision: number): void => {
    if (!isOver) sink.onBookmark(revision, false);
  };
  const stopBookmarks = request.bookmarks
    ? startBookmarks(
        context,
        ordered === undefined ? bookmark : (revision) => ordered.afterAll(() => bookmark(revision)),
      )
    : () => {};
  const watcher: Watcher = {
    onEvents: ordered === undefined ? deliver : (events) => ordered.add(events),
    onEnd: end,
  };
  const subscription = subscribe();
  function subscribe(): Subscription {
    try {
      return indexed !== undefined && onlyKey === undefined
        ? indexed.index.watch(indexed.value, prefix, after, watcher)
        : context.store.watch(onlyKey ?? prefix, after, watcher);
    } catch (error) {
      stopBookmarks();
      throw isError(error, 'expired')
        ? expired(`too old resource version: ${after} (${context.store.stats().compactedRevision})`)
        : error;
    }
  }
  // Served no longer, or otherwise than before: whoever watches looks again.
  if (resource.kind.custom !== undefined && !isOver)
    retiring = resource.onRetire(() => {
      subscription.cancel();
      end(undefined);
    });
  return {
    cancel: () => {
      isOver = true;
      stopBookmarks();
      retiring?.cancel();
      subscription.cancel();
    },
  };
}

/** Where a webhook makes the faces: each batch when its own are there, and those before it. */
class Ordered {
  readonly #prepare: (stored: readonly Stored[]) => Promise<void>;
  readonly #deliver: (events: readonly StoreEvent[]) => void;
  readonly #fail: (error: Error) => void;
  #before: Promise<void> = Promise.resolve();

  constructor(
    prepare: (stored: readonly Stored[]) => Promise<void>,
    deliver: (events: readonly StoreEvent[]) => void,
    fail: (error: Error) => void,
  ) {
    this.#prepare = prepare;
    this.#deliver = deliver;
    this.#fail = fail;
  }

  add(events: readonly StoreEvent[]): void {
    const needed = events.flatMap(({ current, previous }) =>
      previous === undefined ? [current] : [previous, current],
    );
    this.#before = Promise.all([this.#before, this.#prepare(needed)]).then(
      () => this.#deliver(events),
      (error: unknown) => this.#fail(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** After all that was added. */
  afterAll(work: () => void): void {
    this.#before = this.#before.then(work);
  }
}

function startBookmarks(context: ApiContext, tell: (revision: number) => void): () => void {
  const tick = (): void => {
    tell(context.store.revision());
    timer = context.clock.after(bookmarkIntervalMs, tick);
  };
  // Spread over the interval, so that a thousand watchers are not told at once.
  let timer = context.clock.after(context.random.integer(bookmarkIntervalMs), tick);
  return () => timer.cancel();
}

function sharedChangesOf(events: readonly StoreEvent[]): readonly WatchChange[] {
  let changes = sharedChanges.get(events);
  if (changes === undefined) {
    changes = events.map(plainChange);
    sharedChanges.set(events, changes);
  }
  return changes;
}

function plainChange(event: StoreEvent): WatchChange {
  const type: ChangeType =
    event.kind === 'delete' ? 'DELETED' : event.previous === undefined ? 'ADDED' : 'MODIFIED';
  return { type, stored: event.current };
}

function selectedChanges(
  events: readonly StoreEvent[],
  matches: ((stored: Stored) => boolean) | undefined,
  onlyKey: string | undefined,
): readonly WatchChange[] {
  const changes: WatchChange[] = [];
  for (const event of events) {
    if (onlyKey !== undefined && event.key !== onlyKey) continue;
    const was = event.previous !== undefined && (matches?.(event.previous) ?? true);
    const is = event.kind === 'put' && (matches?.(event.current) ?? true);
    if (is) changes.push({ type: was ? 'MODIFIED' : 'ADDED', stored: event.current });
    else if (was) changes.push({ type: 'DELETED', stored: event.current });
  }
  return changes;
}
