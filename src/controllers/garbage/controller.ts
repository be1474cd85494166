/**
 * The garbage collector: follows every kind of the registry, also those that come while it runs. Decisions are in `plan.ts`. Keys are uids.
 *
 * An owner that no informer has shown may be too new to be known: the API itself is asked before it is taken for gone. A uid that
 * was gone once is gone for ever.
 */
import {
  type Kind,
  type KindRegistry,
  type KubeObject,
  type OwnerReference,
  splitApiVersion,
  type Verb,
} from '../../api/index.ts';
import { type Client, type Informers, keyOf } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { type Resource, resourceOf } from '../resources.ts';
import { type Controller, type Watch, watch } from '../shell.ts';
import {
  foregroundFinalizer,
  type GraphNode,
  isEnding,
  OwnershipGraph,
  orphanFinalizer,
  ownersOf,
} from './graph.ts';
import { blocks, type Observed, type OwnerState, plan } from './plan.ts';

/** Events are many, own nothing, and end by themselves. */
const ignored = new Set(['events']);
const absentMax = 10_000;

const needed: readonly Verb[] = ['list', 'watch', 'delete'];

const isFollowed = ({ resource, storedAs, custom, verbs }: Kind): boolean =>
  !ignored.has(resource) &&
  storedAs === undefined &&
  custom?.isAnother !== true &&
  needed.every((verb) => verbs.includes(verb));

interface CustomFollowing {
  start(resource: Resource): { cancel(): void };
  /** `isGone`: the kind is served in no version any more. */
  stop(resource: Resource, isGone: boolean): void;
}

/** Follows each custom resource in one version, for as long as that is served. */
function followCustom(registry: KindRegistry, { start, stop }: CustomFollowing): { cancel(): void } {
  interface Following {
    readonly resource: Resource;
    readonly watch: { cancel(): void };
  }
  const running = new Map<string, Following>();
  const nameOf = ({ group, resource }: Kind): string => `${resource}.${group}`;
  const update = (): void => {
    const kinds = registry.kinds.filter((kind) => kind.custom !== undefined);
    const served = new Map(kinds.filter(isFollowed).map((kind) => [nameOf(kind), kind]));
    for (const [name, { resource, watch }] of [...running]) {
      if (registry.byResource(resource.group, resource.version, resource.resource) !== undefined) continue;
      running.delete(name);
      watch.cancel();
      stop(resource, !served.has(name));
    }
    for (const [name, kind] of served) {
      if (running.has(name)) continue;
      const resource = resourceOf(kind);
      running.set(name, { resource, watch: start(resource) });
    }
  };
  update();
  const following = registry.onChange?.(update);
  return {
    cancel() {
      following?.cancel();
      for (const { watch } of running.values()) watch.cancel();
    },
  };
}

/**
 * By the API itself: who was adopted a moment ago may not have been shown yet, and would be taken for an orphan of somebody who is gone when it is.
 */
async function allDependents(
  client: Client,
  registry: KindRegistry,
  { uid, object, resource }: GraphNode,
): Promise<readonly GraphNode[]> {
  const { namespace } = object.metadata;
  const found: GraphNode[] = [];
  for (const kind of registry.kinds) {
    if (!isFollowed(kind) || (resource.namespaced && !kind.namespaced)) continue;
    const of = resourceOf(kind);
    const { items } = await client.list<KubeObject>(of, namespace === undefined ? {} : { namespace });
    for (const one of items)
      if (ownersOf(one).some((owner) => owner.uid === uid))
        found.push({ uid: one.metadata.uid ?? '', resource: of, object: one });
  }
  return found;
}

