/**
 * Groups and versions of the API that other servers serve, as APIService objects say.
 *
 *   APIServices, Services, EndpointSlices ──changes──▶ where each is ──▶ asked for its discovery ──▶ Available, and what it serves
 *   request for one of them ──▶ that server                          registry ──▶ APIServices of our own
 *
 * Owns which server is asked for what, whether it is well, and the objects that stand for our own groups. Nothing runs while nobody extends the API.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { APIService, EndpointSlice, KubeObject, Service } from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import { CaelumError, formatTime, isError, sameJson, type Timer } from '../../lib/index.ts';
import type { StoreEvent, Subscription } from '../../store/index.ts';
import {
  failedDiscovery,
  passed,
  type ServiceFacts,
  type Verdict,
  whereabouts,
} from '../aggregation/backend.ts';
import { type GroupVersion, planLocal } from '../aggregation/local-services.ts';
import type { PlainResource, RemoteVersion } from '../aggregation/merged-discovery.ts';
import type { ApiContext } from '../context.ts';
import { Discovery } from '../discovery.ts';
import type { Identity } from '../identity.ts';
import { parseRoute, type ResourceRoute } from '../router.ts';
import type { Address } from '../webhook.ts';
import { ExtensionServer } from './extension-server.ts';

export interface AggregatorOptions {
  readonly context: ApiContext;
  /** Writes what is found out. */
  readonly client: Client;
  /** The front proxy's, PEM: how we show ourselves. */
  readonly proxyClient: { readonly cert: string; readonly key: string };
  /** Until another server begins to answer. Default 60 s. */
  readonly answerMsMax?: number;
}

interface Backend {
  readonly key: string;
  service: APIService;
  server: ExtensionServer;
  addresses: readonly Address[];
  verdict: Verdict | undefined;
  resources: readonly PlainResource[] | undefined;
  /** Of its OpenAPI document, as its own index tells it. */
  openApiUrl: string | undefined;
  timer: Timer | undefined;
  failures: number;
  isChecking: boolean;
  isStale: boolean;
}

const apiServices: ResourceRef = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  resource: 'apiservices',
  namespaced: false,
};
const answerMsDefault = 60_000;
const checkMsMax = 5_000;
/** Our own parts wait no longer: they ask again. */
const partAnswerMs = 10_000;
const wellMs = 30_000;
const ailingMsMax = 30_000;

