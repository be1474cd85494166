/**
 * Objects with every field set, of every kind that is served: YAML, JSON and protobuf mean the same, there and back.
 * Kubernetes publishes such objects for its kinds, in all three; those of others are made from their tables.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { copyOf } from '../merge/json.ts';
import { apiVersionOf } from '../object.ts';
import { builtinKinds } from '../registry.ts';
import { checkShape } from './check-shape.ts';
import { messageOf } from './messages.ts';
import { decodeProtobuf, encodeProtobuf } from './protobuf/envelope.ts';
import { sampleObject } from './sample-object.ts';

const fixtures = new URL('../../../../shared/data/kubernetes/api-roundtrip/', import.meta.url);

for (const kind of builtinKinds.kinds) {
  const group = kind.group === '' ? 'core' : kind.group;
  const name = `${group}.${kind.version}.${kind.kind}`;
  const file = (ending: string) => new URL(`${name}.${ending}`, fixtures);
  const isPublished = existsSync(file('json'));

  test(`${name} is the same in YAML, JSON and protobuf`, () => {
    const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
    const json = isPublished
      ? (JSON.parse(readFileSync(file('json'), 'utf8')) as Record<string, unknown>)
      : sampleObject(messageOf(kind.message), apiVersionOf(kind.group, kind.version), kind.kind);
    if (isPublished) {
      assert.deepEqual(parse(readFileSync(file('yaml'), 'utf8')), json, 'YAML');
      assert.deepEqual(decodeProtobuf(readFileSync(file('pb'))), json, 'protobuf');
    }
    assert.deepEqual(parse(stringify(json)), json, 'written as YAML');
    assert.deepEqual(decodeProtobuf(encodeProtobuf(json as never, gvk)), json, 'written as protobuf');
    // What is read is in full form already: nothing is lost, nothing is rewritten.
    const { value, unknown, problems } = checkShape(messageOf(kind.message), copyOf(json));
    assert.deepEqual({ value, unknown, problems }, { value: json, unknown: [], problems: [] });
  });
}
