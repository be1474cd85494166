/**
 * What happens when things die, fill up, or are not there. Real processes, real kills, real disks.
 * Random: the seed is printed; `CAELUM_SEED=N` replays the choice of what is killed when.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ConfigMap, Pod } from '../src/api/index.ts';
import { type Client, createHttpClient, readKubeconfig } from '../src/client/index.ts';
import { isError, SeededRandom } from '../src/lib/index.ts';
import { networkOfSlot } from '../src/main/cloud-network.ts';
import { layoutOf } from '../src/main/layout.ts';
import { isAlive, signalProcess, waitForExit } from '../src/main/process-identity.ts';
import { processesOf } from '../src/main/process-list.ts';
import { liveProcess, readState, writeState } from '../src/main/state.ts';
import {
  type CloudUnderTest,
  eventually,
  launcher,
  logsOf,
  prepareCloud,
  runCommand,
  startCloud,
  startPrepared,
  whyNoKubectl,
  whyNotReal,
} from './cloud-under-test.ts';

const configMaps = { group: '', version: 'v1', resource: 'configmaps', namespaced: true };
const pods = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const notRoot = process.getuid?.() === 0 ? false : 'needs root';

const clientOf = (cloud: CloudUnderTest): Client =>
  createHttpClient(readKubeconfig(readFileSync(join(cloud.data, 'kubeconfig'), 'utf8')));

const configMap = (name: string, text = 'x'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { text },
});

/** Creates objects one after the other on several lines at once until told to stop; answers the names that were acknowledged. */
async function write(cloud: CloudUnderTest, lines: number, done: AbortSignal): Promise<string[]> {
  const acknowledged: string[] = [];
  await Promise.all(
    Array.from({ length: lines }, async (_, line) => {
      let client = clientOf(cloud);
      for (let n = 0; !done.aborted; n++) {
        const name = `w${line}-${n}`;
        try {
          await client.create(configMaps, configMap(name));
          acknowledged.push(name);
        } catch (error) {
          // Not acknowledged: it may be there or not.
          if (isError(error, 'alreadyExists')) continue;
          client = clientOf(cloud);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    }),
  );
  return acknowledged;
}

async function namesIn(cloud: CloudUnderTest): Promise<Set<string>> {
  const list = await clientOf(cloud).list<ConfigMap>(configMaps, { namespace: 'default' });
  return new Set(list.items.map((item) => item.metadata.name ?? ''));
}

/** Answers who was killed when it is dead: a moment passes between the signal and that. */
async function killOneOf(cloud: CloudUnderTest, random: SeededRandom): Promise<string> {
  const processes = readState(layoutOf(cloud.data))?.processes ?? [];
  const victim = processes[random.integer(processes.length)];
  if (victim === undefined) return 'nothing';
  signalProcess(victim, 'SIGKILL');
  await waitForExit(victim, 5000);
  return victim.name;
}

/** The API answers, and every process is there: one that was killed has been replaced. */
async function ready(cloud: CloudUnderTest): Promise<void> {
  await eventually('all processes', 60_000, async () => {
    const processes = readState(layoutOf(cloud.data))?.processes ?? [];
    return processes.length > 1 && processes.every(isAlive) ? true : undefined;
  });
  await eventually('ready', 60_000, async () =>
    (await cloud.caelum('status')).code === 0 ? true : undefined,
  );
}

describe('kill -9 of any process while objects are written', () => {
  let cloud: CloudUnderTest;
  before(async () => {
    cloud = await startCloud('--hollow', '1');
  });
  after(() => cloud?.remove());

  test('every acknowledged write is there, and the processes come back', { timeout: 480_000 }, async (t) => {
    const seed = Number(process.env['CAELUM_SEED'] ?? Math.floor(Math.random() * 1e6));
    t.diagnostic(`seed ${seed}: replay with CAELUM_SEED=${seed}`);
    const random = new SeededRandom(seed);
    const stop = new AbortController();
    const writing = write(cloud, 8, stop.signal);
    const killed: string[] = [];
    for (let kill = 0; kill < 6; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 300 + random.integer(700)));
      killed.push(await killOneOf(cloud, random));
      await ready(cloud);
    }
    // The one that matters most, in any case.
    const controlPlane = readState(layoutOf(cloud.data))?.processes.find(
      (one) => one.name === 'control-plane',
    );
    if (controlPlane !== undefined) process.kill(controlPlane.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await ready(cloud);
    stop.abort();
    const acknowledged = await writing;
    const found = await namesIn(cloud);
    const lost = acknowledged.filter((name) => !found.has(name));
    assert.deepEqual(
      lost,
      [],
      `killed ${killed.join(', ')}; ${acknowledged.length} acknowledged\n${logsOf(cloud)}`,
    );
    assert.ok(acknowledged.length > 50, `only ${acknowledged.length} writes came through`);
    t.diagnostic(`${acknowledged.length} acknowledged writes, killed ${killed.join(', ')}`);
  });

  test('a killed supervisor is replaced by its children, which it adopts', { timeout: 240_000 }, async () => {
    await ready(cloud);
    const of = (name: string): number =>
      readState(layoutOf(cloud.data))?.processes.find((one) => one.name === name)?.pid ?? 0;
    const [supervisor, controlPlane] = [of('supervisor'), of('control-plane')];
    process.kill(supervisor, 'SIGKILL');
    await eventually('a new supervisor', 60_000, async () =>
      of('supervisor') !== supervisor && of('supervisor') !== 0 ? true : undefined,
    );
    assert.equal(of('control-plane'), controlPlane, 'the control plane runs on');
    process.kill(controlPlane, 'SIGKILL');
    await eventually('a new control plane', 60_000, async () =>
      of('control-plane') !== controlPlane && of('control-plane') !== 0 ? true : undefined,
    );
    await ready(cloud);
  });

  test('a process that its killed supervisor had not yet written down is adopted', {
    timeout: 240_000,
  }, async () => {
    await ready(cloud);
    const layout = layoutOf(cloud.data);
    const state = readState(layout);
    assert.ok(state !== undefined);
    const [supervisor, controlPlane] = ['supervisor', 'control-plane'].map((name) =>
      state.processes.find((one) => one.name === name),
    );
    assert.ok(supervisor !== undefined && controlPlane !== undefined);
    writeState(layout, { ...state, processes: [supervisor] });
    signalProcess(supervisor, 'SIGKILL');
    await waitForExit(supervisor, 5000);
    await ready(cloud);
    assert.equal(liveProcess(readState(layout), 'control-plane')?.pid, controlPlane.pid);
    assert.deepEqual(
      processesOf(layout).map(({ name }) => name),
      ['supervisor', 'control-plane'],
    );
  });
});

describe('a full disk under the store', { skip: notRoot }, () => {
  let cloud: CloudUnderTest;
  before(async () => {
    cloud = await prepareCloud();
    mkdirSync(cloud.data, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'caelum-test', cloud.data]);
    await startPrepared(cloud, '--hollow', '1').catch((error: unknown) => {
      execFileSync('umount', ['-l', cloud.data]);
      throw error;
    });
  });
  after(async () => {
    await cloud?.caelum('down');
    execFileSync('umount', ['-l', cloud.data]);
    rmSync(join(cloud.data, '..'), { recursive: true, force: true });
  });

  test('is an error to the writer; nothing acknowledged is lost; writing goes on when space returns', {
    timeout: 300_000,
  }, async () => {
    const client = clientOf(cloud);
    const acknowledged = ['before'];
    await client.create(configMaps, configMap('before'));
    const filler = join(cloud.data, 'filler');
    const free = statfsSync(cloud.data);
    writeFileSync(filler, Buffer.alloc(Math.max(0, free.bavail * free.bsize - 2 * 2 ** 20)));
    let refusal: unknown;
    for (let n = 0; n < 200 && refusal === undefined; n++) {
      try {
        await client.create(configMaps, configMap(`fill-${n}`, 'y'.repeat(100_000)));
        acknowledged.push(`fill-${n}`);
      } catch (error) {
        refusal = error;
      }
    }
    assert.ok(isError(refusal, 'storageFull', 'unavailable', 'internal'), String(refusal));
    assert.match(String((refusal as Error).message), /full|space/i);
    assert.ok((await namesIn(cloud)).has('before'), 'reads go on');
    rmSync(filler);
    await eventually('writing again', 60_000, async () => {
      await client.create(configMaps, configMap('after'));
      return true;
    });
    acknowledged.push('after');
    const controlPlane = readState(layoutOf(cloud.data))?.processes.find(
      (one) => one.name === 'control-plane',
    );
    process.kill(controlPlane?.pid ?? 0, 'SIGKILL');
    await eventually('restarted', 60_000, async () =>
      readState(layoutOf(cloud.data))?.processes.some(
        (one) => one.name === 'control-plane' && one.pid !== controlPlane?.pid,
      )
        ? true
        : undefined,
    );
    await ready(cloud);
    const found = await namesIn(cloud);
    assert.deepEqual(
      acknowledged.filter((name) => !found.has(name)),
      [],
    );
  });
});

