import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../api/index.ts';
import { ExtendedClasses, extendedClaimName, extendedRequests } from './extended-claims.ts';

const classOf = (name: string, extendedResourceName: string, second: number) => ({
  metadata: { name, creationTimestamp: `2026-01-01T00:00:0${second}Z` },
  spec: { extendedResourceName },
});

test('ExtendedClasses.classOf() prefers the class that was made last, then the first by name', () => {
  const classes = new ExtendedClasses();
  assert.equal(classes.classOf('example.com/gpu'), undefined);
  for (const one of [
    classOf('old', 'example.com/gpu', 1),
    classOf('b', 'example.com/gpu', 2),
    classOf('a', 'example.com/gpu', 2),
  ])
    classes.set(one);
  assert.equal(classes.classOf('example.com/gpu'), 'a');
  assert.equal(classes.classOf('deviceclass.resource.kubernetes.io/old'), 'old');
  assert.equal(classes.classOf('deviceclass.resource.kubernetes.io/none'), undefined);
  classes.delete('a');
  assert.equal(classes.classOf('example.com/gpu'), 'b');
});

test('extendedRequests() numbers requests by container, and gives an initial container the devices of a later one', () => {
  const asks = (name: string, amounts: object, more: object = {}): object => ({
    name,
    image: 'i',
    resources: { requests: amounts },
    ...more,
  });
  const gpu = 'example.com/gpu';
  const pod = {
    metadata: { name: 'p'.repeat(253), uid: 'ABC-123-def-456' },
    spec: {
      initContainers: [
        asks('first', { [gpu]: '2' }),
        asks('side', { [gpu]: '1' }, { restartPolicy: 'Always' }),
        asks('large', { [gpu]: '4' }),
      ],
      containers: [asks('main', { cpu: '1', [gpu]: '2' }), asks('none', { 'other.com/x': '1' })],
    },
  } as unknown as Pod;
  const told = extendedRequests(pod, (resource) => (resource === gpu ? 'fast' : undefined)).map(
    ({ container, request, count, isReused }) =>
      `${container} ${request} ${count}${isReused ? ' again' : ''}`,
  );
  assert.deepEqual(told, [
    'side container-1-request-0 1',
    'main container-3-request-1 2',
    'first container-3-request-1 2 again',
    'large container-2-request-0 4',
  ]);
  assert.equal(extendedClaimName(pod).length, 253);
  assert.match(extendedClaimName(pod), /-extended-resources-23def456$/);
});
