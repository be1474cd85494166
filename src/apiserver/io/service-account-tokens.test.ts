import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { SeededRandom } from '../../lib/index.ts';
import { identityOfProxy, webSocketToken, withoutToken } from '../authentication.ts';
import { createTokenIssuer, createTokenReader, tokenIssuer } from './service-account-tokens.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privatePem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const publicPem = String(publicKey.export({ type: 'spki', format: 'pem' }));
const now = 1_800_000_000_000;

test('createTokenReader() reads what was issued, and nothing that differs from it by a character', async () => {
  const claims = {
    namespace: 'shop',
    serviceAccount: { name: 'robot', uid: 'u' },
    audiences: [tokenIssuer],
    expiresAtMs: now + 600_000,
    pod: { name: 'web', uid: 'p' },
    node: { name: 'n1', uid: 'n' },
  };
  const token = await createTokenIssuer(privatePem, () => now)(claims);
  const read = createTokenReader(publicPem, () => now);
  const { credentialId, ...found } = read(token) ?? assert.fail('it is not read');
  assert.match(credentialId ?? '', /^JTI=/);
  assert.deepEqual(found, claims);
  const seed = 20_261_121;
  const random = new SeededRandom(seed);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.={}"\0é';
  for (let run = 0; run < 500; run++) {
    const at = random.integer(token.length);
    const how = random.integer(3);
    const put = alphabet[random.integer(alphabet.length)] ?? '';
    const changed =
      how === 0
        ? `${token.slice(0, at)}${put}${token.slice(at + 1)}`
        : how === 1
          ? `${token.slice(0, at)}${token.slice(at + 1)}`
          : `${token.slice(0, at)}${put}${token.slice(at)}`;
    // Base64 has a few bits that mean nothing: only the bytes count.
    const bytes = (text: string): string =>
      text
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString('hex'))
        .join('.');
    if (bytes(changed) === bytes(token) && changed.split('.').length === 3) continue;
    assert.equal(read(changed), undefined, `seed ${seed}, run ${run}: ${changed}`);
  }
});

test('identityOfProxy() takes whatever a proxy sends, and invents nothing', () => {
  const seed = 7;
  const random = new SeededRandom(seed);
  const names = [
    'X-Remote-User',
    'X-Remote-Group',
    'X-Remote-Uid',
    'X-Remote-Extra-a%2fb',
    'X-Remote-Extra-%',
    'X-Remote-Extra-__proto__',
    'Other',
  ];
  for (let run = 0; run < 500; run++) {
    const raw: string[] = [];
    const headers: Record<string, string> = {};
    for (let count = random.integer(8); count > 0; count--) {
      const name = names[random.integer(names.length)] ?? '';
      const value = Buffer.from(
        Array.from({ length: random.integer(6) }, () => random.integer(256)),
      ).toString('latin1');
      raw.push(name, value);
      headers[name.toLowerCase()] ??= value;
    }
    const identity = identityOfProxy(headers, raw);
    if ((headers['x-remote-user'] ?? '') === '')
      assert.equal(identity, undefined, `seed ${seed}, run ${run}`);
    for (const group of identity?.groups ?? [])
      assert.ok(
        group === 'system:authenticated' ||
          raw.some((one, at) => at % 2 === 1 && Buffer.from(one, 'latin1').toString('utf8') === group),
        `seed ${seed}, run ${run}: ${group}`,
      );
  }
  assert.equal(({} as Record<string, unknown>)['a/b'], undefined);
});

test('a token among the protocols of a WebSocket is found, and told to nobody else', () => {
  const token = Buffer.from('abc.def').toString('base64url');
  const protocols = `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${token}`;
  assert.equal(webSocketToken(protocols), 'abc.def');
  assert.equal(withoutToken(protocols), 'v5.channel.k8s.io');
  assert.equal(webSocketToken('v5.channel.k8s.io'), undefined);
});
