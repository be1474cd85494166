import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  hasLabels,
  type LabelSelector,
  labelPredicate,
  labelSelectorText,
  type NodeSelectorTerm,
  parseLabelSelector,
  type Toleration,
} from '../../api/index.ts';
import { selectsNode as fastSelectsNode, tolerates } from '../../scheduler/filters.ts';
import { holds, type Labels, type Requirement, selects, selectsNode, tolerated } from './selectors.ts';
import { type Choices, forEachCase } from './test-cases.ts';

/** `constructor` and `metadata.name` are good names for labels, and traps. */
const keys = ['app', 'tier', 'x/y', 'constructor', 'metadata.name'];
const values = [
  'a',
  'b',
  '',
  '7',
  '1.5',
  '007',
  '9007199254740993',
  '9007199254740992',
  '99999999999999999999',
];

const bounds = ['0', '7', '9007199254740992', '9007199254740993', '99999999999999999999'];

const labelsOf = (choices: Choices): Labels =>
  Object.fromEntries(choices.some(keys).map((key) => [key, choices.one(values)]));

function requirement(choices: Choices, operators: readonly string[]): Requirement {
  const operator = choices.one(operators);
  const key = choices.one(keys);
  if (operator === 'Gt' || operator === 'Lt') return { key, operator, values: [choices.one(bounds)] };
  if (operator === 'In' || operator === 'NotIn')
    return { key, operator, values: [choices.one(values), ...choices.some(values, 2)] };
  return { key, operator };
}

const sets = ['In', 'NotIn', 'Exists', 'DoesNotExist'];
const all = [...sets, 'Gt', 'Lt'];

function selector(choices: Choices): LabelSelector {
  return {
    ...choices.maybe(0.5, 'matchLabels', () => labelsOf(choices)),
    ...choices.maybe(0.7, 'matchExpressions', () => choices.list(0, 3, () => requirement(choices, sets))),
  };
}

test('labelPredicate() and its text select as the reference', (t) => {
  forEachCase(t, 4000, (choices) => {
    const wanted = choices.chance(0.03) ? undefined : selector(choices);
    const [matches, read] = [labelPredicate(wanted), parseLabelSelector(labelSelectorText(wanted ?? {}))];
    for (let count = 0; count < 4; count++) {
      const labels = labelsOf(choices);
      const expected = selects(wanted, labels);
      assert.equal(matches(labels), expected, JSON.stringify([wanted, labels]));
      if (wanted !== undefined && read !== undefined)
        assert.equal(read(labels), expected, labelSelectorText(wanted));
    }
    const labels = labelsOf(choices);
    const pairs = labelsOf(choices);
    assert.equal(hasLabels(labels, pairs), selects({ matchLabels: pairs }, labels));
  });
});

/** A requirement as one may write it. */
function textOf({ key, operator, values: list = [] }: Requirement, choices: Choices): string {
  const space = (): string => choices.one(['', '', ' ']);
  const [first = ''] = list;
  const among = `(${list.join(`${space()},${space()}`)})`;
  if (operator === 'In')
    return list.length === 1 && (first === '' || choices.chance(0.5))
      ? `${key}${space()}${choices.one(['=', '=='])}${space()}${first}`
      : `${key} in ${among}`;
  if (operator === 'NotIn')
    return list.length === 1 && (first === '' || choices.chance(0.5))
      ? `${key}${space()}!=${space()}${first}`
      : `${key} notin ${among}`;
  if (operator === 'Gt') return `${key}${space()}>${space()}${first}`;
  if (operator === 'Lt') return `${key}${space()}<${space()}${first}`;
  return operator === 'Exists' ? key : `!${key}`;
}

test('parseLabelSelector() reads texts as the reference', (t) => {
  forEachCase(t, 4000, (choices) => {
    const wanted = choices.list(1, 3, () => requirement(choices, all));
    const text = wanted.map((one) => textOf(one, choices)).join(choices.one([',', ', ']));
    const read = parseLabelSelector(text);
    for (let count = 0; count < 4; count++) {
      const labels = labelsOf(choices);
      const expected = wanted.every((one) => holds(one, labels));
      assert.equal(read?.(labels), expected, `${text} of ${JSON.stringify(labels)}`);
    }
  });
});

function nodeTerm(choices: Choices): NodeSelectorTerm {
  const name = (): Requirement => ({
    key: 'metadata.name',
    operator: choices.one(['In', 'NotIn']),
    values: [choices.one(['n1', 'n2'])],
  });
  return {
    ...choices.maybe(0.7, 'matchExpressions', () => choices.list(0, 2, () => requirement(choices, all))),
    ...choices.maybe(0.3, 'matchFields', () => [name()]),
  };
}

test('selectsNode() selects as the reference', (t) => {
  forEachCase(t, 4000, (choices) => {
    const wanted = { nodeSelectorTerms: choices.list(0, 2, () => nodeTerm(choices)) };
    for (let count = 0; count < 4; count++) {
      const name = choices.one(['n1', 'n2', 'n3']);
      const labels = labelsOf(choices);
      assert.equal(
        fastSelectsNode(wanted, { labels, fields: { 'metadata.name': name } }),
        selectsNode(wanted, { metadata: { name, labels } }),
        JSON.stringify([wanted, name, labels]),
      );
    }
  });
});

test('tolerates() tolerates as the reference', (t) => {
  const effects = ['NoSchedule', 'NoExecute', 'PreferNoSchedule'];
  forEachCase(t, 4000, (choices) => {
    const tolerations: Toleration[] = choices.list(0, 3, () => {
      const operator = choices.one(['Exists', 'Equal', '', 'Lt']);
      // Without a key only `Exists` is allowed.
      const keyless = operator === 'Exists' && choices.chance(0.3);
      return {
        ...(keyless ? choices.maybe(0.5, 'key', () => '') : { key: choices.one(['a', 'b']) }),
        ...(operator === '' ? choices.maybe(0.5, 'operator', () => '') : { operator }),
        ...(operator === 'Exists' ? {} : choices.maybe(0.7, 'value', () => choices.one(['', 'x', '5']))),
        ...choices.maybe(0.5, 'effect', () => choices.one([...effects, ''])),
      };
    });
    const taint = {
      key: choices.one(['a', 'b']),
      effect: choices.one(effects),
      ...choices.maybe(0.7, 'value', () => choices.one(['', 'x', '5'])),
    };
    assert.equal(
      tolerates(tolerations, taint),
      tolerated(taint, tolerations),
      JSON.stringify([taint, tolerations]),
    );
  });
});