export function garbageController(
  informers: Informers,
  client: Client,
  registry: KindRegistry,
): Controller<Observed> {
  const graph = new OwnershipGraph();
  const absent = new Set<string>();
  const followed = registry.kinds
    .filter((kind) => kind.custom === undefined && isFollowed(kind))
    .map(resourceOf);

  const noteAbsent = (uid: string): void => {
    absent.add(uid);
    if (absent.size <= absentMax) return;
    const oldest = absent.values().next();
    if (!oldest.done) absent.delete(oldest.value);
  };

  const follow = (resource: Resource): Watch =>
    watch<KubeObject>(informers, resource, (change) => {
      if (change.kind === 'deleted' && change.object.metadata.uid !== undefined)
        noteAbsent(change.object.metadata.uid);
      const concerned = graph.apply(resource, change);
      // Dependents of an owner that has begun to wait for them are what it waits for.
      const { uid = '' } = change.object.metadata;
      const isWaiting = change.kind !== 'deleted' && isEnding(change.object, foregroundFinalizer);
      return isWaiting ? [...concerned, ...graph.dependentsOf(uid).map((node) => node.uid)] : concerned;
    });

  const isThere = async (reference: OwnerReference, dependent: KubeObject): Promise<boolean> => {
    const { group, version } = splitApiVersion(reference.apiVersion);
    const kind = registry.byKind(group, version, reference.kind);
    // Of a kind that we do not know: nobody can say that it is gone.
    if (kind === undefined || !(isFollowed(kind) || kind.custom !== undefined)) return true;
    const resource = resourceOf(kind);
    const namespace = resource.namespaced ? dependent.metadata.namespace : undefined;
    try {
      const found = await client.get<KubeObject>(resource, namespace, reference.name);
      return found.metadata.uid === reference.uid;
    } catch (error) {
      if (isError(error, 'notFound')) return false;
      throw error;
    }
  };

  /** A namespaced owner of what is in no namespace cannot be: Kubernetes leaves such an object alone. */
  const isBeyond = ({ apiVersion, kind }: OwnerReference, dependent: KubeObject): boolean => {
    if (dependent.metadata.namespace !== undefined) return false;
    const { group, version } = splitApiVersion(apiVersion);
    return registry.byKind(group, version, kind)?.namespaced === true;
  };

  const stateOf = async (reference: OwnerReference, dependent: KubeObject): Promise<OwnerState> => {
    const owner = graph.get(reference.uid);
    if (owner !== undefined) {
      const { namespace } = dependent.metadata;
      // An owner in another namespace is none; what is in no namespace cannot have one that is in some, and is left alone.
      if (owner.resource.namespaced && owner.object.metadata.namespace !== namespace)
        return namespace === undefined ? 'unresolvable' : 'elsewhere';
      return isEnding(owner.object, foregroundFinalizer) ? 'waiting' : 'solid';
    }
    if (isBeyond(reference, dependent)) return 'unresolvable';
    if (absent.has(reference.uid)) return 'absent';
    if (await isThere(reference, dependent)) return 'solid';
    noteAbsent(reference.uid);
    return 'absent';
  };

  return {
    name: 'garbage-collector-controller',
    workers: 32,
    watches: followed.map(follow),
    laterWatches: (start, work) =>
      followCustom(registry, {
        start: (resource) => start(follow(resource)),
        stop(resource, isGone) {
          const informer = informers.informer<KubeObject>(resource);
          // The kind is gone, and all its objects: what was not shown is told now.
          if (isGone)
            for (const object of [...informer.list()]) {
              if (object.metadata.uid !== undefined) noteAbsent(object.metadata.uid);
              for (const key of graph.apply(resource, { kind: 'deleted', key: keyOf(object), object }))
                work(key);
            }
          informers.forget?.(resource);
        },
      }),
    async observe(uid) {
      const node = graph.get(uid);
      if (node === undefined) return undefined;
      const owners: { reference: OwnerReference; state: OwnerState }[] = [];
      for (const reference of ownersOf(node.object))
        owners.push({ reference, state: await stateOf(reference, node.object) });
      // What was asked took time: decide on the newest state.
      const latest = graph.get(uid);
      if (latest?.object !== node.object) return latest === undefined ? undefined : this.observe(uid);
      const known = graph.dependentsOf(uid);
      // Before the last word is said, and only then: it is many questions.
      const isLast =
        isEnding(node.object, orphanFinalizer) ||
        (isEnding(node.object, foregroundFinalizer) && !known.some((one) => blocks(one, uid)));
      return { node, owners, dependents: isLast ? await allDependents(client, registry, node) : known };
    },
    plan,
  };
}
