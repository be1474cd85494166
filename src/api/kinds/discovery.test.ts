import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { builtinKinds } from '../registry.ts';

interface Listed {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const folder = new URL('../../../../shared/data/kubernetes/discovery/', import.meta.url);

function listed(group: string, version: string): readonly Listed[] {
  return (JSON.parse(readFileSync(fileOf(group, version), 'utf8')) as { resources: Listed[] }).resources;
}

const skip = existsSync(folder) ? false : "no Kubernetes' discovery documents here";

const fileOf = (group: string, version: string): URL =>
  new URL(group === '' ? `api__${version}.json` : `apis__${group}__${version}.json`, folder);

/** Those that Kubernetes does not have are our own affair. */
const known = builtinKinds.kinds.filter(
  ({ group, version }) => !existsSync(folder) || existsSync(fileOf(group, version)),
);

test('kinds that Kubernetes does not have are those of elasticity and of the scheduler', () => {
  const own = new Set(builtinKinds.kinds.filter((kind) => !known.includes(kind)).map(({ group }) => group));
  if (existsSync(folder))
    assert.deepEqual([...own].sort(), [
      'autoscale.caelum.dev',
      'autoscaling.k8s.io',
      'scheduling.caelum.dev',
    ]);
});

for (const kind of known)
  test(`${kind.resource}.${kind.group} is listed as Kubernetes lists it`, { skip }, () => {
    const all = listed(kind.group, kind.version);
    const theirs = all.find(({ name }) => name === kind.resource);
    assert.deepEqual(
      {
        name: kind.resource,
        singularName: kind.singular,
        namespaced: kind.namespaced,
        kind: kind.kind,
        verbs: [...kind.verbs].sort(),
        shortNames: kind.shortNames,
        categories: kind.categories,
      },
      {
        name: theirs?.name,
        singularName: theirs?.singularName,
        namespaced: theirs?.namespaced,
        kind: theirs?.kind,
        verbs: [...(theirs?.verbs ?? [])].sort(),
        shortNames: theirs?.shortNames ?? [],
        categories: theirs?.categories ?? [],
      },
    );
    for (const sub of kind.subresources) {
      const entry = all.find(({ name }) => name === `${kind.resource}/${sub.name}`);
      assert.ok(entry, `${kind.resource}/${sub.name} is known`);
      assert.deepEqual([...sub.verbs].sort(), [...entry.verbs].sort(), sub.name);
      assert.equal(sub.kind?.kind ?? kind.kind, entry.kind, sub.name);
      // A group is told only where it is not the parent's own.
      if (entry.group !== undefined) assert.equal(sub.kind?.group, entry.group, sub.name);
    }
  });