describe('containers and the agent', { skip: whyNotReal() ?? whyNoKubectl() ?? false }, () => {
  let cloud: CloudUnderTest;
  before(async () => {
    cloud = await startCloud();
  });
  after(() => cloud?.remove());
  const processOf = (name: string) =>
    readState(layoutOf(cloud.data))?.processes.find((one) => one.name === name);

  test('containers outlive the agent; it finds them again and reports what happened meanwhile', {
    timeout: 300_000,
  }, async () => {
    const client = clientOf(cloud);
    const run = await cloud.shell(
      `kubectl run stays --image=host.local/busybox -- sh -c 'echo up; sleep 1000' && kubectl run ends --image=host.local/busybox --restart=Never -- sh -c 'while [ ! -e /tmp/end ]; do sleep 0.1; done; exit 5' && kubectl wait --for=condition=Ready pod/stays pod/ends --timeout=90s`,
    );
    assert.equal(run.code, 0, run.stderr + logsOf(cloud));
    const before = await client.get<Pod>(pods, 'default', 'stays');
    const agent = processOf('node-agent');
    const told = await cloud.shell(
      `kubectl exec ends -- sh -c '(sleep 2; touch /tmp/end) > /dev/null 2>&1 &'`,
    );
    assert.equal(told.code, 0, told.stderr);
    assert.ok(agent !== undefined);
    process.kill(agent.pid, 'SIGKILL');
    await eventually('a new agent', 60_000, async () =>
      processOf('node-agent')?.pid !== agent.pid ? true : undefined,
    );
    await eventually('the exit is reported', 60_000, async () => {
      const pod = await client.get<Pod>(pods, 'default', 'ends');
      return pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode === 5 ? true : undefined;
    });
    const now = await client.get<Pod>(pods, 'default', 'stays');
    assert.equal(
      now.status?.containerStatuses?.[0]?.containerID,
      before.status?.containerStatuses?.[0]?.containerID,
      'the same container',
    );
    assert.equal(now.status?.containerStatuses?.[0]?.restartCount, 0);
    const logs = await eventually('logs', 60_000, async () => {
      const read = await cloud.shell('kubectl logs stays');
      return read.code === 0 ? read.stdout : undefined;
    });
    assert.equal(logs.trim(), 'up');
  });

  test('traffic goes on without any process of ours', { timeout: 300_000 }, async () => {
    const made = await cloud.shell(
      'kubectl apply -f "$EXAMPLES/hello.yaml" && kubectl rollout status deployment/hello --timeout=60s',
    );
    assert.equal(made.code, 0, made.stderr + logsOf(cloud));
    const get = () => cloud.shell('curl -s --max-time 2 http://127.0.0.1:30080/');
    await eventually('the page', 60_000, async () => (/Hello/.test((await get()).stdout) ? true : undefined));
    for (const one of readState(layoutOf(cloud.data))?.processes ?? []) process.kill(one.pid, 'SIGKILL');
    // Nobody is there who could mend what does not work now.
    await eventually('the page all the same', 30_000, async () =>
      /Hello/.test((await get()).stdout) ? true : undefined,
    );
    await startPrepared(cloud);
    await eventually('the page again', 60_000, async () =>
      /Hello/.test((await get()).stdout) ? true : undefined,
    );
    const restarts = await cloud.shell(
      `kubectl get pods -l app=hello -o jsonpath='{.items[*].status.containerStatuses[0].restartCount}'`,
    );
    assert.equal(restarts.stdout, '0 0 0', 'no container was restarted');
  });
});

