/**
 * What is served, told in the three forms that clients ask for: plain (`/api`, `/apis`, `/apis/GROUP`, `/apis/GROUP/VERSION`), and everything
 * at once as APIGroupDiscoveryList in v2 and v2beta1. Pure; documents do not change while the kinds do not.
 * Source: Kubernetes API concepts (discovery API); k8s.io/api/apidiscovery.
 */
import { apiVersionOf, type Kind } from '../api/index.ts';
import { parseAccept } from './media.ts';

export type DiscoveredKind = Pick<
  Kind,
  | 'group'
  | 'version'
  | 'kind'
  | 'resource'
  | 'singular'
  | 'shortNames'
  | 'categories'
  | 'namespaced'
  | 'verbs'
  | 'subresources'
>;

export interface Document {
  readonly body: unknown;
  readonly contentType: string;
}

type Aggregated = 'v2' | 'v2beta1';

const json = 'application/json';

/** The aggregated form that the client likes best; undefined: plain. */
function aggregatedForm(accept: string | undefined): Aggregated | undefined {
  if (accept === undefined) return undefined;
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== json && type !== '*/*') continue;
    if (parameters['as'] === undefined) return undefined;
    if (parameters['as'] !== 'APIGroupDiscoveryList' || parameters['g'] !== 'apidiscovery.k8s.io') continue;
    if (parameters['v'] === 'v2' || parameters['v'] === 'v2beta1') return parameters['v'];
  }
  return undefined;
}

/** The document at `path` ('/api', '/apis', '/api/v1', '/apis/apps', …); undefined when there is none. */
export function discoveryDocument(
  kinds: readonly DiscoveredKind[],
  path: string,
  accept: string | undefined,
  serverAddress: string,
): Document | undefined {
  const [, root, ...rest] = path.replace(/\/+$/, '').split('/');
  const plain = (body: unknown): Document | undefined =>
    body === undefined ? undefined : { body, contentType: json };
  if (root === 'api') {
    if (rest.length === 0)
      return aggregated(kinds, accept, true) ?? plain(coreVersions(kinds, serverAddress));
    return rest.length === 1 ? plain(resourceList(kinds, '', rest[0] as string)) : undefined;
  }
  if (root !== 'apis') return undefined;
  if (rest.length === 0) return aggregated(kinds, accept, false) ?? plain(groupList(kinds));
  const [group = '', version] = rest;
  if (rest.length === 1) {
    const found = group === '' ? undefined : groupOf(kinds, group);
    return plain(found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...found });
  }
  return rest.length === 2 ? plain(resourceList(kinds, group, version as string)) : undefined;
}

function coreVersions(kinds: readonly DiscoveredKind[], serverAddress: string): unknown {
  return {
    kind: 'APIVersions',
    versions: versionsOf(kinds, ''),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

function groupsOf(kinds: readonly DiscoveredKind[]): readonly string[] {
  return [...new Set(kinds.map((kind) => kind.group))].filter((group) => group !== '');
}

function versionsOf(kinds: readonly DiscoveredKind[], group: string): readonly string[] {
  const versions = new Set(kinds.filter((kind) => kind.group === group).map((kind) => kind.version));
  return [...versions].sort(byVersion);
}

/** Stable before beta before alpha, newest first. */
function byVersion(a: string, b: string): number {
  const rank = (version: string): readonly [number, number, number] => {
    const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
    if (match === null) return [0, 0, 0];
    return [
      match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1,
      Number(match[1]),
      Number(match[3] ?? 0),
    ];
  };
  const [left, right] = [rank(a), rank(b)];
  return right[0] - left[0] || right[1] - left[1] || right[2] - left[2];
}

function groupOf(kinds: readonly DiscoveredKind[], group: string) {
  const versions = versionsOf(kinds, group).map((version) => ({
    groupVersion: apiVersionOf(group, version),
    version,
  }));
  const [preferredVersion] = versions;
  return preferredVersion === undefined ? undefined : { name: group, versions, preferredVersion };
}

function groupList(kinds: readonly DiscoveredKind[]): unknown {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groupsOf(kinds).map((group) => groupOf(kinds, group)),
  };
}

function resourceList(kinds: readonly DiscoveredKind[], group: string, version: string): unknown {
  const served = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(group, version),
    resources: served.flatMap((kind) => [
      {
        name: kind.resource,
        singularName: kind.singular,
        namespaced: kind.namespaced,
        kind: kind.kind,
        verbs: kind.verbs,
        ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
        ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
      },
      ...kind.subresources.map((sub) => ({
        name: `${kind.resource}/${sub.name}`,
        singularName: '',
        namespaced: kind.namespaced,
        ...(sub.kind === undefined ? {} : { group: sub.kind.group, version: sub.kind.version }),
        kind: sub.kind?.kind ?? kind.kind,
        verbs: sub.verbs,
      })),
    ]),
  };
}

function aggregated(
  kinds: readonly DiscoveredKind[],
  accept: string | undefined,
  core: boolean,
): Document | undefined {
  const form = aggregatedForm(accept);
  if (form === undefined) return undefined;
  const groups = core ? [''] : groupsOf(kinds);
  const body = {
    kind: 'APIGroupDiscoveryList',
    apiVersion: `apidiscovery.k8s.io/${form}`,
    metadata: {},
    items: groups.map((group) => ({
      metadata: group === '' ? { creationTimestamp: null } : { name: group, creationTimestamp: null },
      versions: versionsOf(kinds, group).map((version) => ({
        version,
        resources: kinds
          .filter((kind) => kind.group === group && kind.version === version)
          .map(aggregatedResource),
        freshness: 'Current',
      })),
    })),
  };
  return { body, contentType: `${json};g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList` };
}

function aggregatedResource(kind: DiscoveredKind): unknown {
  const own = { group: kind.group, version: kind.version, kind: kind.kind };
  return {
    resource: kind.resource,
    responseKind: own,
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(kind.subresources.length === 0
      ? {}
      : {
          subresources: kind.subresources.map((sub) => ({
            subresource: sub.name,
            responseKind: sub.kind ?? own,
            verbs: sub.verbs,
          })),
        }),
  };
}
