import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mismatch, parseScenario } from './scenario.ts';

test('parseScenario() reads settings, commands, here-documents and expectations', () => {
  const { settings, steps } = parseScenario(
    'cloud: hollow 3\n\n# why\n$ kubectl apply -f - <<EOF\nkind: X\nEOF\nx created\n! false\n~30 kubectl get pods\nNAME …\n',
  );
  assert.deepEqual(settings, { cloud: 'hollow 3' });
  assert.deepEqual(steps, [
    {
      command: 'kubectl apply -f - <<EOF\nkind: X\nEOF',
      expect: ['x created'],
      mustFail: false,
      patienceMs: 0,
      line: 4,
    },
    { command: 'false', expect: [], mustFail: true, patienceMs: 0, line: 8 },
    { command: 'kubectl get pods', expect: ['NAME …'], mustFail: false, patienceMs: 30_000, line: 9 },
  ]);
});

for (const [expect, printed, fits] of [
  [['NAME  READY', 'a  1/1'], 'NAME   READY\na      1/1\n', true],
  [['a …', '...', 'z'], 'a 5s\nb\nc\nz\n', true],
  [['a'], 'a\nb\n', false],
  [['a', 'b'], 'a\n', false],
  [['a.c'], 'abc\n', false],
  [['...', 'z'], 'a\n', false],
  [['a', '...'], 'a\nb\nc\n', true],
] as const) {
  test(`mismatch() ${fits ? 'accepts' : 'refuses'} ${JSON.stringify(printed)} for ${JSON.stringify(expect)}`, () => {
    assert.equal(mismatch(expect, printed) === undefined, fits);
  });
}