describe('what is not there', () => {
  test('not root: says how', { skip: notRoot }, async () => {
    const cloud = await prepareCloud();
    try {
      const up = await asNobody(cloud, `${launcher} up --data ${cloud.data}`);
      assert.equal(up.code, 1);
      assert.match(up.stderr, /containers need root.*--hollow/s);
    } finally {
      rmSync(join(cloud.data, '..'), { recursive: true, force: true });
    }
  });

  test('not root: simulated nodes run', { skip: notRoot }, async () => {
    const cloud = await prepareCloud();
    const folder = mkdtempSync(join(tmpdir(), 'caelum-nobody-'));
    execFileSync('chown', ['65534', folder]);
    const data = join(folder, 'data');
    try {
      const up = await asNobody(
        cloud,
        `${launcher} up --detach --data ${data} --hollow 1 --api-port ${cloud.port}`,
      );
      assert.equal(up.code, 0, up.stderr);
      assert.match(up.stdout, /^ready in [\d.]+ s {2}https:\/\/127\.0\.0\.1:/);
      const down = await asNobody(cloud, `${launcher} down --purge --data ${data}`);
      assert.equal(down.code, 0, down.stderr);
      assert.ok(!existsSync(data), 'nothing is left');
    } finally {
      await runCommand(launcher, ['down', '--purge', '--data', data], cloud.env, 60_000);
      rmSync(folder, { recursive: true, force: true });
      rmSync(join(cloud.data, '..'), { recursive: true, force: true });
    }
  });

  test('no crun and no runc: names the command that installs one', {
    skip: whyNotReal() ?? false,
  }, async () => {
    const cloud = await prepareCloud();
    try {
      const hidden = ['crun', 'runc']
        .flatMap((name) => ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((at) => join(at, name)))
        .filter(existsSync);
      const hide = hidden.map((file) => `mount --bind /dev/null ${file}`).join(' && ');
      const up = await runCommand(
        'unshare',
        ['-m', 'sh', '-c', `${hide} && exec ${launcher} up --no-install --data ${cloud.data}`],
        cloud.env,
        60_000,
      );
      assert.equal(up.code, 1);
      assert.match(up.stderr, /lacks crun or runc.*Install with: .*crun/s);
    } finally {
      rmSync(join(cloud.data, '..'), { recursive: true, force: true });
    }
  });

  test('a damaged store is named, with the way out', async () => {
    const cloud = await startCloud('--hollow', '1');
    try {
      const client = clientOf(cloud);
      for (let n = 0; n < 50; n++) await client.create(configMaps, configMap(`c${n}`, 'z'.repeat(2000)));
      await cloud.caelum('down');
      const file = layoutOf(cloud.data).store;
      const bytes = readFileSync(file);
      for (let at = 8192; at < bytes.length; at += 4096) bytes.fill(0xaa, at + 1000, at + 1100);
      writeFileSync(file, bytes);
      const up = await cloud.caelum(
        'up',
        '--detach',
        '--no-install',
        '--hollow',
        '1',
        '--api-port',
        String(cloud.port),
      );
      assert.equal(up.code, 1);
      assert.match(up.stderr, /store\.db.*damaged|damaged.*store\.db/s);
      assert.match(up.stderr, /snapshot restore/);
    } finally {
      await cloud.remove();
    }
  });
});

