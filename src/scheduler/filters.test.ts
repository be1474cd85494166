import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectsNode, tolerates } from './filters.ts';

const node = (labels: Readonly<Record<string, string>>) => ({ labels, fields: { 'metadata.name': 'n1' } });
const expressions = (key: string, operator: string, ...values: string[]) => ({
  nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
});

// Found by comparison with src/sim/reference/selectors.ts, seeds 1/0 to 1/9 of its test.
for (const [what, selector, labels, expected] of [
  ['no number is neither greater nor less', expressions('size', 'Lt', '5'), { size: '' }, false],
  ['a fraction is no integer', expressions('size', 'Gt', '1'), { size: '1.5' }, false],
  ['integers are exact', expressions('size', 'Gt', '9007199254740992'), { size: '9007199254740993' }, true],
  ['what every object inherits is no label', expressions('constructor', 'Exists'), {}, false],
  ['a name is a field, not a label', expressions('metadata.name', 'In', 'n1'), {}, false],
  [
    'a label may be called as the field is',
    expressions('metadata.name', 'In', 'x'),
    { 'metadata.name': 'x' },
    true,
  ],
  [
    'fields do not look at labels',
    { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }] },
    { 'metadata.name': 'x' },
    true,
  ],
] as const)
  test(`selectsNode(): ${what}`, () => {
    assert.equal(selectsNode(selector, node(labels as Readonly<Record<string, string>>)), expected);
  });

test('tolerates() knows no operators but Exists and Equal', () => {
  const taint = { key: 'a', value: '5', effect: 'NoSchedule' };
  assert.equal(tolerates([{ key: 'a', value: '5' }], taint), true);
  assert.equal(tolerates([{ key: 'a', operator: 'Lt', value: '5' }], taint), false);
});
