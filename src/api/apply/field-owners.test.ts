import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { messageOf } from '../schema/messages.ts';
import { type Applied, applyConfiguration, conflictMessage, trackUpdate } from './field-owners.ts';
import { fieldSetOf } from './field-set.ts';
import { compare, duplicateIn, fieldsOf, overlay, remove } from './merge.ts';
import { shapeOfMessage } from './shape.ts';

const shape = shapeOfMessage(messageOf('apps.v1.Deployment'));
type Json = Record<string, unknown>;
interface Managed {
  readonly manager: string;
  readonly operation: string;
  readonly fieldsV1: unknown;
}

const by = (name: string, operation: 'Apply' | 'Update' = 'Apply', subresource = '') => ({
  manager: { name, operation, apiVersion: 'apps/v1', subresource },
  shape,
  now: '2026-01-01T00:00:00Z',
  hasStatus: true,
});
const apply = (live: unknown, configuration: unknown, name: string, force = false): Applied =>
  applyConfiguration(live, configuration, { ...by(name), force });
const applied = (live: unknown, configuration: unknown, name: string, force = false): Json => {
  const result = apply(live, configuration, name, force);
  assert.equal(result.kind, 'object', JSON.stringify(result));
  return (result as { object: Json }).object;
};
const updated = (live: Json, change: (draft: Json) => void, name: string, subresource = ''): Json => {
  const next = structuredClone(live);
  change(next);
  trackUpdate(live, next, by(name, 'Update', subresource));
  return next;
};
const managed = (object: Json): readonly Managed[] =>
  ((object['metadata'] as Json)['managedFields'] ?? []) as readonly Managed[];
const ownedBy = (object: Json, name: string): unknown =>
  managed(object).find(({ manager }) => manager === name)?.fieldsV1;

const web = (spec: Json, labels?: Json): Json => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', ...(labels && { labels }) },
  spec,
});
const container = (more: Json): Json => ({ template: { spec: { containers: [{ name: 'web', ...more }] } } });
const containersOf = (object: Json): Json[] =>
  ((((object['spec'] as Json)['template'] as Json)['spec'] as Json)['containers'] ?? []) as Json[];

test('applyConfiguration() makes what is not there, owned by who applied', () => {
  const object = applied(
    undefined,
    web({ replicas: 2, ...container({ image: 'a' }) }, { app: 'web' }),
    'ann',
  );
  assert.deepEqual(ownedBy(object, 'ann'), {
    'f:metadata': { 'f:labels': { 'f:app': {} } },
    'f:spec': {
      'f:replicas': {},
      'f:template': {
        'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
      },
    },
  });
});

test('a second manager adds to it; what both say alike belongs to both', () => {
  const first = applied(undefined, web({ replicas: 2, ...container({ image: 'a' }) }), 'ann');
  const second = applied(first, web({ replicas: 2, minReadySeconds: 5 }), 'ben');
  assert.deepEqual(ownedBy(second, 'ben'), { 'f:spec': { 'f:minReadySeconds': {}, 'f:replicas': {} } });
  assert.deepEqual(ownedBy(second, 'ann'), ownedBy(first, 'ann'));
  assert.equal(containersOf(second)[0]?.['image'], 'a');
});

test('what another owns and has otherwise is a conflict, unless forced: then it changes hands', () => {
  const first = applied(undefined, web({ replicas: 2, minReadySeconds: 1 }), 'ann');
  const result = apply(first, web({ replicas: 3 }), 'ben');
  assert.equal(result.kind, 'conflicts');
  assert.deepEqual(result.kind === 'conflicts' && result.conflicts.map(({ fields }) => fields), [
    ['.spec.replicas'],
  ]);
  const forced = applied(first, web({ replicas: 3 }), 'ben', true);
  assert.equal((forced['spec'] as Json)['replicas'], 3);
  assert.deepEqual(ownedBy(forced, 'ann'), { 'f:spec': { 'f:minReadySeconds': {} } });
});

