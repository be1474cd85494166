/** Our discovery documents, held against those of Kubernetes 1.36: each plain list, group by group, and the aggregated one. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { builtinKinds } from '../api/index.ts';
import { Discovery } from './discovery.ts';

const data = new URL('../../../shared/data/kubernetes/discovery/', import.meta.url);
const skip = existsSync(data) ? false : 'shared/data/kubernetes/discovery is absent';

const read = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, data), 'utf8')) as T;
/** The stable versions, and groups of pods. */
const isServed = (group: string, version: string): boolean =>
  /^v\d+$/.test(version) || `${group}/${version}` === 'scheduling.k8s.io/v1alpha2';
/** Of these versions we serve only the kinds that no stable one has. */
const partly: Readonly<Record<string, string>> = { 'resource.k8s.io': 'v1beta2' };

/** Kubernetes itself has given up this view of its health. */
const leftOut = (name: string): boolean => name === 'componentstatuses';
/** Groups of kinds that Kubernetes itself does not have. */
const isOwn = (group: string): boolean =>
  ['autoscale.caelum.dev', 'autoscaling.k8s.io', 'scheduling.caelum.dev'].includes(group);

interface Named {
  readonly name: string;
  readonly storageVersionHash?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface Group {
  readonly name: string;
  readonly versions: readonly { readonly version: string }[];
}

const hashOf = (text: string): string =>
  createHash('sha256').update(text).digest().subarray(0, 8).toString('base64');

/** Kubernetes stores these in an older version than we do. */
const storedOlder = /^(customresourcedefinitions|mutatingadmission.*)$/;

/** Order says nothing. */
function canonical(resources: readonly Named[]): unknown {
  return resources
    .filter(({ name }) => !leftOut(name))
    .map(({ storageVersionHash: hash, ...one }) => ({
      ...one,
      ...(hash === undefined || storedOlder.test(one.name) ? {} : { storageVersionHash: hash }),
      verbs: one.verbs.toSorted(),
      ...(one.shortNames === undefined ? {} : { shortNames: one.shortNames.toSorted() }),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function stableGroups(): readonly { readonly name: string; readonly versions: readonly string[] }[] {
  const { groups } = read<{ groups: readonly Group[] }>('apis.json');
  return groups
    .map(({ name, versions }) => ({
      name,
      versions: versions.map(({ version }) => version).filter((version) => isServed(name, version)),
    }))
    .filter(({ versions }) => versions.length > 0);
}

test('Discovery lists each resource as Kubernetes does', { skip }, () => {
  const discovery = new Discovery(builtinKinds, undefined, hashOf);
  const all = [{ name: '', versions: ['v1'] }, ...stableGroups()];
  for (const { name, versions } of all)
    for (const version of versions) {
      const file = name === '' ? `api__${version}.json` : `apis__${name}__${version}.json`;
      const theirs = read<{ resources: readonly Named[] }>(file);
      const ours = discovery.resourceList(name, version) as typeof theirs;
      assert.deepEqual(
        { ...ours, resources: canonical(ours.resources) },
        // The oldest lists do not name their own version.
        { apiVersion: 'v1', ...theirs, resources: canonical(theirs.resources) },
        file,
      );
    }
});

test('Discovery names the groups that Kubernetes names, and prefers the same versions', { skip }, () => {
  const { groups } = new Discovery(builtinKinds).groupList() as {
    groups: readonly (Group & { readonly preferredVersion: { readonly version: string } })[];
  };
  const shared = groups.filter(({ name }) => !isOwn(name));
  const ours = shared.map(({ name, versions, preferredVersion }) => [
    name,
    versions.map(({ version }) => version).filter((version) => version !== partly[name]),
    preferredVersion.version,
  ]);
  const theirs = stableGroups().map(({ name, versions }) => [name, versions, versions[0]]);
  assert.deepEqual(ours.toSorted(), theirs.toSorted());
});

interface ResponseKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface Aggregated {
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources: readonly {
        readonly resource: string;
        readonly responseKind: ResponseKind;
        readonly verbs: readonly string[];
        readonly shortNames?: readonly string[];
        readonly subresources?: readonly {
          readonly subresource: string;
          readonly responseKind: ResponseKind;
          readonly verbs: readonly string[];
        }[];
      }[];
    }[];
  }[];
}

function flat(document: Aggregated): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const { metadata, versions } of document.items)
    for (const { version, resources } of versions.filter((one) =>
      isServed(metadata?.name ?? '', one.version),
    ))
      for (const { subresources = [], ...resource } of resources) {
        const group = metadata?.name ?? '';
        if (isOwn(group)) continue;
        const at = `${group}/${version}/${resource.resource}`;
        if (leftOut(resource.resource)) continue;
        // An empty version means: that of the list.
        const full = (kind: ResponseKind): ResponseKind =>
          kind.version === '' ? { ...kind, group, version } : kind;
        found.set(at, {
          ...resource,
          responseKind: full(resource.responseKind),
          verbs: resource.verbs.toSorted(),
          ...(resource.shortNames === undefined ? {} : { shortNames: resource.shortNames.toSorted() }),
        });
        for (const one of subresources)
          found.set(`${at}/${one.subresource}`, {
            ...one,
            responseKind: full(one.responseKind),
            verbs: one.verbs.toSorted(),
          });
      }
  return found;
}

test('Discovery aggregated tells the same as that of Kubernetes', { skip }, () => {
  const discovery = new Discovery(builtinKinds);
  const theirs = flat(read<Aggregated>('aggregated_v2.json'));
  const apis = flat(discovery.aggregated(false, 'v2') as Aggregated);
  const ours = new Map(apis);
  for (const [at, one] of theirs) assert.deepEqual(ours.get(at), one, at);
  assert.deepEqual(
    [...ours.keys()].filter((at) => !theirs.has(at)),
    [],
  );
});
