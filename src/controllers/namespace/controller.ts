/** The namespace controller. Decisions are in `plan.ts`. */
import type { KindRegistry, KubeObject, Namespace, Pod } from '../../api/index.ts';
import type { Client, Informers } from '../../client/index.ts';
import { namespacesRef, podsRef, type Resource, resourceOf } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { conclude, type Observed, plan } from './plan.ts';

/** Objects of one resource in one go. */
const pageSize = 500;

export function namespaceController(
  informers: Informers,
  client: Client,
  registry: KindRegistry,
): Controller<Observed> {
  const namespaces = informers.informer<Namespace>(namespacesRef);
  const resources = (): readonly Resource[] =>
    registry.kinds
      .filter((kind) => kind.namespaced && kind.storedAs === undefined && kind.custom?.isAnother !== true)
      .filter(({ verbs }) => verbs.includes('list') && verbs.includes('delete'))
      .map(resourceOf);
  const isEnding = (name: string): boolean => namespaces.get(name)?.metadata.deletionTimestamp !== undefined;
  return {
    name: 'namespace-controller',
    workers: 4,
    watches: [
      watch<Namespace>(informers, namespacesRef, ({ object }) =>
        object.metadata.deletionTimestamp === undefined ? [] : [object.metadata.name ?? ''],
      ),
      // Pods take longest to end: the last one's end is what the namespace waits for.
      watch<Pod>(informers, podsRef, ({ kind, object }) => {
        const { namespace = '' } = object.metadata;
        return kind === 'deleted' && isEnding(namespace) ? [namespace] : [];
      }),
    ],
    async observe(name) {
      const namespace = namespaces.get(name);
      if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
      const contents = await Promise.all(
        resources().map(async (resource) => {
          const list = await client.list<KubeObject>(resource, { namespace: name, limit: pageSize });
          return { resource, objects: list.items };
        }),
      );
      return { namespace, contents };
    },
    plan,
    conclude,
  };
}
