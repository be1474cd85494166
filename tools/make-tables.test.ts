import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findMessage } from '../src/api/index.ts';
import { makeFiles, readFacts } from './make-tables.ts';
import { nullableFields } from './nullable-fields.ts';

const root = new URL('../', import.meta.url);
const facts = fileURLToPath(new URL('../shared/data/kubernetes', root));
const skip = existsSync(facts) ? false : 'shared/data/kubernetes is absent';

test('makeFiles() gives the tables and types that are in the tree', { skip }, () => {
  const files = makeFiles(readFacts(facts));
  for (const [path, text] of files) {
    const stored = readFileSync(new URL(path, root), 'utf8');
    assert.ok(stored === text, `${path} differs from its facts: run npm run tables -- DIR`);
  }
  for (const folder of ['src/api/tables/generated', 'src/api/types']) {
    for (const file of readdirSync(new URL(folder, root))) {
      assert.ok(files.has(`${folder}/${file}`), `${folder}/${file} is not made by the tool`);
    }
  }
});

test('nullableFields names scalar fields that exist', () => {
  for (const [message, fields] of Object.entries(nullableFields)) {
    for (const name of fields) {
      const field = findMessage(message)?.fields.get(name);
      assert.ok(field !== undefined, `${message}.${name}`);
      assert.ok(
        field.type.kind === 'scalar' && !field.repeated && !field.map,
        `${message}.${name}: a scalar`,
      );
      assert.equal(field.nullable, true, `${message}.${name}: in the table`);
    }
  }
});
