/**
 * Follows the definitions in the store, and makes of them kinds that are served.
 *
 *   store ──▶ definition ──▶ names accepted? ──▶ status written ──▶ established ──▶ kinds ──▶ registry, discovery, OpenAPI
 *                                                              being deleted: its objects go first, then its finalizer
 *
 * Kinds come and go in the very event that tells of their definition: who has seen it established can use it.
 * Invariant: no object outlives its definition. While one is being deleted nothing is created; what was accepted before is waited for.
 */
import {
  type CustomResourceDefinition,
  type CustomResourceDefinitionStatus,
  draftOf,
  type Kind,
  type KubeObject,
} from '../../api/index.ts';
import { explainError, isError, sameJson } from '../../lib/index.ts';
import type { Subscription } from '../../store/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import { systemIdentity } from '../identity.ts';
import { deleteObject } from '../operations/delete.ts';
import { changeObject } from '../operations/update.ts';
import { type DraftObject, Resource } from '../resource.ts';
import {
  cleanupFinalizer,
  conditionOf,
  isEstablished,
  isSameStatus,
  statusOf,
  type TakenNames,
  withConditions,
} from './conditions.ts';
import { type KindParts, kindsOf, storageKindOf } from './custom-kind.ts';
import type { LiveRegistry } from './live-registry.ts';
import { compareVersions } from './version-order.ts';

const definitionsGroup = 'apiextensions.k8s.io';
const retryMs = 1000;
/** Objects deleted in one go. */
const pageSize = 500;

interface Known {
  readonly definition: CustomResourceDefinition;
  readonly kinds: readonly Kind[];
}

export type SharedParts = Omit<KindParts, 'isEnding'>;

/** Serves what is defined already, and follows what comes. */
export function followDefinitions(context: ApiContext, registry: LiveRegistry, parts: SharedParts): void {
  const resource = context.resources.find(definitionsGroup, 'v1', 'customresourcedefinitions');
  if (resource !== undefined) new Definitions(context, registry, resource, parts).start();
}

class Definitions {
  readonly #context: ApiContext;
  readonly #registry: LiveRegistry;
  readonly #resource: Resource;
  readonly #parts: SharedParts;
  readonly #known = new Map<string, Known>();
  /** Being worked on; true: to be looked at again after that. */
  readonly #working = new Map<string, boolean>();
  /** Objects of definitions that are being deleted are followed. */
  readonly #endings = new Map<string, Subscription>();
  #isStopped = false;

  constructor(context: ApiContext, registry: LiveRegistry, resource: Resource, parts: SharedParts) {
    this.#context = context;
    this.#registry = registry;
    this.#resource = resource;
    this.#parts = parts;
  }

  start(): void {
    const { store, log } = this.#context;
    const { prefix } = this.#resource;
    const listing = store.list(prefix);
    for (const stored of listing.items) this.#learn(stored.object() as CustomResourceDefinition);
    this.#publish();
    for (const name of this.#known.keys()) this.#enqueue(name);
    store.watch(prefix, listing.revision, {
      onEvents: (events) => {
        const groups = new Set<string>();
        const changed = new Set<string>();
        for (const { kind, current } of events) {
          const definition = current.object() as CustomResourceDefinition;
          groups.add(definition.spec.group);
          changed.add(definition.metadata.name ?? '');
          if (kind === 'put') this.#learn(definition);
          else this.#forget(definition);
        }
        this.#publish();
        for (const [name, { definition }] of this.#known)
          if (changed.has(name) || (groups.has(definition.spec.group) && isWaiting(definition)))
            this.#enqueue(name);
      },
      onEnd: (error) => {
        this.#isStopped = true;
        if (error !== undefined)
          log.error('definitions of custom resources are no longer followed', { error });
      },
    });
  }

  #learn(definition: CustomResourceDefinition): void {
    const name = definition.metadata.name ?? '';
    const before = this.#known.get(name);
    const isSame = before !== undefined && servesTheSame(before.definition, definition);
    this.#known.set(name, { definition, kinds: isSame ? before.kinds : this.#kindsOf(name, definition) });
  }

  /** A definition that cannot be served harms nobody else. */
  #kindsOf(name: string, definition: CustomResourceDefinition): readonly Kind[] {
    if (!isEstablished(definition)) return [];
    try {
      return kindsOf(definition, this.#partsOf(name));
    } catch (error) {
      this.#context.log.error('a custom resource cannot be served', { name, error: explainError(error) });
      return [];
    }
  }

  #forget({ metadata: { name = '' } }: CustomResourceDefinition): void {
    this.#known.delete(name);
    this.#endings.get(name)?.cancel();
    this.#endings.delete(name);
  }

