import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../lib/index.ts';
import { parseRoute, Query } from './router.ts';

const cases: readonly [path: string, wanted: readonly string[] | undefined][] = [
  ['/api/v1/pods', ['', 'v1', '', 'pods', '', '']],
  ['/api/v1/namespaces', ['', 'v1', '', 'namespaces', '', '']],
  ['/api/v1/namespaces/a', ['', 'v1', '', 'namespaces', 'a', '']],
  ['/api/v1/namespaces/a/', ['', 'v1', '', 'namespaces', 'a', '']],
  ['/api/v1/namespaces/a/status', ['', 'v1', '', 'namespaces', 'a', 'status']],
  ['/api/v1/namespaces/a/finalize', ['', 'v1', '', 'namespaces', 'a', 'finalize']],
  ['/api/v1/namespaces/a/pods', ['', 'v1', 'a', 'pods', '', '']],
  ['/api/v1/namespaces/a/pods/status', ['', 'v1', 'a', 'pods', 'status', '']],
  ['/api/v1/namespaces/a/pods/p', ['', 'v1', 'a', 'pods', 'p', '']],
  ['/api/v1/namespaces/a/pods/p/log', ['', 'v1', 'a', 'pods', 'p', 'log']],
  ['/apis/apps/v1/deployments', ['apps', 'v1', '', 'deployments', '', '']],
  ['/apis/apps/v1/namespaces/a/deployments/d/scale', ['apps', 'v1', 'a', 'deployments', 'd', 'scale']],
  ['/api/v1/nodes/n%2Fm', ['', 'v1', '', 'nodes', 'n/m', '']],
  ['/', undefined],
  ['/api', undefined],
  ['/api/v1', undefined],
  ['/api/v1/', undefined],
  ['/apis/apps', undefined],
  ['/apis/apps/v1', undefined],
  ['/apis/apps/v1/', undefined],
  ['/healthz', undefined],
  ['/api/v1//pods', undefined],
  ['/api/v1/namespaces/a/pods/p/log/more', undefined],
];

for (const [path, wanted] of cases) {
  test(`parseRoute() reads ${path}`, () => {
    const route = parseRoute(path);
    if (wanted === undefined) assert.deepEqual(route, { kind: 'path', path });
    else {
      const [group, version, namespace, resource, name, subresource] = wanted;
      assert.deepEqual(route, { kind: 'resource', group, version, namespace, resource, name, subresource });
    }
  });
}

test('parseRoute() knows the old paths of watches', () => {
  const of = (path: string): unknown => {
    const route = parseRoute(path);
    return route.kind === 'path'
      ? route.path
      : [route.isWatch === true, route.namespace, route.resource, route.name, route.subresource].join(' ');
  };
  assert.equal(of('/api/v1/watch/pods'), 'true  pods  ');
  assert.equal(of('/api/v1/watch/namespaces'), 'true  namespaces  ');
  assert.equal(of('/api/v1/watch/namespaces/a'), 'true  namespaces a ');
  assert.equal(of('/apis/apps/v1/watch/namespaces/a/deployments/d'), 'true a deployments d ');
  assert.equal(of('/api/v1/watch'), 'false  watch  ');
});

test('parseRoute() refuses broken percent-encoding', () => {
  assert.throws(
    () => parseRoute('/api/v1/nodes/%zz'),
    (error) => isError(error, 'badRequest'),
  );
});

test('Query reads flags and counts as Go does', () => {
  const query = new Query('watch&limit=5&x=true&y=0&bad=maybe&n=-1&m=1.5&empty=');
  assert.equal(query.flag('watch'), true);
  assert.equal(query.flag('x'), true);
  assert.equal(query.flag('y'), false);
  assert.equal(query.flag('absent'), undefined);
  assert.equal(query.count('limit'), 5);
  assert.equal(query.count('n'), -1);
  assert.equal(query.text('empty'), undefined);
  assert.throws(
    () => query.flag('bad'),
    (error) => isError(error, 'badRequest'),
  );
  assert.throws(
    () => query.count('m'),
    (error) => isError(error, 'badRequest'),
  );
});
