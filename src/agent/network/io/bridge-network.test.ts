/** The contract on real bridges, and real packets. Needs root, ip, nft, busybox. Everything carries this process's number. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { silentLog } from '../../../lib/index.ts';
import { findProgram } from '../../runtime/io/host.ts';
import { run } from '../../runtime/io/spawned.ts';
import { networkContract } from '../contract.ts';
import type { HostPort, PodAttachment, PodNetwork } from '../network.ts';
import { createPodNetwork } from './bridge-network.ts';

const missing = ['ip', 'nft', 'busybox', 'nsenter'].filter((name) => findProgram(name) === undefined);
const skip =
  process.getuid?.() !== 0 ? 'not root' : missing.length > 0 ? `not installed: ${missing.join(', ')}` : false;

const folder = mkdtempSync(join(tmpdir(), 'caelum-network-test-'));
const number = process.pid % 100_000;
const opened = new Set<PodNetwork>();
const children: ChildProcess[] = [];
let pods = 0;

function open(letter: string, podCidr: string): PodNetwork {
  const bridgeName = `clt${letter}${number}`;
  const table = `caelum-test-${letter}${number}`;
  const network = createPodNetwork({
    stateDirectory: join(folder, letter),
    bridgeName,
    podCidr,
    table,
    log: silentLog,
  });
  opened.add(network);
  return network;
}

const podUid = (): string => `uid-${number}-${pods++}`;

after(async () => {
  for (const child of children) child.kill('SIGKILL');
  if (skip === false) for (const network of opened) await network.destroy();
  rmSync(folder, { recursive: true, force: true });
});

for (const { name, run: runCase } of networkContract)
  test(`bridge network: ${name}`, { skip, timeout: 180_000 }, () =>
    runCase({ open: () => open('c', '10.251.7.0/28'), podUid, powerCut }),
  );

/** Takes away what a restart of the machine would. */
async function powerCut(network: PodNetwork): Promise<void> {
  for (const { namespacePath } of await network.list())
    await run('ip', ['netns', 'del', basename(namespacePath)]);
}

/** A server in a pod that answers every connection with `text`, and ends it when the client has. */
async function serve(pod: PodAttachment, address: string, port: number, text: string): Promise<void> {
  const script = `require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).write('${text}');
    socket.on('data', (part) => socket.write(part)).on('end', () => socket.end());
  }).listen(${port}, '${address}', () => console.log('ready'))`;
  const args = [`--net=${pod.namespacePath}`, process.execPath, '-e', script];
  const child = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('the server has ended')));
  });
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const part of socket) text += String(part);
  return text;
}

/** What the server at `address` says to a client in `pod`, or on the host; '' when there is none. */
async function ask(pod: PodAttachment | undefined, address: string, port: number): Promise<string> {
  const enter = pod === undefined ? [] : ['nsenter', `--net=${pod.namespacePath}`];
  const [program = '', ...args] = [...enter, 'busybox', 'nc', '-w', '30', address, String(port)];
  return (await run(program, args)).stdout;
}

test('bridge network: pods reach each other, the host reaches pods, also on their loopback', {
  skip,
  timeout: 180_000,
}, async () => {
  const network = open('p', '10.251.8.0/24');
  try {
    const [a, b] = await Promise.all([network.attach(podUid(), []), network.attach(podUid(), [])]);
    await serve(b, '0.0.0.0', 8080, 'from-b');
    await serve(b, '127.0.0.1', 9090, 'from-loopback');
    assert.equal(await ask(a, b.addresses[0] ?? '', 8080), 'from-b');
    const direct = await network.connect(b.podUid, 8080);
    direct.end(' and back');
    assert.equal(await readAll(direct), 'from-b and back');
    const inside = await network.connect(b.podUid, 9090);
    inside.end(' and back');
    assert.equal(await readAll(inside), 'from-loopback and back');
    await assert.rejects(network.connect(b.podUid, 9191), { code: 'unavailable' });
  } finally {
    await network.destroy();
  }
});

