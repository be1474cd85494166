/** Looking into pods and the node on real containers: ephemeral containers, shared processes, and every form of `kubectl debug`. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { EphemeralContainer, Pod } from '../src/api/index.ts';
import { whyNoKubectl, whyNotReal } from './cloud-under-test.ts';
import { busybox, forever, pods, RealCloud, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? whyNoKubectl() ?? false;
let cloud: RealCloud;
let namespace: string;

before(async () => {
  if (skip) return;
  cloud = await RealCloud.start();
  namespace = await cloud.namespace();
  await cloud.create(pods, namespace, shellPod('target', `echo hello > /tmp/mine; ${forever}`));
  await cloud.ready(namespace, 'target');
});
after(async () => {
  await cloud?.remove();
});

const add = (name: string, more: Partial<EphemeralContainer>): Promise<Pod> =>
  cloud.client.patch<Pod>(
    pods,
    namespace,
    'target',
    'strategic',
    { spec: { ephemeralContainers: [{ name, image: busybox, ...more }] } },
    { subresource: 'ephemeralcontainers' },
  );

const guestOf = (pod: Pod, name: string) =>
  pod.status?.ephemeralContainerStatuses?.find((status) => status.name === name);

const kubectl = async (line: string, timeoutMs = 60_000): Promise<string> => {
  const { code, stdout, stderr } = await cloud.cloud.shell(`kubectl -n ${namespace} ${line}`, timeoutMs);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout + stderr;
};

describe('looking into pods', { skip, concurrency: 1 }, () => {
  // conformance: [sig-node] Ephemeral Containers [NodeConformance] will start an ephemeral container in an existing pod
  // conformance: [sig-node] Ephemeral Containers [NodeConformance] should update the ephemeral containers in an existing pod
  test('ephemeral containers run beside the others, one after the other added', async () => {
    await add('first', { command: ['sh', '-c', `echo polo; ${forever}`] });
    const one = await cloud.until(
      namespace,
      'target',
      'runs the first',
      (pod) => guestOf(pod, 'first')?.state?.running !== undefined,
    );
    assert.equal(one.spec?.ephemeralContainers?.length, 1);
    assert.equal(one.status?.ephemeralContainerStatuses?.length, 1);
    await cloud.logUntil(namespace, 'target', 'first', /polo/);
    await add('second', { command: ['sh', '-c', `echo marco; ${forever}`] });
    const both = await cloud.until(
      namespace,
      'target',
      'runs both',
      (pod) => guestOf(pod, 'second')?.state?.running !== undefined,
    );
    assert.equal(both.spec?.ephemeralContainers?.length, 2);
    assert.ok(guestOf(both, 'first')?.state?.running !== undefined);
    assert.equal((await cloud.exec(namespace, 'target', 'hostname', 'second')).stdout, 'target\n');
    const own = await cloud.exec(namespace, 'target', 'ps', 'second');
    assert.doesNotMatch(own.stdout, /mine/, 'it sees its own processes only');
    const [main] = both.status?.containerStatuses ?? [];
    assert.deepEqual([main?.ready, main?.restartCount, both.status?.phase], [true, 0, 'Running']);
    assert.match(await kubectl('describe pod target'), /Ephemeral Containers:[\s\S]*\n {2}first:/);
  });

  test('one that has ended stays ended; one that cannot start says why', async () => {
    await add('ends', { command: ['sh', '-c', 'exit 3'] });
    await add('broken', { command: ['/no/such/program'] });
    const pod = await cloud.until(namespace, 'target', 'has ended both', (found) =>
      ['ends', 'broken'].every((name) => guestOf(found, name)?.state?.terminated !== undefined),
    );
    assert.equal(guestOf(pod, 'ends')?.state?.terminated?.exitCode, 3);
    assert.equal(guestOf(pod, 'broken')?.state?.terminated?.exitCode, 128);
    assert.equal(pod.status?.phase, 'Running');
    await add('lost', {
      targetContainerName: 'main',
      command: ['sh', '-c', forever],
      env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'absent', key: 'k' } } }],
    });
    const stuck = await cloud.until(
      namespace,
      'target',
      'waits',
      (found) => guestOf(found, 'lost')?.state?.waiting?.reason === 'CreateContainerConfigError',
    );
    assert.match(guestOf(stuck, 'lost')?.state?.waiting?.message ?? '', /configmap "absent" not found/);
  });

  test('kubectl debug --target sees the processes and files of its target', async () => {
    const line = `debug target --image=${busybox} --target=main -c spy --profile=general -- sh -c 'ps; cat /proc/1/root/tmp/mine; sleep 1000'`;
    await kubectl(line);
    await cloud.until(
      namespace,
      'target',
      'runs the spy',
      (pod) => guestOf(pod, 'spy')?.state?.running !== undefined,
    );
    const text = await cloud.logUntil(namespace, 'target', 'spy', /^hello$/m);
    assert.match(text, /1 (root|0) .*echo hello/);
  });

  test('kubectl debug -i speaks with what it has started, with a terminal and without', async () => {
    const piped = await cloud.cloud.shell(
      `echo 'echo got:$((6*7)); exit' | kubectl -n ${namespace} debug -i target --image=${busybox} -c piped -- sh`,
      60_000,
    );
    assert.match(piped.stdout, /got:42/, piped.stderr);
    const typed = await cloud.cloud.shell(
      `(sleep 3; echo 'tty; exit'; sleep 3) | script -qefc "kubectl -n ${namespace} debug -it target --image=${busybox} -c typed -- sh" /dev/null`,
      60_000,
    );
    assert.match(typed.stdout, /\/dev\/pts\/0/, typed.stdout + typed.stderr);
    assert.match(
      await kubectl(
        'attach target -c first --pod-running-timeout=60s > $HOME/attached 2>&1 & until [ -s $HOME/attached ]; do sleep 0.1; done; kill $!; cat $HOME/attached',
      ),
      /./s,
    );
  });

  for (const profile of ['general', 'baseline', 'restricted', 'netadmin', 'sysadmin'])
    test(`kubectl debug --profile=${profile}`, async () => {
      const user =
        profile === 'restricted' ? `--custom=<(echo '{"securityContext":{"runAsUser":1000}}')` : '';
      await kubectl(
        `debug target --image=${busybox} -c as-${profile} --profile=${profile} ${user} -- sh -c 'grep CapEff /proc/self/status; id -u; sleep 1000'`,
      );
      await cloud.until(
        namespace,
        'target',
        'runs it',
        (pod) => guestOf(pod, `as-${profile}`)?.state?.running !== undefined,
      );
      // The user is the last that it tells.
      const text = await cloud.logUntil(namespace, 'target', `as-${profile}`, /^\d+$/m);
      const effective = BigInt(`0x${/CapEff:\s*([0-9a-f]+)/.exec(text)?.[1] ?? '0'}`);
      const has = (bit: number): boolean => (effective >> BigInt(bit)) % 2n === 1n;
      // 12 NET_ADMIN, 13 NET_RAW, 19 SYS_PTRACE, 21 SYS_ADMIN
      const held = [12, 13, 19, 21].filter(has);
      const wanted: Record<string, readonly number[]> = {
        general: [13, 19],
        baseline: [13],
        restricted: [],
        netadmin: [12, 13],
        sysadmin: [12, 13, 19, 21],
      };
      assert.deepEqual(held, wanted[profile], text);
      assert.match(text, profile === 'restricted' ? /^1000$/m : /^0$/m);
    });

  test('kubectl debug --copy-to makes a pod that shares its processes', async () => {
    await kubectl(
      `debug target --copy-to=copy --share-processes --image=${busybox} -c helper -- sh -c 'sleep 1; ps; sleep 1000'`,
    );
    const copy = await cloud.ready(namespace, 'copy');
    assert.equal(copy.spec?.shareProcessNamespace, true);
    const { stdout } = await cloud.execUntil(
      namespace,
      'copy',
      'ps',
      (output) => /echo hello/.test(output.stdout),
      'helper',
    );
    assert.match(stdout, /^\s*1 65535/m, 'the first keeps them together');
    assert.match((await cloud.exec(namespace, 'copy', 'ps', 'main')).stdout, /sleep 1000/);
  });

  test('kubectl debug node/NAME looks at the machine', async () => {
    const node = await cloud.nodeName();
    await kubectl(
      `debug node/${node} --image=${busybox} --profile=sysadmin -- sh -c 'chroot /host cat /proc/1/comm; sleep 1000'`,
    );
    const { items } = await cloud.client.list<Pod>(pods, { namespace });
    const name =
      items.find(({ metadata }) => metadata.name?.startsWith('node-debugger-') === true)?.metadata.name ?? '';
    const pod = await cloud.ready(namespace, name);
    assert.deepEqual([pod.spec?.hostPID, pod.spec?.hostNetwork, pod.spec?.hostIPC], [true, true, true]);
    const { stdout } = await cloud.exec(
      namespace,
      name,
      `ls -d /host${cloud.cloud.data}; ps | wc -l; for of in self 1; do for what in net ipc pid; do readlink /proc/$of/ns/$what; done; done`,
      'debugger',
    );
    const [folder, count, ...names] = stdout.trim().split('\n');
    assert.equal(folder, `/host${cloud.cloud.data}`);
    assert.ok(Number(count) > 10, `${count} processes`);
    assert.equal(new Set(names).size, 3, names.join(' '));
    await cloud.client.delete(pods, namespace, name);
    await cloud.gone(pods, namespace, name);
  });

  test('all of it goes with the pod', async () => {
    for (const name of ['target', 'copy']) await cloud.client.delete(pods, namespace, name);
    for (const name of ['target', 'copy']) await cloud.gone(pods, namespace, name);
  });
});
