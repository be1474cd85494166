/** Who gets in, and with what: bound tokens, kept tokens, other issuers', bootstrap tokens, the front proxy's word; and who does not. */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createLocalJWKSet, exportJWK, jwtVerify, SignJWT } from 'jose';
import { realClock } from '../../lib/io/real-clock.ts';
import { readAuthenticationConfig } from '../outside/authentication-config.ts';
import { createJwtJudge } from './jwt-judge.ts';
import { createSecretTokenIssuer, createTokenIssuer, tokenIssuer } from './service-account-tokens.ts';
import { exchange, startTestServer, type TestServer } from './test-server.ts';

const shop = '/api/v1/namespaces/shop';
const who = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
const bearer = (token: string) => ({ as: 'nobody' as const, headers: { authorization: `Bearer ${token}` } });

async function whoIs({ call }: TestServer, token: string) {
  const { status, body } = await call('POST', who, { ...bearer(token), body: review });
  return status === 201 ? body.status.userInfo : status;
}

async function startShop(
  t: TestContext,
  options: Parameters<typeof startTestServer>[1] = {},
): Promise<TestServer> {
  const server = await startTestServer(t, options);
  const { call } = server;
  await call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'shop' } } });
  for (const name of ['default', 'robot'])
    await call('POST', `${shop}/serviceaccounts`, { body: { metadata: { name } } });
  return server;
}

const pod = {
  metadata: { name: 'web' },
  spec: { serviceAccountName: 'robot', containers: [{ name: 'c', image: 'i' }] },
};

async function tokenFor({ call }: TestServer, spec: object): Promise<string> {
  const { body, status, text } = await call('POST', `${shop}/serviceaccounts/robot/token`, {
    body: { spec },
  });
  assert.equal(status, 201, text);
  return body.status.token;
}

