/** Every kind that is built in, and the look-up of kinds by name. A kind is one file in `kinds/` and one line here. */
import type { Kind, KindRegistry } from './kind.ts';
import { configMap } from './kinds/config-map.ts';
import { deployment } from './kinds/deployment.ts';
import { endpointSlice } from './kinds/endpoint-slice.ts';
import { endpointsKind } from './kinds/endpoints.ts';
import { event } from './kinds/event.ts';
import { eventsV1Event } from './kinds/events-v1-event.ts';
import { lease } from './kinds/lease.ts';
import { namespace } from './kinds/namespace.ts';
import { node } from './kinds/node.ts';
import { pod } from './kinds/pod.ts';
import { replicaSet } from './kinds/replica-set.ts';
import { secret } from './kinds/secret.ts';
import { service } from './kinds/service.ts';
import { serviceAccount } from './kinds/service-account.ts';

export function createRegistry(kinds: readonly Kind[]): KindRegistry {
  const kindsByName = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.kind}`, kind]));
  const kindsByResource = new Map(
    kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.resource}`, kind]),
  );
  return {
    kinds,
    byKind: (group, version, kind) => kindsByName.get(`${group}/${version}/${kind}`),
    byResource: (group, version, resource) => kindsByResource.get(`${group}/${version}/${resource}`),
  };
}

export const builtinKinds: KindRegistry = createRegistry([
  namespace,
  node,
  pod,
  service,
  endpointsKind,
  configMap,
  secret,
  serviceAccount,
  event,
  eventsV1Event,
  lease,
  deployment,
  replicaSet,
  endpointSlice,
]);
