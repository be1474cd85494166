/** The whole agent on real parts (crun, conmon, nftables, overlayfs) against an API in memory. Needs root; skips by reason where parts are missing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Node, Pod } from '../../api/index.ts';
import { createFakeClient, createInformers, type FakeClient } from '../../client/index.ts';
import { createLog, silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { realRandom } from '../../lib/io/real-random.ts';
import { ensurePki, type Pki } from '../../security/index.ts';
import { openImageStore } from '../images/io/image-store.ts';
import { createPodNetwork } from '../network/io/bridge-network.ts';
import { configMapsRef, nodesRef, podsRef, secretsRef } from '../objects.ts';
import type { ExecSession } from '../runtime/index.ts';
import { createRuntime } from '../runtime/io/conmon-runtime.ts';
import { type Agent, startAgent } from './agent.ts';

const programs = ['crun', 'conmon', 'nft', 'ip', 'busybox'];
const missing = programs.filter(
  (name) => !['/usr/bin', '/usr/sbin', '/bin', '/sbin'].some((folder) => existsSync(join(folder, name))),
);
const skip =
  process.getuid?.() !== 0 ? 'needs root' : missing.length > 0 ? `needs ${missing.join(', ')}` : false;

const log =
  process.env['CAELUM_TEST_LOG'] === undefined
    ? silentLog
    : createLog({ clock: realClock, sink: (line) => process.stderr.write(`${line}\n`), level: 'debug' });

interface Machine {
  readonly directory: string;
  readonly client: FakeClient;
  readonly pki: Pki;
  agent: Agent;
  /** Ends the agent as a crash would leave things, and starts another. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

let machine: Machine;

async function createMachine(): Promise<Machine> {
  const directory = mkdtempSync(join(tmpdir(), 'caelum-agent-'));
  const client = createFakeClient({ clock: realClock, random: realRandom });
  client.onSubresource = () => ({ status: { token: 'the-token' } });
  const pki = await ensurePki({
    directory: join(directory, 'pki'),
    nodeName: 'n1',
    names: ['127.0.0.1'],
    agentNames: ['127.0.0.1'],
    nowMs: Date.now(),
  });
  const tag = `ct${process.pid % 100_000}`;
  let closeParts: () => Promise<void> = async () => {};
  const start = async (): Promise<Agent> => {
    const runtime = await createRuntime({
      root: join(directory, 'runtime'),
      cloud: tag,
      clock: realClock,
      log,
    });
    const network = createPodNetwork({
      stateDirectory: join(directory, 'network'),
      bridgeName: tag,
      podCidr: '10.253.77.0/24',
      table: tag,
      log,
    });
    const images = openImageStore({ directory: join(directory, 'images'), clock: realClock, log });
    const informers = createInformers({ client, clock: realClock, log, random: realRandom });
    closeParts = async () => {
      informers.stop();
      await runtime.close();
      await images.close();
    };
    return startAgent({
      client,
      informers,
      clock: realClock,
      random: realRandom,
      log,
      runtime,
      network,
      images,
      nodeName: 'n1',
      nodeAddress: '10.253.77.1',
      dataDirectory: join(directory, 'node'),
      clusterDns: ['10.96.0.10'],
      clusterDomain: 'cluster.local',
      server: { ca: pki.ca.cert, cert: pki.agent.cert, key: pki.agent.key, host: '127.0.0.1', port: 0 },
    });
  };
  const made: Machine = {
    directory,
    client,
    pki,
    agent: await start(),
    async restart() {
      await made.agent.stop();
      await closeParts();
      made.agent = await start();
    },
    async close() {
      await made.agent.shutdown({ removePods: true });
      await closeParts();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return made;
}

before(async () => {
  if (!skip) machine = await createMachine();
});
after(async () => {
  if (skip || machine === undefined) return;
  await machine.close();
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  assert.ok(!mounts.includes(machine.directory), 'no mount is left behind');
  const links = execFileSync('ip', ['-br', 'link'], { encoding: 'utf8' });
  assert.ok(!links.includes(`ct${process.pid % 100_000}`), 'no interface is left behind');
});

/** Level-triggered and bounded. */
async function until(what: string, is: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> {
  const startMs = performance.now();
  while (!(await is())) {
    if (performance.now() - startMs > limitMs)
      assert.fail(`${what}: ${JSON.stringify(machine.client.objects(podsRef), undefined, 1)}`);
    await realClock.sleep(5);
  }
}

const podNamed = (name: string): Pod | undefined => machine.client.peek<Pod>(podsRef, `default/${name}`);
const isReady = (name: string): boolean =>
  podNamed(name)?.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';

function podOf(name: string, spec: Partial<NonNullable<Pod['spec']>>): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: {
      nodeName: 'n1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 1,
      containers: [],
      ...spec,
    },
  };
}

