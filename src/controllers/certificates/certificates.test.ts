import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CertificateSigningRequest, Secret, ServiceAccount } from '../../api/index.ts';
import { planToken } from '../bootstrap-token/controller.ts';
import { plan as planSecret } from '../service-account/token-secret-plan.ts';
import type { Step } from '../step.ts';
import { plan } from './plan.ts';
import { approvalOf, type RequestFacts, refusalOf } from './rules.ts';

const facts = (
  commonName: string,
  organisations: string[],
  more: Partial<RequestFacts> = {},
): RequestFacts => ({
  commonName,
  organisations,
  dnsNames: [],
  addresses: [],
  emails: [],
  uris: [],
  ...more,
});
const node = facts('system:node:n1', ['system:nodes']);
const client = ['digital signature', 'client auth'];
const server = ['digital signature', 'key encipherment', 'server auth'];

test('refusalOf() holds requests against the rules of their signer', () => {
  const cases: readonly (readonly [string, RequestFacts, readonly string[], string | undefined])[] = [
    ['kube-apiserver-client', facts('ann', ['devs']), client, undefined],
    [
      'kube-apiserver-client',
      facts('ann', ['system:masters']),
      client,
      'use of the system:masters group is not allowed',
    ],
    ['kube-apiserver-client', facts('ann', []), ['digital signature'], 'usages must include "client auth"'],
    [
      'kube-apiserver-client',
      facts('ann', []),
      [...client, 'server auth'],
      'usage "server auth" is not allowed',
    ],
    ['kube-apiserver-client-kubelet', node, client, undefined],
    ['kube-apiserver-client-kubelet', node, [...client, 'key encipherment'], undefined],
    [
      'kube-apiserver-client-kubelet',
      node,
      server,
      'usages did not match [key encipherment digital signature client auth]',
    ],
    [
      'kube-apiserver-client-kubelet',
      facts('n1', ['system:nodes']),
      client,
      'subject common name does not begin with system:node:',
    ],
    [
      'kube-apiserver-client-kubelet',
      facts('system:node:n1', ['x']),
      client,
      'subject organization is not system:nodes',
    ],
    [
      'kube-apiserver-client-kubelet',
      { ...node, dnsNames: ['n1'] },
      client,
      'DNS subjectAltNames are not allowed',
    ],
    ['kubelet-serving', { ...node, addresses: ['10.0.0.1'] }, server, undefined],
    ['kubelet-serving', node, server, 'either DNS or IP subjectAltNames must be set'],
    [
      'kubelet-serving',
      { ...node, dnsNames: ['n1'], uris: ['x://y'] },
      server,
      'URI subjectAltNames are not allowed',
    ],
  ];
  for (const [signer, what, usages, expected] of cases)
    assert.equal(
      refusalOf(`kubernetes.io/${signer}`, what, usages),
      expected,
      `${signer} ${JSON.stringify(what)}`,
    );
});

test('approvalOf() lets through what a node asks for itself, and what somebody asks for a new node', () => {
  const signer = 'kubernetes.io/kube-apiserver-client-kubelet';
  assert.equal(approvalOf(signer, 'system:node:n1', node, client)?.subresource, 'selfnodeclient');
  assert.equal(approvalOf(signer, 'system:bootstrap:abcdef', node, client)?.subresource, 'nodeclient');
  assert.equal(approvalOf('kubernetes.io/kubelet-serving', 'system:node:n1', node, server), undefined);
  assert.equal(approvalOf(signer, 'ann', facts('ann', ['system:nodes']), client), undefined);
});

const nowMs = Date.parse('2026-01-01T12:00:00Z');
const ago = (minutes: number): string => new Date(nowMs - minutes * 60_000).toISOString();
const request = (createdMinutes: number, conditions: object[] = [], certificate?: string) =>
  ({
    metadata: { name: 'r', uid: 'u', creationTimestamp: ago(createdMinutes) },
    spec: { request: '', signerName: 'kubernetes.io/kube-apiserver-client' },
    status: { conditions, ...(certificate === undefined ? {} : { certificate }) },
  }) as unknown as CertificateSigningRequest;
