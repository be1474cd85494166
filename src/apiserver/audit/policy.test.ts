import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import type { Identity } from '../identity.ts';
import { readAuditPolicy } from './policy.ts';

const ann: Identity = { user: 'ann', groups: ['dev', 'system:authenticated'] };
const resource = (over: Partial<Extract<Attributes, { kind: 'resource' }>> = {}): Attributes => ({
  kind: 'resource',
  verb: 'get',
  group: '',
  resource: 'pods',
  subresource: '',
  namespace: 'default',
  name: 'a',
  ...over,
});
const path = (text: string): Attributes => ({ kind: 'path', verb: 'get', path: text });
const policy = (...rules: object[]) =>
  readAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules });

test('verdict() is of the first rule that matches', () => {
  const cases: readonly (readonly [object, Attributes, boolean])[] = [
    [{}, resource(), true],
    [{}, path('/x'), true],
    [{ users: ['ann'] }, resource(), true],
    [{ users: ['bob'] }, resource(), false],
    [{ userGroups: ['ops', 'dev'] }, resource(), true],
    [{ userGroups: ['ops'] }, resource(), false],
    [{ verbs: ['list', 'get'] }, resource(), true],
    [{ verbs: ['list'] }, resource(), false],
    [{ namespaces: ['default'] }, resource(), true],
    [{ namespaces: ['other'] }, resource(), false],
    [{ namespaces: [''] }, resource({ namespace: '' }), true],
    [{ namespaces: ['default'] }, path('/x'), false],
    [{ resources: [{ group: '' }] }, resource(), true],
    [{ resources: [{ group: 'apps' }] }, resource(), false],
    [{ resources: [{ group: '', resources: ['pods'] }] }, resource(), true],
    [{ resources: [{ group: '', resources: ['pods'] }] }, resource({ subresource: 'log' }), false],
    [{ resources: [{ group: '', resources: ['pods/log'] }] }, resource({ subresource: 'log' }), true],
    [{ resources: [{ group: '', resources: ['pods/*'] }] }, resource({ subresource: 'log' }), true],
    [{ resources: [{ group: '', resources: ['*/log'] }] }, resource({ subresource: 'log' }), true],
    [{ resources: [{ group: '', resources: ['*/log'] }] }, resource(), false],
    [{ resources: [{ group: '', resources: ['*'] }] }, resource({ subresource: 'log' }), true],
    [{ resources: [{ resources: ['pods'], resourceNames: ['a'] }] }, resource(), true],
    [{ resources: [{ resources: ['pods'], resourceNames: ['b'] }] }, resource(), false],
    [{ nonResourceURLs: ['/healthz*', '/version'] }, path('/healthz/ping'), true],
    [{ nonResourceURLs: ['/healthz*'] }, path('/livez'), false],
    [{ nonResourceURLs: ['*'] }, resource(), false],
  ];
  for (const [rule, asked, isMatched] of cases) {
    const verdict = policy({ level: 'Request', ...rule }).verdict(ann, asked);
    assert.equal(verdict?.level, isMatched ? 'Request' : undefined, JSON.stringify([rule, asked]));
  }
  assert.equal(
    policy({ level: 'None', users: ['ann'] }, { level: 'Metadata' }).verdict(ann, resource()),
    undefined,
  );
  assert.equal(
    policy({ level: 'None', users: ['bob'] }, { level: 'Metadata' }).verdict(ann, resource())?.level,
    'Metadata',
  );
});

test('verdict() joins what policy and rule leave out', () => {
  const read = readAuditPolicy({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    omitManagedFields: true,
    rules: [
      { level: 'Metadata', verbs: ['watch'], omitStages: ['ResponseStarted'], omitManagedFields: false },
      { level: 'Metadata' },
    ],
  });
  const watched = read.verdict(ann, resource({ verb: 'watch' }));
  assert.deepEqual([...(watched?.omitStages ?? [])], ['RequestReceived', 'ResponseStarted']);
  assert.equal(watched?.omitManagedFields, false);
  const got = read.verdict(ann, resource());
  assert.deepEqual([[...(got?.omitStages ?? [])], got?.omitManagedFields], [['RequestReceived'], true]);
});

test('readAuditPolicy() says which field is wrong', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /policy: it is no object/],
    [{ kind: 'Pod', apiVersion: 'v1' }, /it is no Policy of audit.k8s.io\/v1 but Pod of v1/],
    [{ kind: 'Policy', apiVersion: 'audit.k8s.io/v1' }, /rules: a policy has at least one rule/],
    [{ rules: [{}] }, /rules\[0\]\.level/],
    [{ rules: [{ level: 'All' }] }, /rules\[0\]\.level: it is none of None/],
    [{ rules: [{ level: 'None', stages: [] }] }, /rules\[0\]\.stages: no such field/],
    [{ rules: [{ level: 'None' }], omitStages: ['Later'] }, /omitStages: Later is none of/],
    [{ rules: [{ level: 'None', users: 'ann' }] }, /rules\[0\]\.users: it is no list/],
    [{ rules: [{ level: 'None', nonResourceURLs: ['/a*b'] }] }, /nonResourceURLs: \/a\*b is no path/],
    [{ rules: [{ level: 'None', nonResourceURLs: ['/a'], namespaces: ['b'] }] }, /cannot apply to both/],
    [{ rules: [{ level: 'None', resources: [{ resourceNames: ['a'] }] }] }, /requires at least one resource/],
  ];
  for (const [value, message] of cases) {
    const whole =
      typeof value === 'object' && value !== null && !('kind' in value)
        ? { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', ...value }
        : value;
    assert.throws(
      () => readAuditPolicy(whole),
      (error) => isError(error, 'invalid') && message.test(error.message),
      JSON.stringify(value),
    );
  }
});
