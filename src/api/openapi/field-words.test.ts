/** `kubectl explain` has something to say of every field of every kind that is built in, and says nothing of what is not there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinKinds } from '../registry.ts';
import { messageNames, messageOf } from '../schema/messages.ts';
import { tables } from '../tables/generated/tables.ts';
import { ownTables } from '../tables/own-tables.ts';
import { allWords, wordsOfField, wordsOfMessage } from './field-words.ts';

/** Fields by the bare names of their messages: of these, and of those within them. */
function fieldsWithin(names: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const fields = new Map<string, Set<string>>();
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const message = messageOf(name);
    const bare = name.slice(name.lastIndexOf('.') + 1);
    const known = fields.get(bare) ?? new Set();
    fields.set(bare, known);
    for (const [field, { type }] of message.fields) {
      known.add(field);
      if (type.kind === 'message') visit(type.message);
    }
  };
  for (const name of names) visit(name);
  return fields;
}

test('every message and field has words', () => {
  const kinds = new Set(builtinKinds.kinds.map(({ kind }) => kind));
  const silent = [...fieldsWithin(builtinKinds.kinds.map(({ message }) => message))].flatMap(
    ([message, fields]) => [
      ...(kinds.has(message) || wordsOfMessage(message) !== undefined ? [] : [message]),
      ...[...fields]
        .filter((field) => wordsOfField(message, field) === undefined)
        .map((f) => `${message}.${f}`),
    ],
  );
  assert.deepEqual(silent, []);
});

test('no words are about what is not there, and none are said twice', () => {
  const all = [...Object.keys(tables), ...Object.keys(ownTables)];
  const there = fieldsWithin(all.flatMap((table) => messageNames(table)));
  const anywhere = new Set([...there.values()].flatMap((fields) => [...fields]));
  const { messages, fields } = allWords();
  assert.deepEqual(
    messages.filter((name) => !there.has(name)),
    [],
  );
  assert.equal(new Set(messages).size, messages.length);
  assert.equal(new Set(fields).size, fields.length, doubles(fields).join(' '));
  const lost = fields.filter((name) => {
    const [message = '', field] = name.startsWith('x-') ? [name] : name.split('.');
    return field === undefined ? !anywhere.has(message) : there.get(message)?.has(field) !== true;
  });
  assert.deepEqual(lost, []);
});

const doubles = (names: readonly string[]): readonly string[] =>
  names.filter((name, index) => names.indexOf(name) !== index);
