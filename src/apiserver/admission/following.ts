/**
 * The objects of one kind, followed from the store: at hand by namespace and name the moment a write is acknowledged.
 * For kinds of which there are few (limit ranges, classes, webhook configurations). Pure.
 */
import type { KubeObject } from '../../api/index.ts';
import type { Log } from '../../lib/index.ts';
import type { Store } from '../../store/index.ts';
import type { Resource } from '../resource.ts';

const none: ReadonlyMap<string, never> = new Map<string, never>();

export class Following<T extends KubeObject> {
  /** Namespace ('' for what has none) → name → object. */
  readonly #byNamespace = new Map<string, Map<string, T>>();
  #isThere = false;
  readonly #onChange: ((object: T, isGone: boolean) => void) | undefined;

  /** `resource` undefined: nothing of the kind is served. `onChange` is told of what changes from now on. */
  constructor(
    { store, log }: { readonly store: Store; readonly log: Log },
    resource: Resource | undefined,
    onChange?: (object: T, isGone: boolean) => void,
  ) {
    this.#onChange = onChange;
    if (resource === undefined) return;
    const listing = store.list(resource.prefix);
    for (const stored of listing.items) this.#note(stored.object() as T, false);
    this.#isThere = true;
    store.watch(resource.prefix, listing.revision, {
      onEvents: (events) => {
        for (const { kind, current } of events) this.#note(current.object() as T, kind === 'delete');
      },
      onEnd: (error) => {
        if (error !== undefined) log.error(`${resource.groupResource} are no longer followed`, { error });
      },
    });
  }

  get(namespace: string, name: string): T | undefined {
    return this.#byNamespace.get(namespace)?.get(name);
  }

  /** By name; of one namespace, or of a kind that has none (''). */
  in(namespace: string): ReadonlyMap<string, T> {
    return this.#byNamespace.get(namespace) ?? none;
  }

  get isEmpty(): boolean {
    return this.#byNamespace.size === 0;
  }

  #note(object: T, isGone: boolean): void {
    const { namespace = '', name = '' } = object.metadata;
    let here = this.#byNamespace.get(namespace);
    if (isGone) {
      here?.delete(name);
      if (here?.size === 0) this.#byNamespace.delete(namespace);
    } else {
      if (here === undefined) {
        here = new Map();
        this.#byNamespace.set(namespace, here);
      }
      here.set(name, object);
    }
    if (this.#isThere) this.#onChange?.(object, isGone);
  }
}
