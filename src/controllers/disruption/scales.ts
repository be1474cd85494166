/**
 * How many pods the controller of a pod wants: of the built-in kinds from the copies at hand, of every other kind that has a scale by asking.
 *
 * A ReplicaSet that a Deployment controls counts as that Deployment, so that a rollout's two ReplicaSets are one.
 */
import {
  type Deployment,
  groupResourceOf,
  type Kind,
  type KindRegistry,
  type KubeObject,
  type OwnerReference,
  type ReplicaSet,
  type ReplicationController,
  type StatefulSet,
} from '../../api/index.ts';
import type { Client, Informers } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { controllerOf } from '../ownership.ts';
import {
  deploymentsRef,
  type Resource,
  replicaSetsRef,
  replicationControllersRef,
  resourceOf,
  statefulSetsRef,
} from '../resources.ts';
import type { FindScale, Scale } from './plan.ts';

type Scaled = Deployment | ReplicaSet | ReplicationController | StatefulSet;

export const scaledRefs: readonly Resource[] = [
  deploymentsRef,
  replicaSetsRef,
  replicationControllersRef,
  statefulSetsRef,
];

export const replicasOf = (object: KubeObject): number => (object as Scaled).spec?.replicas ?? 1;

type Answer = ReturnType<FindScale>;

export class Scales {
  readonly #informers: Informers;
  readonly #client: Client;
  readonly #registry: KindRegistry;

  constructor(informers: Informers, client: Client, registry: KindRegistry) {
    this.#informers = informers;
    this.#client = client;
    this.#registry = registry;
  }

  /** Whether the copies at hand tell of it. */
  static isKnown({ apiVersion, kind }: OwnerReference): boolean {
    return refOf(apiVersion, kind) !== undefined;
  }

  known(namespace: string, { apiVersion, kind, name, uid }: OwnerReference): Answer {
    const ref = refOf(apiVersion, kind);
    const object = ref && this.#informers.informer<Scaled>(ref).get(`${namespace}/${name}`);
    if (object === undefined || object.metadata.uid !== uid) return undefined;
    if (ref !== replicaSetsRef) return { uid, replicas: replicasOf(object) };
    const owner = controllerOf(object);
    if (owner?.kind !== 'Deployment' || !owner.apiVersion.startsWith('apps/'))
      return { uid, replicas: replicasOf(object) };
    return this.known(namespace, owner);
  }

  /** Of kinds that only the API knows. Rejects when it cannot be asked. */
  async asked(namespace: string, { apiVersion, kind, name, uid }: OwnerReference): Promise<Answer> {
    const found = this.#kindOf(apiVersion, kind);
    if (found === undefined) return { error: `no matches for kind "${kind}" in version "${apiVersion}"` };
    const { scale } = found;
    if (scale === undefined)
      return {
        error: `${groupResourceOf(found.group, found.resource)} does not implement the scale subresource`,
      };
    try {
      const object = await this.#client.get(resourceOf(found), namespace, name);
      if (object.metadata.uid !== uid) return undefined;
      const replicas = at(object, scale.specReplicas);
      return { uid, replicas: typeof replicas === 'number' ? replicas : 0 } satisfies Scale;
    } catch (error) {
      if (isError(error, 'notFound')) return undefined;
      throw error;
    }
  }

  #kindOf(apiVersion: string, kind: string): Kind | undefined {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    return this.#registry.byKind(group, apiVersion.slice(slash + 1), kind);
  }
}

/** Of any version of the group, as the objects are the same. */
function refOf(apiVersion: string, kind: string): Resource | undefined {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  return scaledRefs.find((ref) => ref.group === group && ref.kind === kind);
}

function at(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Readonly<Record<string, unknown>> | undefined)?.[step],
    object,
  );
}
