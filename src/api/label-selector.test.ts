import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelPredicate, labelSelectorText } from './label-selector.ts';
import { quantityMilli, quantityValue } from './quantity.ts';

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

for (const [text, value, milli] of [
  ['250m', 0.25, 250],
  ['1', 1, 1000],
  ['0.1', 0.1, 100],
  ['1Gi', 1073741824, 1073741824000],
  ['1.5k', 1500, 1500000],
  ['1e3', 1000, 1000000],
  ['5E', 5e18, 5e21],
  ['100u', 1e-4, 1],
  ['', undefined, undefined],
  ['1x', undefined, undefined],
] as const) {
  test(`quantityValue("${text}") is ${value}`, () => {
    assert.equal(quantityValue(text), value);
    assert.equal(quantityMilli(text), milli);
  });
}
