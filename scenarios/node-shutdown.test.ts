/** A node that goes down with real containers: pods end in order, within their time, and the API knows afterwards what became of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { KubeObject, Node, Pod } from '../src/api/index.ts';
import { layoutOf } from '../src/main/layout.ts';
import { isAlive, signalProcess } from '../src/main/process-identity.ts';
import { processesOf } from '../src/main/process-list.ts';
import { eventually, startPrepared, whyNotReal } from './cloud-under-test.ts';
import { core, forever, patienceMs, pods, RealCloud, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const folder = mkdtempSync(join(tmpdir(), 'caelum-shutdown-'));
const file = join(folder, 'node.yaml');
/** Nobody waits so long: it only has to be more than a slow machine needs. */
const config =
  'kind: KubeletConfiguration\nshutdownGracePeriod: 200s\nshutdownGracePeriodCriticalPods: 100s\n';
let cloud: RealCloud;
let namespace: string;

before(async () => {
  if (skip) return;
  writeFileSync(file, config);
  cloud = await RealCloud.start('--node-config', file);
  namespace = await cloud.namespace();
});
after(async () => {
  await cloud?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const readyOf = async (name: string): Promise<readonly unknown[]> => {
  const { status } = await cloud.client.get<Node>(core('nodes', false), undefined, name);
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return [ready?.status, ready?.reason, ready?.message];
};

const terminationGracePeriodSeconds = 100;
/** Told to end, it waits for the test to make a file of its name. */
const gated = (name: string): Pod =>
  shellPod(
    name,
    `trap "until test -e /gate/${name}; do sleep 0.1; done; exit 0" TERM; while :; do sleep 1000 & wait; done`,
    {
      spec: { terminationGracePeriodSeconds, volumes: [{ name: 'gate', hostPath: { path: folder } }] },
      container: { volumeMounts: [{ name: 'gate', mountPath: '/gate' }] },
    },
  );
const letGo = (name: string): void => writeFileSync(join(folder, name), '');

test('caelum down --graceful ends pods by priority; afterwards they are Failed and say why', {
  skip,
}, async () => {
  const name = await cloud.nodeName();
  await cloud.create(pods, namespace, gated('web'));
  const critical = { terminationGracePeriodSeconds, priorityClassName: 'system-node-critical' };
  await cloud.create(pods, 'kube-system', shellPod('dns', forever, { spec: critical }));
  await cloud.ready(namespace, 'web');
  await cloud.ready('kube-system', 'dns');

  const down = cloud.cloud.caelum('down', '--graceful');
  await eventually('the node says that it goes down', patienceMs, async () =>
    (await readyOf(name))[0] === 'False' ? true : undefined,
  );
  assert.deepEqual(await readyOf(name), ['False', 'KubeletNotReady', 'node is shutting down']);
  await cloud.create(pods, namespace, shellPod('late', forever, { spec: { nodeName: name } }));
  const late = await cloud.ended(namespace, 'late');
  assert.deepEqual(
    [late.status?.reason, late.status?.message],
    ['NodeShutdown', 'Pod was rejected: Pod was rejected as the node is shutting down.'],
  );
  // Its turn has not come: the other waits for us.
  assert.equal((await cloud.pod('kube-system', 'dns')).status?.phase, 'Running');
  assert.equal((await cloud.pod(namespace, 'web')).status?.phase, 'Running');
  letGo('web');
  const { code, stderr } = await down;
  assert.equal(code, 0, stderr);

  await startPrepared(cloud.cloud, '--no-agent');
  const finishedAt = ({ status }: Pod): string =>
    status?.containerStatuses?.[0]?.state?.terminated?.finishedAt ?? '';
  const [web, dns] = [await cloud.pod(namespace, 'web'), await cloud.pod('kube-system', 'dns')];
  for (const { status } of [web, dns]) {
    const message = 'Pod was terminated in response to imminent node shutdown.';
    assert.deepEqual([status?.phase, status?.reason, status?.message], ['Failed', 'Terminated', message]);
    const disruption = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    assert.deepEqual([disruption?.status, disruption?.reason], ['True', 'TerminationByKubelet']);
    assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 0);
  }
  assert.ok(finishedAt(web) <= finishedAt(dns), `${finishedAt(web)}, ${finishedAt(dns)}`);
  const { items } = await cloud.client.list<KubeObject>(core('events'), {});
  const told = items.map((event) => String((event as { message?: string }).message));
  assert.ok(told.includes('Shutdown manager detected shutdown event'));
});

test('processes that are told to end all at once while the system goes down wait for the pods', {
  skip,
}, async () => {
  const down = await cloud.cloud.caelum('down');
  assert.equal(down.code, 0, down.stderr);
  await startPrepared(cloud.cloud, '--node-config', file);
  const name = await cloud.nodeName();
  await cloud.create(pods, namespace, gated('last'));
  await cloud.ready(namespace, 'last');
  // As systemd does it; in place of its state there is the mark of a graceful end.
  const layout = layoutOf(cloud.cloud.data);
  writeFileSync(layout.goingDown, '');
  const all = processesOf(layout);
  assert.deepEqual(all.map((one) => one.name).sort(), ['control-plane', 'node-agent', 'supervisor']);
  for (const one of all) signalProcess(one, 'SIGTERM');
  await eventually('the node says that it goes down', patienceMs, async () =>
    (await readyOf(name))[2] === 'node is shutting down' ? true : undefined,
  );
  letGo('last');
  await eventually('all have ended', patienceMs, async () => (all.some(isAlive) ? undefined : true));
  await startPrepared(cloud.cloud, '--no-agent');
  const { status } = await cloud.pod(namespace, 'last');
  assert.deepEqual([status?.phase, status?.reason], ['Failed', 'Terminated']);
  assert.equal(status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 0);
});
