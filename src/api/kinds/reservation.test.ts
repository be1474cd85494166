import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, kindOf, refusals, row, type Tree, updateRefusals } from './test-submission.ts';

const kind = kindOf('reservations', 'scheduling.caelum.dev');
const template = { requests: { cpu: '1' } };
const reservation = (more: Tree = {}): Tree => ({ spec: { count: 2, template, ...more } });

test('a reservation is all or none and waits, unless it says otherwise', () => {
  const made = created(kind, { ...reservation(), status: { phase: 'Held' } });
  assert.deepEqual(made['spec'], { count: 2, template, mode: 'AllOrNone', whenRefused: 'Wait' });
  assert.deepEqual(made['status'], {});
});

const cases: readonly (readonly [string, Tree, ...string[]])[] = [
  [
    'all that there is',
    reservation({ mode: 'Partial', whenRefused: 'Fail', ttl: '1h', selector: { matchLabels: { a: 'b' } } }),
  ],
  [
    'no places',
    reservation({ count: 0 }),
    'spec.count: Invalid value: 0: must be between 1 and 10000, inclusive',
  ],
  [
    'places of nothing',
    reservation({ template: { requests: {} } }),
    'spec.template.requests: Required value: must say what a place holds',
  ],
  [
    'a negative amount',
    reservation({ template: { requests: { cpu: '-1' } } }),
    'spec.template.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    'an unknown mode',
    reservation({ mode: 'Some' }),
    'spec.mode: Unsupported value: "Some": supported values: "AllOrNone", "Partial"',
  ],
  [
    'an unknown answer to refusals',
    reservation({ whenRefused: 'Cry' }),
    'spec.whenRefused: Unsupported value: "Cry": supported values: "Fail", "Wait"',
  ],
  [
    'everybody',
    reservation({ selector: {} }),
    'spec.selector: Invalid value: {}: must not be empty: leave it out for pods that name it',
  ],
  ['no time', reservation({ ttl: '0s' }), 'spec.ttl: Invalid value: "0s": must be a duration greater than 0'],
  [
    'two ends',
    reservation({ ttl: '1h', expireTime: '2030-01-01T00:00:00Z' }),
    'spec.expireTime: Forbidden: may not be set together with `ttl`',
  ],
];
for (const [name, object, ...expected] of cases)
  test(`a reservation of ${name}`, () => {
    assert.deepEqual(refusals(kind, object), expected);
  });

test('a reservation may grow, but its places stay what they are', () => {
  assert.deepEqual(updateRefusals(kind, reservation(), reservation({ count: 3, ttl: '2h' })), []);
  assert.deepEqual(
    updateRefusals(kind, reservation(), reservation({ template: { requests: { cpu: '2' } } })),
    ['spec.template: Invalid value: {"requests":{"cpu":"2"}}: field is immutable'],
  );
});

test('a reservation is listed with what it holds', () => {
  const status = {
    phase: 'Partial',
    allocated: 1,
    used: 1,
    places: [{ node: 'a', count: 1, pods: ['p'] }],
    conditions: [{ type: 'Held', status: 'False', reason: 'x', message: 'only 1 of 2 fit' }],
  };
  const object = { metadata: { name: 'r' }, ...reservation(), status };
  assert.equal(row(kind, object), 'r | 2 | 1 | 1 | Partial | <unknown>');
  assert.equal(row(kind, object, 1), 'r | 2 | 1 | 1 | Partial | 1 | <none> | only 1 of 2 fit | <unknown>');
});
