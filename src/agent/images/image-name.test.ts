import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import { normalizeName } from './image-name.ts';

const hex = 'a'.repeat(64);

test('normalizeName() gives names the defaults that Docker gives them', () => {
  for (const [name, normal] of [
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['team/app', 'docker.io/team/app:latest'],
    ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['docker.io/team/app:V2', 'docker.io/team/app:V2'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:x', 'localhost:5000/app:x'],
    ['[::1]:5000/a/b', '[::1]:5000/a/b:latest'],
    ['127.0.0.1:5000/a', '127.0.0.1:5000/a:latest'],
    ['ghcr.io/a/b__c/d-e.f:1', 'ghcr.io/a/b__c/d-e.f:1'],
    ['host.local/busybox', 'host.local/busybox:latest'],
    [`nginx@sha256:${hex}`, `docker.io/library/nginx@sha256:${hex}`],
    [`nginx:1@sha256:${hex}`, `docker.io/library/nginx@sha256:${hex}`],
  ] as const) {
    assert.equal(normalizeName(name), normal);
    assert.equal(normalizeName(normal), normal);
  }
});

test('normalizeName() refuses what cannot be a name', () => {
  const bad = [
    '',
    ':',
    'a:',
    '/a',
    'a/',
    'a//b',
    'Nginx',
    'a..b',
    'a_-b',
    '-a',
    'a b',
    'http://a/b',
    `a@sha256:${'z'.repeat(64)}`,
  ];
  for (const name of [
    ...bad,
    'a@md5:1',
    hex,
    `a:${'x'.repeat(129)}`,
    `${'a/'.repeat(140)}b`,
    '../etc',
    'a.b/../c',
  ])
    assert.throws(
      () => normalizeName(name),
      (error) => isError(error, 'badRequest'),
      name,
    );
});
