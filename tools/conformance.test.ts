/** The page of conformance is as the tests say, and they speak of tests that are in the ledger. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { claimsOf, page, readClaims, readLedger, render } from './conformance.ts';

const ledger = readLedger();
const skip =
  ledger === undefined ? "the ledger (the test data's kubernetes/conformance.yaml) is absent" : false;

test('claimsOf() gives each comment the test below it', () => {
  const text = [
    '// conformance: [sig-auth] A',
    '// conformance, partly (no pod (yet) runs): [sig-auth] B should',
    "await t.test('does \\'it\\'', () => {});",
    'test(',
    '  `another`,',
    '// conformance: [sig-x] Last',
    'await t.test(',
    '  `of a name`, () => {});',
  ].join('\n');
  assert.deepEqual(
    claimsOf('a.test.ts', text).map(({ entry, test: name, line, partly }) => [entry, name, line, partly]),
    [
      ['[sig-auth] A', "does \\'it\\'", 1, undefined],
      ['[sig-auth] B should', "does \\'it\\'", 2, 'no pod (yet) runs'],
      ['[sig-x] Last', 'of a name', 6, undefined],
    ],
  );
  const scenario = '# conformance: [sig-cli] C\n$ kubectl version\n';
  assert.equal(claimsOf('a.scenario', scenario)[0]?.test, 'kubectl version');
});

test('every conformance test that ours speak of is in the ledger', { skip }, () => {
  const names = new Set(ledger?.map(({ name }) => name));
  const lost = readClaims().filter(({ entry, test: name }) => !names.has(entry) || name === '');
  assert.deepEqual(
    lost.map(({ file, line, entry }) => `${file}:${line}: ${entry}`),
    [],
  );
});

test('docs/conformance.md is as the tests say: node tools/conformance.ts writes it', { skip }, () => {
  assert.equal(readFileSync(page, 'utf8'), render(ledger ?? [], readClaims()));
});
