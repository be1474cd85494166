/**
 * Discovery of other servers, put beside our own. Pure.
 *
 *   APIResourceList of a backend ─▶ resources as aggregated discovery shows them ─▶ merged into /apis, plain and aggregated
 */
import { apiVersionOf } from '../../api/index.ts';

/** One group and version that another server serves. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
  /** As it last told them (APIResourceList.resources); undefined: it never has. */
  readonly resources: readonly PlainResource[] | undefined;
  /** It answers now. */
  readonly isCurrent: boolean;
}

export interface PlainResource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced?: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs?: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface Version {
  readonly version: string;
}

interface AggregatedGroup {
  readonly metadata: { readonly name?: string };
  readonly versions: readonly Version[];
}

interface PlainGroup {
  readonly name: string;
  readonly versions: readonly { readonly groupVersion: string; readonly version: string }[];
  readonly preferredVersion?: { readonly groupVersion: string; readonly version: string };
}

/** Groups of others by their priority; their versions too. */
function byGroup(remote: readonly RemoteVersion[]): ReadonlyMap<string, readonly RemoteVersion[]> {
  const groups = new Map<string, RemoteVersion[]>();
  const sorted = [...remote].sort(
    (a, b) =>
      b.groupPriority - a.groupPriority ||
      (a.group < b.group ? -1 : a.group > b.group ? 1 : b.versionPriority - a.versionPriority),
  );
  for (const one of sorted) {
    const versions = groups.get(one.group) ?? [];
    versions.push(one);
    groups.set(one.group, versions);
  }
  return groups;
}

/** Our groups first; where a group is ours and theirs, their versions take the place of ours of the same name, else come after them. */
function merged<Group, V extends Version>(
  own: readonly Group[],
  remote: readonly RemoteVersion[],
  nameOf: (group: Group) => string,
  versionsOf: (group: Group) => readonly V[],
  render: (one: RemoteVersion) => V,
  make: (name: string, versions: readonly V[], group: Group | undefined) => Group,
): readonly Group[] {
  const groups = new Map(byGroup(remote));
  const result = own.map((group) => {
    const theirs = groups.get(nameOf(group));
    if (theirs === undefined) return group;
    groups.delete(nameOf(group));
    const rendered = theirs.map(render);
    const kept = versionsOf(group).map(
      (one) => rendered.find(({ version }) => version === one.version) ?? one,
    );
    const more = rendered.filter((one) => !kept.includes(one));
    return make(nameOf(group), [...kept, ...more], group);
  });
  for (const [name, theirs] of groups) result.push(make(name, theirs.map(render), undefined));
  return result;
}

/** APIGroupDiscoveryList. */
export function mergeAggregated(own: object, remote: readonly RemoteVersion[]): object {
  const { items } = own as { readonly items: readonly AggregatedGroup[] };
  return {
    ...own,
    items: merged(
      items,
      remote,
      ({ metadata }) => metadata.name ?? '',
      ({ versions }) => versions,
      (one): Version => ({
        version: one.version,
        ...{ resources: aggregatedResources(one), freshness: one.isCurrent ? 'Current' : 'Stale' },
      }),
      (name, versions, group) => ({
        metadata: { creationTimestamp: null, ...group?.metadata, name },
        versions,
      }),
    ),
  };
}

/** APIGroupList. */
export function mergeGroups(own: object, remote: readonly RemoteVersion[]): object {
  const { groups } = own as { readonly groups: readonly PlainGroup[] };
  return {
    ...own,
    groups: merged(
      groups,
      remote,
      ({ name }) => name,
      ({ versions }) => versions,
      ({ group, version }) => ({ groupVersion: apiVersionOf(group, version), version }),
      (name, versions, group) => ({
        name,
        versions,
        ...(versions[0] === undefined ? {} : { preferredVersion: group?.preferredVersion ?? versions[0] }),
      }),
    ),
  };
}

/** APIGroup. `own`: undefined where the group is theirs alone. */
export function mergeGroup(
  own: object | undefined,
  name: string,
  remote: readonly RemoteVersion[],
): object | undefined {
  const theirs = remote.filter(({ group }) => group === name);
  if (theirs.length === 0) return own;
  const list = mergeGroups({ groups: own === undefined ? [] : [own] }, theirs) as {
    groups: readonly PlainGroup[];
  };
  return { kind: 'APIGroup', apiVersion: 'v1', ...list.groups[0] };
}

/** As the plain list tells them: subresources stand beside their resources, named `resource/subresource`. */
function aggregatedResources({ group, version, resources = [] }: RemoteVersion): readonly object[] {
  const kindOf = (one: PlainResource): object => ({
    group: one.group ?? group,
    version: one.version ?? version,
    kind: one.kind,
  });
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((one) => {
      const subresources = resources
        .filter(({ name }) => name.startsWith(`${one.name}/`))
        .map((sub) => ({
          subresource: sub.name.slice(one.name.length + 1),
          responseKind: kindOf(sub),
          verbs: sub.verbs ?? [],
        }));
      return {
        resource: one.name,
        responseKind: kindOf(one),
        scope: one.namespaced === true ? 'Namespaced' : 'Cluster',
        singularResource: one.singularName ?? '',
        verbs: one.verbs ?? [],
        ...(one.shortNames === undefined ? {} : { shortNames: one.shortNames }),
        ...(one.categories === undefined ? {} : { categories: one.categories }),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}