test('a bound token says to what it is bound, and ends with it', async (t) => {
  const server = await startShop(t);
  const { call } = server;
  const made = await call('POST', `${shop}/pods`, { body: pod });
  const secret = await call('POST', `${shop}/secrets`, { body: { metadata: { name: 's' } } });
  const ofPod = await tokenFor(server, { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web' } });
  const ofSecret = await tokenFor(server, {
    boundObjectRef: { kind: 'Secret', apiVersion: 'v1', name: 's', uid: secret.body.metadata.uid },
  });
  const user = await whoIs(server, ofPod);
  assert.equal(user.username, 'system:serviceaccount:shop:robot');
  assert.deepEqual(user.extra['authentication.kubernetes.io/pod-name'], ['web']);
  assert.deepEqual(user.extra['authentication.kubernetes.io/pod-uid'], [made.body.metadata.uid]);
  assert.match(user.extra['authentication.kubernetes.io/credential-id'][0], /^JTI=[0-9a-f-]{36}$/);
  assert.equal((await whoIs(server, ofSecret)).uid, user.uid);
  await call('DELETE', `${shop}/secrets/s`);
  assert.equal(await whoIs(server, ofSecret), 401);
  await call('DELETE', `${shop}/pods/web?gracePeriodSeconds=0`);
  assert.equal(await whoIs(server, ofPod), 401);
  const plain = await tokenFor(server, {});
  await call('DELETE', `${shop}/serviceaccounts/robot`);
  assert.equal(await whoIs(server, plain), 401);
});

test('tokens of pods last a year where they may, and say when they should have been renewed', async (t) => {
  const server = await startShop(t);
  await server.call('POST', `${shop}/pods`, { body: pod });
  const token = await tokenFor(server, {
    expirationSeconds: 3607,
    boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web' },
  });
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert.equal(claims.exp - claims.iat, 365 * 86_400);
  assert.ok(Math.abs(claims['kubernetes.io'].warnafter - claims.iat - 3607) <= 1);
});

test('requestToken() refuses what is too short, too long, bound to others, or to something else', async (t) => {
  const { call } = await startShop(t);
  await call('POST', `${shop}/pods`, {
    body: { ...pod, spec: { ...pod.spec, serviceAccountName: 'default' } },
  });
  const ask = async (spec: object) =>
    (await call('POST', `${shop}/serviceaccounts/robot/token`, { body: { spec } })).body;
  const cases: readonly (readonly [object, number, RegExp])[] = [
    [{ expirationSeconds: 599 }, 422, /may not specify a duration less than 10 minutes/],
    [{ expirationSeconds: 2 ** 32 + 1 }, 422, /may not specify a duration larger than 2\^32 seconds/],
    [
      { boundObjectRef: { kind: 'Pod', name: 'web' } },
      400,
      /to pod running with different serviceaccount name/,
    ],
    [{ boundObjectRef: { kind: 'Pod', name: 'none' } }, 404, /pods "none" not found/],
    [{ boundObjectRef: { kind: 'ConfigMap', name: 'x' } }, 400, /cannot bind token to object of type/],
  ];
  for (const [spec, code, message] of cases) {
    const body = await ask(spec);
    assert.equal(body.code, code, JSON.stringify(spec));
    assert.match(body.message, message);
  }
  const conflict = await ask({ boundObjectRef: { kind: 'Pod', name: 'web', uid: 'other' } });
  assert.equal(conflict.code, 409);
  assert.match(conflict.message, /the UID in the bound object reference \(other\) does not match/);
});

test('forged, foreign, early, late and misdirected tokens are refused', async (t) => {
  const server = await startShop(t);
  const { pki, call } = server;
  const { body } = await call('GET', `${shop}/serviceaccounts/robot`);
  const account = { name: 'robot', uid: body.metadata.uid as string };
  const claims = {
    namespace: 'shop',
    serviceAccount: account,
    audiences: [tokenIssuer],
    expiresAtMs: Date.now() + 600_000,
  };
  const issue = createTokenIssuer(pki.serviceAccountKey, () => Date.now());
  const good = await issue(claims);
  assert.equal((await whoIs(server, good)).username, 'system:serviceaccount:shop:robot');
  const [header = '', payload = '', signature = ''] = good.split('.');
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = (head: object): string => {
    const text = `${encoded(head)}.${payload}`;
    const key = createPrivateKey(pki.serviceAccountKey);
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });
  const bad: Readonly<Record<string, string>> = {
    'no algorithm': `${encoded({ alg: 'none' })}.${payload}.`,
    'no algorithm, with a signature': `${encoded({ alg: 'none' })}.${payload}.${signature}`,
    'a symmetric algorithm': `${encoded({ alg: 'HS256' })}.${payload}.${signature}`,
    'no algorithm, but our key': signed({ alg: 'none' }),
    'another algorithm, but our key': signed({ alg: 'RS256' }),
    'another key id': signed({ alg: 'ES256', kid: 'other' }),
    'another key': await createTokenIssuer(String(other), () => Date.now())(claims),
    'another payload': `${header}.${encoded({ ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'x' })}.${signature}`,
    'another audience': await issue({ ...claims, audiences: ['vault'] }),
    late: await issue({ ...claims, expiresAtMs: Date.now() - 1000 }),
    early: await createTokenIssuer(pki.serviceAccountKey, () => Date.now() + 300_000)(claims),
    'another account': await issue({ ...claims, serviceAccount: { ...account, uid: 'x' } }),
    'cut short': good.slice(0, -2),
    'too long': `${good}${'A'.repeat(20_000)}`,
  };
  for (const [what, token] of Object.entries(bad)) assert.equal(await whoIs(server, token), 401, what);
  assert.equal((await whoIs(server, signed({ alg: 'ES256' }))).username, 'system:serviceaccount:shop:robot');
});

test('TokenReview answers who, and for which of the audiences', async (t) => {
  const server = await startShop(t);
  const token = await tokenFor(server, { audiences: ['vault', tokenIssuer] });
  const ask = async (audiences: string[], text = token) =>
    (
      await server.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token: text, audiences },
        },
      })
    ).body.status;
  const found = await ask(['vault', 'elsewhere']);
  assert.deepEqual([found.authenticated, found.audiences], [true, ['vault']]);
  assert.deepEqual((await ask([])).audiences, [tokenIssuer]);
  assert.equal((await ask(['elsewhere'])).authenticated, undefined);
  assert.equal((await ask([], 'nonsense')).error, 'invalid bearer token');
});