describe('down', { skip: whyNotReal() ?? whyNoKubectl() ?? false }, () => {
  test('leaves no process, mount, namespace, interface, cgroup or table; --purge no file', {
    timeout: 300_000,
  }, async () => {
    const cloud = await startCloud();
    const { slot } = JSON.parse(readFileSync(layoutOf(cloud.data).network, 'utf8')) as { slot: number };
    const left = (): Traces => traces(cloud.data, slot);
    try {
      const made = await cloud.shell(
        'kubectl apply -f "$EXAMPLES/hello.yaml" && kubectl rollout status deployment/hello --timeout=60s',
      );
      assert.equal(made.code, 0, made.stderr + logsOf(cloud));
      for (const [kind, found] of Object.entries(left()))
        assert.ok(found.length > 0, `no ${kind}: nothing to take away`);
      const down = await cloud.caelum('down');
      assert.equal(down.code, 0, down.stderr);
      for (const [kind, found] of Object.entries(left())) assert.deepEqual(found, [], kind);
      assert.ok(existsSync(layoutOf(cloud.data).store), 'objects stay');
      // And back: what was there comes up again.
      await startPrepared(cloud);
      await eventually('pods again', 90_000, async () =>
        (await cloud.shell('kubectl get deployment hello -o jsonpath={.status.readyReplicas}')).stdout === '3'
          ? true
          : undefined,
      );
    } finally {
      await cloud.remove();
    }
    for (const [kind, found] of Object.entries(left())) assert.deepEqual(found, [], kind);
    assert.ok(!existsSync(cloud.data));
  });
});

