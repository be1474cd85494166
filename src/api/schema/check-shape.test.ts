import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotBeHandled, checkShape } from './check-shape.ts';
import { messageOf } from './messages.ts';

interface Case {
  readonly name: string;
  readonly message: string;
  readonly value: unknown;
  readonly result?: unknown;
  readonly unknown?: readonly string[];
  readonly problems?: readonly string[];
}

const inField = (value: string, field: string, type: string): string =>
  `json: cannot unmarshal ${value} into Go struct field ${field} of type ${type}`;
const deployment = (spec: unknown): unknown => ({ apiVersion: 'apps/v1', kind: 'Deployment', spec });
const container = (fields: object): unknown => deployment({ template: { spec: { containers: [fields] } } });
const quantityWords =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

const cases: readonly Case[] = [
  {
    name: 'keeps what is right',
    message: 'core.v1.ConfigMap',
    value: { metadata: { name: 'a' }, data: { a: 'b' } },
  },
  {
    name: 'prunes unknown fields by path',
    message: 'apps.v1.Deployment',
    value: deployment({ foo: 1, template: { spec: { containers: [{ name: 'a' }, { imagee: 'x' }] } } }),
    result: deployment({ template: { spec: { containers: [{ name: 'a' }, {}] } } }),
    unknown: ['spec.foo', 'spec.template.spec.containers[1].imagee'],
  },
  {
    name: 'minds upper and lower case',
    message: 'apps.v1.Deployment',
    value: { Spec: {} },
    result: {},
    unknown: ['Spec'],
  },
  {
    name: 'prunes a field named __proto__',
    message: 'core.v1.ConfigMap',
    value: JSON.parse('{"__proto__":{"x":1}}'),
    result: {},
    unknown: ['__proto__'],
  },
  {
    name: 'drops nulls',
    message: 'core.v1.Pod',
    value: { metadata: { creationTimestamp: null, labels: { a: null } }, spec: null },
    result: { metadata: { labels: { a: '' } } },
  },
  {
    name: 'tells a wrong number',
    message: 'apps.v1.Deployment',
    value: deployment({ replicas: '3' }),
    problems: [inField('string', 'DeploymentSpec.spec.replicas', 'int32')],
  },
  {
    name: 'tells a fraction and an overflow',
    message: 'apps.v1.Deployment',
    value: deployment({ replicas: 1.5, minReadySeconds: 2147483648 }),
    problems: [
      inField('number 1.5', 'DeploymentSpec.spec.replicas', 'int32'),
      inField('number 2147483648', 'DeploymentSpec.spec.minReadySeconds', 'int32'),
    ],
  },
  {
    name: 'tells a wrong text',
    message: 'apps.v1.Deployment',
    value: container({ env: [{ name: 'a', value: 1 }] }),
    problems: [inField('number', 'EnvVar.spec.template.spec.containers.env.value', 'string')],
  },
  {
    name: 'tells a wrong label',
    message: 'core.v1.Pod',
    value: { metadata: { labels: { a: true } } },
    problems: [inField('bool', 'ObjectMeta.metadata.labels', 'string')],
  },
  {
    name: 'tells a list that is none',
    message: 'apps.v1.Deployment',
    value: deployment({ template: { spec: { containers: {} } } }),
    problems: [inField('object', 'PodSpec.spec.template.spec.containers', '[]v1.Container')],
  },
  {
    name: 'tells an element that is no object',
    message: 'core.v1.Pod',
    value: { spec: { containers: ['a'] } },
    problems: [inField('string', 'PodSpec.spec.containers', 'v1.Container')],
  },
  {
    name: 'tells an object that is none',
    message: 'apps.v1.Deployment',
    value: deployment([]),
    problems: [inField('array', 'Deployment.spec', 'v1.DeploymentSpec')],
  },
  {
    name: 'tells a map that is none',
    message: 'core.v1.Pod',
    value: { metadata: { labels: [] } },
    problems: [inField('array', 'ObjectMeta.metadata.labels', 'map[string]string')],
  },
  {
    name: 'tells a document that is none',
    message: 'core.v1.Pod',
    value: [],
    problems: ['json: cannot unmarshal array into Go value of type v1.Pod'],
  },
  {
    name: 'writes quantities in canonical form',
    message: 'apps.v1.Deployment',
    value: container({ resources: { limits: { cpu: 0.5, memory: '1024Mi' } } }),
    result: container({ resources: { limits: { cpu: '500m', memory: '1Gi' } } }),
  },
  {
    name: 'tells what is no quantity',
    message: 'apps.v1.Deployment',
    value: container({ resources: { limits: { cpu: 'lots' } } }),
    problems: [quantityWords],
  },
  {
    name: 'writes times in UTC',
    message: 'coordination.v1.Lease',
    value: {
      metadata: { creationTimestamp: '2026-01-02T03:04:05.9+01:00' },
      spec: { renewTime: '2026-01-02T03:04:05.5Z' },
    },
    result: {
      metadata: { creationTimestamp: '2026-01-02T02:04:05Z' },
      spec: { renewTime: '2026-01-02T03:04:05.500000Z' },
    },
  },
  {
    name: 'tells what is no time',
    message: 'core.v1.Pod',
    value: { metadata: { creationTimestamp: 'noon' } },
    problems: ['parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"'],
  },
  {
    name: 'tells what is no base64',
    message: 'core.v1.Secret',
    value: { data: { a: 'YQ==', b: 'ab*d' } },
    problems: ['illegal base64 data at input byte 2'],
  },
  { name: 'takes numbers and texts as ports', message: 'core.v1.ServicePort', value: { targetPort: 'http' } },
  {
    name: 'refuses a bool as a port',
    message: 'core.v1.ServicePort',
    value: { targetPort: true },
    problems: [inField('bool', 'ServicePort.targetPort', 'intstr.IntOrString')],
  },
  {
    name: 'leaves free JSON alone',
    message: 'apps.v1.ControllerRevision',
    value: { data: { any: [1, null, { thing: null }] }, revision: 1 },
  },
  {
    name: 'reads unions by their JSON type',
    message: 'apiextensions.v1.JSONSchemaProps',
    value: {
      additionalProperties: false,
      items: [{ type: 'string' }],
      properties: { a: { additionalProperties: { x: 1, type: 'string' } } },
    },
    result: {
      additionalProperties: false,
      items: [{ type: 'string' }],
      properties: { a: { additionalProperties: { type: 'string' } } },
    },
    unknown: ['properties.a.additionalProperties.x'],
  },
  {
    name: 'reads maps of lists',
    message: 'authentication.v1.UserInfo',
    value: { extra: { a: ['b'], c: null } },
    result: { extra: { a: ['b'], c: [] } },
  },
];

for (const { name, message, value, result, unknown, problems } of cases) {
  test(`checkShape() ${name}`, () => {
    const expected = result ?? structuredClone(value);
    const shape = checkShape(messageOf(message), value);
    assert.deepEqual(shape.problems, problems ?? []);
    assert.deepEqual(shape.unknown, unknown ?? []);
    if (problems === undefined) assert.deepEqual(shape.value, expected);
    assert.equal(shape.value, value, 'in place');
  });
}

test('checkShape() survives a document that nests without end', () => {
  let value: object = {};
  for (let i = 0; i < 5000; i++) value = { not: value };
  assert.deepEqual(checkShape(messageOf('apiextensions.v1.JSONSchemaProps'), value).problems, [
    'exceeded max depth',
  ]);
});

test('cannotBeHandled() words a 400', () => {
  assert.equal(
    cannotBeHandled('Deployment', 'v1', 'why'),
    'Deployment in version "v1" cannot be handled as a Deployment: why',
  );
});
