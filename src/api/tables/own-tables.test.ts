import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds } from '../registry.ts';
import { kindOfMessage, messageNameOf, messageNames, messageOf, openApiName } from '../schema/messages.ts';
import { ownServedGroups, ownTables } from './own-tables.ts';

test('ownTables: every message is read, and what its fields name is there', () => {
  for (const table of Object.keys(ownTables))
    for (const name of messageNames(table)) {
      const numbers = new Set<number>();
      for (const { type, number, name: field } of messageOf(name).fields.values()) {
        if (type.kind === 'message') messageOf(type.message);
        assert.ok(number === 0 || !numbers.has(number), `${name}.${field}: number ${number} is taken`);
        numbers.add(number);
      }
      assert.equal(messageNameOf(openApiName(name)), name);
    }
});

test('ownTables: each kind is served under its group', () => {
  for (const [table, group] of Object.entries(ownServedGroups))
    for (const name of messageNames(table)) {
      const kind = kindOfMessage(messageOf(name));
      if (kind === undefined) continue;
      assert.equal(kind.group, group);
      assert.ok(builtinKinds.byKind(group, kind.version, kind.kind), `${kind.kind} is in the registry`);
    }
});