describe('down of a cloud whose addresses another one has by now', { skip: whyNotReal() ?? false }, () => {
  test("takes nothing of the other one's network", { timeout: 120_000 }, async () => {
    const cloud = await startCloud();
    const { slot } = JSON.parse(readFileSync(layoutOf(cloud.data).network, 'utf8')) as { slot: number };
    const { bridgeName } = networkOfSlot(slot);
    const claim = `/run/caelum/slots/${slot}`;
    const other = mkdtempSync(join(tmpdir(), 'caelum-other-'));
    const ip = (...words: string[]): string => execFileSync('ip', words, { encoding: 'utf8' });
    let isThere = false;
    try {
      assert.equal((await cloud.caelum('down')).code, 0);
      // As after a restart of the machine, when claims are gone and the other one was started first.
      writeFileSync(layoutOf(other).network, JSON.stringify({ slot }));
      writeFileSync(claim, `${other}\n`);
      ip('link', 'add', bridgeName, 'type', 'bridge');
      isThere = true;
      const down = await cloud.caelum('down', '--purge');
      assert.equal(down.code, 0, down.stderr);
      assert.ok(!existsSync(cloud.data));
      assert.match(ip('-o', 'link', 'show', bridgeName), /caelum/);
      assert.equal(readFileSync(claim, 'utf8').trim(), other);
    } finally {
      if (isThere && existsSync(`/sys/class/net/${bridgeName}`)) ip('link', 'del', bridgeName);
      if (existsSync(claim) && readFileSync(claim, 'utf8').trim() === other) rmSync(claim, { force: true });
      rmSync(other, { recursive: true, force: true });
      await cloud.remove();
    }
  });
});

type Traces = Readonly<
  Record<'processes' | 'mounts' | 'namespaces' | 'interfaces' | 'tables' | 'cgroups', readonly string[]>
>;

/** Everything of one cloud that could be left on this machine. */
function traces(data: string, slot: number): Traces {
  const { bridgeName, podTable, serviceTable } = networkOfSlot(slot);
  const { id } = layoutOf(data);
  const lines = (file: string, args: readonly string[], about: RegExp): string[] =>
    execFileSync(file, [...args], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => about.test(line));
  const named = (at: string, about: RegExp): string[] => {
    try {
      return readdirSync(at)
        .filter((name) => about.test(name))
        .map((name) => join(at, name));
    } catch {
      return [];
    }
  };
  const commands = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
  return {
    processes: commands.filter((line) => line.includes(data) && !line.includes('faults.test')),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(`${data}/`)),
    namespaces: named('/run/netns', new RegExp(`^${bridgeName}-`)),
    interfaces: lines('ip', ['-o', 'link'], new RegExp(`\\b${bridgeName}\\b`)),
    tables: lines('nft', ['list', 'tables'], new RegExp(`\\b(${podTable}|${serviceTable})\\b`)),
    cgroups: ['/sys/fs/cgroup', ...named('/sys/fs/cgroup', /./)].flatMap((at) => named(at, new RegExp(id))),
  };
}

function asNobody(cloud: CloudUnderTest, line: string) {
  return runCommand(
    'setpriv',
    ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-c', line],
    { ...cloud.env, HOME: '/tmp' },
    60_000,
  );
}