  #partsOf(name: string): KindParts {
    return {
      ...this.#parts,
      isEnding: () => this.#known.get(name)?.definition.metadata.deletionTimestamp !== undefined,
    };
  }

  #publish(): void {
    const kinds = [...this.#known.values()].flatMap((known) => known.kinds);
    const served = new Set(this.#registry.custom);
    const isSame = kinds.length === served.size && kinds.every((kind) => served.has(kind));
    if (!isSame) this.#registry.setCustom(kinds.sort(byPriority));
  }

  #enqueue(name: string): void {
    if (this.#working.has(name)) {
      this.#working.set(name, true);
      return;
    }
    this.#working.set(name, false);
    this.#work(name)
      .catch((error: unknown) => {
        if (this.#isStopped) return;
        this.#context.log.warn('cannot settle a definition', { name, error: explainError(error) });
        this.#context.clock.after(retryMs, () => this.#enqueue(name));
      })
      .finally(() => {
        const again = this.#working.get(name) === true;
        this.#working.delete(name);
        if (again && !this.#isStopped) this.#enqueue(name);
      });
  }

  async #work(name: string): Promise<void> {
    const known = this.#known.get(name);
    if (known === undefined) return;
    const { definition } = known;
    if (definition.metadata.deletionTimestamp !== undefined) return this.#end(name, definition);
    const status = statusOf(definition, this.#takenBut(definition), this.#context.clock.nowMs());
    if (!isSameStatus(definition.status, status)) await this.#write(name, definition, () => status);
  }

  /** The names that others of the group have. */
  #takenBut(definition: CustomResourceDefinition): TakenNames {
    const { group } = definition.spec;
    const [resources, kinds] = [new Set<string>(), new Set<string>()];
    for (const kind of this.#registry.fixed.kinds) {
      if (kind.group !== group || kind.givesWay === true) continue;
      for (const name of [kind.resource, kind.singular, ...kind.shortNames]) resources.add(name);
      kinds.add(kind.kind).add(`${kind.kind}List`);
    }
    for (const { definition: other } of this.#known.values()) {
      if (other.spec.group !== group || other.metadata.name === definition.metadata.name) continue;
      const names = other.status?.acceptedNames;
      for (const name of [names?.plural, names?.singular, ...(names?.shortNames ?? [])])
        if (name) resources.add(name);
      for (const name of [names?.kind, names?.listKind]) if (name) kinds.add(name);
    }
    return { resources, kinds };
  }

  /** Only of that very definition, and only as long as it is what was decided upon: otherwise its next event comes. */
  async #write(
    name: string,
    basis: CustomResourceDefinition,
    status: (definition: CustomResourceDefinition) => CustomResourceDefinitionStatus,
    finalizers?: readonly string[],
  ): Promise<void> {
    const { resourceVersion = '' } = basis.metadata;
    try {
      await changeObject(this.#context, this.#resource, request, {
        name,
        part: 'exact',
        subresource: 'status',
        admission: 'admitted',
        resourceVersion,
        make: (old, copy) => {
          const draft = copy();
          draft['status'] = draftOf(status(old as CustomResourceDefinition));
          if (finalizers !== undefined) {
            if (finalizers.length === 0) delete draft.metadata.finalizers;
            else draft.metadata.finalizers = [...finalizers];
          }
          return draft as DraftObject;
        },
      });
    } catch (error) {
      if (!isError(error, 'conflict', 'notFound')) throw error;
    }
  }

  /** First its objects, then itself. */
  async #end(name: string, definition: CustomResourceDefinition): Promise<void> {
    const { finalizers = [] } = definition.metadata;
    if (!finalizers.includes(cleanupFinalizer)) return;
    const terminating = (isOver: boolean) => (one: CustomResourceDefinition) => ({
      ...one.status,
      conditions: withConditions(
        one.status?.conditions ?? [],
        [isOver ? deletionOver : deletionUnderWay],
        [],
        this.#context.clock.nowMs(),
      ),
    });
    // One that was never served has nothing; what bears its name may be another's.
    if (isEstablished(definition) && !(await this.#deleteObjects(name, definition))) {
      const status = terminating(false)(definition);
      if (!isSameStatus(definition.status, status)) await this.#write(name, definition, () => status);
      return;
    }
    const left = finalizers.filter((one) => one !== cleanupFinalizer);
    await this.#write(name, definition, terminating(true), left);
  }

  /** True when none is left. */
  async #deleteObjects(name: string, definition: CustomResourceDefinition): Promise<boolean> {
    const { store } = this.#context;
    // What was accepted before it was known that nothing more may come.
    await store.transact([]);
    const resource = new Resource(storageKindOf(definition, this.#partsOf(name)), this.#registry);
    if (!this.#endings.has(name)) {
      const watcher = {
        onEvents: (events: readonly { readonly kind: string }[]) => {
          if (events.some(({ kind }) => kind === 'delete')) this.#enqueue(name);
        },
        onEnd: () => {},
      };
      this.#endings.set(name, store.watch(resource.prefix, store.revision(), watcher));
    }
    for (let after: string | undefined; ; ) {
      const page = store.list(resource.prefix, {
        limit: pageSize,
        ...(after === undefined ? {} : { after }),
      });
      await Promise.all(page.items.map((stored) => this.#delete(resource, stored.object() as KubeObject)));
      after = page.items.at(-1)?.key;
      if (!page.more || after === undefined) break;
    }
    return store.list(resource.prefix, { limit: 1 }).items.length === 0;
  }

  async #delete(resource: Resource, { metadata }: KubeObject): Promise<void> {
    if (metadata.deletionTimestamp !== undefined) return;
    const { name = '', namespace = '' } = metadata;
    try {
      await deleteObject(this.#context, resource, { ...request, namespace }, name, {}, true);
    } catch (error) {
      if (!isError(error, 'notFound', 'conflict')) throw error;
    }
  }
}

const request: WriteRequest = {
  identity: systemIdentity,
  namespace: '',
  dryRun: false,
  fieldValidation: 'Ignore',
};

const deletionUnderWay = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
};
const deletionOver = {
  type: 'Terminating',
  status: 'False',
  reason: 'InstanceDeletionCompleted',
  message: 'removed all instances',
};

/** For names that others have. */
const isWaiting = (definition: CustomResourceDefinition): boolean =>
  conditionOf(definition, 'NamesAccepted')?.status !== 'True';

function servesTheSame(before: CustomResourceDefinition, now: CustomResourceDefinition): boolean {
  return (
    before.metadata.uid === now.metadata.uid &&
    isEstablished(before) &&
    sameJson(before.spec, now.spec) &&
    sameJson(before.status?.acceptedNames, now.status?.acceptedNames)
  );
}

/** Groups together, and in each the preferred version first. */
function byPriority(a: Kind, b: Kind): number {
  if (a.group !== b.group) return a.group < b.group ? -1 : 1;
  return compareVersions(a.version, b.version) || (a.resource < b.resource ? -1 : 1);
}
