/** The namespace controller. Decisions are in `plan.ts`. */
import type { APIService, KindRegistry, KubeObject, Namespace, Pod } from '../../api/index.ts';
import type { Client, Informers } from '../../client/index.ts';
import { apiServicesRef, namespacesRef, podsRef, type Resource, resourceOf } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Content, conclude, type Observed, plan } from './plan.ts';

/** Objects of one resource in one list, and in one go. */
const pageSize = 500;
const objectsMax = 20_000;

export function namespaceController(
  informers: Informers,
  client: Client,
  registry: KindRegistry,
): Controller<Observed> {
  const namespaces = informers.informer<Namespace>(namespacesRef);
  const apiServices = informers.informer<APIService>(apiServicesRef);
  const resources = (): readonly Resource[] =>
    registry.kinds
      .filter((kind) => kind.namespaced && kind.storedAs === undefined && kind.custom?.isAnother !== true)
      .filter(({ verbs }) => verbs.includes('list') && verbs.includes('delete'))
      .map(resourceOf);
  const isEnding = (name: string): boolean => namespaces.get(name)?.metadata.deletionTimestamp !== undefined;
  const contentOf = async (resource: Resource, namespace: string): Promise<Content> => {
    const objects: KubeObject[] = [];
    let next: string | undefined;
    do {
      const from = next === undefined ? {} : { continue: next };
      const list = await client.list<KubeObject>(resource, { namespace, limit: pageSize, ...from });
      objects.push(...list.items);
      next = list.continue;
    } while (next !== undefined && next !== '' && objects.length < objectsMax);
    return { resource, objects };
  };
  const ending = (): readonly string[] =>
    [...namespaces.list()].map(({ metadata }) => metadata.name ?? '').filter(isEnding);
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
      watch<APIService>(informers, apiServicesRef, ending),
    ],
    async observe(name) {
      const namespace = namespaces.get(name);
      if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
      const contents = await Promise.all(resources().map((resource) => contentOf(resource, name)));
      return {
        namespace,
        contents,
        unknown: [...apiServices.list()].filter(isSilent).map(versionOf).sort(),
      };
    },
    plan,
    conclude,
  };
}

const versionOf = ({ spec }: APIService): string => `${spec?.group}/${spec?.version}`;

/** Another server serves it, and does not answer. */
function isSilent({ spec, status }: APIService): boolean {
  if (spec?.service === undefined) return false;
  return status?.conditions?.find(({ type }) => type === 'Available')?.status !== 'True';
}
