/**
 * Real packets through real rules: a network namespace as the node, with a bridge, two backends and a client behind it.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { EndpointSlice, Service, ServiceSpec } from '../api/index.ts';
import { createFakeClient, createInformers } from '../client/index.ts';
import { silentLog } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { realRandom } from '../lib/io/real-random.ts';
import { startServiceRules } from './io/service-rules.ts';
import { endpointSliceRef, serviceRef } from './rule-keeper.ts';
import { serviceNameLabel } from './virtual-ips.ts';

const nodesRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };
const missing = ['/usr/sbin/nft', '/bin/busybox', '/usr/bin/nsenter'].filter((path) => !existsSync(path));
const skip =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `needs ${missing.join(', ')}`
      : (false as const);

const own = `csr${process.pid}`;
const run = (namespace: string, command: string): string =>
  execFileSync('nsenter', [`--net=/run/netns/${namespace}`, 'sh', '-ec', command], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

/** What answers at `target` (`10.96.0.1:80`): the backend's name, or `refused`, or `silent`. */
function ask(namespace: string, target: string): string {
  const [host, port] = target.split(':');
  try {
    return run(namespace, `busybox nc -w 5 ${host} ${port} < /dev/null`).trim();
  } catch (error) {
    return /refused|unreachable/i.test(String((error as { stderr?: unknown }).stderr)) ? 'refused' : 'silent';
  }
}