// conformance, partly (asked from outside, not from a pod): [sig-auth] ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer
test('keys that sign tokens can be changed, and everybody can check tokens by those that are published', async (t) => {
  const later = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = { type: 'spki', format: 'pem' } as const;
  const { pki } = await startTestServer(t);
  const keys = [String(later.publicKey.export(pem)), pki.serviceAccountPublicKey];
  const server = await startShop(t, { serviceAccountPublicKey: keys });
  const { call } = server;
  const old = await tokenFor(server, {});
  const { body } = await call('GET', `${shop}/serviceaccounts/robot`);
  const sa = { name: 'robot', uid: body.metadata.uid as string };
  const privateKey = String(later.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const claims = {
    namespace: 'shop',
    serviceAccount: sa,
    audiences: [tokenIssuer],
    expiresAtMs: Date.now() + 600_000,
  };
  const recent = await createTokenIssuer(privateKey, () => Date.now())(claims);
  const told = (await call('GET', '/.well-known/openid-configuration', bearer(recent))).body;
  assert.equal(told.issuer, tokenIssuer);
  assert.deepEqual(told.id_token_signing_alg_values_supported, ['RS256', 'ES256']);
  assert.equal(told.jwks_uri, `${tokenIssuer}/openid/v1/jwks`);
  const published = await call('GET', '/openid/v1/jwks', bearer(old));
  assert.equal(published.headers['content-type'], 'application/jwk-set+json');
  const check = createLocalJWKSet(published.body ?? JSON.parse(published.text));
  for (const token of [old, recent]) {
    assert.equal((await whoIs(server, token)).username, 'system:serviceaccount:shop:robot');
    await jwtVerify(token, check, { issuer: tokenIssuer, audience: tokenIssuer });
  }
  assert.equal((await call('GET', '/openid/v1/jwks', { as: 'nobody' })).status, 403);
});

test('a token kept in a Secret is good for as long as the Secret holds it', async (t) => {
  const server = await startShop(t);
  const { call, pki } = server;
  const { body } = await call('GET', `${shop}/serviceaccounts/robot`);
  const token = createSecretTokenIssuer(pki.serviceAccountKey)(
    'shop',
    { name: 'robot', uid: body.metadata.uid },
    'kept',
  );
  assert.equal(await whoIs(server, token), 401);
  const made = await call('POST', `${shop}/secrets`, {
    body: {
      metadata: { name: 'kept', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
      data: { token: btoa(token) },
    },
  });
  assert.equal(made.status, 201, made.text);
  assert.equal((await whoIs(server, token)).username, 'system:serviceaccount:shop:robot');
  const labels = async (): Promise<Record<string, string>> =>
    JSON.parse((await call('GET', `${shop}/secrets/kept`)).text).metadata.labels ?? {};
  const untilMs = performance.now() + 60_000;
  while ((await labels())['kubernetes.io/legacy-token-last-used'] === undefined)
    assert.ok(performance.now() < untilMs, 'it is noted on which day it was used');
  assert.match((await labels())['kubernetes.io/legacy-token-last-used'] ?? '', /^\d{4}-\d\d-\d\d$/);
  const mark = async (value: string | null): Promise<void> => {
    const metadata = { labels: { 'kubernetes.io/legacy-token-invalid-since': value } };
    await call('PATCH', `${shop}/secrets/kept`, {
      body: { metadata },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  };
  await mark('2026-01-01');
  assert.equal(await whoIs(server, token), 401, 'somebody has called it invalid');
  await mark(null);
  assert.equal((await whoIs(server, token)).username, 'system:serviceaccount:shop:robot');
  await call('DELETE', `${shop}/secrets/kept`);
  assert.equal(await whoIs(server, token), 401);
});

test('a bootstrap token opens a way for new nodes, until it ends', async (t) => {
  const server = await startTestServer(t);
  const token = 'abcdef.0123456789abcdef';
  const set = async (data: object) => {
    await server.call('DELETE', '/api/v1/namespaces/kube-system/secrets/bootstrap-token-abcdef');
    const { status, text } = await server.call('POST', '/api/v1/namespaces/kube-system/secrets', {
      body: {
        metadata: { name: 'bootstrap-token-abcdef' },
        type: 'bootstrap.kubernetes.io/token',
        stringData: { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', ...data },
      },
    });
    assert.equal(status, 201, text);
    return whoIs(server, token);
  };
  const usage = { 'usage-bootstrap-authentication': 'true' };
  assert.equal(await whoIs(server, token), 401);
  assert.equal(await set({}), 401);
  const user = await set({ ...usage, 'auth-extra-groups': 'system:bootstrappers:workers' });
  assert.equal(user.username, 'system:bootstrap:abcdef');
  assert.deepEqual(user.groups, [
    'system:bootstrappers',
    'system:bootstrappers:workers',
    'system:authenticated',
  ]);
  assert.equal(await whoIs(server, 'abcdef.0123456789abcdee'), 401);
  assert.equal(await set({ ...usage, expiration: '2020-01-01T00:00:00Z' }), 401);
  assert.equal(await set({ ...usage, expiration: 'soon' }), 401);
  assert.equal(await set({ ...usage, 'auth-extra-groups': 'system:masters' }), 401);
  assert.equal(await set({ ...usage, 'token-id': 'abcdeg' }), 401);
});

test('the front proxy is believed, and only it', async (t) => {
  const { pki } = await startTestServer(t);
  const frontProxy = { ca: pki.frontProxyCa.cert, allowedNames: ['front-proxy-client'] };
  const headers = {
    'X-Remote-User': 'Ann',
    'X-Remote-Group': 'one,two',
    'X-Remote-Uid': 'u1',
    'X-Remote-Extra-Example.com%2fScopes': 'read',
  };
  const ask = async (server: TestServer, pair: { cert: string; key: string }) =>
    exchange(
      {
        ...server.connection('nobody'),
        cert: pair.cert,
        key: pair.key,
        agent: false,
        method: 'POST',
        path: who,
        headers,
      },
      review,
    );
  const server = await startTestServer(t, { frontProxy });
  const { body } = await ask(server, pki.frontProxyClient);
  assert.deepEqual(body.status.userInfo, {
    username: 'Ann',
    uid: 'u1',
    groups: ['one,two', 'system:authenticated'],
    extra: { 'example.com/scopes': ['read'] },
  });
  // An ordinary certificate stays who it is, whatever its headers say.
  assert.equal((await ask(server, pki.admin)).body.status.userInfo.username, 'kubernetes-admin');
  const choosy = await startTestServer(t, { frontProxy: { ...frontProxy, allowedNames: ['another'] } });
  assert.equal((await ask(choosy, pki.frontProxyClient)).status, 403);
  const without = await startTestServer(t);
  assert.equal((await ask(without, pki.frontProxyClient)).status, 403);
});

test('strangers go only where they are let', async (t) => {
  const closed = await startTestServer(t, { anonymous: { enabled: false, paths: [] } });
  assert.equal((await closed.call('GET', '/readyz', { as: 'nobody' })).status, 401);
  const some = await startTestServer(t, { anonymous: { enabled: true, paths: ['/readyz'] } });
  assert.equal((await some.call('GET', '/readyz', { as: 'nobody' })).status, 200);
  assert.equal((await some.call('GET', '/livez', { as: 'nobody' })).status, 401);
  const usual = await startTestServer(t);
  for (const path of ['/livez', '/readyz', '/healthz', '/version'])
    assert.equal((await usual.call('GET', path, { as: 'nobody' })).status, 200, path);
  for (const path of ['/api', '/apis', '/openapi/v3', '/metrics', '/api/v1/namespaces'])
    assert.equal((await usual.call('GET', path, { as: 'nobody' })).status, 403, path);
});

interface Issuer {
  readonly url: string;
  /** Times that keys were asked for. */
  asked: number;
  rotate(kid: string): Promise<void>;
  issue(claims: object, options?: { audience?: string; expires?: string; kid?: string }): Promise<string>;
}

async function startIssuer(t: TestContext, { pki }: TestServer): Promise<Issuer> {
  let keys = { kid: 'first', pair: generateKeyPairSync('rsa', { modulusLength: 2048 }) };
  const server = createServer(
    { cert: pki.apiserver.cert, key: pki.apiserver.key },
    async (request, response) => {
      if (request.url === '/.well-known/openid-configuration')
        response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }));
      else {
        issuer.asked++;
        const jwk = await exportJWK(keys.pair.publicKey);
        response.end(JSON.stringify({ keys: [{ ...jwk, kid: keys.kid, alg: 'RS256', use: 'sig' }] }));
      }
    },
  );
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const issuer: Issuer = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: 0,
    async rotate(kid) {
      keys = { kid, pair: generateKeyPairSync('rsa', { modulusLength: 2048 }) };
    },
    issue: (claims, { audience = 'caelum', expires = '5m', kid = keys.kid } = {}) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setIssuer(issuer.url)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(keys.pair.privateKey),
  };
  return issuer;
}

test('tokens of another issuer are believed as the configuration says, and its keys followed', async (t) => {
  const first = await startTestServer(t);
  const issuer = await startIssuer(t, first);
  const config = readAuthenticationConfig(
    {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'AuthenticationConfiguration',
      jwt: [
        {
          issuer: { url: issuer.url, certificateAuthority: first.pki.ca.cert, audiences: ['caelum'] },
          claimValidationRules: [
            { claim: 'hd', requiredValue: 'example.com' },
            { expression: 'claims.exp - claims.iat <= 3600', message: 'lives too long' },
          ],
          claimMappings: {
            username: { claim: 'email', prefix: 'oidc:' },
            groups: { expression: 'claims.?roles.orValue("").split(",")' },
            uid: { claim: 'sub' },
            extra: [{ key: 'example.com/tenant', valueExpression: 'claims.tenant' }],
          },
          userValidationRules: [{ expression: "!user.username.startsWith('system:')", message: 'reserved' }],
        },
      ],
    },
    tokenIssuer,
  );
  // The clock of the judge alone: keys are asked for again when ten seconds have passed.
  let ahead = 0;
  const clock = {
    ...realClock,
    nowMs: () => realClock.nowMs(),
    monotonicMs: () => realClock.monotonicMs() + ahead,
  };
  const server = await startTestServer(t, {
    tokenJudges: config.issuers.map((one) => createJwtJudge(one, clock)),
  });
  const ann = { email: 'ann@example.com', sub: '7', hd: 'example.com', roles: 'a,b', tenant: 'blue' };
  assert.deepEqual(await whoIs(server, await issuer.issue(ann)), {
    username: 'oidc:ann@example.com',
    uid: '7',
    groups: ['a', 'b', 'system:authenticated'],
    extra: { 'example.com/tenant': ['blue'] },
  });
  const bad: Readonly<Record<string, string>> = {
    'another audience': await issuer.issue(ann, { audience: 'other' }),
    late: await issuer.issue(ann, { expires: '-1m' }),
    'a required claim is another': await issuer.issue({ ...ann, hd: 'other.com' }),
    'a required claim is missing': await issuer.issue({ ...ann, hd: undefined }),
    'it lives too long': await issuer.issue(ann, { expires: '2h' }),
    'no name': await issuer.issue({ ...ann, email: undefined }),
    'an address that is not verified': await issuer.issue({ ...ann, email_verified: false }),
    'cut short': (await issuer.issue(ann)).slice(0, -4),
  };
  for (const [what, token] of Object.entries(bad)) assert.equal(await whoIs(server, token), 401, what);
  const asked = issuer.asked;
  assert.equal(asked, 1);
  await issuer.rotate('second');
  assert.equal(await whoIs(server, await issuer.issue(ann)), 401, 'keys are not asked for at once again');
  ahead = 11_000;
  assert.equal((await whoIs(server, await issuer.issue(ann))).username, 'oidc:ann@example.com');
  assert.equal(issuer.asked, asked + 1);
});

test('readAuthenticationConfig() tells every problem', () => {
  const read = (jwt: object[], more: object = {}) =>
    readAuthenticationConfig(
      { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration', jwt, ...more },
      tokenIssuer,
    );
  const issuer = { url: 'https://i.example.com', audiences: ['a'] };
  const username = { claim: 'sub', prefix: '' };
  assert.equal(read([{ issuer, claimMappings: { username } }]).issuers.length, 1);
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ issuer: { ...issuer, url: 'http://x' }, claimMappings: { username } }, /URL scheme must be https/],
    [{ issuer: { ...issuer, url: tokenIssuer }, claimMappings: { username } }, /Duplicate value/],
    [
      { issuer: { url: issuer.url }, claimMappings: { username } },
      /at least one jwt\[\*\]\.issuer\.audiences is required/,
    ],
    [
      { issuer: { ...issuer, audiences: ['a', 'b'] }, claimMappings: { username } },
      /audienceMatchPolicy must be MatchAny/,
    ],
    [{ issuer }, /claimMappings\.username: Required value: claim or expression is required/],
    [{ issuer, claimMappings: { username: { claim: 'sub' } } }, /prefix is required when claim is set/],
    [{ issuer, claimMappings: { username: { expression: 'claims.email' } } }, /email_verified must be used/],
    [
      { issuer, claimMappings: { username: { expression: 'claims.' } } },
      /username\.expression: Invalid value/,
    ],
    [
      { issuer, claimMappings: { username }, claimValidationRules: [{}] },
      /exactly one of claim or expression/,
    ],
    [
      { issuer, claimMappings: { username, extra: [{ key: 'X', valueExpression: '"a"' }] } },
      /domain-prefixed path/,
    ],
  ];
  for (const [jwt, expected] of cases) assert.throws(() => read([jwt]), expected);
  assert.throws(() => readAuthenticationConfig({}, tokenIssuer), /must be AuthenticationConfiguration/);
  assert.throws(
    () => read([], { anonymous: { conditions: [{ path: '/livez' }] } }),
    /enabled should be set to true/,
  );
});

