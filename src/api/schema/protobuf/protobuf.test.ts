import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { splitApiVersion } from '../../object.ts';
import { messageOfKind, tableOf } from '../messages.ts';
import { decodeProtobuf, encodeProtobuf } from './envelope.ts';

const fixtures = new URL('../../../../../shared/data/kubernetes/api-roundtrip/', import.meta.url);
const skip = existsSync(fixtures) ? false : 'shared/data/kubernetes/api-roundtrip is absent';

interface Fixture {
  readonly name: string;
  readonly json: { apiVersion?: string; kind: string };
  readonly bytes: Buffer;
}

/** Every fixture of a group-version that we have a table for. */
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
