/**
 * What Kubernetes' conformance suite asks of the network, with real containers: services and who is behind them, names, ports of the
 * node, pods that reach each other, and the API server's way to them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type {
  Container,
  EndpointSlice,
  Endpoints,
  Pod,
  PodSpec,
  Secret,
  Service,
  ServiceSpec,
} from '../src/api/index.ts';
import { isError } from '../src/lib/index.ts';
import { eventually, freePort, whyNotReal } from './cloud-under-test.ts';
import {
  core,
  forever,
  netContainer,
  netProgram,
  netVolume,
  patienceMs,
  pods,
  RealCloud,
  ref,
  shellPod,
} from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const atOnce = { skip, concurrency: 4 };
const services = core('services');
const slices = ref('discovery.k8s.io', 'v1', 'endpointslices');
const image = 'host.local/getent';

let cloud: RealCloud;
before(async () => {
  if (skip === false) cloud = await RealCloud.start();
});
after(() => cloud?.remove());

/** A namespace with a pod that asks: `exec(namespace, 'client', …)`. */
async function withClient(): Promise<string> {
  const namespace = await cloud.namespace();
  await cloud.create(core('configmaps'), namespace, netProgram);
  await cloud.create(pods, namespace, shellPod('client', forever, { container: { image } }));
  await cloud.ready(namespace, 'client');
  return namespace;
}

/** A pod of net-program.ts, ready when it serves. */
function netPod(name: string, words: readonly string[], labels: Readonly<Record<string, string>> = {}): Pod {
  const port = Number(/^http=(\d+)/.exec(words[0] ?? '')?.[1] ?? 0);
  const container: Container = {
    ...netContainer('main', ...words),
    readinessProbe: { httpGet: { path: '/healthz', port }, periodSeconds: 1 },
  };
  return shellPod(name, '', { labels, spec: { containers: [container], volumes: [netVolume] } });
}

const service = (name: string, spec: ServiceSpec): Service => ({ metadata: { name }, spec });
const make = (namespace: string, name: string, spec: ServiceSpec) =>
  cloud.create<Service>(services, namespace, service(name, spec));

/** Changes a service, again when another write came between. */
function change(namespace: string, name: string, to: (spec: ServiceSpec) => ServiceSpec): Promise<Service> {
  return eventually(`service ${name} is replaced`, patienceMs, async () => {
    const found = await cloud.client.get<Service>(services, namespace, name);
    try {
      return await cloud.client.update<Service>(services, { ...found, spec: to(found.spec ?? {}) });
    } catch (error) {
      if (isError(error, 'conflict')) return undefined;
      throw error;
    }
  });
}

const says = (namespace: string, line: string, text: string | RegExp) =>
  cloud.execUntil(namespace, 'client', line, ({ stdout }) =>
    typeof text === 'string' ? stdout.trim() === text : text.test(stdout),
  );
const refuses = (namespace: string, line: string) =>
  cloud.execUntil(namespace, 'client', line, ({ stdout, code }) => code !== 0 || stdout === '');
const get = (address: string, port: number | string, path = '/hostname'): string =>
  `timeout 3 wget -q -O - http://${address}:${port}${path}`;
/** What one datagram is answered with. */
const ask = (address: string, port: number | string, words = 'hostname'): string =>
  `node -e '
const socket = require("node:dgram").createSocket("udp4");
socket.on("message", (data) => { console.log(String(data)); process.exit(0); });
socket.on("error", () => process.exit(1));
socket.connect(${port}, "${address}", () => socket.send("${words}"));
setTimeout(() => process.exit(1), 1000);'`;

/** \`service → addresses:ports\` of its slices, or of its endpoints. */
async function endpointsOf(namespace: string, name: string): Promise<readonly string[]> {
  const { items } = await cloud.client.list<EndpointSlice>(slices, {
    namespace,
    labelSelector: `kubernetes.io/service-name=${name}`,
  });
  return items
    .flatMap(({ endpoints, ports }) =>
      (endpoints ?? []).flatMap(({ addresses }) =>
        (ports ?? []).map(({ port }) => `${addresses[0]}:${port}`),
      ),
    )
    .sort();
}
const leadsTo = (namespace: string, name: string, wanted: readonly string[]) =>
  eventually(`service ${name} leads to ${wanted.join(' ')}`, patienceMs, async () => {
    const found = await endpointsOf(namespace, name);
    return found.join() === [...wanted].sort().join() ? true : undefined;
  });
const addressOf = async (namespace: string, name: string): Promise<string> =>
  (await cloud.ready(namespace, name)).status?.podIP ?? '';