test('startServiceRules() leads real connections to endpoints, and keeps up with changes', {
  skip,
}, async () => {
  const node = `${own}-node`;
  const pods = ['a', 'b', 'c'].map((name, at) => ({
    name,
    namespace: `${own}-${name}`,
    address: `10.77.0.${at + 2}`,
  }));
  const servers: ReturnType<typeof spawn>[] = [];
  const client = createFakeClient({ clock: realClock });
  const informers = createInformers({ client, clock: realClock, log: silentLog, random: realRandom });
  const common = {
    informers,
    clock: realClock,
    log: silentLog,
    nodeName: 'n1',
    table: `${own}-services`,
    podCidr: '10.77.0.0/24',
    serviceCidr: '10.96.0.0/16',
    bridge: 'pods',
    namespacePath: `/run/netns/${node}`,
  };
  let rules = startServiceRules(common);
  try {
    execFileSync('ip', ['netns', 'add', node]);
    run(
      node,
      'ip link set lo up; ip link add pods type bridge; ip addr add 10.77.0.1/24 dev pods; ip link set pods up; echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables || true',
    );
    for (const pod of pods) {
      execFileSync('ip', ['netns', 'add', pod.namespace]);
      run(
        node,
        `ip link add v${pod.name} type veth peer name eth0 netns /run/netns/${pod.namespace}; ip link set v${pod.name} master pods up; ip link set v${pod.name} type bridge_slave hairpin on`,
      );
      run(
        pod.namespace,
        `ip link set lo up; ip addr add ${pod.address}/24 dev eth0; ip link set eth0 up; ip route add default via 10.77.0.1`,
      );
      if (pod.name !== 'c')
        servers.push(
          spawn(
            'nsenter',
            [
              `--net=/run/netns/${pod.namespace}`,
              'busybox',
              'nc',
              '-ll',
              '-p',
              '8080',
              '-e',
              'echo',
              pod.name,
            ],
            { stdio: 'ignore' },
          ),
        );
    }
    await until(() => pods.slice(0, 2).every(({ address, name }) => ask(node, `${address}:8080`) === name));

    const spec: ServiceSpec = {
      type: 'NodePort',
      clusterIP: '10.96.0.1',
      ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
    };
    const service: Service = { metadata: { name: 'web', namespace: 'default' }, spec };
    const slice = (names: string): EndpointSlice => ({
      metadata: { name: 'web-1', namespace: 'default', labels: { [serviceNameLabel]: 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: pods
        .filter(({ name }) => names.includes(name))
        .map(({ address }) => ({ addresses: [address], nodeName: 'n1', conditions: { ready: true } })),
    });
    const show = async (names: string, change: ServiceSpec = {}): Promise<void> => {
      client.seed(serviceRef, { ...service, spec: { ...spec, ...change } });
      client.seed(endpointSliceRef, slice(names));
      await until(
        () =>
          [...informers.informer<EndpointSlice>(endpointSliceRef).list()][0]?.endpoints?.length ===
          names.length,
      );
      await rules.settled();
    };
    await show('ab');
    await rules.settled();
    for (const [from, target] of [
      [`${own}-c`, '10.96.0.1:80'],
      [node, '10.96.0.1:80'],
      [node, '127.0.0.1:30080'],
      [node, '10.77.0.1:30080'],
      [`${own}-c`, '10.77.0.1:30080'],
    ] as const) {
      const answers = new Set(Array.from({ length: 12 }, () => ask(from, target)));
      assert.deepEqual([...answers].sort(), ['a', 'b'], `${from} → ${target}`);
    }
    await show('a');
    assert.equal(ask(`${own}-c`, '10.96.0.1:80'), 'a');
    assert.equal(ask(`${own}-a`, '10.96.0.1:80'), 'a', 'a pod reaches itself by way of its service');
    await show('');
    for (const [from, target] of [
      [`${own}-c`, '10.96.0.1:80'],
      [node, '10.96.0.1:80'],
      [node, '127.0.0.1:30080'],
    ] as const)
      assert.equal(ask(from, target), 'refused', `${from} → ${target}`);
    await show('ab', { sessionAffinity: 'ClientIP' });
    assert.equal(
      new Set(Array.from({ length: 10 }, () => ask(`${own}-c`, '10.96.0.1:80'))).size,
      1,
      'a client stays with its endpoint',
    );

    await show('ab');
    await until(() => !run(node, `nft list table ip ${own}-services`).includes('a-s-default'));

    // Who is near is asked, where the slices say who that is; the node's zone may change.
    const inZone = (zone: string) =>
      client.seed(nodesRef, {
        metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': zone } },
      });
    const hinted = slice('ab');
    const hints = [{ forZones: [{ name: 'one' }] }, { forZones: [{ name: 'two' }] }];
    client.seed(endpointSliceRef, {
      ...hinted,
      endpoints: hinted.endpoints?.map((endpoint, at) => ({ ...endpoint, hints: hints[at] })),
    } as EndpointSlice);
    const answers = (): string =>
      [...new Set(Array.from({ length: 6 }, () => ask(`${own}-c`, '10.96.0.1:80')))].join();
    inZone('one');
    await until(() => answers() === 'a');
    inZone('two');
    await until(() => answers() === 'b');
    inZone('three');
    await until(() => answers().length > 1);
    await show('ab');

    // A restarted process takes its table over, and traffic goes on.
    await rules.stop();
    assert.match(ask(`${own}-c`, '10.96.0.1:80'), /^[ab]$/);
    run(node, `nft add rule ip ${own}-services services counter`);
    rules = startServiceRules(common);
    await rules.settled();
    assert.doesNotMatch(run(node, 'nft list ruleset'), /counter/);
    assert.match(ask(`${own}-c`, '10.96.0.1:80'), /^[ab]$/);
    run(node, 'nft add table ip somebody-elses');
    await rules.remove();
    assert.equal(run(node, 'nft list tables').trim(), 'table ip somebody-elses');
    assert.equal(run(node, 'ip route show 10.96.0.0/16'), '');
  } finally {
    await rules.stop();
    informers.stop();
    for (const server of servers) server.kill('SIGKILL');
    for (const name of [node, ...pods.map(({ namespace }) => namespace)])
      try {
        execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
      } catch {
        // It was never made.
      }
  }
});

async function until(condition: () => boolean): Promise<void> {
  const untilMs = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < untilMs, 'the state was not reached within a minute');
    await realClock.sleep(10);
  }
}