test('bridge network: host ports lead to pods, from the host and from other pods', {
  skip,
  timeout: 180_000,
}, async () => {
  const network = open('h', '10.251.9.0/24');
  try {
    const port: HostPort = { hostIp: '', hostPort: 18_080, containerPort: 8080, protocol: 'TCP' };
    const a = await network.attach(podUid(), [port]);
    const b = await network.attach(podUid(), []);
    await assert.rejects(network.attach(podUid(), [port]), { code: 'conflict' });
    await serve(a, '0.0.0.0', 8080, 'from-a');
    assert.equal(await ask(undefined, '127.0.0.1', 18_080), 'from-a');
    assert.equal(await ask(undefined, '10.251.9.1', 18_080), 'from-a');
    assert.equal(await ask(b, '10.251.9.1', 18_080), 'from-a');
    assert.equal(await ask(a, '10.251.9.1', 18_080), 'from-a', 'a pod reaches itself');
    await network.detach(a.podUid);
    const { stdout } = await run('nft', ['list', 'table', 'ip', `caelum-test-h${number}`]);
    assert.doesNotMatch(stdout, /18080/);
  } finally {
    await network.destroy();
  }
});

test("bridge network: pods reach the outside under the host's address", {
  skip,
  timeout: 180_000,
}, async () => {
  const network = open('o', '10.251.13.0/24');
  const outside = `clto${number}-outside`;
  try {
    const pod = await network.attach(podUid(), []);
    await run('ip', ['netns', 'add', outside]);
    const peer = ['peer', 'name', 'eth0', 'netns', outside];
    await run('ip', ['link', 'add', `cltv${number}`, 'type', 'veth', ...peer]);
    await run('ip', ['addr', 'add', '10.251.14.1/24', 'dev', `cltv${number}`]);
    await run('ip', ['link', 'set', `cltv${number}`, 'up']);
    await run('ip', ['-n', outside, 'addr', 'add', '10.251.14.2/24', 'dev', 'eth0']);
    await run('ip', ['-n', outside, 'link', 'set', 'eth0', 'up']);
    const elsewhere = { ...pod, namespacePath: `/run/netns/${outside}` };
    await serve(elsewhere, '0.0.0.0', 8080, "' + socket.remoteAddress + '");
    assert.equal(await ask(pod, '10.251.14.2', 8080), '10.251.14.1');
  } finally {
    await network.destroy();
    await run('ip', ['link', 'del', `cltv${number}`]);
    await run('ip', ['netns', 'del', outside]);
  }
});

test('bridge network: a half-made attachment is made anew', { skip, timeout: 180_000 }, async () => {
  const network = open('m', '10.251.10.0/24');
  try {
    const uid = podUid();
    const before = await network.attach(uid, []);
    await run('ip', ['netns', 'del', `cltm${number}-${uid}`]);
    const restarted = open('m', '10.251.10.0/24');
    assert.deepEqual(await restarted.attach(uid, []), before);
    const { stdout } = await run('nsenter', [`--net=${before.namespacePath}`, 'ip', '-4', 'addr']);
    assert.match(stdout, new RegExp(`inet ${before.addresses[0]}/24`));
  } finally {
    await network.destroy();
  }
});

test('bridge network: two clouds do not disturb each other, and destroy() leaves nothing', {
  skip,
  timeout: 180_000,
}, async () => {
  const one = open('x', '10.251.11.0/24');
  const two = open('y', '10.251.12.0/24');
  try {
    const [a, b, c] = await Promise.all([
      one.attach(podUid(), []),
      two.attach(podUid(), []),
      two.attach(podUid(), []),
    ]);
    assert.ok(existsSync(a.namespacePath));
    await one.destroy();
    assert.ok(!existsSync(a.namespacePath));
    assert.ok(!existsSync(`/sys/class/net/cltx${number}`));
    assert.ok(!existsSync(join(folder, 'x')));
    const { stdout } = await run('nft', ['list', 'tables']);
    assert.ok(!stdout.includes(`caelum-test-x${number}`) && stdout.includes(`caelum-test-y${number}`));
    await serve(b, '0.0.0.0', 8080, 'still');
    assert.equal(await ask(c, b.addresses[0] ?? '', 8080), 'still');
  } finally {
    await one.destroy();
    await two.destroy();
  }
  assert.ok(!readdirSync('/sys/class/net').some((name) => name === `clty${number}`));
  assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), new RegExp(`clt[xy]${number}`));
});
