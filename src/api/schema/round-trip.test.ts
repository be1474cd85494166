/** Objects with every field set, of every kind that is served: YAML, JSON and protobuf mean the same, there and back. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { copyOf } from '../merge/json.ts';
import { builtinKinds } from '../registry.ts';
import { checkShape } from './check-shape.ts';
import { messageOf } from './messages.ts';
import { decodeProtobuf, encodeProtobuf } from './protobuf/envelope.ts';

const fixtures = new URL('../../../../shared/data/kubernetes/api-roundtrip/', import.meta.url);

for (const kind of builtinKinds.kinds) {
  const group = kind.group === '' ? 'core' : kind.group;
  const name = `${group}.${kind.version}.${kind.kind}`;
  const file = (ending: string) => new URL(`${name}.${ending}`, fixtures);
  const skip = existsSync(file('json')) ? false : `no ${name} in shared/data/kubernetes/api-roundtrip`;

  test(`${name} is the same in YAML, JSON and protobuf`, { skip }, () => {
    const json = JSON.parse(readFileSync(file('json'), 'utf8')) as Record<string, unknown>;
    const gvk = { group: kind.group, version: kind.version, kind: kind.kind };
    assert.deepEqual(parse(readFileSync(file('yaml'), 'utf8')), json, 'YAML');
    assert.deepEqual(decodeProtobuf(readFileSync(file('pb'))), json, 'protobuf');
    assert.deepEqual(parse(stringify(json)), json, 'written as YAML');
    assert.deepEqual(decodeProtobuf(encodeProtobuf(json as never, gvk)), json, 'written as protobuf');
    // What is read is in full form already: nothing is lost, nothing is rewritten.
    const { value, unknown, problems } = checkShape(messageOf(kind.message), copyOf(json));
    assert.deepEqual({ value, unknown, problems }, { value: json, unknown: [], problems: [] });
  });
}
