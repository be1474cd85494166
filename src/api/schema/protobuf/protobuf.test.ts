import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isError, SeededRandom } from '../../../lib/index.ts';
import { splitApiVersion } from '../../object.ts';
import { messageOfKind, tableOf } from '../messages.ts';
import { decodeProtobuf, encodeProtobuf } from './envelope.ts';
import { WireReader, WireWriter } from './wire.ts';

const fixtures = new URL('../../../../../shared/data/kubernetes/api-roundtrip/', import.meta.url);
const skip = existsSync(fixtures) ? false : 'shared/data/kubernetes/api-roundtrip is absent';

interface Fixture {
  readonly name: string;
  readonly json: { apiVersion?: string; kind: string };
  readonly bytes: Buffer;
}

/** Every fixture of a group-version that we have a table for. */
/** Of these versions only some kinds are served. */
const servedInPart = new Set(['resource.k8s.io/v1beta2']);

function readFixtures(): Fixture[] {
  return readdirSync(fixtures)
    .filter((file) => file.endsWith('.pb'))
    .map((file) => {
      const name = file.slice(0, -'.pb'.length);
      return {
        name,
        json: JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8')),
        bytes: readFileSync(new URL(file, fixtures)),
      };
    })
    .filter(({ json }) => {
      if (json.apiVersion === undefined) return false;
      const { group, version } = splitApiVersion(json.apiVersion);
      if (servedInPart.has(json.apiVersion))
        return messageOfKind({ group, version, kind: json.kind }) !== undefined;
      return tableOf(group, version) !== undefined;
    });
}

test('decodeProtobuf() reads every fixture as its JSON, encodeProtobuf() writes it back', {
  skip,
}, (context) => {
  const all = readFixtures();
  assert.ok(all.length > 80, `${all.length} fixtures`);
  const otherBytes: string[] = [];
  for (const { name, json, bytes } of all) {
    const gvk = { ...splitApiVersion(json.apiVersion ?? ''), kind: json.kind };
    assert.ok(messageOfKind(gvk) !== undefined, `${name}: no message`);
    assert.deepEqual(decodeProtobuf(bytes), json, name);
    const written = encodeProtobuf(json, gvk);
    assert.deepEqual(decodeProtobuf(written), json, `${name}: written and read again`);
    if (!written.equals(bytes)) otherBytes.push(name);
  }
  context.diagnostic(`${all.length} fixtures, ${all.length - otherBytes.length} to identical bytes`);
  for (const name of otherBytes) context.diagnostic(`not to identical bytes: ${name}`);
});

type Document = { readonly apiVersion: string; readonly kind: string; readonly [key: string]: unknown };

const roundTrips: readonly [name: string, document: Document][] = [
  [
    'a zero that means something',
    {
      kind: 'Deployment',
      apiVersion: 'apps/v1',
      metadata: { name: 'a' },
      spec: { replicas: 0, template: { spec: { automountServiceAccountToken: false, containers: [] } } },
    },
  ],
  [
    'empty objects, ports and quantities',
    {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: {},
      spec: {
        containers: [
          {
            name: 'a',
            resources: { limits: { cpu: '500m' } },
            livenessProbe: { httpGet: { port: 'http' } },
            readinessProbe: { tcpSocket: { port: -1 } },
          },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
  ],
  [
    'a list',
    {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '7', remainingItemCount: 0 },
      items: [{ metadata: { name: 'a' }, data: { ключ: '値', __proto: '' } }, { metadata: { name: 'b' } }],
    },
  ],
  [
    'a status',
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'no',
      details: { causes: [{ reason: 'x', field: 'spec' }] },
      code: 404,
    },
  ],
  [
    'delete options',
    {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u' },
      propagationPolicy: 'Background',
    },
  ],
  [
    'large and negative numbers, and times before 1970',
    {
      kind: 'Pod',
      apiVersion: 'v1',
      metadata: { generation: 9007199254740991, creationTimestamp: '1950-01-01T00:00:01Z' },
      spec: { priority: -2147483648, activeDeadlineSeconds: 281474976710656, containers: [] },
    },
  ],
  [
    'unions of a custom resource definition',
    {
      kind: 'CustomResourceDefinition',
      apiVersion: 'apiextensions.k8s.io/v1',
      metadata: { name: 'a' },
      spec: {
        group: '',
        names: { plural: '', kind: '' },
        scope: '',
        versions: [
          {
            name: '',
            served: true,
            storage: false,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                additionalProperties: false,
                items: { type: 'string' },
                default: { a: [1, null] },
                enum: ['x', 1],
                properties: { p: { additionalProperties: { type: 'integer' }, minimum: 0.5 } },
                dependencies: { d: ['e', 'f'], g: { type: 'null' } },
              },
            },
          },
        ],
      },
    },
  ],
];

