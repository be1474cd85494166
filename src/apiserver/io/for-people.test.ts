import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isForPeople } from './for-people.ts';

test('isForPeople() goes by the program, unless the request says what it wants', () => {
  const rows: readonly [string, string | undefined, boolean][] = [
    ['/api', undefined, false],
    ['/api', 'kubectl/v1.36.3', false],
    ['/api', 'curl/8.5.0', true],
    ['/api', 'Wget/1.21', true],
    ['/api', 'Mozilla/5.0 (X11; Linux x86_64)', true],
    ['/api', 'my-curl/1', false],
    ['/api?pretty=true', 'kubectl/v1.36.3', true],
    ['/api?limit=1&pretty=1', undefined, true],
    ['/api?pretty=false', 'curl/8.5.0', false],
    ['/api?pretty=0', 'curl/8.5.0', false],
    ['/api?pretty=', 'curl/8.5.0', true],
    ['/api?pretty=maybe', 'curl/8.5.0', false],
  ];
  for (const [url, agent, expected] of rows) {
    const headers = agent === undefined ? {} : { 'user-agent': agent };
    assert.equal(isForPeople({ url, headers }), expected, `${url} ${agent}`);
  }
});
