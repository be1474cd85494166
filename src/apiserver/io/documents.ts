/** What the server tells about itself: discovery, OpenAPI, version, health, metrics. Documents are made when first asked for, and kept as bytes. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ComputedApis,
  contentHash,
  type KindRegistry,
  openApiV2,
  openApiV2Protobuf,
  openApiV2ProtobufAccepted,
  openApiV2ProtobufMediaType,
  openApiV3,
  openApiV3Index,
  postedKinds,
  type ServedKind,
} from '../../api/index.ts';
import {
  mergeAggregated,
  mergeGroup,
  mergeGroups,
  type RemoteVersion,
} from '../aggregation/merged-discovery.ts';
import { Discovery } from '../discovery.ts';
import { parseAccept } from '../media.ts';
import type { Aggregator } from './aggregator.ts';
import { sendBytes } from './answers.ts';
import { indented, isForPeople } from './for-people.ts';

export interface ServerFacts {
  /** As /version tells it. */
  readonly version: Readonly<Record<string, string>>;
  /** Where clients reach it: `127.0.0.1:6443`. */
  readonly address: () => string;
  readonly metrics: () => string;
  /** What other servers serve. */
  readonly others?: Pick<Aggregator, 'remote' | 'openApi' | 'onChange'>;
}

const aggregatedType = (version: string): string =>
  `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;

const openApiPrefix = 'openapi/v3/';
const hashPrefix = 'hash of ';
const openApiPath = (of: { readonly group: string; readonly version: string }): string =>
  of.group === '' ? `api/${of.version}` : `apis/${of.group}/${of.version}`;

const storageHash = (text: string): string =>
  createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');

export class Documents {
  readonly #registry: KindRegistry;
  readonly #discovery: Discovery;
  readonly #facts: ServerFacts;
  readonly #computed: ComputedApis;
  readonly #made = new Map<string, Buffer>();
  /** From which kinds a document was made. */
  readonly #kindsOf = new Map<string, readonly ServedKind[]>();

  constructor(registry: KindRegistry, computed: ComputedApis, facts: ServerFacts) {
    this.#registry = registry;
    this.#computed = computed;
    this.#discovery = new Discovery(registry, computed, storageHash);
    this.#facts = facts;
    registry.onChange?.(() => this.#forget());
    facts.others?.onChange(() => this.#forget());
    for (const one of computed.all) one.onChange?.(() => this.#forget());
  }

  get #kinds(): readonly ServedKind[] {
    const { kinds } = this.#registry;
    return [...kinds, ...postedKinds, ...this.#computed.all.flatMap((one) => one.kinds)];
  }

  /** Answers when the path is one of the documents; false otherwise. */
  serve(path: string, http: IncomingMessage, response: ServerResponse): boolean {
    const parts = path.split('/').filter((part) => part !== '');
    switch (parts[0]) {
      case undefined:
        return this.#json(response, '/', () => this.#discovery.paths());
      case 'version':
        return this.#json(response, '/version', () => this.#facts.version);
      case 'metrics':
        sendBytes(response, 200, this.#facts.metrics(), 'text/plain; version=0.0.4');
        return true;
      case 'api':
      case 'apis':
        return this.#serveDiscovery(parts, http, response);
      case 'openapi':
        return this.#serveOpenApi(parts, http, response);
      default:
        return false;
    }
  }

  #remote(): readonly RemoteVersion[] {
    return this.#facts.others?.remote() ?? [];
  }

  #merged(
    core: boolean,
    own: object,
    merge: (own: object, remote: readonly RemoteVersion[]) => object,
  ): object {
    const remote = core ? [] : this.#remote();
    return remote.length === 0 ? own : merge(own, remote);
  }

  #withOthers(index: object): object {
    const { paths } = index as { readonly paths: object };
    return { ...index, paths: { ...paths, ...this.#facts.others?.openApi() } };
  }

  /** Kinds came or went. Documents of groups and versions that this does not concern stay. */
  #forget(): void {
    for (const name of this.#made.keys())
      if (!name.startsWith(openApiPrefix) && !name.startsWith(hashPrefix)) this.#made.delete(name);
    const served = new Set(
      [...this.#kinds, ...this.#computed.all].map((kind) => `${openApiPrefix}${openApiPath(kind)}`),
    );
    for (const name of this.#kindsOf.keys()) {
      if (served.has(name)) continue;
      this.#kindsOf.delete(name);
      this.#made.delete(name);
      this.#made.delete(`${hashPrefix}${name}`);
    }
  }

  #openApi(of: { readonly group: string; readonly version: string }): {
    readonly bytes: Buffer;
    readonly hash: string;
  } {
    const kinds = this.#kinds.filter((kind) => kind.group === of.group && kind.version === of.version);
    const name = `${openApiPrefix}${openApiPath(of)}`;
    const before = this.#kindsOf.get(name);
    if (before?.length !== kinds.length || kinds.some((kind, index) => kind !== before[index])) {
      this.#kindsOf.set(name, kinds);
      this.#made.delete(name);
      this.#made.delete(`${hashPrefix}${name}`);
    }
    const bytes = this.#make(name, () => JSON.stringify(openApiV3(of, kinds)));
    return {
      bytes,
      hash: this.#make(`${hashPrefix}${name}`, () => contentHash(bytes.toString())).toString(),
    };
  }

  #make(name: string, make: () => Buffer | string): Buffer {
    let bytes = this.#made.get(name);
    if (bytes === undefined) {
      const made = make();
      bytes = typeof made === 'string' ? Buffer.from(made) : made;
      this.#made.set(name, bytes);
    }
    return bytes;
  }

  #json(response: ServerResponse, name: string, make: () => object | undefined, type?: string): boolean {
    if (!this.#made.has(name)) {
      const value = make();
      if (value === undefined) return false;
      this.#make(name, () => JSON.stringify(value));
    }
    const bytes = this.#made.get(name) ?? '';
    const isIndented = !name.startsWith('openapi/') && isForPeople(response.req);
    sendBytes(response, 200, isIndented ? indented(JSON.parse(bytes.toString())) : bytes, type);
    return true;
  }

  #serveDiscovery(parts: readonly string[], http: IncomingMessage, response: ServerResponse): boolean {
    const [root, group, version] = parts;
    const core = root === 'api';
    if (parts.length === 1) {
      const wanted = aggregatedVersion(http.headers.accept);
      response.setHeader('Vary', 'Accept');
      if (wanted !== undefined)
        return this.#json(
          response,
          `${root}/${wanted}`,
          () => this.#merged(core, this.#discovery.aggregated(core, wanted), mergeAggregated),
          aggregatedType(wanted),
        );
      if (core) return this.#json(response, 'api', () => this.#discovery.apiVersions(this.#facts.address()));
      return this.#json(response, 'apis', () =>
        this.#merged(false, this.#discovery.groupList(), mergeGroups),
      );
    }
    if (core && parts.length === 2)
      return this.#json(response, `api/${group}`, () => this.#discovery.resourceList('', group ?? ''));
    if (!core && parts.length === 2)
      return this.#json(response, `apis/${group}`, () =>
        mergeGroup(this.#discovery.group(group ?? ''), group ?? '', this.#remote()),
      );
    if (!core && parts.length === 3)
      return this.#json(response, `apis/${group}/${version}`, () =>
        this.#discovery.resourceList(group ?? '', version ?? ''),
      );
    return false;
  }

  #serveOpenApi(parts: readonly string[], http: IncomingMessage, response: ServerResponse): boolean {
    if (parts[1] === 'v2' && parts.length === 2) {
      const accepted = parseAccept(http.headers.accept ?? '').map((clause) => clause.type);
      const wantsProtobuf = accepted.some((type) => openApiV2ProtobufAccepted.includes(type));
      const json = (): object => openApiV2(this.#kinds, this.#facts.version['gitVersion'] ?? '');
      if (!wantsProtobuf) return this.#json(response, 'openapi/v2', json);
      sendBytes(
        response,
        200,
        this.#make('openapi/v2.pb', () =>
          openApiV2Protobuf(json() as Parameters<typeof openApiV2Protobuf>[0]),
        ),
        openApiV2ProtobufMediaType,
      );
      return true;
    }
    if (parts[1] !== 'v3') return false;
    const served = this.#discovery
      .groups()
      .flatMap(({ group, versions }) => versions.map((version) => ({ group, version })));
    if (parts.length === 2) {
      return this.#json(response, 'openapi/v3', () =>
        this.#withOthers(openApiV3Index(served.map((of) => ({ ...of, hash: this.#openApi(of).hash })))),
      );
    }
    const name = parts.slice(2).join('/');
    const found = served.find((of) => openApiPath(of) === name);
    if (found === undefined) return false;
    const { bytes, hash } = this.#openApi(found);
    const tag = `"${hash}"`;
    response.setHeader('ETag', tag);
    response.setHeader('Vary', 'Accept');
    if (http.headers['if-none-match'] === tag) response.writeHead(304).end();
    else sendBytes(response, 200, bytes);
    return true;
  }
}

/** The newest form of aggregated discovery that the client names; undefined: it wants the plain one. */
function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  if (accept === undefined || !accept.includes('APIGroupDiscoveryList')) return undefined;
  for (const { parameters } of parseAccept(accept)) {
    const { as, g, v } = parameters;
    if (as === 'APIGroupDiscoveryList' && g === 'apidiscovery.k8s.io' && (v === 'v2' || v === 'v2beta1'))
      return v;
  }
  return undefined;
}