test('conflictMessage() is worded as Kubernetes words it', () => {
  const made = updated(
    web({}),
    (draft) => Object.assign(draft, web({ replicas: 1, minReadySeconds: 1 })),
    'x',
  );
  trackUpdate(undefined, made, by('kubectl-create', 'Update'));
  const one = apply(made, web({ replicas: 3 }), 'ben');
  assert.ok(one.kind === 'conflicts');
  assert.equal(
    conflictMessage(one.conflicts),
    'Apply failed with 1 conflict: conflict with "kubectl-create" using apps/v1: .spec.replicas',
  );
  const two = apply(made, web({ replicas: 3, minReadySeconds: 3 }), 'ben');
  assert.ok(two.kind === 'conflicts');
  assert.equal(
    conflictMessage(two.conflicts),
    'Apply failed with 2 conflicts: conflicts with "kubectl-create" using apps/v1:\n- .spec.minReadySeconds\n- .spec.replicas',
  );
});

test('what is no longer applied goes, unless another owns it', () => {
  const first = applied(undefined, web({ replicas: 2, minReadySeconds: 5 }, { a: '1', b: '2' }), 'ann');
  const shared = applied(first, web({ minReadySeconds: 5 }), 'ben');
  const second = applied(shared, web({}, { a: '1' }), 'ann');
  assert.deepEqual(second['spec'], { minReadySeconds: 5 });
  assert.deepEqual((second['metadata'] as Json)['labels'], { a: '1' });
});

test('elements of lists with keys are owned one by one; atomic ones as a whole', () => {
  const first = applied(
    undefined,
    web(container({ image: 'a', args: ['x'], env: [{ name: 'A', value: '1' }] })),
    'ann',
  );
  const sidecar = web({ template: { spec: { containers: [{ name: 'log', image: 'l' }] } } });
  const second = applied(first, sidecar, 'ben');
  assert.deepEqual(
    containersOf(second).map(({ name }) => name),
    ['web', 'log'],
  );
  const third = applied(second, web(container({ image: 'a', args: ['y', 'z'] })), 'ann');
  const own = containersOf(third).find(({ name }) => name === 'web');
  assert.deepEqual(own, { name: 'web', image: 'a', args: ['y', 'z'] });
  const gone = applied(third, web({}), 'ben');
  assert.deepEqual(
    containersOf(gone).map(({ name }) => name),
    ['web'],
  );
});

test('keys that an element does not say have their defaults', () => {
  const ports = (list: Json[]): Json => web(container({ ports: list }));
  const first = applied(undefined, ports([{ containerPort: 80, protocol: 'TCP', name: 'a' }]), 'ann');
  const second = applied(first, ports([{ containerPort: 80, hostPort: 8080 }]), 'ben');
  assert.equal((containersOf(second)[0] as { ports: unknown[] }).ports.length, 1);
});

test('trackUpdate() gives who changes what he changed, and nobody what went', () => {
  const first = applied(undefined, web({ replicas: 2, minReadySeconds: 5 }), 'ann');
  const second = updated(
    first,
    (draft) => Object.assign(draft['spec'] as Json, { replicas: 4, paused: true }),
    'kubectl',
  );
  assert.deepEqual(ownedBy(second, 'ann'), { 'f:spec': { 'f:minReadySeconds': {} } });
  assert.deepEqual(ownedBy(second, 'kubectl'), { 'f:spec': { 'f:paused': {}, 'f:replicas': {} } });
  const third = updated(second, (draft) => delete (draft['spec'] as Json)['paused'], 'other');
  assert.deepEqual(ownedBy(third, 'kubectl'), { 'f:spec': { 'f:replicas': {} } });
});

test('a status is owned apart from the object', () => {
  const first = applied(undefined, web({ replicas: 2 }), 'ann');
  const second = updated(
    first,
    (draft) => Object.assign(draft, { status: { replicas: 2 } }),
    'agent',
    'status',
  );
  assert.deepEqual(ownedBy(second, 'agent'), { 'f:status': { 'f:replicas': {} } });
});

test('applying the same again changes nothing, not even a time', () => {
  const configuration = web({ replicas: 2, ...container({ image: 'a' }) });
  const first = applied(undefined, configuration, 'ann');
  const again = applyConfiguration(first, configuration, {
    ...by('ann'),
    now: '2027-01-01T00:00:00Z',
    force: false,
  });
  assert.ok(again.kind === 'object' && !again.isChanged);
  assert.deepEqual(again.object, first);
});

