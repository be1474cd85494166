import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonErrorWords, summaryOf } from './json-words.ts';

test("jsonErrorWords() says what Go's decoder says", () => {
  for (const [text, expected] of [
    ['apiVersion: v1', "invalid character 'a' looking for beginning of value"],
    ['{a}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 2}', "invalid character '2' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a":"\n"}', "invalid character '\\n' in string literal"],
    ['{"a":"\\q"}', "invalid character 'q' in string escape code"],
    ['{"a":1}x', "invalid character 'x' after top-level value"],
    ['{"a":"b', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['', 'unexpected end of JSON input'],
    ['[1,]', "invalid character ']' looking for beginning of value"],
  ] as const)
    assert.throws(
      () => JSON.parse(text),
      (error: Error) => {
        assert.equal(jsonErrorWords(error.message, text), expected, text);
        return true;
      },
    );
});

test('summaryOf() shows the start of a body', () => {
  assert.equal(summaryOf(Buffer.from('')), '<empty>');
  assert.equal(summaryOf(Buffer.from('{"a":')), '{"a":');
  assert.equal(summaryOf(Buffer.from('apiVersion')), '61706956657273696f6e');
  assert.equal(summaryOf(Buffer.from(`{${'x'.repeat(40)}`)), `{${'x'.repeat(29)} ...`);
});
