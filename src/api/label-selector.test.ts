import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelPredicate, labelSelectorText } from './label-selector.ts';

const labels = { app: 'web', tier: 'front' };

for (const [selector, expected] of [
  [undefined, false],
  [{}, true],
  [{ matchLabels: { app: 'web' } }, true],
  [{ matchLabels: { app: 'web', tier: 'back' } }, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['back', 'front'] }] }, true],
  [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back', 'front'] }] }, false],
  [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
  [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, false],
  [{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, false],
  [{ matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
  [{ matchExpressions: [{ key: 'zone', operator: 'Whatever' }] }, false],
] as const) {
  test(`labelPredicate(${JSON.stringify(selector)}) is ${expected} for ${JSON.stringify(labels)}`, () => {
    assert.equal(labelPredicate(selector)(labels), expected);
  });
}

test('labelSelectorText() writes what lists read', () => {
  const text = labelSelectorText({
    matchLabels: { b: '2', a: '1' },
    matchExpressions: [
      { key: 'c', operator: 'NotIn', values: ['y', 'x'] },
      { key: 'd', operator: 'DoesNotExist' },
    ],
  });
  assert.equal(text, '!d,a=1,b=2,c notin (x,y)');
});

test('labelSelectorText() writes the empty value so that it can be read', () => {
  // Found by comparison with src/sim/reference/selectors.ts, seed 1/22 of its test.
  const expressions = [
    { key: 'a', operator: 'In', values: [''] },
    { key: 'b', operator: 'NotIn', values: [''] },
  ];
  assert.equal(labelSelectorText({ matchExpressions: expressions }), 'a=,b!=');
});