const sleeper = { name: 'c', image: 'host.local/busybox', command: ['sleep', '1000'] };

function ask(
  path: string,
  options: { cert: string; key: string },
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { pki, agent } = machine;
    const url = `https://127.0.0.1:${agent.port}${path}`;
    get(url, { ca: pki.ca.cert, ...options, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    }).on('error', reject);
  });
}

async function outputOf(session: ExecSession): Promise<string> {
  let text = '';
  for await (const chunk of session.stdout) text += String(chunk);
  await session.exited;
  return text;
}

const run = (name: string, ...args: string[]): Promise<string> =>
  machine.agent.endpoint
    .openExec('default', name, 'c', { args, terminal: false, stdin: false })
    .then(outputOf);

test('startAgent() registers a Ready node', { skip }, () => {
  const node = machine.client.peek<Node>(nodesRef, 'n1');
  assert.equal(node?.status?.conditions?.find((condition) => condition.type === 'Ready')?.status, 'True');
  assert.match(node?.status?.nodeInfo?.containerRuntimeVersion ?? '', /^(crun|runc):\/\/\d/);
  assert.equal(node?.status?.capacity?.['pods'], '110');
});

// conformance, partly (no group, no mode): [sig-auth] ServiceAccounts should mount projected service account token
// conformance, partly (one key, default mode): [sig-storage] ConfigMap updates should be reflected in volume [NodeConformance]
test('the agent runs a pod with volumes, environment and network files', { skip }, async () => {
  const { client } = machine;
  const at = { namespace: 'default' };
  client.seed(configMapsRef, { metadata: { name: 'm', ...at }, data: { key: 'one' } } as never);
  client.seed(secretsRef, {
    metadata: { name: 's', ...at },
    data: { password: Buffer.from('hush').toString('base64') },
  } as never);
  await client.create(
    podsRef,
    podOf('full', {
      containers: [
        {
          ...sleeper,
          env: [
            { name: 'FROM_MAP', valueFrom: { configMapKeyRef: { name: 'm', key: 'key' } } },
            { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          volumeMounts: [
            { name: 'map', mountPath: '/map' },
            { name: 'secret', mountPath: '/secret', readOnly: true },
            { name: 'scratch', mountPath: '/scratch', subPath: 'deep/er' },
            { name: 'token', mountPath: '/token' },
            { name: 'fast', mountPath: '/fast' },
          ],
        },
      ],
      volumes: [
        { name: 'map', configMap: { name: 'm' } },
        { name: 'secret', secret: { secretName: 's' } },
        { name: 'scratch', emptyDir: {} },
        { name: 'fast', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        {
          name: 'token',
          projected: {
            sources: [
              { serviceAccountToken: { path: 'token' } },
              { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
            ],
          },
        },
      ],
    }),
  );
  await until('ready', () => isReady('full'));
  assert.equal(
    await run('full', 'cat', '/map/key', '/secret/password', '/token/token', '/token/labels'),
    'onehushthe-tokenapp="full"',
  );
  assert.equal(
    await run('full', 'sh', '-c', 'echo $FROM_MAP $POD_IP'),
    `one ${podNamed('full')?.status?.podIP}\n`,
  );
  assert.match(
    await run('full', 'cat', '/etc/resolv.conf'),
    /search default\.svc\.cluster\.local.*\nnameserver 10\.96\.0\.10\n/,
  );
  assert.match(
    await run('full', 'cat', '/etc/hosts'),
    new RegExp(`${podNamed('full')?.status?.podIP}\tfull`),
  );
  assert.match(await run('full', 'sh', '-c', 'mount | grep " /fast "'), /tmpfs.*size=1024k/);
  assert.match(await run('full', 'sh', '-c', 'echo x > /scratch/file; cat /scratch/file'), /x/);
  // A changed ConfigMap reaches the running container.
  await client.patch(configMapsRef, 'default', 'm', 'merge', { data: { key: 'two' } });
  await until('the new value', async () => (await run('full', 'cat', '/map/key')) === 'two');
});

test('the agent answers logs, with tail, previous and follow, to the API server only', { skip }, async () => {
  const { client, pki } = machine;
  const command = [
    'sh',
    '-c',
    'for i in 1 2 3 4 5; do echo line $i; done; echo end > /dev/termination-log; exit 4',
  ];
  await client.create(podsRef, podOf('talk', { containers: [{ ...sleeper, command }] }));
  await until('restarted', () => (podNamed('talk')?.status?.containerStatuses?.[0]?.restartCount ?? 0) >= 1);
  await until(
    'ended',
    () => podNamed('talk')?.status?.containerStatuses?.[0]?.lastState?.terminated !== undefined,
  );
  assert.equal(podNamed('talk')?.status?.containerStatuses?.[0]?.lastState?.terminated?.message, 'end\n');
  const caller = pki.apiserverAgentClient;
  // The second run may have said nothing yet.
  await until('all lines', async () => {
    const { status, body } = await ask('/containerLogs/default/talk/c', caller);
    return status === 200 && body === 'line 1\nline 2\nline 3\nline 4\nline 5\n';
  });
  const tail = await ask('/containerLogs/default/talk/c?tailLines=2&previous=true', caller);
  assert.equal(tail.body, 'line 4\nline 5\n');
  // Of a run that has only begun it would tell all.
  await until('the last line', async () => {
    const { body } = await ask(
      '/containerLogs/default/talk/c?follow=true&tailLines=1&timestamps=true',
      caller,
    );
    return /^\d{4}-\d\d-\d\dT[\d:.]+Z line 5\n$/.test(body);
  });
  assert.equal((await ask('/containerLogs/default/nope/c', caller)).status, 404);
  assert.equal((await ask('/containerLogs/default/talk/c', pki.admin)).status, 403);
  const stranger = await new Promise<number | undefined>((resolve, reject) => {
    const options = { ca: pki.ca.cert, agent: false, checkServerIdentity: () => undefined };
    httpsRequest(`https://127.0.0.1:${machine.agent.port}/pods`, options, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
  assert.equal(stranger, 401);
});

test('the agent probes over HTTP and follows', { skip }, async () => {
  const serve = 'mkdir -p /www; echo hi > /www/ok; httpd -p 8080 -h /www; sleep 1000';
  const probe = { httpGet: { path: '/ok', port: 'web' }, periodSeconds: 1 };
  const container = {
    ...sleeper,
    command: ['sh', '-c', serve],
    ports: [{ name: 'web', containerPort: 8080 }],
  };
  await machine.client.create(
    podsRef,
    podOf('web', { containers: [{ ...container, readinessProbe: probe }] }),
  );
  await until('ready', () => isReady('web'));
  await run('web', 'rm', '/www/ok');
  await until('unready', () => !isReady('web'));
});

test('a new agent finds the containers of the old one', { skip }, async () => {
  const before = podNamed('full')?.status?.containerStatuses?.[0]?.containerID;
  const pids = readPids();
  await machine.restart();
  await until('ready', () => isReady('full'));
  assert.equal(podNamed('full')?.status?.containerStatuses?.[0]?.containerID, before);
  assert.equal(podNamed('full')?.status?.containerStatuses?.[0]?.restartCount, 0);
  assert.ok(pids.length > 0);
});

const readPids = (): readonly string[] =>
  (podNamed('full')?.status?.containerStatuses ?? []).map((status) => status.containerID ?? '');

test('the agent deletes pods and leaves nothing of them', { skip }, async () => {
  const { client } = machine;
  for (const name of ['full', 'talk', 'web']) await client.delete(podsRef, 'default', name);
  await until('gone', () => client.objects(podsRef).length === 0);
  await until(
    'no mounts',
    () => !readFileSync('/proc/self/mountinfo', 'utf8').includes(`${machine.directory}/node/pods/`),
  );
});
