/**
 * What this server serves, in the forms that clients ask for: aggregated (v2, v2beta1), and one document a group and version. Pure.
 * Source: KEP-3352, Kubernetes' discovery API.
 */
import {
  apiVersionOf,
  type ComputedApi,
  ComputedApis,
  type Kind,
  type KindRegistry,
  postedKinds,
} from '../api/index.ts';

interface GroupVersions {
  readonly group: string;
  readonly versions: readonly string[];
}

/**
 * The order of Kubernetes: of two resources with one name, clients mean the one whose group comes first. Groups that others add (custom resources) come
 * after all of these.
 */
const groupOrder = `
  apiregistration.k8s.io apps events.k8s.io authentication.k8s.io authorization.k8s.io autoscaling batch certificates.k8s.io networking.k8s.io policy
  rbac.authorization.k8s.io storage.k8s.io admissionregistration.k8s.io apiextensions.k8s.io scheduling.k8s.io coordination.k8s.io node.k8s.io
  discovery.k8s.io resource.k8s.io flowcontrol.apiserver.k8s.io autoscaling.k8s.io autoscale.caelum.dev
  scheduling.caelum.dev
`
  .trim()
  .split(/\s+/);

/** After custom resources, as metrics have it. */
const lastRank = groupOrder.length + 1;

function rankOf(group: string): number {
  if (group === '') return -1;
  if (/(^|\.)metrics\.k8s\.io$/.test(group)) return lastRank;
  const rank = groupOrder.indexOf(group);
  return rank < 0 ? groupOrder.length : rank;
}

/** The best version first: `v1beta2` before `v1beta1`. */
const newestFirst = (a: ComputedApi, b: ComputedApi): number =>
  a.group === b.group ? (a.version < b.version ? 1 : -1) : 0;

/** `apps/v1/Deployment`: which group, version and kind an object is stored as. */
function storedForm({ group, version, kind, storedAs, custom }: Kind): string {
  const apiVersion = custom?.storedVersion;
  if (apiVersion !== undefined) return `${apiVersion}/${kind}`;
  return storedAs === undefined
    ? `${group}/${version}/${kind}`
    : `${storedAs.group}/${storedAs.version}/${kind}`;
}

export class Discovery {
  readonly #registry: KindRegistry;
  readonly #computed: ComputedApis;
  readonly #hashOf: ((text: string) => string) | undefined;

  /** `hashOf` names the form in which a kind is stored (`storageVersionHash`): the first 8 bytes of a SHA-256, in base64. */
  constructor(
    registry: KindRegistry,
    computed: ComputedApis = new ComputedApis(),
    hashOf?: (text: string) => string,
  ) {
    this.#registry = registry;
    this.#computed = computed;
    this.#hashOf = hashOf;
  }

