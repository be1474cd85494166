/** Access as a user meets it: kubectl's commands about it, certificates asked for and signed, tokens kept in Secrets, against a whole cloud. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { clientBinary } from '../../tools/kubectl.ts';
import { type Attributes, createWebhookClient } from '../apiserver/index.ts';
import { explainError, silentLog } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { ensurePki } from '../security/index.ts';
import { readAccessFiles } from './access-files.ts';
import { Cloud } from './index.ts';

const binary = clientBinary('kubectl');
const skip = binary === undefined ? 'kubectl is not here' : false;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (program: string, words: readonly string[], env = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(program, words, { env: { ...process.env, ...env }, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, stdout, stderr }),
    );
  });

/** One for all: their objects have names of their own. */
let shared: Promise<Cloud> | undefined;
after(async () => (await shared)?.stop());

async function start(t: TestContext) {
  shared ??= Cloud.start({ hollow: 1 });
  const cloud = await shared;
  const folder = mkdtempSync(join(tmpdir(), 'caelum-access-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, cloud.kubeconfig());
  const env = { KUBECONFIG: kubeconfig, HOME: folder };
  const kubectl = (...words: string[]) => run(binary ?? '', words, env);
  const ok = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(...words);
    assert.equal(code, 0, `kubectl ${words.join(' ')}\n${stdout}${stderr}`);
    return stdout;
  };
  const apply = (text: string): Promise<string> => {
    const file = join(folder, 'object.yaml');
    writeFileSync(file, text);
    return ok('apply', '-f', file);
  };
  const until = async (what: string, words: string[], expected: RegExp): Promise<string> => {
    let last = '';
    for (let tries = 0; tries < 300; tries++) {
      last = (await kubectl(...words)).stdout;
      if (expected.test(last)) return last;
      await new Promise((done) => setTimeout(done, 100));
    }
    assert.fail(`${what}: ${last}`);
  };
  return { folder, kubectl, ok, apply, until };
}

async function request(folder: string, name: string, subject: string): Promise<string> {
  const [key, csr] = [join(folder, `${name}.key`), join(folder, `${name}.csr`)];
  const made = await run('openssl', [
    ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', key, '-out', csr, '-subj', subject],
  ]);
  assert.equal(made.code, 0, made.stderr);
  return (await run('base64', ['-w0', csr])).stdout;
}

const csrText = (name: string, encoded: string, more = ''): string => `apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: { name: ${name} }
spec:
  request: ${encoded}
  signerName: kubernetes.io/kube-apiserver-client
  expirationSeconds: 3600
  usages: [client auth, digital signature]
${more}`;

test('a certificate is asked for, approved, signed, and opens the API', { skip }, async (t) => {
  const { folder, kubectl, ok, apply, until } = await start(t);
  await apply(csrText('ann', await request(folder, 'ann', '/O=devs/CN=ann')));
  assert.match(await ok('get', 'csr', 'ann'), /^ann .*kubernetes-admin.*Pending/m);
  assert.match(await ok('certificate', 'approve', 'ann'), /ann approved/);
  const issued = await until('the certificate', ['get', 'csr', 'ann'], /Approved,Issued/);
  assert.match(issued, /60m/);
  const encoded = await ok('get', 'csr', 'ann', '-o', 'jsonpath={.status.certificate}');
  const pem = Buffer.from(encoded, 'base64').toString();
  const certificate = new X509Certificate(pem);
  assert.match(certificate.subject, /CN=ann/);
  const lastsMs = Date.parse(certificate.validTo) - Date.now();
  assert.ok(lastsMs > 3_500_000 && lastsMs < 3_700_000, String(lastsMs));
  const cert = join(folder, 'ann.crt');
  writeFileSync(cert, pem);
  await ok(
    'config',
    'set-credentials',
    'ann',
    `--client-certificate=${cert}`,
    `--client-key=${join(folder, 'ann.key')}`,
  );
  await ok('config', 'set-context', 'ann', '--cluster=caelum', '--user=ann');
  const who = await ok('--context=ann', 'auth', 'whoami');
  assert.match(who, /Username\s+ann/);
  assert.match(who, /\[devs system:authenticated\]/);
  assert.match(who, /X509SHA256=/);
  assert.equal((await kubectl('--context=ann', 'get', 'pods')).code, 1);
  await apply(csrText('ben', await request(folder, 'ben', '/CN=ben')));
  assert.match(await ok('certificate', 'deny', 'ben'), /ben denied/);
  assert.match(await ok('get', 'csr', 'ben'), /Denied/);
  // What nobody may have, whoever asks.
  const file = join(folder, 'boss.yaml');
  writeFileSync(file, csrText('boss', await request(folder, 'boss', '/O=system:masters/CN=boss')));
  assert.match((await kubectl('create', '-f', file)).stderr, /system:masters group is not allowed/);
});

test('only who may approve for a signer approves; a node renews its own certificate unseen', {
  skip,
}, async (t) => {
  const { folder, kubectl, ok, apply, until } = await start(t);
  await apply(csrText('one', await request(folder, 'one', '/CN=one')));
  await ok(
    'create',
    'clusterrole',
    'half',
    '--verb=get,list,watch,update',
    '--resource=certificatesigningrequests,certificatesigningrequests/approval',
  );
  await ok('create', 'clusterrolebinding', 'half', '--clusterrole=half', '--user=carl');
  assert.match(
    (await kubectl('certificate', 'approve', 'one', '--as=carl')).stderr,
    /user not permitted to approve requests with signerName "kubernetes.io\/kube-apiserver-client"/,
  );
  await ok(
    'create',
    'clusterrolebinding',
    'rest',
    '--user=carl',
    '--clusterrole=system:certificates.k8s.io:kube-apiserver-client-approver',
  );
  await ok('certificate', 'approve', 'one', '--as=carl');
  const encoded = await request(folder, 'node', '/O=system:nodes/CN=system:node:n9');
  const file = join(folder, 'node.yaml');
  const text = csrText('own', encoded).replace('kube-apiserver-client', 'kube-apiserver-client-kubelet');
  writeFileSync(file, text);
  await ok('create', '-f', file, '--as=system:node:n9', '--as-group=system:nodes');
  await until('it is approved', ['get', 'csr', 'own'], /Approved,Issued/);
  writeFileSync(file, text.replace('name: own', 'name: others'));
  await ok('create', '-f', file, '--as=system:node:n8', '--as-group=system:nodes');
  await until('another does not get it', ['get', 'csr', 'others'], /Pending/);
});

test('a new node gets its first certificate with a bootstrap token', { skip }, async (t) => {
  const { folder, ok, apply, until } = await start(t);
  await apply(`apiVersion: v1
kind: Secret
metadata: { name: bootstrap-token-abcdef, namespace: kube-system }
type: bootstrap.kubernetes.io/token
stringData:
  token-id: abcdef
  token-secret: 0123456789abcdef
  usage-bootstrap-authentication: "true"
  auth-extra-groups: system:bootstrappers:workers
`);
  const group = '--group=system:bootstrappers:workers';
  await ok('create', 'clusterrolebinding', 'may-ask', group, '--clusterrole=system:node-bootstrapper');
  const unseen = 'system:certificates.k8s.io:certificatesigningrequests:nodeclient';
  await ok('create', 'clusterrolebinding', 'unseen', group, `--clusterrole=${unseen}`);
  await ok('config', 'set-credentials', 'fresh', '--token=abcdef.0123456789abcdef');
  await ok('config', 'set-context', 'fresh', '--cluster=caelum', '--user=fresh');
  const encoded = await request(folder, 'fresh', '/O=system:nodes/CN=system:node:n7');
  const file = join(folder, 'fresh.yaml');
  writeFileSync(
    file,
    csrText('fresh', encoded).replace('kube-apiserver-client', 'kube-apiserver-client-kubelet'),
  );
  await ok('--context=fresh', 'create', '-f', file);
  await until('it is signed', ['get', 'csr', 'fresh'], /system:bootstrap:abcdef.*Approved,Issued/);
});

test('kubectl auth and kubectl create token tell and do what they do elsewhere', { skip }, async (t) => {
  const { ok, apply, until } = await start(t);
  await ok('create', 'serviceaccount', 'robot');
  await ok('create', 'role', 'reader', '--verb=get,list', '--resource=pods');
  await ok('create', 'rolebinding', 'reads', '--role=reader', '--serviceaccount=default:robot');
  const list = await ok('auth', 'can-i', '--list', '--as=system:serviceaccount:default:robot');
  assert.match(list, /^pods\s+\[\]\s+\[\]\s+\[get list\]/m);
  assert.match(list, /^selfsubjectreviews\.authentication\.k8s\.io/m);
  assert.match(list, /\[\/healthz\]/);
  const token = await ok('create', 'token', 'robot', '--duration=20m', '--audience=vault');
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  assert.deepEqual(claims.aud, ['vault']);
  assert.equal(claims.exp - claims.iat, 1200);
  await apply(`apiVersion: v1
kind: Secret
metadata: { name: kept, annotations: { kubernetes.io/service-account.name: robot } }
type: kubernetes.io/service-account-token
`);
  const kept = await until(
    'it is filled',
    ['get', 'secret', 'kept', '-o', 'jsonpath={.data.token}'],
    /.{100}/,
  );
  const bearer = Buffer.from(kept, 'base64').toString();
  await ok('config', 'set-credentials', 'robot', `--token=${bearer}`);
  await ok('config', 'set-context', 'robot', '--cluster=caelum', '--user=robot');
  const name = ['-o', 'jsonpath={.status.userInfo.username}'];
  assert.equal(await ok('--context=robot', 'auth', 'whoami', ...name), 'system:serviceaccount:default:robot');
  const data = await ok('get', 'secret', 'kept', '-o', 'jsonpath={.data.namespace} {.data.ca\\.crt}');
  assert.match(data, /^ZGVmYXVsdA== LS0tLS1/);
  await ok('delete', 'serviceaccount', 'robot');
  await until(
    'it goes with its account',
    ['get', 'secret', 'kept', '--ignore-not-found', '-o', 'name'],
    /^$/,
  );
  assert.match(await ok('get', 'apiservices'), /^v1\.apps\s+Local\s+True/m);
  const trust = await ok(
    '-n',
    'kube-system',
    'get',
    'configmap',
    'extension-apiserver-authentication',
    '-o',
    'yaml',
  );
  assert.match(trust, /requestheader-allowed-names: '\["front-proxy-client"\]'/);
  assert.match(trust, /client-ca-file: \|/);
});

test('kubectl auth reconcile adds what is missing', { skip }, async (t) => {
  const { ok, apply, folder } = await start(t);
  const role = (verbs: string): string => `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: made }
rules: [{ apiGroups: [""], resources: [pods], verbs: [${verbs}] }]
`;
  await apply(role('get'));
  const file = join(folder, 'role.yaml');
  writeFileSync(file, role('list'));
  assert.match(
    await ok('auth', 'reconcile', '-f', file),
    /clusterrole\.rbac\.authorization\.k8s\.io\/made reconciled/,
  );
  assert.match(await ok('get', 'clusterrole', 'made', '-o', 'jsonpath={.rules}'), /get.*list/s);
});

test('an authorization webhook is asked in its turn, remembered, and its failure decides as the file says', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-webhook-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const names = ['127.0.0.1', 'localhost'];
  const pki = await ensurePki({
    directory: folder,
    nodeName: 'n',
    names,
    agentNames: names,
    nowMs: Date.now(),
  });
  const asked: { spec: { user: string; resourceAttributes?: { verb: string; fieldSelector?: unknown } } }[] =
    [];
  let answer: object = { allowed: true, reason: 'the webhook says so' };
  const server = createServer({ cert: pki.apiserver.cert, key: pki.apiserver.key }, (incoming, response) => {
    let text = '';
    incoming.on('data', (part) => {
      text += part;
    });
    incoming.on('end', () => {
      const body = JSON.parse(text);
      asked.push(body);
      response.end(JSON.stringify({ ...body, status: answer }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const post = createWebhookClient();
  t.after(() => {
    post.close();
    server.closeAllConnections();
    server.close();
  });
  const kubeconfig = join(folder, 'webhook.kubeconfig');
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/authorize`;
  writeFileSync(
    kubeconfig,
    `apiVersion: v1
kind: Config
current-context: c
clusters: [{ name: c, cluster: { server: "${url}", certificate-authority: ca.crt } }]
contexts: [{ name: c, context: { cluster: c } }]
`,
  );
  const read = async (failurePolicy: string) => {
    const file = join(folder, 'authorization.yaml');
    writeFileSync(
      file,
      `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- type: Webhook
  name: hook
  webhook:
    timeout: 30s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: ${failurePolicy}
    connectionInfo: { type: KubeConfigFile, kubeConfigFile: "${kubeconfig}" }
    matchConditions:
    - expression: request.user != 'skipped'
- { type: RBAC, name: rbac }
`,
    );
    const options = { post: post.post, clock: realClock, log: silentLog };
    const { authorizers = [] } = await readAccessFiles({ authorization: file }, options);
    const [hook] = authorizers;
    assert.ok(typeof hook === 'object');
    return hook;
  };
  const what = {
    ...{
      kind: 'resource',
      verb: 'list',
      group: '',
      resource: 'pods',
      subresource: '',
      namespace: 'n',
      name: '',
    },
    selectors: { field: 'spec.nodeName=a', label: 'app in (x, y),!old' },
  } as Attributes;
  const ann = { user: 'ann', groups: ['devs'] };
  const hook = await read('NoOpinion');
  assert.deepEqual(await hook.ask(ann, what), { allowed: true, because: 'the webhook says so' });
  assert.deepEqual(asked[0]?.spec, {
    resourceAttributes: {
      ...{ namespace: 'n', verb: 'list', resource: 'pods' },
      fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['a'] }] },
      labelSelector: {
        requirements: [
          { key: 'app', operator: 'In', values: ['x', 'y'] },
          { key: 'old', operator: 'DoesNotExist' },
        ],
      },
    },
    user: 'ann',
    groups: ['devs'],
  });
  await hook.ask(ann, what);
  assert.equal(asked.length, 1, 'it is not asked again at once');
  assert.equal(await hook.ask({ ...ann, user: 'skipped' }, what), undefined);
  assert.equal(asked.length, 1, 'conditions are looked at first');
  answer = { allowed: false, denied: true, reason: 'never' };
  assert.deepEqual(await hook.ask({ ...ann, user: 'ben' }, what), {
    allowed: false,
    denied: true,
    because: 'never',
  });
  answer = { allowed: true, denied: true };
  assert.equal(await hook.ask({ ...ann, user: 'carl' }, what), undefined);
  const strict = await read('Deny');
  assert.deepEqual(await strict.ask({ ...ann, user: 'carl' }, what), {
    allowed: false,
    denied: true,
    because: 'authorization webhook "hook" has failed',
  });
  await assert.rejects(read('Perhaps'), (error: Error) => {
    assert.match(error.message, /^Cannot use ".*authorization\.yaml"$/);
    assert.match(explainError(error), /failurePolicy: Unsupported value: "Perhaps"/);
    return true;
  });
});