const said = (type: string, minutes: number) => ({ type, status: 'True', lastUpdateTime: ago(minutes) });
const kinds = (steps: readonly Step[]): string =>
  steps.map((step) => (step.kind === 'update' ? `update ${step.subresource ?? ''}` : step.kind)).join(', ');

test('plan() approves, signs, refuses and cleans', () => {
  const nothing = { approval: undefined, outcome: undefined, certificateEndMs: undefined };
  const signed = { kind: 'signed', pem: 'x' } as const;
  const cases: readonly (readonly [string, Parameters<typeof plan>[0], string])[] = [
    ['nobody has looked', { ...nothing, request: request(1) }, 'again'],
    ['nobody has looked for a day', { ...nothing, request: request(1441) }, 'delete'],
    ['may be approved unseen', { ...nothing, request: request(1), approval: 'x' }, 'update approval'],
    [
      'approved',
      { ...nothing, request: request(9, [said('Approved', 1)]), outcome: signed },
      'update status',
    ],
    [
      'approved, but against the rules',
      { ...nothing, request: request(9, [said('Approved', 1)]), outcome: { kind: 'refused', why: 'x' } },
      'update status, again',
    ],
    ['signed', { ...nothing, request: request(9, [said('Approved', 1)], 'x'), outcome: signed }, 'again'],
    ['signed an hour ago', { ...nothing, request: request(90, [said('Approved', 61)], 'x') }, 'delete'],
    ['denied', { ...nothing, request: request(9, [said('Denied', 1)]), outcome: signed }, 'again'],
    ['denied an hour ago', { ...nothing, request: request(90, [said('Denied', 61)]) }, 'delete'],
    [
      'run out',
      { ...nothing, request: request(9, [said('Approved', 9)], 'x'), certificateEndMs: nowMs },
      'delete',
    ],
  ];
  for (const [what, observed, expected] of cases)
    assert.equal(kinds(plan(observed, { nowMs })), expected, what);
});

test('planToken() removes a bootstrap token when its time is over', () => {
  const secret = (expiration?: string) =>
    ({
      metadata: { name: 's', uid: 'u' },
      data: expiration === undefined ? {} : { expiration: btoa(expiration) },
    }) as Secret;
  assert.equal(kinds(planToken(secret(), { nowMs })), '');
  assert.equal(kinds(planToken(secret('soon'), { nowMs })), '');
  assert.equal(kinds(planToken(secret(ago(-1)), { nowMs })), 'again');
  assert.equal(kinds(planToken(secret(ago(1)), { nowMs })), 'delete');
});

test('plan() of a service account Secret fills it, and removes it with its account', () => {
  const secret = { metadata: { name: 's', namespace: 'n', uid: 'u', annotations: {} }, data: {} } as Secret;
  const account = { metadata: { name: 'a', namespace: 'n', uid: 'a1' } } as ServiceAccount;
  const [step] = planSecret({ secret, account, rootCaPem: 'ca', token: 't' });
  assert.ok(step?.kind === 'update');
  const filled = step.object as Secret;
  assert.deepEqual(filled.data, { 'ca.crt': btoa('ca'), namespace: btoa('n'), token: btoa('t') });
  assert.deepEqual(planSecret({ secret: filled, account, rootCaPem: 'ca', token: undefined }), []);
  assert.equal(
    kinds(planSecret({ secret: filled, account: undefined, rootCaPem: 'ca', token: undefined })),
    'delete',
  );
  const other = { metadata: { ...account.metadata, uid: 'a2' } };
  assert.equal(kinds(planSecret({ secret: filled, account: other, rootCaPem: 'ca', token: 't2' })), 'delete');
});