describe('side by side', { skip, concurrency: 3 }, () => {
  describe('services', atOnce, () => {
    // conformance: [sig-network] Services should serve a basic endpoint from pods
    // conformance: [sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods
    // conformance: [sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods
    test('a service leads to the pods that there are', async () => {
      const namespace = await withClient();
      const { spec } = await make(namespace, 'basic', { selector: { app: 'basic' }, ports: [{ port: 80 }] });
      const address = spec?.clusterIP ?? '';
      const endpoints = core('endpoints');
      const empty = await eventually('an empty slice', patienceMs, async () => {
        const { items } = await cloud.client.list<EndpointSlice>(slices, { namespace });
        return items[0];
      });
      assert.deepEqual([empty.endpoints ?? [], empty.metadata.ownerReferences?.[0]?.name], [[], 'basic']);
      await eventually('empty endpoints', patienceMs, () =>
        cloud.find<Endpoints>(endpoints, namespace, 'basic'),
      );
      await refuses(namespace, get(address, 80));
      await cloud.create(pods, namespace, netPod('one', ['http=80'], { app: 'basic' }));
      const one = await addressOf(namespace, 'one');
      await leadsTo(namespace, 'basic', [`${one}:80`]);
      await says(namespace, get(address, 80), 'one');
      await says(namespace, get('basic', 80), 'one');
      await cloud.create(pods, namespace, netPod('two', ['http=80'], { app: 'basic' }));
      const two = await addressOf(namespace, 'two');
      await leadsTo(namespace, 'basic', [`${one}:80`, `${two}:80`]);
      await cloud.client.delete(pods, namespace, 'one');
      await leadsTo(namespace, 'basic', [`${two}:80`]);
      await says(namespace, get(address, 80), 'two');
      await cloud.client.delete(pods, namespace, 'two');
      await leadsTo(namespace, 'basic', []);
      await refuses(namespace, get(address, 80));
      await cloud.client.delete(services, namespace, 'basic');
      await cloud.gone(endpoints, namespace, 'basic');
      await eventually('no slices', patienceMs, async () => {
        const { items } = await cloud.client.list<EndpointSlice>(slices, { namespace });
        return items.length === 0 ? true : undefined;
      });
    });

    // conformance: [sig-network] Services should serve multiport endpoints from pods
    test('each port leads to the pods that have it', async () => {
      const namespace = await withClient();
      const { spec } = await make(namespace, 'multi', {
        selector: { app: 'multi' },
        ports: [
          { name: 'portname1', port: 80, targetPort: 'svc1' },
          { name: 'portname2', port: 81, targetPort: 'svc2' },
        ],
      });
      const address = spec?.clusterIP ?? '';
      const pod = (name: string, port: number, portName: string): Pod => {
        const made = netPod(name, [`http=${port}`], { app: 'multi' });
        const [main] = made.spec?.containers ?? [];
        const containers = [{ ...(main as Container), ports: [{ name: portName, containerPort: port }] }];
        return { ...made, spec: { ...(made.spec as PodSpec), containers } };
      };
      await leadsTo(namespace, 'multi', []);
      await cloud.create(pods, namespace, pod('pod1', 100, 'svc1'));
      const one = await addressOf(namespace, 'pod1');
      await leadsTo(namespace, 'multi', [`${one}:100`]);
      await cloud.create(pods, namespace, pod('pod2', 101, 'svc2'));
      const two = await addressOf(namespace, 'pod2');
      await leadsTo(namespace, 'multi', [`${one}:100`, `${two}:101`]);
      await says(namespace, get(address, 80), 'pod1');
      await says(namespace, get(address, 81), 'pod2');
      await cloud.client.delete(pods, namespace, 'pod1');
      await leadsTo(namespace, 'multi', [`${two}:101`]);
      await refuses(namespace, get(address, 80));
      await cloud.client.delete(pods, namespace, 'pod2');
      await leadsTo(namespace, 'multi', []);
    });

    // conformance: [sig-network] Services should serve endpoints on same port and different protocols
    test('one port, two protocols, and one taken away', async () => {
      const namespace = await withNode();
      const tcp = { name: 'tcp-port', port: 80, protocol: 'TCP', targetPort: 8080 };
      const udp = { name: 'udp-port', port: 80, protocol: 'UDP', targetPort: 8080 };
      const { spec } = await make(namespace, 'both', { selector: { app: 'both' }, ports: [tcp, udp] });
      const address = spec?.clusterIP ?? '';
      await cloud.create(pods, namespace, netPod('server', ['http=8080', 'udp=8080'], { app: 'both' }));
      await cloud.ready(namespace, 'server');
      await says(namespace, get(address, 80), 'server');
      await says(namespace, ask(address, 80), 'server');
      await change(namespace, 'both', (of) => ({ ...of, ports: [tcp] }));
      await says(namespace, get(address, 80), 'server');
      await refuses(namespace, ask(address, 80));
      await change(namespace, 'both', (of) => ({ ...of, ports: [udp] }));
      await says(namespace, ask(address, 80), 'server');
      await refuses(namespace, get(address, 80));
    });

    /** As `withClient`; the client has node too. */
    async function withNode(): Promise<string> {
      const namespace = await cloud.namespace();
      await cloud.create(core('configmaps'), namespace, netProgram);
      const container = { image: 'host.local/node' };
      await cloud.create(pods, namespace, shellPod('client', forever, { container }));
      await cloud.ready(namespace, 'client');
      return namespace;
    }

    const deployments = ref('apps', 'v1', 'deployments');
    /** Three pods behind a service of this kind, and where they are asked. */
    async function affine(type: string) {
      const namespace = await withClient();
      const labels = { app: 'affinity' };
      const { spec } = netPod('', ['http=9376'], labels);
      await cloud.create(deployments, namespace, {
        metadata: { name: 'affinity' },
        spec: {
          replicas: 3,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { ...spec, restartPolicy: 'Always' } },
        },
      } as never);
      const made = await make(namespace, 'affinity', {
        type,
        sessionAffinity: 'ClientIP',
        selector: labels,
        ports: [{ port: 80, targetPort: 9376 }],
      });
      await eventually('three endpoints', patienceMs, async () =>
        (await endpointsOf(namespace, 'affinity')).length === 3 ? true : undefined,
      );
      const nodePort = made.spec?.ports?.[0]?.nodePort ?? 0;
      const addresses =
        type === 'NodePort'
          ? [[await cloud.nodeAddress(), nodePort] as const]
          : [[made.spec?.clusterIP ?? '', 80] as const, ['affinity', 80] as const];
      /** How many pods answer sixteen times. */
      const answers = async (address: string, port: number): Promise<number> => {
        const line = `for i in $(seq 16); do ${get(address, port)}; echo; done`;
        const { stdout } = await cloud.exec(namespace, 'client', line);
        const lines = stdout.split('\n').filter((text) => text !== '');
        assert.equal(lines.length, 16, stdout);
        return new Set(lines).size;
      };
      const settles = (isAffine: boolean) =>
        Promise.all(
          addresses.map(([address, port]) =>
            eventually(`${isAffine ? 'one pod' : 'several pods'} at ${address}`, patienceMs, async () =>
              ((await answers(address, port)) === 1) === isAffine ? true : undefined,
            ),
          ),
        );
      return { namespace, settles };
    }

    // conformance: [sig-network] Services should have session affinity work for service with type clusterIP [LinuxOnly]
    // conformance: [sig-network] Services should have session affinity work for NodePort service [LinuxOnly]
    // conformance: [sig-network] Services should be able to switch session affinity for service with type clusterIP [LinuxOnly]
    // conformance: [sig-network] Services should be able to switch session affinity for NodePort service [LinuxOnly]
    for (const type of ['ClusterIP', 'NodePort'])
      test(`a client stays with its pod as long as the service says so, ${type}`, async () => {
        const { namespace, settles } = await affine(type);
        await settles(true);
        await change(namespace, 'affinity', (of) => ({ ...of, sessionAffinity: 'None' }));
        await settles(false);
        await change(namespace, 'affinity', (of) => ({ ...of, sessionAffinity: 'ClientIP' }));
        await settles(true);
      });

    // conformance: [sig-network] Services should be able to change the type from ExternalName to ClusterIP
    // conformance: [sig-network] Services should be able to change the type from ExternalName to NodePort
    // conformance: [sig-network] Services should be able to change the type from ClusterIP to ExternalName
    // conformance: [sig-network] Services should be able to change the type from NodePort to ExternalName
    for (const type of ['ClusterIP', 'NodePort'])
      test(`a service becomes a name elsewhere and back, ${type}`, async () => {
        const namespace = await withClient();
        await make(namespace, 'other', { selector: { app: 'other' }, ports: [{ port: 80 }] });
        await cloud.create(pods, namespace, netPod('other', ['http=80'], { app: 'other' }));
        await cloud.create(pods, namespace, netPod('own', ['http=9376'], { app: 'own' }));
        await Promise.all([cloud.ready(namespace, 'other'), cloud.ready(namespace, 'own')]);
        const externalName = `other.${namespace}.svc.cluster.local`;
        const made = await make(namespace, 'changes', { type: 'ExternalName', externalName });
        assert.ok(!made.spec?.clusterIP);
        await says(namespace, get('changes', 80), 'other');
        const ports = [{ port: 80, protocol: 'TCP', targetPort: 9376 }];
        const { externalName: _, ...bare } = made.spec ?? {};
        const inside = await change(namespace, 'changes', () => ({
          ...bare,
          type,
          selector: { app: 'own' },
          ports,
        }));
        const address = inside.spec?.clusterIP ?? '';
        assert.match(address, /^\d+(\.\d+){3}$/);
        assert.equal(inside.spec?.externalName, undefined);
        await says(namespace, get(address, 80), 'own');
        await says(namespace, get('changes', 80), 'own');
        const nodePort = inside.spec?.ports?.[0]?.nodePort;
        assert.equal(nodePort !== undefined, type === 'NodePort');
        if (nodePort !== undefined) await says(namespace, get(await cloud.nodeAddress(), nodePort), 'own');
        const outside = await change(namespace, 'changes', (of) => {
          const { clusterIP: _one, clusterIPs: _all, ports: _ports, ...rest } = of;
          return { ...rest, type: 'ExternalName', externalName };
        });
        assert.deepEqual([outside.spec?.clusterIP ?? '', outside.spec?.ports ?? []], ['', []]);
        await says(namespace, get('changes', 80), 'other');
        await says(
          namespace,
          `nslookup -type=a changes.${namespace}.svc.cluster.local`,
          /canonical name = other/,
        );
        if (nodePort !== undefined) {
          // What it had is free again.
          const taken = { type: 'NodePort', ports: [{ port: 80, nodePort }] };
          assert.equal((await make(namespace, 'takes', taken)).spec?.ports?.[0]?.nodePort, nodePort);
        }
      });

    // conformance: [sig-network] EndpointSlice should support a Service with multiple ports specified in multiple EndpointSlices
    // conformance: [sig-network] EndpointSlice should support a Service with multiple endpoint IPs specified in multiple EndpointSlices
    for (const isOne of [true, false])
      test(`slices of our own, with ${isOne ? 'one address' : 'two addresses'} and two ports`, async () => {
        const namespace = await withClient();
        const ports = [
          { name: 'first', port: 80, protocol: 'TCP' },
          { name: 'second', port: 8080, protocol: 'TCP' },
        ];
        const { spec } = await make(namespace, 'own', { ports });
        await cloud.create(pods, namespace, netPod('a', ['http=9090,9091']));
        await cloud.create(pods, namespace, netPod('b', ['http=9091']));
        const [a, b] = [await addressOf(namespace, 'a'), await addressOf(namespace, 'b')];
        const slice = (name: string, port: number, address: string): EndpointSlice => ({
          metadata: { name, labels: { 'kubernetes.io/service-name': 'own' } },
          addressType: 'IPv4',
          ports: [{ name: name === 'one' ? 'first' : 'second', port, protocol: 'TCP' }],
          endpoints: [{ addresses: [address] }],
        });
        await cloud.create(slices, namespace, slice('one', 9090, a));
        await cloud.create(slices, namespace, slice('two', 9091, isOne ? a : b));
        await says(namespace, get(spec?.clusterIP ?? '', 80), 'a');
        await says(namespace, get(spec?.clusterIP ?? '', 8080), isOne ? 'a' : 'b');
        await says(namespace, get('own', 8080), isOne ? 'a' : 'b');
      });

    // conformance: [sig-network] Service endpoints latency should not be very high
    test('endpoints follow their service soon', async () => {
      const namespace = await withClient();
      const labels = { name: 'svc-latency-rc' };
      await cloud.create(pods, namespace, shellPod('server', forever, { labels }));
      await cloud.ready(namespace, 'server');
      const times: number[] = [];
      const one = async (n: number): Promise<void> => {
        const startedMs = performance.now();
        await make(namespace, `latency-${n}`, { selector: labels, ports: [{ port: 80 }] });
        await eventually('its endpoints', 50_000, async () => {
          const found = await cloud.find<Endpoints>(core('endpoints'), namespace, `latency-${n}`);
          return (found?.subsets?.length ?? 0) > 0 ? true : undefined;
        });
        times.push(performance.now() - startedMs);
      };
      for (let n = 0; n < 100; n += 10) await Promise.all(Array.from({ length: 10 }, (_, at) => one(n + at)));
      times.sort((x, y) => x - y);
      assert.ok((times[50] ?? 0) < 20_000 && (times[98] ?? 0) < 50_000, times.join(' '));
      const path = `/api/v1/namespaces/${namespace}/services`;
      assert.equal((await cloud.ask('DELETE', path)).status, 200);
    });

    // conformance: [sig-network] API Server should provide secure master service
    // conformance: [sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server
    test('the API server is a service', async () => {
      const { spec } = await cloud.client.get<Service>(services, 'default', 'kubernetes');
      assert.ok(spec?.ports?.some(({ port, name }) => port === 443 && name === 'https'));
      const { subsets } = await cloud.client.get<Endpoints>(core('endpoints'), 'default', 'kubernetes');
      const [subset] = subsets ?? [];
      const wanted = (subset?.addresses ?? []).map(({ ip }) => `${ip}:${subset?.ports?.[0]?.port}`);
      assert.equal(wanted.length, 1);
      assert.deepEqual(await endpointsOf('default', 'kubernetes'), wanted);
    });

    /** Run by node in a pod: asks the API server as every pod may. */
    const script = `
const { readFileSync } = require("node:fs");
const { get } = require("node:https");
const { createPublicKey, verify } = require("node:crypto");
const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
const ca = readFileSync(folder + "/ca.crt");
const token = readFileSync(folder + "/token", "utf8");
const fetched = (url) => new Promise((resolve, reject) => {
  get(url, { ca, headers: { authorization: "Bearer " + token } }, (answer) => {
    let text = "";
    answer.on("data", (part) => { text += part; });
    answer.on("end", () => answer.statusCode === 200 ? resolve(text) : reject(new Error(url + ": " + answer.statusCode + " " + text)));
  }).on("error", reject);
});
const part = (at) => JSON.parse(Buffer.from(token.split(".")[at], "base64url"));
(async () => {
  console.log("health", await fetched("https://kubernetes.default.svc/healthz"));
  const { iss } = part(1);
  const found = JSON.parse(await fetched(iss + "/.well-known/openid-configuration"));
  console.log("issuer", found.issuer === iss);
  const { keys } = JSON.parse(await fetched(found.jwks_uri));
  const { kid, alg } = part(0);
  const key = createPublicKey({ key: keys.find((one) => one.kid === kid), format: "jwk" });
  const signed = Buffer.from(token.split(".").slice(0, 2).join("."));
  const signature = Buffer.from(token.split(".")[2], "base64url");
  const isEc = alg.startsWith("ES");
  console.log("signature", verify("sha256", signed, isEc ? { key, dsaEncoding: "ieee-p1363" } : key, signature));
})().catch((error) => { console.log(String(error)); process.exit(1); });`;

    // conformance: [sig-auth] ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer
    test('a pod reaches the API server, and can check its own token', async () => {
      const namespace = await cloud.namespace();
      const container = { image: 'host.local/node', command: ['node', '-e', script] };
      const printed = await cloud.outputOf(namespace, shellPod('checks', '', { container }));
      assert.equal(printed, 'health ok\nissuer true\nsignature true\n');
    });
  });

  describe('names', atOnce, () => {
    const labels = { 'dns-test': 'true' };
    const knows = (namespace: string, name: string, address: string) =>
      says(namespace, `getent ahostsv4 ${name} | awk '{print $1}' | sort -u`, address);
    const resolves = (namespace: string, type: string, name: string, text: string | RegExp) =>
      says(namespace, `nslookup -type=${type} ${name} | grep -v Server | tail -n +2`, text);
    /** One question over TCP, as it goes over the wire: the answer's code and how many answers there are. */
    const overTcp = (name: string): string => {
      const label = (text: string): string => `\\x${text.length.toString(16).padStart(2, '0')}${text}`;
      const question = `\\x00\\x01\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00${name.split('.').map(label).join('')}\\x00\\x00\\x01\\x00\\x01`;
      const length = (12 + name.length + 2 + 4).toString(16).padStart(2, '0');
      return `server=$(awk '/nameserver/{print $2; exit}' /etc/resolv.conf); printf '\\x00\\x${length}${question}' | nc -w 2 $server 53 | hexdump -n 10 -e '10/1 "%02x"'`;
    };

    // conformance: [sig-network] DNS should provide DNS for the cluster
    // conformance: [sig-network] DNS should provide /etc/hosts entries for the cluster
    test('of the cluster, in DNS and in hosts', async () => {
      const namespace = await cloud.namespace();
      const pod = shellPod('client', forever, {
        labels,
        container: { image },
        spec: { hostname: 'dns-querier-1', subdomain: 'dns-test-service' },
      });
      await cloud.create(pods, namespace, pod);
      const own = await addressOf(namespace, 'client');
      const { spec } = await cloud.client.get<Service>(services, 'default', 'kubernetes');
      for (const name of [
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
      ])
        await knows(namespace, name, spec?.clusterIP ?? '');
      await says(namespace, overTcp('kubernetes.default.svc.cluster.local'), /^00..00018[15]8000010001$/);
      // No service makes this name: the pod's own file does.
      await knows(namespace, `dns-querier-1.dns-test-service.${namespace}.svc.cluster.local`, own);
      await knows(namespace, 'dns-querier-1', own);
      await says(namespace, 'hostname -f', `dns-querier-1.dns-test-service.${namespace}.svc.cluster.local`);
    });

    // conformance: [sig-network] DNS should provide DNS for services
    // conformance: [sig-network] DNS should resolve DNS of partial qualified names for services [LinuxOnly]
    test('of services, headless and not, and their ports', async () => {
      const namespace = await withClient();
      const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
      await make(namespace, 'dns-test-service', { clusterIP: 'None', selector: labels, ports });
      const { spec } = await make(namespace, 'test-service-2', { selector: labels, ports });
      await cloud.create(pods, namespace, shellPod('server', forever, { labels }));
      const [own, address] = [await addressOf(namespace, 'server'), spec?.clusterIP ?? ''];
      for (const suffix of ['', `.${namespace}`, `.${namespace}.svc`, `.${namespace}.svc.cluster.local`]) {
        await knows(namespace, `dns-test-service${suffix}`, own);
        await knows(namespace, `test-service-2${suffix}`, address);
      }
      const zone = `${namespace}.svc.cluster.local`;
      const dashed = own.replaceAll('.', '-');
      const srv = (name: string): string => `_http._tcp.${name}.${zone}`;
      await resolves(
        namespace,
        'srv',
        srv('dns-test-service'),
        new RegExp(`80 ${dashed}.dns-test-service.${zone}`),
      );
      await resolves(namespace, 'srv', srv('test-service-2'), new RegExp(`80 test-service-2.${zone}`));
      const back = (ip: string): string => `${ip.split('.').reverse().join('.')}.in-addr.arpa`;
      await resolves(namespace, 'ptr', back(address), new RegExp(`name = test-service-2.${zone}`));
    });

    // conformance: [sig-network] DNS should provide DNS for pods for Hostname
    // conformance: [sig-network] DNS should provide DNS for pods for Subdomain
    test('of pods that have one', async () => {
      const namespace = await withClient();
      await make(namespace, 'dns-test-service-2', {
        clusterIP: 'None',
        selector: labels,
        ports: [{ name: 'http', port: 80 }],
      });
      const pod = shellPod('server', forever, {
        labels,
        container: { image },
        spec: { hostname: 'dns-querier-2', subdomain: 'dns-test-service-2' },
      });
      await cloud.create(pods, namespace, pod);
      const own = await addressOf(namespace, 'server');
      const zone = `dns-test-service-2.${namespace}.svc.cluster.local`;
      await knows(namespace, `dns-querier-2.${zone}`, own);
      await knows(namespace, zone, own);
      await resolves(namespace, 'a', `dns-querier-2.${zone}`, new RegExp(`Address: ${own}`));
      const { stdout } = await cloud.exec(
        namespace,
        'server',
        `getent ahostsv4 dns-querier-2; getent ahostsv4 dns-querier-2.${zone}`,
      );
      for (const line of stdout.trim().split('\n')) assert.ok(line.startsWith(own), stdout);
    });

    // conformance: [sig-network] DNS should provide DNS for ExternalName services
    test('of services elsewhere', async () => {
      const namespace = await withClient();
      const name = `dns-test-service-3.${namespace}.svc.cluster.local`;
      await make(namespace, 'dns-test-service-3', { type: 'ExternalName', externalName: 'foo.example.com' });
      await resolves(namespace, 'cname', name, /canonical name = foo\.example\.com/);
      await change(namespace, 'dns-test-service-3', (of) => ({ ...of, externalName: 'bar.example.com' }));
      await resolves(namespace, 'cname', name, /canonical name = bar\.example\.com/);
      const { spec } = await change(namespace, 'dns-test-service-3', () => ({
        type: 'ClusterIP',
        ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      }));
      await resolves(namespace, 'a', name, new RegExp(`Address: ${spec?.clusterIP}`));
    });

    // conformance: [sig-network] DNS should support configurable pod DNS nameservers
    test('as the pod says', async () => {
      const dnsConfig = { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'] };
      const pod = shellPod('reads', 'cat /etc/resolv.conf', { spec: { dnsPolicy: 'None', dnsConfig } });
      const printed = await cloud.outputOf(await cloud.namespace(), pod);
      assert.equal(printed, 'search resolv.conf.local\nnameserver 1.1.1.1\n');
    });
  });

  describe('ways', atOnce, () => {
    // conformance: [sig-network] Networking Granular Checks: Pods should function for intra-pod communication: http [NodeConformance]
    // conformance: [sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp [NodeConformance]
    // conformance: [sig-network] Networking Granular Checks: Pods should function for node-pod communication: http [LinuxOnly] [NodeConformance]
    // conformance: [sig-network] Networking Granular Checks: Pods should function for node-pod communication: udp [LinuxOnly] [NodeConformance]
    for (const hostNetwork of [false, true])
      test(`from ${hostNetwork ? 'the node' : 'a pod'} to each pod, by HTTP and UDP`, async () => {
        const namespace = await cloud.namespace();
        await cloud.create(core('configmaps'), namespace, netProgram);
        const container = { image: 'host.local/node' };
        await cloud.create(
          pods,
          namespace,
          shellPod('client', forever, { container, spec: { hostNetwork } }),
        );
        const names = ['netserver-0', 'netserver-1'];
        for (const name of names)
          await cloud.create(pods, namespace, netPod(name, ['http=8083', 'udp=8081']));
        await cloud.ready(namespace, 'client');
        for (const name of names) {
          const address = await addressOf(namespace, name);
          await says(namespace, get(address, 8083), name);
          await says(namespace, ask(address, 8081), name);
          // Nobody between them changes who asks.
          const client = (await cloud.pod(namespace, 'client')).status?.podIP ?? '';
          if (!hostNetwork) await says(namespace, get(address, 8083, '/clientip'), new RegExp(`^${client}:`));
        }
      });

    // conformance: [sig-network] HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol [LinuxOnly]
    test('one port of the node, by address and protocol', async () => {
      const namespace = await cloud.namespace();
      await cloud.create(core('configmaps'), namespace, netProgram);
      const node = await cloud.nodeAddress();
      const hostPort = await freePort();
      const pod = (name: string, hostIP: string, protocol: string): Pod => {
        const made = netPod(name, ['http=8080', 'udp=8080']);
        const [main] = made.spec?.containers ?? [];
        const ports = [{ hostPort, containerPort: 8080, protocol, hostIP }];
        return {
          ...made,
          spec: { ...(made.spec as PodSpec), containers: [{ ...(main as Container), ports }] },
        };
      };
      await cloud.create(pods, namespace, pod('pod1', '127.0.0.1', 'TCP'));
      await cloud.create(pods, namespace, pod('pod2', node, 'TCP'));
      await cloud.create(pods, namespace, pod('pod3', node, 'UDP'));
      const container = { image: 'host.local/node' };
      await cloud.create(
        pods,
        namespace,
        shellPod('client', forever, { container, spec: { hostNetwork: true } }),
      );
      for (const name of ['pod1', 'pod2', 'pod3', 'client']) await cloud.ready(namespace, name);
      await says(namespace, get('127.0.0.1', hostPort), 'pod1');
      await says(namespace, get(node, hostPort), 'pod2');
      await says(namespace, ask(node, hostPort), 'pod3');
    });

    describe('through the API server', { concurrency: 1 }, () => {
      let namespace: string;
      before(async () => {
        if (skip !== false) return;
        namespace = await cloud.namespace();
        await cloud.create(core('configmaps'), namespace, netProgram);
        const pki = (name: string): string => readFileSync(join(cloud.cloud.data, 'pki', name), 'utf8');
        await cloud.create(core('secrets'), namespace, {
          metadata: { name: 'tls' },
          type: 'kubernetes.io/tls',
          stringData: { 'tls.crt': pki('apiserver.crt'), 'tls.key': pki('apiserver.key') },
        } as Secret);
        const made = netPod('server', ['http=80,160,162', 'https=443'], { app: 'proxied' });
        const [main] = made.spec?.containers ?? [];
        const ports = [
          { name: 'dest1', containerPort: 160 },
          { name: 'dest2', containerPort: 162 },
          { name: 'tlsdest1', containerPort: 443 },
        ];
        const mounts = [...(main?.volumeMounts ?? []), { name: 'tls', mountPath: '/tls' }];
        // The first port is where a request without one goes.
        const container = {
          ...(main as Container),
          ports: [{ containerPort: 80 }, ...ports],
          volumeMounts: mounts,
        };
        const spec: PodSpec = {
          ...(made.spec as PodSpec),
          containers: [container],
          volumes: [netVolume, { name: 'tls', secret: { secretName: 'tls' } }],
        };
        await cloud.create(pods, namespace, { ...made, spec });
        await make(namespace, 'plain', { selector: { app: 'proxied' }, ports: [{ port: 80 }] });
        await make(namespace, 'named', {
          selector: { app: 'proxied' },
          ports: [
            { name: 'portname1', port: 80, targetPort: 'dest1' },
            { name: 'portname2', port: 81, targetPort: 162 },
            { name: 'tlsportname1', port: 443, targetPort: 'tlsdest1' },
          ],
        });
        const address = await addressOf(namespace, 'server');
        await leadsTo(namespace, 'named', [`${address}:160`, `${address}:162`, `${address}:443`]);
        await leadsTo(namespace, 'plain', [`${address}:80`]);
      });

      const verbs = ['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'GET', 'HEAD'];
      const path = (kind: string, name: string, rest: string): string =>
        `/api/v1/namespaces/${namespace}/${kind}/${name}/proxy${rest}`;
      const targets = (): readonly (readonly [string, string])[] => [
        ['pods', 'server'],
        ['services', 'plain'],
      ];

      // conformance: [sig-network] Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath
      test('every verb reaches a path of a pod and of a service', async () => {
        for (const [kind, name] of targets())
          for (const verb of verbs) {
            const { status, text } = await cloud.ask(verb, path(kind, name, `/some/path/with/${verb}`), {
              ...(['POST', 'PUT', 'PATCH'].includes(verb) && { body: 'words' }),
            });
            assert.equal(status, 200, `${verb} ${kind}: ${text}`);
            if (verb === 'HEAD') continue;
            const told = JSON.parse(text) as { Method: string; Path: string; Body: string };
            assert.deepEqual([told.Method, told.Path], [verb, `/some/path/with/${verb}`]);
            assert.equal(told.Body, ['POST', 'PUT', 'PATCH'].includes(verb) ? 'words' : '');
          }
      });

      // conformance: [sig-network] Proxy version v1 A set of valid responses are returned for both pod and service Proxy
      test('every verb reaches a pod and a service; who only reads is shown the way', async () => {
        for (const [kind, name] of targets())
          for (const verb of verbs) {
            const { status, text, headers } = await cloud.ask(verb, path(kind, name, `?method=${verb}`));
            const isReading = verb === 'GET' || verb === 'HEAD';
            assert.equal(status, isReading ? 301 : 200, `${verb} ${kind}: ${text}`);
            if (isReading) assert.equal(headers['location'], path(kind, name, `/?method=${verb}`));
            else assert.equal((JSON.parse(text) as { Method: string }).Method, verb);
          }
      });

      // conformance: [sig-network] Proxy version v1 should proxy through a service and a pod
      test('ports by name and number; links lead back through the proxy', async () => {
        const asked = async (kind: string, name: string): Promise<string> => {
          const { status, text } = await cloud.ask('GET', path(kind, name, '/port'));
          assert.equal(status, 200, `${kind} ${name}: ${text}`);
          return text;
        };
        for (const name of ['named:portname1', 'named:80', 'http:named:portname1', 'http:named:80'])
          assert.equal(await asked('services', name), '160', name);
        for (const name of ['named:portname2', 'named:81', 'http:named:portname2'])
          assert.equal(await asked('services', name), '162', name);
        for (const [name, port] of [
          ['server', '80'],
          ['server:80', '80'],
          ['server:160', '160'],
          ['http:server:162', '162'],
        ] as const)
          assert.equal(await asked('pods', name), port, name);
        for (const name of ['https:named:tlsportname1', 'https:named:443'])
          assert.equal(await asked('services', name), '443', name);
        assert.equal(await asked('pods', 'https:server:443'), '443');
        for (const name of ['server', 'http:server:160', 'https:server:443']) {
          const { text, headers } = await cloud.ask('GET', path('pods', name, '/links'));
          assert.match(String(headers['content-type']), /^text\/html/);
          const base = path('pods', name, '');
          assert.equal(
            text,
            `<a href="${base}/rewriteme">test</a><a href="elsewhere">near</a><a href="http://example.com/">far</a>`,
          );
        }
      });

      test('a server that does not speak TLS is not spoken to so', async () => {
        const { status, text } = await cloud.ask('GET', path('services', 'https:named:portname1', '/port'));
        assert.equal(status, 503, text);
        assert.match(text, /error trying to reach service/);
      });
    });
  });
});
