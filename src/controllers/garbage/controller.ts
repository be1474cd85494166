/**
 * The garbage collector: follows every kind of the registry. Decisions are in `plan.ts`. Keys are uids.
 *
 * An owner that no informer has shown may be too new to be known: the API itself is asked before it is taken for gone. A uid that
 * was gone once is gone for ever.
 */
import {
  apiVersionOf,
  type KindRegistry,
  type KubeObject,
  type OwnerReference,
  splitApiVersion,
} from '../../api/index.ts';
import type { Client, Informers } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { type Resource, resourceOf } from '../resources.ts';
import { type Controller, type Watch, watch } from '../shell.ts';
import { foregroundFinalizer, isEnding, OwnershipGraph, ownersOf } from './graph.ts';
import { type Observed, type OwnerState, plan } from './plan.ts';

/** Events are many, own nothing, and end by themselves. */
const ignored = new Set(['events']);
const absentMax = 10_000;

export function garbageController(
  informers: Informers,
  client: Client,
  registry: KindRegistry,
): Controller<Observed> {
  const graph = new OwnershipGraph();
  const absent = new Set<string>();
  const resources = registry.kinds
    .filter(({ resource, storedAs }) => !ignored.has(resource) && storedAs === undefined)
    .filter(({ verbs }) => ['list', 'watch', 'delete'].every((verb) => verbs.some((one) => one === verb)))
    .map(resourceOf);
  const byKind = new Map<string, Resource>();
  for (const resource of resources)
    byKind.set(`${apiVersionOf(resource.group, resource.version)}/${resource.kind}`, resource);

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
    const resource = byKind.get(`${apiVersionOf(group, version)}/${reference.kind}`);
    // Of a kind that we do not know: nobody can say that it is gone.
    if (resource === undefined) return true;
    const namespace = resource.namespaced ? dependent.metadata.namespace : undefined;
    // A namespaced owner of a cluster-wide object cannot be: Kubernetes leaves such an object alone.
    if (resource.namespaced && namespace === undefined) return true;
    try {
      const found = await client.get<KubeObject>(resource, namespace, reference.name);
      return found.metadata.uid === reference.uid;
    } catch (error) {
      if (isError(error, 'notFound')) return false;
      throw error;
    }
  };

  const stateOf = async (reference: OwnerReference, dependent: KubeObject): Promise<OwnerState> => {
    const owner = graph.get(reference.uid);
    if (owner !== undefined) {
      const isElsewhere =
        owner.resource.namespaced && owner.object.metadata.namespace !== dependent.metadata.namespace;
      // An owner in another namespace is none.
      if (isElsewhere) return 'absent';
      return isEnding(owner.object, foregroundFinalizer) ? 'waiting' : 'solid';
    }
    if (absent.has(reference.uid)) return 'absent';
    if (await isThere(reference, dependent)) return 'solid';
    noteAbsent(reference.uid);
    return 'absent';
  };

  return {
    name: 'garbage-collector-controller',
    workers: 32,
    watches: resources.map(follow),
    async observe(uid) {
      const node = graph.get(uid);
      if (node === undefined) return undefined;
      const owners: { reference: OwnerReference; state: OwnerState }[] = [];
      for (const reference of ownersOf(node.object))
        owners.push({ reference, state: await stateOf(reference, node.object) });
      // What was asked took time: decide on the newest state.
      const latest = graph.get(uid);
      if (latest?.object !== node.object) return latest === undefined ? undefined : this.observe(uid);
      return { node, owners, dependents: graph.dependentsOf(uid) };
    },
    plan,
  };
}
