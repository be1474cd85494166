import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kind, Subresource } from '../kind.ts';
import { WireReader } from '../schema/protobuf/wire.ts';
import { contentHash } from './content-hash.ts';
import { openApiV2 } from './v2.ts';
import { openApiV2Protobuf } from './v2-protobuf.ts';
import { openApiV3, openApiV3Index } from './v3.ts';

type Node = { readonly [key: string]: Node };

/** As much of a kind as OpenAPI reads. */
function kindOf(
  group: string,
  kind: string,
  resource: string,
  subresources: readonly Subresource[] = [],
): Kind {
  const table = group === '' ? 'core' : group;
  return {
    group,
    version: 'v1',
    kind,
    resource,
    singular: resource,
    shortNames: [],
    categories: [],
    namespaced: kind !== 'Node',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    subresources,
    message: `${table}.v1.${kind}`,
    description: `A ${kind} of ours.`,
    columns: [],
    hasStatus: true,
    hasGeneration: true,
    selectableFields: {},
    validateName: () => [],
    applyDefaults: () => {},
    prepareCreate: () => {},
    prepareUpdate: () => {},
    validate: () => [],
    validateUpdate: () => [],
    validateStatusUpdate: () => [],
  };
}

const status: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] };
const scale: Subresource = {
  name: 'scale',
  verbs: ['get', 'patch', 'update'],
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
};
const log: Subresource = { name: 'log', verbs: ['get'] };
const exec: Subresource = { name: 'exec', verbs: ['create', 'get'] };
const kinds = [
  kindOf('', 'Pod', 'pods', [status, log, exec]),
  kindOf('', 'Node', 'nodes', [status]),
  kindOf('', 'Service', 'services', [status]),
  kindOf('apps', 'Deployment', 'deployments', [status, scale]),
];

test('openApiV3() names the parameters that kubectl looks for', () => {
  const { paths } = openApiV3({ group: 'apps', version: 'v1' }, kinds) as Node;
  const item = paths?.['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'];
  const collection = paths?.['/apis/apps/v1/namespaces/{namespace}/deployments'];
  for (const operation of [item?.['patch'], item?.['put'], collection?.['post']]) {
    assert.deepEqual(operation?.['x-kubernetes-group-version-kind'], {
      group: 'apps',
      version: 'v1',
      kind: 'Deployment',
    });
    const parameters = (operation?.['parameters'] ?? []) as unknown as readonly { name: string }[];
    const names = parameters.map(({ name }) => name);
    for (const name of ['dryRun', 'fieldManager', 'fieldValidation']) assert.ok(names.includes(name), name);
  }
  assert.deepEqual(Object.keys(paths ?? {}), [
    '/apis/apps/v1/',
    '/apis/apps/v1/deployments',
    '/apis/apps/v1/namespaces/{namespace}/deployments',
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}',
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale',
    '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status',
  ]);
});

test('openApiV3() and openApiV2() leave no reference open', () => {
  const documents = [
    openApiV3({ group: '', version: 'v1' }, kinds),
    openApiV3({ group: 'apps', version: 'v1' }, kinds),
    openApiV2(kinds, 'v1.36.0'),
  ];
  for (const document of documents) {
    const text = JSON.stringify(document);
    const known = new Set(Object.keys(schemasOf(document as Node)));
    for (const [, name = ''] of text.matchAll(/"\$ref":"#\/(?:components\/schemas|definitions)\/([^"]+)"/g)) {
      assert.ok(known.has(name), name);
    }
  }
});

function schemasOf(document: Node): Node {
  return document['components']?.['schemas'] ?? document['definitions'] ?? {};
}

test('openApiV3Index() leads to each document by its hash', () => {
  const index = openApiV3Index([
    { group: 'apps', version: 'v1', hash: 'A' },
    { group: '', version: 'v1', hash: 'B' },
  ]);
  assert.deepEqual(index, {
    paths: {
      'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=B' },
      'apis/apps/v1': { serverRelativeURL: '/openapi/v3/apis/apps/v1?hash=A' },
    },
  });
});

test('openApiV2Protobuf() writes every path and definition, in order', () => {
  const document = openApiV2(kinds, 'v1.36.0') as Node;
  const names: string[] = [];
  const reader = new WireReader(openApiV2Protobuf(document));
  while (!reader.done) {
    const tag = reader.tag();
    if (tag >>> 3 !== 8 && tag >>> 3 !== 9) {
      reader.skip(tag & 7);
      continue;
    }
    const inner = reader.message();
    while (!inner.done) {
      inner.tag();
      const named = inner.message();
      assert.equal(named.tag(), 10);
      names.push(named.text());
    }
  }
  assert.deepEqual(names, [
    ...Object.keys(document['paths'] ?? {}),
    ...Object.keys(document['definitions'] ?? {}),
  ]);
});

test('contentHash() tells contents apart', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 2000; i++) seen.add(contentHash(`document ${i}`));
  assert.equal(seen.size, 2000);
  assert.match(contentHash('x'), /^[0-9A-F]{32}$/);
});