for (const [name, document] of roundTrips) {
  test(`encodeProtobuf() and decodeProtobuf() keep ${name}`, () => {
    const gvk = { ...splitApiVersion(document.apiVersion), kind: document.kind };
    const bytes = encodeProtobuf(document, gvk);
    const expected = JSON.parse(JSON.stringify(document), (key, value) =>
      key === 'containers' && Array.isArray(value) && value.length === 0 ? undefined : value,
    );
    assert.deepEqual(decodeProtobuf(bytes), expected);
  });
}

test('decodeProtobuf() leaves out plain zeros, as Go clients send them', () => {
  const writer = new WireWriter();
  // PodSpec: hostNetwork (11) false, nodeName (10) '', activeDeadlineSeconds (5) 0.
  writer.varint(0);
  writer.tag(11, 0);
  writer.text('');
  writer.tag(10, 2);
  writer.varint(0);
  writer.tag(5, 0);
  const spec = writer.finish();
  const pod = new WireWriter();
  pod.bytes(spec);
  pod.tag(2, 2);
  assert.deepEqual(decodeProtobuf(envelope('v1', 'Pod', pod.finish())), {
    kind: 'Pod',
    apiVersion: 'v1',
    spec: { activeDeadlineSeconds: 0 },
  });
});

function envelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const meta = new WireWriter();
  meta.text(kind);
  meta.tag(2, 2);
  meta.text(apiVersion);
  meta.tag(1, 2);
  const writer = new WireWriter();
  writer.bytes(raw);
  writer.tag(2, 2);
  writer.bytes(meta.finish());
  writer.tag(1, 2);
  return Buffer.concat([Buffer.from('k8s\0'), writer.finish()]);
}

test('decodeProtobuf() reads a list whose items are documents of their own', () => {
  const item = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } };
  const raw = new WireWriter();
  raw.bytes(encodeProtobuf(item, { group: '', version: 'v1', kind: 'ConfigMap' }));
  raw.tag(1, 2);
  const list = new WireWriter();
  list.bytes(raw.finish());
  list.tag(2, 2);
  assert.deepEqual(decodeProtobuf(envelope('v1', 'List', list.finish())), {
    kind: 'List',
    apiVersion: 'v1',
    items: [item],
  });
});

test('decodeProtobuf() refuses documents that nest without end', () => {
  let bytes = encodeProtobuf({ metadata: {} }, { group: '', version: 'v1', kind: 'ConfigMap' });
  for (let i = 0; i < 2000; i++) {
    const raw = new WireWriter();
    raw.bytes(bytes);
    raw.tag(1, 2);
    const list = new WireWriter();
    list.bytes(raw.finish());
    list.tag(2, 2);
    bytes = envelope('v1', 'List', list.finish());
  }
  assert.throws(() => decodeProtobuf(bytes), /proto: exceeded max depth/);
});

test('decodeProtobuf() refuses what it cannot read', () => {
  const refuses = (bytes: Uint8Array, words: RegExp): void => {
    assert.throws(
      () => decodeProtobuf(bytes),
      (error) => isError(error, 'badRequest') && words.test(error.message),
    );
  };
  refuses(Buffer.from('{}'), /does not appear to be a protobuf message/);
  refuses(envelope('v1', 'Nonsense', Buffer.alloc(0)), /^no kind "Nonsense" is registered for version "v1"$/);
  refuses(envelope('v1', 'Pod', Buffer.from([0x0a, 0xff])), /^proto: /);
  refuses(envelope('v1', 'Pod', Buffer.from([0x08, 0x01])), /wrong wireType/);
});

test('decodeProtobuf() gives a value or a badRequest for any bytes', () => {
  const seed = 20260102;
  const random = new SeededRandom(seed);
  const [, document] = roundTrips[1] ?? [];
  assert.ok(document !== undefined);
  const good = encodeProtobuf(document, { group: '', version: 'v1', kind: 'Pod' });
  for (let round = 0; round < 5000; round++) {
    const bytes = Buffer.from(good.subarray(0, 4 + random.integer(good.length - 3)));
    for (let flips = random.integer(4); flips > 0; flips--) {
      if (bytes.length > 4) bytes[4 + random.integer(bytes.length - 4)] = random.integer(256);
    }
    try {
      decodeProtobuf(bytes);
    } catch (error) {
      if (!isError(error, 'badRequest')) throw new Error(`seed ${seed}, round ${round}`, { cause: error });
    }
  }
});

test('WireWriter and WireReader keep numbers of every length', () => {
  const numbers = [0, 1, 127, 128, 16383, 16384, 2 ** 31, 2 ** 32, 2 ** 48, 2 ** 49, 2 ** 50, 2 ** 53 - 1];
  for (const number of [...numbers, ...numbers.map((value) => -value)]) {
    const writer = new WireWriter();
    writer.varint(number);
    assert.equal(new WireReader(writer.finish()).varint() + 0, number + 0);
  }
});