  groups(): readonly GroupVersions[] {
    const groups = new Map<string, string[]>();
    const computed = [...this.#computed.all].sort(newestFirst);
    for (const { group, version } of [...this.#registry.kinds, ...postedKinds, ...computed]) {
      const versions = groups.get(group) ?? [];
      if (!versions.includes(version)) versions.push(version);
      groups.set(group, versions);
    }
    return [...groups]
      .map(([group, versions]) => ({ group, versions }))
      .sort((a, b) => rankOf(a.group) - rankOf(b.group) || (a.group < b.group ? -1 : 1));
  }

  /** `/api` (core) and `/apis` (the rest) in one document. */
  aggregated(core: boolean, version: 'v2' | 'v2beta1'): object {
    const items = this.groups()
      .filter(({ group }) => (group === '') === core)
      .map(({ group, versions }) => ({
        metadata: { name: group === '' ? null : group, creationTimestamp: null },
        versions: versions.map((one) => ({
          version: one,
          resources: this.#aggregatedResources(group, one),
          freshness: 'Current',
        })),
      }))
      .map((item) =>
        item.metadata.name === null ? { ...item, metadata: { creationTimestamp: null } } : item,
      );
    return {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items,
    };
  }

  #aggregatedResources(group: string, version: string): readonly object[] {
    const stored = this.#kinds(group, version).map((kind) => ({
      resource: kind.resource,
      responseKind: { group, version, kind: kind.kind },
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: kind.singular,
      verbs: kind.verbs,
      ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
      ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
      ...(kind.subresources.length === 0
        ? {}
        : {
            subresources: kind.subresources.map((sub) => {
              const { group: subGroup, version: subVersion, kind: subKind } = sub.kind ?? kind;
              return {
                subresource: sub.name,
                responseKind: { group: subGroup, version: subVersion, kind: subKind },
                verbs: sub.verbs,
              };
            }),
          }),
    }));
    const posted = postedKinds
      .filter((one) => one.group === group && one.version === version)
      .map((one) => ({
        resource: one.resource,
        responseKind: { group, version, kind: one.kind },
        scope: one.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: one.singular,
        verbs: ['create'],
      }));
    const computed = (this.#computed.find(group, version)?.resources() ?? []).map((one) => ({
      resource: one.name,
      responseKind: { group, version, kind: one.kind },
      scope: one.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: one.singularName,
      verbs: one.verbs,
    }));
    return [...stored, ...posted, ...computed];
  }

  #kinds(group: string, version: string): readonly Kind[] {
    return this.#registry.kinds.filter((kind) => kind.group === group && kind.version === version);
  }

  apiVersions(serverAddress: string): object {
    return {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
    };
  }

  groupList(): object {
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: this.groups()
        .filter(({ group }) => group !== '')
        .map((one) => this.#group(one)),
    };
  }

  /** undefined when there is no such group. */
  group(name: string): object | undefined {
    const found = this.groups().find(({ group }) => group === name);
    return found === undefined || name === ''
      ? undefined
      : { kind: 'APIGroup', apiVersion: 'v1', ...this.#group(found) };
  }

  #group({ group, versions }: GroupVersions): object {
    const listed = versions.map((version) => ({ groupVersion: apiVersionOf(group, version), version }));
    return { name: group, versions: listed, preferredVersion: listed[0] };
  }

  /** undefined when there is no such group and version. */
  resourceList(group: string, version: string): object | undefined {
    const kinds = this.#kinds(group, version);
    const posted = postedKinds.filter((one) => one.group === group && one.version === version);
    const computed = this.#computed.find(group, version);
    if (kinds.length + posted.length === 0 && computed === undefined) return undefined;
    const resources = kinds.flatMap((kind) => [
      {
        name: kind.resource,
        singularName: kind.singular,
        namespaced: kind.namespaced,
        kind: kind.kind,
        verbs: kind.verbs,
        ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
        ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
        ...(this.#hashOf === undefined ? {} : { storageVersionHash: this.#hashOf(storedForm(kind)) }),
      },
      ...kind.subresources.map((sub) => {
        const { group: subGroup, version: subVersion, kind: subKind } = sub.kind ?? kind;
        const foreign = subGroup !== group || subVersion !== version;
        return {
          name: `${kind.resource}/${sub.name}`,
          singularName: '',
          namespaced: kind.namespaced,
          ...(foreign ? { group: subGroup, version: subVersion } : {}),
          kind: subKind,
          verbs: sub.verbs,
        };
      }),
    ]);
    const virtual = posted.map((one) => ({
      name: one.resource,
      singularName: one.singular,
      namespaced: one.namespaced,
      kind: one.kind,
      verbs: ['create'],
    }));
    return {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: apiVersionOf(group, version),
      resources: [...resources, ...virtual, ...(computed?.resources() ?? [])],
    };
  }

  /** Every path that answers, for `/`. */
  paths(): object {
    const paths = [
      '/api',
      '/api/v1',
      '/apis',
      '/healthz',
      '/livez',
      '/metrics',
      '/openapi/v2',
      '/openapi/v3',
      '/readyz',
      '/version',
    ];
    for (const { group, versions } of this.groups()) {
      if (group === '') continue;
      paths.push(`/apis/${group}`, ...versions.map((version) => `/apis/${group}/${version}`));
    }
    return { paths: paths.sort() };
  }
}
