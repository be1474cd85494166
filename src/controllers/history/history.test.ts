import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerRevision, StatefulSet } from '../../api/index.ts';
import { statefulSetsRef } from '../resources.ts';
import { contentHash } from './content-hash.ts';
import { dataOf, historyOf, surplusSteps, templateOf } from './history.ts';

const templateWith = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image }] },
});

const ownerWith = (image: string, collisionCount?: number): StatefulSet =>
  ({
    metadata: { name: 'web', namespace: 'shop', uid: 'u', annotations: { why: 'so' } },
    spec: { selector: {}, template: templateWith(image) },
    ...(collisionCount === undefined ? {} : { status: { replicas: 0, collisionCount } }),
  }) as StatefulSet;

const revision = (name: string, image: string, number: number): ControllerRevision =>
  ({
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      resourceVersion: '7',
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    data: dataOf(templateWith(image)),
    revision: number,
  }) as ControllerRevision;

const look = (owner: StatefulSet, revisions: readonly ControllerRevision[], taken: readonly string[] = []) =>
  historyOf({
    owner,
    ownerResource: statefulSetsRef,
    revisions,
    find: (name) => (taken.includes(name) ? revision(name, 'x', 1) : undefined),
    hashLabel: 'h',
  });

test('historyOf() makes the first revision', () => {
  const { update, writes, collisionCount } = look(ownerWith('a'), []);
  assert.equal(update, undefined);
  assert.equal(collisionCount, 0);
  const [write] = writes;
  assert.ok(write?.kind === 'create');
  const made = write.object as ControllerRevision;
  const hash = contentHash(made.data, 0);
  assert.equal(made.metadata.name, `web-${hash}`);
  assert.deepEqual(made.metadata.labels, { app: 'web', h: hash });
  assert.deepEqual(made.metadata.annotations, { why: 'so' });
  assert.equal(made.revision, 1);
  assert.equal(write.adopter?.uid, 'u');
  assert.deepEqual(templateOf(made), templateWith('a'));
});

test('historyOf() is at rest when the newest is equal, whatever the order of keys', () => {
  const newest = revision('n', 'b', 5);
  const { spec, metadata } = templateWith('b');
  const turned = { ...newest, data: { spec: { template: { $patch: 'replace', spec, metadata } } } };
  const { update, writes } = look(ownerWith('b'), [turned as ControllerRevision, revision('o', 'a', 4)]);
  assert.equal(update?.metadata.name, 'n');
  assert.deepEqual(writes, []);
});

test('historyOf() raises an older one that is equal, above all others', () => {
  const { update, writes } = look(ownerWith('a'), [revision('n', 'b', 5), revision('o', 'a', 4)]);
  assert.equal(update, undefined);
  assert.deepEqual(
    writes.map((write) => (write.kind === 'patch' ? [write.name, write.patch] : write.kind)),
    [['o', { metadata: { uid: 'o', resourceVersion: '7' }, revision: 6 }]],
  );
});

test('historyOf() passes over names that are taken, and goes on from the collisions that are known', () => {
  const names = [0, 1, 2].map((count) => `web-${contentHash(dataOf(templateWith('a')), count)}`);
  assert.equal(new Set(names).size, 3);
  const first = look(ownerWith('a'), [], names.slice(0, 2));
  assert.equal(first.collisionCount, 2);
  assert.ok(first.writes[0]?.kind === 'create' && first.writes[0].object.metadata.name === names[2]);
  assert.equal(look(ownerWith('a', 1), []).collisionCount, 1);
});

test('surplusSteps() takes the oldest that are of no use', () => {
  const revisions = [1, 2, 3, 4, 5].map((number) => revision(`r${number}`, 'x', number));
  const gone = (limit: number): readonly string[] =>
    surplusSteps(revisions, limit, ({ revision: number }) => number === 1).flatMap((step) =>
      step.kind === 'together' ? step.writes.map((write) => ('name' in write ? write.name : '')) : [],
    );
  assert.deepEqual(gone(2), ['r2', 'r3']);
  assert.deepEqual(gone(0), ['r2', 'r3', 'r4', 'r5']);
  assert.deepEqual(gone(4), []);
  assert.deepEqual(gone(-1), []);
});