export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #context: ApiContext;
  readonly #backends = new Map<string, Backend>();
  readonly #subscriptions: Subscription[] = [];
  readonly #followers = new Set<() => void>();
  #services: { cancel(): void } | undefined;
  #isClosed = false;
  #registering: Promise<void> = Promise.resolve();

  constructor(options: AggregatorOptions) {
    this.#options = options;
    this.#context = options.context;
  }

  start(): void {
    const { resources, store, registry } = this.#context;
    const of = resources.find(apiServices.group, apiServices.version, apiServices.resource);
    if (of === undefined) return;
    const listing = store.list(of.prefix);
    for (const stored of listing.items) this.#note(stored.object() as APIService);
    this.#subscriptions.push(
      store.watch(of.prefix, listing.revision, {
        onEvents: (events) => {
          for (const event of events) this.#onEvent(event);
        },
        onEnd: (error) => {
          if (error !== undefined) this.#context.log.error('APIServices are no longer followed', { error });
        },
      }),
    );
    const following = registry.onChange?.(() => this.#register());
    if (following !== undefined) this.#subscriptions.push(following);
    this.#register();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const one of this.#subscriptions) one.cancel();
    this.#services?.cancel();
    for (const backend of this.#backends.values()) this.#let(backend);
    this.#backends.clear();
    await this.#registering;
  }

  /** Does another server serve this? Cheap. */
  serves(group: string, version: string): boolean {
    return this.#backends.size > 0 && this.#backends.has(`${group}/${version}`);
  }

  /** Throws `unavailable` where it is not well. */
  async serve(
    group: string,
    version: string,
    identity: Identity,
    http: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const backend = this.#well(group, version);
    await backend.server.serve(backend.addresses, identity, http, response);
  }

  /** A document of another server for one of our own parts. Throws `unavailable` where it is not well, and what it says. */
  async ask(group: string, version: string, path: string, as: Identity): Promise<unknown> {
    const backend = this.#well(group, version);
    return backend.server.ask(backend.addresses, path, as, partAnswerMs);
  }

  upgrade(
    group: string,
    version: string,
    identity: Identity,
    http: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void {
    const backend = this.#well(group, version);
    backend.server.upgrade(backend.addresses, identity, http, socket, head);
  }

  /**
   * What a path asks of another server that has more parts than a resource's: the rest is its own business, but who may ask is decided by the resource.
   * undefined: it is none of theirs, or no deeper than `/apis/GROUP/VERSION`.
   */
  routeOf(path: string): ResourceRoute | undefined {
    if (this.#backends.size === 0) return undefined;
    const parts = path.split('/');
    if (parts[1] !== 'apis' || parts.length <= 4 || !this.serves(parts[2] ?? '', parts[3] ?? ''))
      return undefined;
    const route = parseRoute(parts.slice(0, parts[4] === 'namespaces' ? 9 : 7).join('/'));
    return route.kind === 'resource' ? route : undefined;
  }

  /** Documents about what others serve: `/apis/GROUP/VERSION`, `/openapi/v3/apis/GROUP/VERSION`. False: not theirs. */
  async serveDocument(
    path: string,
    identity: Identity,
    http: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    if (this.#backends.size === 0) return false;
    const [, group = '', version = ''] = /^(?:\/openapi\/v3)?\/apis\/([^/]+)\/([^/]+)\/?$/.exec(path) ?? [];
    if (!this.serves(group, version)) return false;
    await this.serve(group, version, identity, http, response);
    return true;
  }

  remote(): readonly RemoteVersion[] {
    return [...this.#backends.values()].map(({ service: { spec }, resources, verdict }) => ({
      group: spec?.group ?? '',
      version: spec?.version ?? '',
      groupPriority: spec?.groupPriorityMinimum ?? 0,
      versionPriority: spec?.versionPriority ?? 0,
      resources,
      isCurrent: verdict?.status === 'True',
    }));
  }

  /** Of all that tell one, by their paths: `apis/GROUP/VERSION`. */
  openApi(): Readonly<Record<string, { readonly serverRelativeURL: string }>> {
    const found: Record<string, { readonly serverRelativeURL: string }> = {};
    for (const { key, openApiUrl } of this.#backends.values())
      if (openApiUrl !== undefined) found[`apis/${key}`] = { serverRelativeURL: openApiUrl };
    return found;
  }

  /** Told when what others serve has changed. */
  onChange(follower: () => void): void {
    this.#followers.add(follower);
  }

  #well(group: string, version: string): Backend {
    const backend = this.#backends.get(`${group}/${version}`);
    if (backend?.verdict?.status === 'True') return backend;
    const why = backend?.verdict === undefined ? '' : `: ${backend.verdict.message}`;
    throw new CaelumError('unavailable', `service unavailable: ${version}.${group} is not available${why}`, {
      details: { retryAfterSeconds: 1 },
    });
  }

  #tell(): void {
    for (const follower of this.#followers) follower();
  }

  #onEvent({ kind, current }: StoreEvent): void {
    const object = current.object() as APIService;
    if (kind === 'put') {
      this.#note(object);
      return;
    }
    const backend = this.#backends.get(keyOf(object));
    if (backend !== undefined) {
      this.#forget(backend);
      this.#tell();
    }
    // Ours stand as long as we serve what they stand for.
    this.#register();
  }

  #note(service: APIService): void {
    const key = keyOf(service);
    const known = this.#backends.get(key);
    if (service.spec?.service === undefined) {
      if (known === undefined) return;
      this.#forget(known);
      this.#tell();
      return;
    }
    if (known !== undefined && sameJson(known.service.spec, service.spec)) {
      known.service = service;
      return;
    }
    if (known !== undefined && sameJson(termsOf(known.service), termsOf(service))) {
      // Asked as before: only its place among others is another.
      known.service = service;
      this.#tell();
      return;
    }
    if (known !== undefined) this.#let(known);
    const backend: Backend = {
      key,
      service,
      server: this.#server(service),
      ...this.#lastKnown(service),
      resources: known?.resources,
      openApiUrl: known?.openApiUrl,
      timer: undefined,
      failures: 0,
      isChecking: false,
      isStale: false,
    };
    this.#backends.set(key, backend);
    this.#followServices();
    this.#tell();
    this.#checkSoon(backend, 0);
  }

  /** What was found out before (by another process, or of the same server with another certificate) counts until it is found out anew. */
  #lastKnown(service: APIService): Pick<Backend, 'verdict' | 'addresses'> {
    const condition = service.status?.conditions?.find(({ type }) => type === 'Available');
    const where = whereabouts(service, this.#facts);
    if (condition?.status !== 'True' || where.kind === 'nowhere')
      return { verdict: undefined, addresses: [] };
    return { verdict: passed, addresses: where.addresses };
  }

  #server({ spec }: APIService): ExtensionServer {
    const { namespace = '', name = '', port = 443 } = spec?.service ?? {};
    const { caBundle = '', insecureSkipTLSVerify = false } = spec ?? {};
    return new ExtensionServer({
      serverName: `${name}.${namespace}.svc`,
      port,
      ca: caBundle === '' ? undefined : Buffer.from(caBundle, 'base64').toString(),
      isUnverified: insecureSkipTLSVerify,
      client: this.#options.proxyClient,
      answerMsMax: this.#options.answerMsMax ?? answerMsDefault,
    });
  }

  #forget(backend: Backend): void {
    this.#let(backend);
    this.#backends.delete(backend.key);
  }

  #let(backend: Backend): void {
    backend.timer?.cancel();
    backend.server.close();
  }

  /** From the first server that extends the API on: theirs may come and go. */
  #followServices(): void {
    if (this.#services !== undefined) return;
    const { resources, store } = this.#context;
    const slices = resources.find('discovery.k8s.io', 'v1', 'endpointslices');
    const follow = (prefix: string, serviceOf: (object: KubeObject) => string): Subscription =>
      store.watch(prefix, store.revision(), {
        onEvents: (events) => {
          for (const { current } of events) this.#onService(serviceOf(current.object() as KubeObject));
        },
        onEnd: () => {},
      });
    const subscriptions = [
      follow(
        resources.core('services').prefix,
        ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
      ),
      ...(slices === undefined
        ? []
        : [
            follow(
              slices.prefix,
              ({ metadata }) =>
                `${metadata.namespace ?? ''}/${metadata.labels?.['kubernetes.io/service-name'] ?? ''}`,
            ),
          ]),
    ];
    this.#services = {
      cancel: () => {
        for (const one of subscriptions) one.cancel();
      },
    };
  }

  #onService(key: string): void {
    for (const backend of this.#backends.values()) {
      const { namespace, name } = backend.service.spec?.service ?? {};
      if (`${namespace ?? ''}/${name ?? ''}` === key) this.#checkSoon(backend, 0);
    }
  }

  #checkSoon(backend: Backend, delayMs: number): void {
    backend.timer?.cancel();
    backend.timer = this.#context.clock.after(delayMs, () => void this.#check(backend));
  }

  /** Never rejects. One at a time; what changes meanwhile is looked at again. */
  async #check(backend: Backend): Promise<void> {
    if (backend.isChecking) {
      backend.isStale = true;
      return;
    }
    backend.isChecking = true;
    backend.isStale = false;
    const before = { verdict: backend.verdict, resources: backend.resources, openApiUrl: backend.openApiUrl };
    const verdict = await this.#verdictOf(backend);
    backend.isChecking = false;
    if (this.#isClosed || this.#backends.get(backend.key) !== backend) return;
    backend.verdict = verdict;
    const isWell = verdict.status === 'True';
    backend.failures = isWell ? 0 : backend.failures + 1;
    const { resources, openApiUrl } = backend;
    if (!sameJson(before, { verdict, resources, openApiUrl })) this.#tell();
    await this.#write(backend, verdict).catch((error: unknown) =>
      this.#context.log.debug('cannot tell whether an APIService is available', { name: backend.key, error }),
    );
    if (this.#isClosed || this.#backends.get(backend.key) !== backend) return;
    const retryMs = Math.min(ailingMsMax, 500 * 2 ** Math.min(backend.failures, 6));
    this.#checkSoon(backend, backend.isStale ? 0 : isWell ? wellMs : retryMs);
  }

  async #verdictOf(backend: Backend): Promise<Verdict> {
    const where = whereabouts(backend.service, this.#facts);
    if (where.kind === 'nowhere') return where.verdict;
    const { addresses } = where;
    const { namespace = '', name = '', port = 443 } = backend.service.spec?.service ?? {};
    const path = `/apis/${backend.key}`;
    try {
      const told = (await backend.server.document(addresses, path, checkMsMax)) as {
        readonly resources?: readonly PlainResource[];
      };
      backend.resources = (told.resources ?? []).filter(
        (one) => typeof one?.name === 'string' && typeof one.kind === 'string',
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return failedDiscovery(`https://${name}.${namespace}.svc:${port}${path}`, why);
    }
    backend.addresses = addresses;
    backend.openApiUrl = await this.#openApiUrlOf(backend, addresses);
    return passed;
  }

  /** Not every server has one. */
  async #openApiUrlOf(backend: Backend, addresses: readonly Address[]): Promise<string | undefined> {
    try {
      const index = (await backend.server.document(addresses, '/openapi/v3', checkMsMax)) as {
        readonly paths?: Readonly<Record<string, { readonly serverRelativeURL?: string }>>;
      };
      const url = index.paths?.[`apis/${backend.key}`]?.serverRelativeURL;
      return typeof url === 'string' && url.startsWith(`/openapi/v3/apis/${backend.key}`) ? url : undefined;
    } catch {
      return undefined;
    }
  }

  readonly #facts: ServiceFacts = {
    service: (namespace, name) => {
      const { resources, store } = this.#context;
      return store.get(resources.core('services').key(namespace, name))?.object() as Service | undefined;
    },
    slices: (namespace, name) => {
      const { resources, store } = this.#context;
      const of = resources.find('discovery.k8s.io', 'v1', 'endpointslices');
      const all = of === undefined ? [] : store.list(of.prefixOf(namespace)).items;
      return all
        .map((stored) => stored.object() as EndpointSlice)
        .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
    },
  };

  async #write({ service }: Backend, verdict: Verdict): Promise<void> {
    const { name = '' } = service.metadata;
    const old = service.status?.conditions?.find(({ type }) => type === 'Available');
    if (old?.status === verdict.status && old.reason === verdict.reason && old.message === verdict.message)
      return;
    const lastTransitionTime =
      old?.status === verdict.status ? old.lastTransitionTime : formatTime(this.#context.clock.nowMs());
    const others = service.status?.conditions?.filter(({ type }) => type !== 'Available') ?? [];
    const conditions = [...others, { type: 'Available', ...verdict, lastTransitionTime }];
    const patch = { metadata: { uid: service.metadata.uid }, status: { conditions } };
    await this.#options.client.patch(apiServices, undefined, name, 'merge', patch, { subresource: 'status' });
  }

  /** One after the other: what changes while it is at work is seen by the next. */
  #register(): void {
    if (this.#isClosed) return;
    this.#registering = this.#registering
      .then(() => this.#registerLocal())
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#context.log.warn('cannot register what this server serves', { error });
      });
  }

  async #registerLocal(): Promise<void> {
    if (this.#isClosed) return;
    const { client, context } = this.#options;
    const of = context.resources.find(apiServices.group, apiServices.version, apiServices.resource);
    if (of === undefined) return;
    const custom = new Set(
      context.registry.kinds
        .filter((kind) => kind.custom !== undefined)
        .map(({ group, version }) => `${group}/${version}`),
    );
    const wanted: readonly GroupVersion[] = new Discovery(context.registry)
      .groups()
      .flatMap(({ group, versions }) =>
        versions.map((version) => ({ group, version, isCustom: custom.has(`${group}/${version}`) })),
      );
    const there = context.store.list(of.prefix).items.map((stored) => stored.object() as APIService);
    const { create, remove } = planLocal(wanted, there);
    const ignore = (error: unknown): void => {
      if (!isError(error, 'alreadyExists', 'notFound')) throw error;
    };
    await Promise.all([
      ...create.map((one) => client.create(apiServices, one).catch(ignore)),
      ...remove.map((name) => client.delete(apiServices, undefined, name).catch(ignore)),
    ]);
  }
}

/** Whom to ask, and how. */
const termsOf = ({ spec }: APIService): readonly unknown[] => [
  spec?.service,
  spec?.caBundle,
  spec?.insecureSkipTLSVerify ?? false,
];

const keyOf = ({ spec }: APIService): string => `${spec?.group ?? ''}/${spec?.version ?? ''}`;
