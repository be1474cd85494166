import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isError } from '../../lib/index.ts';
import { readKubeconfig } from './kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const config = `
apiVersion: v1
kind: Config
current-context: one
contexts:
  - { name: one, context: { cluster: here, user: me } }
  - { name: two, context: { cluster: there, user: file } }
  - { name: three, context: { cluster: there, user: program } }
clusters:
  - { name: here, cluster: { server: https://127.0.0.1:6443, certificate-authority-data: ${base64('CA')} } }
  - { name: there, cluster: { server: https://x, certificate-authority: ca.pem, tls-server-name: y } }
users:
  - { name: me, user: { client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')} } }
  - { name: file, user: { tokenFile: token } }
  - { name: program, user: { exec: { command: x } } }
`;

test('readKubeconfig() gives what connecting needs', () => {
  const { ca, cert, key, server } = readKubeconfig(config);
  assert.deepEqual(
    [server, String(ca), String(cert), String(key)],
    ['https://127.0.0.1:6443', 'CA', 'CERT', 'KEY'],
  );
});

test('readKubeconfig() follows files from its folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-kubeconfig-'));
  try {
    writeFileSync(join(folder, 'ca.pem'), 'CA');
    writeFileSync(join(folder, 'token'), 'abc\n');
    const { ca, token, serverName } = readKubeconfig(config, { folder, context: 'two' });
    assert.equal(typeof token, 'function');
    assert.deepEqual([String(ca), typeof token === 'function' && token(), serverName], ['CA', 'abc', 'y']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('readKubeconfig() says what is missing', () => {
  const fails = (text: string, reason: RegExp, context?: string): void => {
    assert.throws(
      () => readKubeconfig(text, context === undefined ? {} : { context }),
      (error) => isError(error, 'usage') && reason.test(error.message),
    );
  };
  fails('', /there is no context ""/);
  fails('a: [', /it is not YAML/);
  fails(config, /there is no context "nine"/, 'nine');
  fails(config, /another program/, 'three');
});
