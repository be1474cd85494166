/**
 * The API without a transport: the operations on one store, and a Client for parts that live in this process.
 *
 *   HTTPS (io/) ──┐
 *                 ├──▶ operations ──▶ store
 *   local client ─┘
 */
import { builtinKinds, type ComputedApi, ComputedApis, type KindRegistry } from '../api/index.ts';
import type { Client } from '../client/index.ts';
import { type Clock, type Log, Metrics, type Random } from '../lib/index.ts';
import type { Store } from '../store/index.ts';
import { type Authorizers, createAccess } from './access/access.ts';
import { AdmissionChain, type AdmissionContext } from './admission/chain.ts';
import type { AdmissionPlugins } from './admission/plugin-names.ts';
import { followPolicyTypes } from './admission/policies/type-checking.ts';
import { admissionSteps } from './admission/steps.ts';
import type { ApiContext, TokenClaims } from './context.ts';
import { webhookConversion } from './custom/conversion.ts';
import { followDefinitions } from './custom/definitions.ts';
import { LiveRegistry } from './custom/live-registry.ts';
import { rulesOf } from './custom/rules.ts';
import { FieldIndexes } from './field-index.ts';
import { type Identity, systemIdentity } from './identity.ts';
import { createLocalClient } from './local-client.ts';
import { Resources } from './resource.ts';
import { ServiceAllocator } from './service-allocator.ts';
import { followServices } from './service-following.ts';
import { callsNobody, type Post, webhookCaller } from './webhook.ts';

export interface ApiOptions {
  readonly store: Store;
  readonly registry?: KindRegistry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Range of virtual IPs: `10.131.0.0/16`. */
  readonly serviceCidr: string;
  readonly nodePorts?: { readonly first: number; readonly last: number };
  readonly issueToken?: (claims: TokenClaims) => Promise<string>;
  /** Sends what webhooks are asked; default: nothing can be sent, and they fail. */
  readonly post?: Post;
  readonly admission?: AdmissionPlugins;
  /** Who decides what may be done; default: node agents, then roles. */
  readonly authorizers?: Authorizers;
}

export interface Api {
  readonly context: ApiContext;
  /** The API server's own virtual IP. */
  readonly apiAddress: string;
  /** For parts in this process. Objects are shared, not copied. */
  client(identity?: Identity): Client;
  /** Serves these too. Before anybody is served. */
  serveComputed(...apis: readonly ComputedApi[]): void;
}

export function createApi(options: ApiOptions): Api {
  const { store, clock, random, log } = options;
  const registry = new LiveRegistry(options.registry ?? builtinKinds);
  const resources = new Resources(registry);
  const services = new ServiceAllocator(
    { serviceCidr: options.serviceCidr, nodePorts: options.nodePorts ?? { first: 30_000, last: 32_767 } },
    random.stream('services'),
  );
  const base: AdmissionContext = {
    registry,
    resources,
    store,
    clock,
    random,
    log,
    metrics: new Metrics(),
    // Before anybody else watches: see there.
    indexes: new FieldIndexes(store, resources),
    services,
    access: createAccess({
      store,
      resources,
      log,
      ...(options.authorizers === undefined ? {} : { authorizers: options.authorizers }),
    }),
    issueToken: options.issueToken,
    computed: new ComputedApis(),
    callWebhook:
      options.post === undefined ? callsNobody : webhookCaller({ store, resources, random }, options.post),
  };
  const context: ApiContext = {
    ...base,
    admission: new AdmissionChain(admissionSteps(base, options.admission)),
  };
  followServices(context);
  followDefinitions(context, registry, {
    convert: webhookConversion(context.callWebhook, random.stream('conversions')),
    compileRules: rulesOf,
  });
  followPolicyTypes(context);
  return {
    context,
    apiAddress: services.apiAddress,
    client: (identity = systemIdentity) => createLocalClient(context, identity),
    serveComputed: (...apis) => context.computed.add(...apis),
  };
}