test('reviews of access say what is wrong with the question, in Kubernetes words', async (t) => {
  const { call } = await startTestServer(t);
  const group = '/apis/authorization.k8s.io/v1';
  const ask = (resource: string, spec: object, namespace = '') =>
    call('POST', `${group}${namespace === '' ? '' : `/namespaces/${namespace}`}/${resource}`, {
      body: { spec },
    });
  const asked = { verb: 'get', resource: 'pods', namespace: 'default' };
  const cases: readonly (readonly [string, object, string, RegExp])[] = [
    [
      'selfsubjectaccessreviews',
      {},
      '',
      /exactly one of nonResourceAttributes or resourceAttributes must be specified/,
    ],
    [
      'subjectaccessreviews',
      { resourceAttributes: asked },
      '',
      /spec\.user: Invalid value: "": at least one of user or group/,
    ],
    [
      'subjectaccessreviews',
      { user: 'a', resourceAttributes: asked, nonResourceAttributes: { path: '/', verb: 'get' } },
      '',
      /cannot be specified in combination with resourceAttributes/,
    ],
    [
      'localsubjectaccessreviews',
      { user: 'a', resourceAttributes: asked },
      'other',
      /must match metadata\.namespace/,
    ],
    [
      'selfsubjectaccessreviews',
      {
        resourceAttributes: {
          ...asked,
          labelSelector: { rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'Exists' }] },
        },
      },
      '',
      /labelSelector\.rawSelector: Invalid value: "a=b": may not specified at the same time as requirements/,
    ],
  ];
  for (const [resource, spec, namespace, expected] of cases) {
    const { status, body } = await ask(resource, spec, namespace);
    assert.equal(status, 422, JSON.stringify(spec));
    assert.match(body.message, expected);
  }
  const good = await ask('localsubjectaccessreviews', { user: 'a', resourceAttributes: asked }, 'default');
  assert.deepEqual([good.status, good.body.status.allowed], [201, false]);
  const rules = async (as: 'admin' | 'node') =>
    (await call('POST', `${group}/selfsubjectrulesreviews`, { as, body: { spec: { namespace: 'default' } } }))
      .body.status;
  assert.equal((await rules('admin')).incomplete, false);
  assert.equal(
    (await rules('node')).evaluationError,
    'node authorizer does not support user rule resolution',
  );
});
