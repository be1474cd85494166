/**
 * What we serve, held against what Kubernetes 1.36 serves, resource by resource. What is wrong or missing fails.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Kind, Subresource } from './kind.ts';
import { builtinKinds } from './registry.ts';

const data = new URL('../../../shared/data/kubernetes/discovery/', import.meta.url);
const skip = existsSync(data) ? false : 'shared/data/kubernetes/discovery is absent';

interface Resource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

interface ResourceList {
  readonly groupVersion: string;
  readonly resources: readonly Resource[];
}

/** Served without being stored: they are no kinds of the registry. */
const posted = new Set([
  'bindings',
  'selfsubjectreviews',
  'tokenreviews',
  'localsubjectaccessreviews',
  'selfsubjectaccessreviews',
  'selfsubjectrulesreviews',
  'subjectaccessreviews',
]);

/** Kubernetes itself has given up this view of a cluster's health. */
const leftOut = new Set(['componentstatuses']);

function read(file: string): unknown {
  return JSON.parse(readFileSync(new URL(file, data), 'utf8'));
}

/** The stable versions, and groups of pods; the preferred one of a group first. */
function groupVersions(): readonly { readonly group: string; readonly versions: readonly string[] }[] {
  const { groups } = read('apis.json') as {
    groups: readonly { name: string; versions: readonly { version: string }[] }[];
  };
  const served = (group: string, versions: readonly { version: string }[]) =>
    versions
      .map(({ version }) => version)
      .filter((version) => /^v\d+$/.test(version) || `${group}/${version}` === 'scheduling.k8s.io/v1alpha2');
  return [
    { group: '', versions: ['v1'] },
    ...groups.map(({ name, versions }) => ({ group: name, versions: served(name, versions) })),
  ].filter(({ versions }) => versions.length > 0);
}

const listOf = (group: string, version: string): ResourceList =>
  read(group === '' ? `api__${version}.json` : `apis__${group}__${version}.json`) as ResourceList;

const sorted = (texts: readonly string[] | undefined): string => [...(texts ?? [])].sort().join(' ');

/** Wrong things, as `field: ours, not theirs`. */
function differences(kind: Kind, theirs: Resource): string[] {
  const pairs: readonly (readonly [string, string, string])[] = [
    ['kind', kind.kind, theirs.kind],
    ['singular', kind.singular, theirs.singularName],
    ['namespaced', String(kind.namespaced), String(theirs.namespaced)],
    ['short names', sorted(kind.shortNames), sorted(theirs.shortNames)],
    ['categories', sorted(kind.categories), sorted(theirs.categories)],
    ['verbs', sorted(kind.verbs), sorted(theirs.verbs)],
  ];
  return pairs.flatMap(([field, ours, their]) =>
    ours === their ? [] : [`${field}: ${ours || 'none'}, not ${their || 'none'}`],
  );
}

function subresourceDifferences(subresource: Subresource, kind: Kind, theirs: Resource): string[] {
  const spoken = subresource.kind ?? kind;
  const group = theirs.group ?? kind.group;
  const version = theirs.version ?? kind.version;
  const ours = `${spoken.group}/${spoken.version} ${spoken.kind}`;
  const their = `${group}/${version} ${theirs.kind}`;
  return [
    ...(ours === their ? [] : [`speaks ${ours}, not ${their}`]),
    ...(sorted(subresource.verbs) === sorted(theirs.verbs)
      ? []
      : [`verbs: ${sorted(subresource.verbs)}, not ${sorted(theirs.verbs)}`]),
  ];
}

interface Findings {
  readonly wrong: string[];
  readonly missing: string[];
}

function compare(group: string, version: string, findings: Findings): void {
  const { resources } = listOf(group, version);
  const kinds = builtinKinds.kinds.filter((kind) => kind.group === group && kind.version === version);
  const at = `${group === '' ? 'core' : group}/${version}`;
  for (const theirs of resources) {
    const [name = '', subresource] = theirs.name.split('/');
    if (posted.has(name) || leftOut.has(theirs.name)) continue;
    const kind = kinds.find((one) => one.resource === name);
    if (subresource === undefined) {
      if (kind === undefined) findings.missing.push(`${at} ${name}`);
      else findings.wrong.push(...differences(kind, theirs).map((one) => `${at} ${name}: ${one}`));
    } else if (kind !== undefined) {
      const ours = kind.subresources.find((one) => one.name === subresource);
      if (ours === undefined) findings.missing.push(`${at} ${theirs.name}`);
      else
        findings.wrong.push(
          ...subresourceDifferences(ours, kind, theirs).map((one) => `${at} ${theirs.name}: ${one}`),
        );
    }
  }
  for (const kind of kinds) {
    const names = [kind.resource, ...kind.subresources.map((one) => `${kind.resource}/${one.name}`)];
    for (const name of names)
      if (!resources.some((theirs) => theirs.name === name))
        findings.wrong.push(`${at} ${name}: Kubernetes has none`);
  }
}

test('builtinKinds serves what Kubernetes serves, under the same names', { skip }, (context) => {
  const findings: Findings = { wrong: [], missing: [] };
  for (const { group, versions } of groupVersions())
    for (const version of versions) compare(group, version, findings);
  const { wrong, missing } = findings;
  context.diagnostic(`${missing.length} missing`);
  for (const one of missing) context.diagnostic(`missing: ${one}`);
  assert.deepEqual(wrong, []);
  assert.deepEqual(missing, []);
});

test('builtinKinds puts the preferred version of each group first', { skip }, () => {
  for (const { group, versions } of groupVersions()) {
    const [first] = builtinKinds.kinds.filter((kind) => kind.group === group);
    if (first !== undefined) assert.equal(first.version, versions[0], group);
  }
});
