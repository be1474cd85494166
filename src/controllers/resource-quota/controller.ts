/**
 * The controller of resource quotas. Decisions are in `plan.ts`. Admission keeps an account of its own and does not wait for what is written here.
 *
 * Objects are followed only of the kinds that some quota counts, and found by their namespace.
 */
import {
  contribution,
  countedKinds,
  groupResourceOf,
  type KindRegistry,
  type KubeObject,
  type ResourceQuota,
} from '../../api/index.ts';
import { type Change, type Informer, type Informers, keyOf } from '../../client/index.ts';
import { sameJson } from '../../lib/index.ts';
import { resourceOf, resourceQuotasRef } from '../resources.ts';
import { type Controller, type Watch, watch } from '../shell.ts';
import { type Observed, plan } from './plan.ts';

export function resourceQuotaController(informers: Informers, registry: KindRegistry): Controller<Observed> {
  const quotas = informers.informer<ResourceQuota>(resourceQuotasRef);
  const byNamespace = new Map<string, Set<string>>();
  const contents = new Contents();
  const concerned = function* (groupResource: string, change: Change<KubeObject>): Iterable<string> {
    contents.note(groupResource, change);
    for (const key of byNamespace.get(change.object.metadata.namespace ?? '') ?? []) {
      const quota = quotas.get(key);
      if (quota !== undefined && mayChange(quota, groupResource, change)) yield key;
    }
  };
  const followed = new Map<string, { readonly informer: Informer<KubeObject>; cancel(): void }>();
  const followCounted = (quota: ResourceQuota, follow: (one: Watch) => { cancel(): void }): void => {
    for (const groupResource of countedKinds(Object.keys(quota.spec?.hard ?? {}))) {
      if (followed.has(groupResource)) continue;
      const kind = registry.kinds.find(
        (one) =>
          one.namespaced &&
          one.storedAs === undefined &&
          groupResourceOf(one.group, one.resource) === groupResource,
      );
      if (kind === undefined) continue;
      const ref = resourceOf(kind);
      const one = watch<KubeObject>(informers, ref, (change) => concerned(groupResource, change));
      const following = follow(one);
      followed.set(groupResource, { informer: one.informer, cancel: () => following.cancel() });
    }
  };
  return {
    name: 'resourcequota-controller',
    workers: 2,
    watches: [
      watch<ResourceQuota>(informers, resourceQuotasRef, ({ kind, object }) => {
        const key = keyOf(object);
        const { namespace = '' } = object.metadata;
        const here = byNamespace.get(namespace);
        if (kind === 'deleted') {
          here?.delete(key);
          if (here?.size === 0) byNamespace.delete(namespace);
          return [];
        }
        if (here === undefined) byNamespace.set(namespace, new Set([key]));
        else here.add(key);
        return [key];
      }),
    ],
    laterWatches(follow) {
      const following = quotas.onChange(({ object }) => followCounted(object, follow));
      return {
        cancel() {
          following.cancel();
          for (const one of followed.values()) one.cancel();
        },
      };
    },
    async observe(key) {
      const quota = quotas.get(key);
      if (quota === undefined) return undefined;
      const kinds = countedKinds(Object.keys(quota.spec?.hard ?? {}));
      const { namespace = '' } = quota.metadata;
      // A count of what is not all there would be too small.
      for (const kind of kinds) await followed.get(kind)?.informer.whenSynced();
      return {
        quota,
        objects: new Map([...kinds].map((kind) => [kind, contents.in(kind, namespace)])),
      };
    },
    plan,
  };
}

/** Most changes of most objects use neither more nor less. A pod that is going will count no more in a while. */
function mayChange(quota: ResourceQuota, groupResource: string, change: Change<KubeObject>): boolean {
  const now = contribution(quota, groupResource, change.object);
  if (change.kind !== 'updated') return now !== undefined;
  const { previous, object } = change;
  return (
    (now !== undefined && previous.metadata.deletionTimestamp !== object.metadata.deletionTimestamp) ||
    !sameJson(now ?? {}, contribution(quota, groupResource, previous) ?? {})
  );
}

/** Objects by what they are and where. */
class Contents {
  readonly #objects = new Map<string, Map<string, KubeObject>>();

  note(groupResource: string, { kind, object }: Change<KubeObject>): void {
    const { namespace = '', name = '' } = object.metadata;
    const at = `${groupResource}/${namespace}`;
    let here = this.#objects.get(at);
    if (kind === 'deleted') {
      here?.delete(name);
      if (here?.size === 0) this.#objects.delete(at);
      return;
    }
    if (here === undefined) {
      here = new Map();
      this.#objects.set(at, here);
    }
    here.set(name, object);
  }

  in(groupResource: string, namespace: string): Iterable<KubeObject> {
    return this.#objects.get(`${groupResource}/${namespace}`)?.values() ?? [];
  }
}
