import assert from 'node:assert/strict';
import { test } from 'node:test';
import { servedGroups } from '../tables/generated/tables.ts';
import {
  kindOfMessage,
  messageNameOf,
  messageNames,
  messageOf,
  messageOfKind,
  openApiName,
} from './messages.ts';

test('messageOf() reads every message of every table, and what their fields name', () => {
  let count = 0;
  for (const table of Object.keys(servedGroups)) {
    for (const name of messageNames(table)) {
      count++;
      for (const field of messageOf(name).fields.values()) {
        if (field.type.kind === 'message') messageOf(field.type.message);
      }
    }
  }
  assert.ok(count > 600, `${count} messages`);
  assert.throws(() => messageOf('core.v1.Nonsense'), /no message "core.v1.Nonsense"/);
  assert.throws(() => messageOf('__proto__.v1.X'), /no message/);
});

test('openApiName() and messageNameOf() are inverse', () => {
  const names = [
    ['core.v1.Pod', 'io.k8s.api.core.v1.Pod'],
    ['meta.v1.ObjectMeta', 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'],
    [
      'apiextensions.v1.JSONSchemaProps',
      'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
    ],
    ['rbac.v1.Role', 'io.k8s.api.rbac.v1.Role'],
  ] as const;
  for (const [name, openApi] of names) {
    assert.equal(openApiName(name), openApi);
    assert.equal(messageNameOf(openApi), name);
  }
});

test('messageOfKind() knows kinds by their served group, and the machinery in every group', () => {
  const nameOf = (group: string, version: string, kind: string) =>
    messageOfKind({ group, version, kind })?.name;
  assert.equal(nameOf('', 'v1', 'Pod'), 'core.v1.Pod');
  assert.equal(nameOf('rbac.authorization.k8s.io', 'v1', 'Role'), 'rbac.v1.Role');
  assert.equal(nameOf('events.k8s.io', 'v1', 'Event'), 'events.v1.Event');
  assert.equal(nameOf('', 'v1', 'Status'), 'meta.v1.Status');
  assert.equal(nameOf('apps', 'v1', 'DeleteOptions'), 'meta.v1.DeleteOptions');
  assert.equal(nameOf('', 'v1', 'PodSpec'), undefined);
  assert.equal(nameOf('nowhere', 'v1', 'Pod'), undefined);
  assert.deepEqual(kindOfMessage(messageOf('rbac.v1.Role')), {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    kind: 'Role',
  });
});