test('what was there before anybody applied belongs to before-first-apply', () => {
  const live = { ...web({ replicas: 2 }), status: { replicas: 1 } };
  const result = apply(live, web({ replicas: 3 }), 'ann');
  assert.ok(result.kind === 'conflicts' && result.conflicts[0]?.manager.name === 'before-first-apply');
  assert.equal(apply(live, web({ replicas: 2 }), 'ann').kind, 'object');
});

test('a writer may say himself who owns what; an empty list begins anew', () => {
  const first = applied(undefined, web({ replicas: 2 }), 'ann');
  const cleared = updated(
    first,
    (draft) => Object.assign(draft['metadata'] as Json, { managedFields: [{}] }),
    'kubectl',
  );
  assert.deepEqual(managed(cleared), []);
});

test('duplicateIn() finds elements that are the same to their owners', () => {
  const twice = web({ template: { spec: { containers: [{ name: 'a' }, { name: 'a' }] } } });
  assert.deepEqual(duplicateIn(twice, shape)?.at(-1), 'k:{"name":"a"}');
  assert.equal(duplicateIn(web(container({})), shape), undefined);
});

test('fieldSetOf() refuses what is no FieldsV1', () => {
  for (const bad of [null, [], 5, { spec: {} }, { 'f:a': 5 }])
    assert.throws(() => fieldSetOf(bad), TypeError);
});

/** A random deployment out of few names, so that two have much in common. */
function someDeployment(random: SeededRandom): Json {
  const maybe = (chance: number): boolean => random.float() < chance;
  // Empty lists own their own path, which a full one does not: not part of these laws.
  const names = ['a', 'b', 'c'].filter((name) => name === 'a' || maybe(0.6));
  const containers = names.map((name) => ({
    name,
    ...(maybe(0.6) && { image: `i${random.integer(3)}` }),
    ...(maybe(0.4) && { args: Array.from({ length: 1 + random.integer(2) }, (_, at) => `x${at}`) }),
    ...(maybe(0.4) && {
      env: ['P', 'Q']
        .filter((env) => env === 'P' || maybe(0.5))
        .map((env) => ({ name: env, value: String(random.integer(2)) })),
    }),
  }));
  return web(
    {
      replicas: random.integer(3),
      ...(maybe(0.3) && { paused: maybe(0.5) }),
      ...(maybe(0.8) && {
        template: { metadata: { labels: { l: String(random.integer(2)) } }, spec: { containers } },
      }),
    },
    maybe(0.5) ? { k: String(random.integer(2)) } : undefined,
  );
}

test('laws of merging hold on random objects', (t) => {
  const seed = Number(process.env['CAELUM_SEED'] ?? 7);
  t.diagnostic(`seed ${seed}: replay with CAELUM_SEED=${seed}`);
  const random = new SeededRandom(seed);
  for (let round = 0; round < 1500; round++) {
    const [a, b] = [someDeployment(random), someDeployment(random)];
    assert.deepEqual(overlay(a, a, shape), a, 'an object laid over itself is itself');
    const over = overlay(a, b, shape);
    assert.ok(fieldsOf(b, shape).without(fieldsOf(over, shape)).isEmpty, 'what lies above is there');
    const same = compare(a, structuredClone(a), shape);
    assert.ok(same.added.isEmpty && same.changed.isEmpty && same.removed.isEmpty);
    const there = compare(a, b, shape);
    const back = compare(b, a, shape);
    assert.ok(
      there.added.equals(back.removed) && there.changed.equals(back.changed),
      'differences mirror each other',
    );
    assert.ok(fieldSetOf(fieldsOf(a, shape).toJson()).equals(fieldsOf(a, shape)), 'FieldsV1 says the same');
    assert.equal(
      remove(a, fieldsOf(a, shape).union(fieldsOf(b, shape)), shape),
      undefined,
      'without all its fields nothing is left',
    );
    // Applying and letting go leaves what others own.
    const first = applied(undefined, a, 'ann');
    const both = applied(first, b, 'ben', true);
    const left = applied(both, web({}), 'ben', true);
    const lost = fieldsOf(a, shape).without(fieldsOf(left, shape));
    const contested = compare(a, overlay(a, b, shape), shape).changed;
    assert.ok(
      lost.without(contested).outside(contested).isEmpty,
      `ben took more along than he took over: ${JSON.stringify([a, b, left])}`,
    );
  }
});
