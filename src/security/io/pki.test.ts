import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import { ensurePki } from './pki.ts';

function folder(t: { after(undo: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'caelum-pki-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const options = (directory: string, nowMs = Date.now()) => ({
  directory,
  nodeName: 'n1',
  names: ['127.0.0.1', 'localhost', 'kubernetes.default.svc'],
  agentNames: ['127.0.0.1'],
  nowMs,
});

test('ensurePki() makes a chain that verifies, and keeps it', async (t) => {
  const directory = folder(t);
  const first = await ensurePki(options(directory));
  const ca = new X509Certificate(first.ca.cert);
  assert.ok(ca.ca);
  const admin = new X509Certificate(first.admin.cert);
  assert.ok(admin.verify(ca.publicKey));
  assert.deepEqual(admin.subject.split('\n').sort(), ['CN=kubernetes-admin', 'O=system:masters']);
  assert.equal(new X509Certificate(first.apiserver.cert).checkIP('127.0.0.1'), '127.0.0.1');
  assert.deepEqual(await ensurePki(options(directory)), first);
});

test('ensurePki() makes a leaf anew when a name is missing or time runs out, and leaves the rest alone', async (t) => {
  const directory = folder(t);
  const first = await ensurePki(options(directory));
  const renamed = await ensurePki({ ...options(directory), names: ['127.0.0.1', '192.0.2.7'] });
  assert.notEqual(renamed.apiserver.cert, first.apiserver.cert);
  assert.equal(renamed.admin.cert, first.admin.cert);
  const later = await ensurePki({
    ...options(directory, Date.now() + 320 * 86_400_000),
    names: ['127.0.0.1'],
  });
  assert.notEqual(later.admin.cert, first.admin.cert);
  assert.equal(later.ca.cert, first.ca.cert);
  assert.equal(later.serviceAccountKey, first.serviceAccountKey);
});

test('ensurePki() keeps keys private and names a damaged file', async (t) => {
  const directory = folder(t);
  await ensurePki(options(directory));
  assert.equal(statSync(join(directory, 'ca.key')).mode & 0o777, 0o600);
  writeFileSync(join(directory, 'admin.crt'), 'garbage');
  await assert.rejects(
    ensurePki(options(directory)),
    (error) => isError(error, 'corrupt') && /admin\.crt/.test(error.message),
  );
});
