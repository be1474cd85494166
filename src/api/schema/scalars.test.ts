import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalQuantity } from './quantity-text.ts';
import { canonicalBase64, durationNanoseconds, durationText } from './scalars.ts';

const quantities: readonly [text: string, canonical: string][] = [
  ['0', '0'],
  ['1000m', '1'],
  ['0.5', '500m'],
  ['-0.5', '-500m'],
  ['.5', '500m'],
  ['1.', '1'],
  ['1500m', '1500m'],
  ['120000', '120k'],
  ['123456', '123456'],
  ['1024Mi', '1Gi'],
  ['1.5Gi', '1536Mi'],
  ['0.1Gi', '107374182400m'],
  ['1000Ki', '1000Ki'],
  ['0.5Ki', '512'],
  ['1e3', '1e3'],
  ['12E6', '12e6'],
  ['1E', '1E'],
  ['0.1n', '1n'],
  ['10000000000000000000', '9223372036854775807'],
];

for (const [text, canonical] of quantities) {
  test(`canonicalQuantity() makes ${canonical} of ${text}`, () => {
    assert.equal(canonicalQuantity(text), canonical);
    if (canonical !== '9223372036854775807') assert.equal(canonicalQuantity(canonical), canonical);
  });
}

test('canonicalQuantity() refuses what is none', () => {
  for (const text of ['', '.', 'abc', '1 Gi', '--1', '1Gi2', '1GiB', '1i', '1ee3', '1e', '1e99999']) {
    assert.equal(typeof canonicalQuantity(text), 'object', text);
  }
});

test('canonicalBase64() drops line breaks and tells the first bad byte', () => {
  assert.equal(canonicalBase64('YW\nJj\r\n'), 'YWJj');
  assert.deepEqual(canonicalBase64('YWJ'), { refusal: 'illegal base64 data at input byte 0' });
  assert.deepEqual(canonicalBase64('YWJjZ-=='), { refusal: 'illegal base64 data at input byte 5' });
});

const durations: readonly [text: string, nanoseconds: bigint][] = [
  ['0s', 0n],
  ['30s', 30_000_000_000n],
  ['1m30s', 90_000_000_000n],
  ['1h0m0s', 3_600_000_000_000n],
  ['1.5s', 1_500_000_000n],
  ['250ms', 250_000_000n],
  ['1.5µs', 1_500n],
  ['-2m0s', -120_000_000_000n],
];

for (const [text, nanoseconds] of durations) {
  test(`durationText() and durationNanoseconds() agree about ${text}`, () => {
    assert.equal(durationText(nanoseconds), text);
    assert.equal(durationNanoseconds(text), nanoseconds);
  });
}
