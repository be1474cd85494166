import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../../lib/index.ts';
import { AuditFile, type AuditFileOptions, readAuditPolicy } from '../index.ts';
import { configMap, here } from './test-objects.ts';
import { openLines, startTestServer } from './test-server.ts';

// biome-ignore lint/suspicious/noExplicitAny: tests look into events freely
type Event = any;

function openFile(t: TestContext, options: Partial<AuditFileOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'caelum-audit-test-'));
  const path = join(folder, 'audit.log');
  const file = new AuditFile({ path, nowMs: () => Date.now(), log: silentLog, ...options });
  t.after(() => {
    file.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const events = (): Event[] =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Event);
  return { folder, path, file, events };
}

async function start(
  t: TestContext,
  rules: readonly object[],
  options: {
    readonly strict?: boolean;
    readonly file?: Partial<AuditFileOptions>;
    readonly policy?: object;
  } = {},
) {
  const kept = openFile(t, options.file);
  const policy = readAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...options.policy });
  const server = await startTestServer(t, {
    audit: { policy, file: kept.file, strict: options.strict ?? false },
  });
  return { ...server, ...kept };
}

test('the audit log holds what the policy asks for, stage by stage', async (t) => {
  const { call, events } = await start(
    t,
    [
      { level: 'None', nonResourceURLs: ['/livez*'] },
      { level: 'Metadata', resources: [{ resources: ['secrets'] }] },
      { level: 'Request', verbs: ['patch'] },
      { level: 'RequestResponse', resources: [{ resources: ['configmaps'] }] },
      { level: 'Metadata' },
    ],
    { policy: { omitManagedFields: true, omitStages: ['RequestReceived'] } },
  );
  await call('GET', '/livez');
  const secret = { metadata: { name: 's' }, stringData: { password: 'hunter2' } };
  await call('POST', `${here}/secrets`, { body: secret });
  const made = await call('POST', `${here}/configmaps?fieldManager=me`, { body: configMap('c') });
  await call('PATCH', `${here}/configmaps/c`, {
    body: { data: { a: '2' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  await call('GET', `${here}/configmaps/none`, { headers: { 'user-agent': 'tester', 'audit-id': 'own-id' } });
  await call('GET', '/version', { as: 'nobody' });
  await call('GET', `${here}/pods`, { headers: { 'impersonate-user': 'eve' } });
  await call('GET', `${here}/pods`, { headers: { authorization: 'Bearer wrong' }, as: 'nobody' });
  const all = events();
  assert.deepEqual(
    all.map(
      (one) =>
        `${one.level} ${one.stage} ${one.verb} ${one.objectRef?.resource ?? one.requestURI} ${one.responseStatus.code}`,
    ),
    [
      'Metadata ResponseComplete create secrets 201',
      'RequestResponse ResponseComplete create configmaps 201',
      'Request ResponseComplete patch configmaps 200',
      'RequestResponse ResponseComplete get configmaps 404',
      'Metadata ResponseComplete get /version 200',
      'Metadata ResponseComplete list pods 403',
      'Metadata ResponseComplete list pods 401',
    ],
  );
  const [first, create, patch, missing, version, refused, unknown] = all;
  assert.doesNotMatch(JSON.stringify(first), /hunter2|aHVudGVyMg/);
  assert.equal(create.auditID, made.headers['audit-id']);
  assert.deepEqual(create.requestObject, configMap('c'));
  assert.equal(create.responseObject.metadata.uid, made.body.metadata.uid);
  assert.equal(create.responseObject.metadata.managedFields, undefined);
  assert.deepEqual(create.objectRef, {
    resource: 'configmaps',
    namespace: 'default',
    name: 'c',
    uid: made.body.metadata.uid,
    apiVersion: 'v1',
  });
  assert.equal(create.annotations['authorization.k8s.io/decision'], 'allow');
  assert.match(create.stageTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.deepEqual(patch.requestObject, { data: { a: '2' } });
  assert.equal(patch.responseObject, undefined);
  assert.equal(missing.auditID, 'own-id');
  assert.equal(missing.userAgent, 'tester');
  assert.deepEqual(missing.sourceIPs, ['127.0.0.1']);
  assert.equal(missing.responseStatus.reason, 'NotFound');
  assert.equal(version.user.username, 'system:anonymous');
  assert.ok(refused.user.groups.includes('system:masters'));
  assert.equal(refused.impersonatedUser.username, 'eve');
  assert.equal(refused.annotations['authorization.k8s.io/decision'], 'forbid');
  assert.equal(unknown.responseStatus.code, 401);
});

test('a watch has three stages', async (t) => {
  const { connection, events, store } = await start(t, [{ level: 'Metadata' }]);
  const lines = await openLines({
    ...connection(),
    path: `${here}/configmaps?watch=1&resourceVersion=${store.revision()}`,
  });
  const stages = (): string[] => events().map(({ stage, verb }) => `${verb} ${stage}`);
  assert.deepEqual(stages(), ['watch RequestReceived', 'watch ResponseStarted']);
  lines.close();
  for (let i = 0; i < 3000 && stages().length < 3; i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(stages(), ['watch RequestReceived', 'watch ResponseStarted', 'watch ResponseComplete']);
});

test('no answer without its line: each is in the file before the answer arrives', async (t) => {
  const { call, path } = await start(t, [{ level: 'Metadata' }], {
    policy: { omitStages: ['RequestReceived'] },
  });
  for (let i = 0; i < 50; i++) {
    const { headers } = await call('POST', `${here}/configmaps`, { body: configMap(`c${i}`) });
    assert.ok(readFileSync(path, 'utf8').includes(String(headers['audit-id'])), `${i}`);
  }
});

/** A disk that is full when told so, in the middle of a line. */
function fullDisk() {
  let room = Number.POSITIVE_INFINITY;
  return {
    set room(bytes: number) {
      room = bytes;
    },
    writeBytes: (file: number, bytes: Buffer): number => {
      if (room <= 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      const count = writeSync(file, bytes.subarray(0, Math.min(bytes.length, room)));
      room -= count;
      return count;
    },
  };
}

test('a full disk: answers go on, lines come when there is room again', async (t) => {
  const disk = fullDisk();
  const { call, events, file, path } = await start(t, [{ level: 'Metadata' }], { file: disk });
  await call('GET', `${here}/configmaps/a`);
  disk.room = 50;
  for (const name of ['b', 'c']) assert.equal((await call('GET', `${here}/configmaps/${name}`)).status, 404);
  disk.room = Number.POSITIVE_INFINITY;
  const { text } = await call('GET', '/metrics');
  assert.match(text, /^apiserver_audit_error_total{plugin="log"} 4$/m);
  assert.equal(file.counts.lost, 0);
  const lines = readFileSync(path, 'utf8').split('\n');
  const whole = lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Event);
  assert.deepEqual(
    whole
      .filter(({ objectRef }) => objectRef !== undefined)
      .map(({ objectRef, stage }) => `${objectRef.name} ${stage}`),
    ['a', 'b', 'c'].flatMap((name) => [`${name} RequestReceived`, `${name} ResponseComplete`]),
  );
  assert.ok(
    lines.some((line) => line.length === 50),
    'the torn line stays, ended',
  );
  assert.throws(events);
});

test('a full disk, strictly: what cannot be audited is refused', async (t) => {
  const disk = fullDisk();
  const { call, store, file } = await start(t, [{ level: 'None', verbs: ['get'] }, { level: 'Metadata' }], {
    strict: true,
    file: disk,
  });
  disk.room = 0;
  const refused = await call('POST', `${here}/configmaps`, { body: configMap('a') });
  assert.equal(refused.status, 500);
  assert.equal(refused.body.kind, 'Status');
  assert.match(refused.body.message, /the audit log cannot be written/);
  assert.equal(store.get('configmaps/default/a'), undefined, 'nothing was done');
  assert.equal((await call('GET', '/api/v1/namespaces/default')).status, 200, 'what is not audited goes on');
  disk.room = Number.POSITIVE_INFINITY;
  assert.ok(file.isWhole);
  disk.room = 900;
  const torn = await call('POST', `${here}/configmaps`, { body: configMap('b') });
  assert.equal(torn.status, 500, 'done, but not told: its last line could not be written');
  assert.notEqual(store.get('configmaps/default/b'), undefined);
  disk.room = Number.POSITIVE_INFINITY;
  assert.equal((await call('POST', `${here}/configmaps`, { body: configMap('c') })).status, 201);
});

test('AuditFile changes files when they are long, keeps some, and ends a torn line', (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  const { folder, path, file } = openFile(t, { bytesMax: 100, backupsMax: 2, nowMs: () => nowMs });
  for (let i = 0; i < 20; i++) {
    nowMs += 1000;
    assert.ok(file.write(`${JSON.stringify({ i, pad: 'x'.repeat(30) })}\n`));
  }
  assert.deepEqual(readdirSync(folder).sort(), [
    'audit-2026-01-01T00-00-17.000.log',
    'audit-2026-01-01T00-00-19.000.log',
    'audit.log',
  ]);
  file.close();
  writeFileSync(path, '{"half":');
  const again = new AuditFile({ path, nowMs: () => nowMs, log: silentLog });
  again.write('{"whole":1}\n');
  again.close();
  assert.equal(readFileSync(path, 'utf8'), '{"half":\n{"whole":1}\n');
});

test('a killed process leaves every line that it had written', { timeout: 120_000 }, async (t) => {
  const { path, file } = openFile(t);
  file.close();
  const code = `
    const { AuditFile } = await import(${JSON.stringify(new URL('./audit-file.ts', import.meta.url).href)});
    const file = new AuditFile({ path: ${JSON.stringify(path)}, nowMs: () => 0, log: { error() {} } });
    for (let i = 0; ; i++) { file.write(JSON.stringify({ i }) + '\\n'); require('node:fs').writeSync(1, i + '\\n'); }
  `.replace("require('node:fs').writeSync", 'writeSync');
  const child = spawn(process.execPath, [
    '--input-type=module',
    '-e',
    `import { writeSync } from 'node:fs';${code}`,
  ]);
  let told = '';
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      told += chunk.toString();
      if (told.length > 20_000) child.kill('SIGKILL');
    });
    child.on('close', () => resolve());
  });
  const last = Number(told.slice(0, told.lastIndexOf('\n')).split('\n').at(-1));
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.ok(last > 1000 && lines.length > last, `${lines.length} lines, ${last} told`);
  lines.forEach((line, index) => {
    assert.equal(line, JSON.stringify({ i: index }));
  });
});
