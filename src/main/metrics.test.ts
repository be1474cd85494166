/** Metrics and autoscaling from end to end on simulated nodes: real kubectl, real HTTPS, real time. One cloud for all of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { clientBinary } from '../../tools/kubectl.ts';
import {
  type Deployment,
  decodeProtobuf,
  deployments,
  type HorizontalPodAutoscaler,
  horizontalPodAutoscalers,
  type KubeObject,
  type MetricSpec,
  protobufMediaType,
  services,
} from '../api/index.ts';
import type { ResourceRef, WatchEvent } from '../client/index.ts';
import { ensurePki } from '../security/index.ts';
import { Cloud } from './index.ts';

const kubectl = clientBinary('kubectl');
const skip = kubectl === undefined ? 'needs the development dependencies (kubectl)' : false;
const folder = mkdtempSync(join(tmpdir(), 'caelum-metrics-'));
let cloud: Cloud;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...words: readonly string[]): Promise<Outcome> {
  const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder };
  return new Promise((resolve) => {
    execFile(kubectl ?? '', [...words], { env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, stdout, stderr });
    });
  });
}

async function ok(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(...words);
  assert.equal(code, 0, `kubectl ${words.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Lines of words. */
const table = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));

async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 1200; tries++) {
    const found = await ask();
    if (found !== undefined) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`not within a minute: ${what}`);
}

const metricsText =
  'http_requests_total{code="200"} 0\nqueue_length{queue="a"} 3\nqueue_length{queue="b"} 4.5\n';

function webOf(name: string, replicas: number): Deployment {
  const labels = { app: name };
  const annotations = {
    'prometheus.io/scrape': 'true',
    'hollow.caelum.dev/metrics': metricsText,
    'hollow.caelum.dev/cpu': 'web=100m,log=20m',
    'hollow.caelum.dev/memory': '96Mi',
  };
  const resources = { requests: { cpu: '200m', memory: '64Mi' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations },
        spec: { containers: ['web', 'log'].map((one) => ({ name: one, image: 'x', resources })) },
      },
    },
  };
}

async function deploy(name: string, replicas: number): Promise<void> {
  await cloud.client.create(deployments, webOf(name, replicas));
  await eventually(`${name} is available`, async () => {
    const { status } = await cloud.client.get<Deployment>(deployments, 'default', name);
    return status?.availableReplicas === replicas ? true : undefined;
  });
}

/** One autoscaler for each kind of metric. */
const kinds = ['utilization', 'amount', 'container', 'pods', 'object', 'object-average', 'external'];

before(async () => {
  if (skip !== false) return;
  cloud = await Cloud.start({ hollow: 2 });
  writeFileSync(join(folder, 'kubeconfig'), cloud.kubeconfig());
  // Before anybody asks for figures, so that the first have those of all.
  for (const name of ['web', ...kinds]) await deploy(name, 2);
});
after(async () => {
  if (skip === false) await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('kubectl top tells what nodes, pods and containers use, from the first time on', { skip }, async () => {
  const nodes = table(await ok('top', 'nodes'));
  assert.deepEqual(nodes[0]?.slice(0, 3), ['NAME', 'CPU(cores)', 'CPU(%)']);
  // Pods of 120m each, and 50m of each node itself.
  const total = nodes.slice(1).reduce((sum, [, cpu]) => sum + Number.parseInt(cpu ?? '', 10), 0);
  assert.ok(Math.abs(total - 100 - 240 * (kinds.length + 1)) < 10, JSON.stringify(nodes));
  const pods = table(await ok('top', 'pods', '-l', 'app=web', '--no-headers'));
  assert.deepEqual(
    pods.map(([, cpu, memory]) => [cpu, memory]),
    [
      ['120m', '96Mi'],
      ['120m', '96Mi'],
    ],
  );
  const containers = table(
    await ok('top', 'pods', '-l', 'app=web', '--containers', '--sort-by=cpu', '--no-headers'),
  );
  assert.deepEqual(
    containers.map(([, name, cpu, memory]) => [name, cpu, memory]),
    [
      ['web', '100m', '48Mi'],
      ['log', '20m', '48Mi'],
      ['web', '100m', '48Mi'],
      ['log', '20m', '48Mi'],
    ],
  );
  const sum = table(await ok('top', 'pods', '-A', '-l', 'app=web', '--sum', '--sort-by=memory'));
  assert.deepEqual(sum.at(-1), ['240m', '192Mi']);
  assert.match((await run('top', 'pod', 'gone')).stderr, /pods\.metrics\.k8s\.io "default\/gone" not found/);
  assert.match((await run('top', 'node', 'gone')).stderr, /nodes\.metrics\.k8s\.io "gone" not found/);
});

test('metrics.k8s.io is served in all forms, to those who may', { skip }, async () => {
  const rows = table(await ok('get', 'podmetrics', '-l', 'app=web'));
  assert.deepEqual(rows[0], ['NAME', 'CPU', 'MEMORY', 'WINDOW']);
  assert.deepEqual(rows[1]?.slice(1, 3), ['120m', '96Mi']);
  assert.deepEqual(table(await ok('get', 'nodes.metrics'))[0], ['NAME', 'CPU', 'MEMORY', 'WINDOW']);
  assert.match(await ok('get', 'nodes.metrics', 'hollow-0', '-o', 'yaml'), /kind: NodeMetrics\n/);
  assert.equal(
    await ok('get', 'podmetrics', '--field-selector', 'metadata.namespace=other', '-A', '-o', 'name'),
    '',
  );
  assert.match(
    (await run('get', 'podmetrics', 'gone')).stderr,
    /^Error from server \(NotFound\): pods\.metrics\.k8s\.io "default\/gone" not found/,
  );
  assert.match((await run('get', 'podmetrics', '-l', 'a=,=b')).stderr, /BadRequest/);
  assert.match((await run('delete', 'podmetrics', '--all')).stderr, /MethodNotAllowed|method not allowed/i);
  const server = (await ok('config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}')).trim();
  const token = (await ok('create', 'token', 'default')).trim();
  const call = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body = '',
  ): Promise<{ readonly status: number; readonly bytes: Buffer }> =>
    new Promise((resolve, reject) => {
      const options = {
        method,
        headers: { Authorization: `Bearer ${token}`, ...headers },
        rejectUnauthorized: false,
      };
      const asked = request(`${server}${path}`, options, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(parts) }));
      });
      asked.once('error', reject);
      asked.end(body);
    });
  const ask = (accept: string) =>
    call('GET', '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods', { Accept: accept });
  // Lines of text, as programs push them.
  const push = (line: string) =>
    call(
      'POST',
      '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/lines',
      { 'Content-Type': 'text/plain' },
      line,
    );
  assert.equal((await ask('*/*')).status, 403);
  await ok('create', 'rolebinding', 'viewer', '--clusterrole=view', '--serviceaccount=default:default');
  const answer = await eventually('the role counts', async () => {
    const said = await ask(protobufMediaType);
    return said.status === 200 ? said : undefined;
  });
  assert.equal((await push('lines{a="b"} 7')).status, 403);
  await ok('create', 'rolebinding', 'pusher', '--clusterrole=edit', '--serviceaccount=default:default');
  const pushed = await eventually('the role counts', async () => {
    const said = await push('lines{a="b"} 7');
    return said.status === 201 ? said : undefined;
  });
  assert.match(pushed.bytes.toString(), /"metricLabels":\{"a":"b"\},.*"value":"7"/);
  assert.equal((await push('lines{')).status, 400);
  const decoded = decodeProtobuf(answer.bytes) as unknown as {
    readonly items: readonly { readonly containers: readonly object[]; readonly window: string }[];
  };
  assert.equal(decoded.items[0]?.containers.length, 2);
  assert.match(decoded.items[0]?.window ?? '', /^[\d.]+s$/);
  const may = await run(
    'auth',
    'can-i',
    'list',
    'nodes.metrics.k8s.io',
    '--as=system:serviceaccount:default:default',
    '-A',
  );
  assert.equal(may.stdout.trim(), 'no');
  assert.match(await ok('api-versions'), /^metrics\.k8s\.io\/v1beta1$/m);
  // Whoever brings metrics-server as a chart makes this object himself.
  assert.equal((await run('get', 'apiservice', 'v1beta1.metrics.k8s.io')).code, 1);
  assert.match(await ok('explain', 'podmetrics.containers.usage'), /cores of CPU/);
});

const resource = (name: string, target: object): MetricSpec => ({
  type: 'Resource',
  resource: { name, target: target as never },
});
const average = (averageValue: string) => ({ type: 'AverageValue', averageValue });

async function autoscale(
  name: string,
  metrics: readonly MetricSpec[],
  more: Partial<HorizontalPodAutoscaler['spec']> = {},
): Promise<void> {
  await cloud.client.create(horizontalPodAutoscalers, {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace: 'default' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas: 1,
      maxReplicas: 20,
      metrics,
      ...more,
    },
  } as KubeObject);
}

/** Every state of all objects of a resource from now on: what was so for a while is asked of what was, not of what is. */
async function followed<T extends KubeObject>(t: TestContext, of: ResourceRef): Promise<readonly T[]> {
  const states: T[] = [];
  const { resourceVersion } = await cloud.client.list<T>(of, { namespace: 'default' });
  const onEvent = (event: WatchEvent<T>): void => {
    if (event.type !== 'BOOKMARK') states.push(event.object);
  };
  const handler = { onEvent, onEnd: () => undefined };
  const watching = cloud.client.watch<T>(of, { namespace: 'default', resourceVersion }, handler);
  t.after(() => watching.cancel());
  return states;
}

/** What an autoscaler says first. */
const statusOf = (
  states: readonly HorizontalPodAutoscaler[],
  name: string,
): Promise<NonNullable<HorizontalPodAutoscaler['status']>> =>
  eventually(
    `${name} is decided`,
    async () =>
      states.find(
        ({ metadata, status }) =>
          metadata.name === name && status?.conditions?.some(({ type }) => type === 'ScalingActive'),
      )?.status,
  );

test('every kind of metric is read and tells how many there shall be', { skip }, async (t) => {
  const autoscalers = await followed<HorizontalPodAutoscaler>(t, horizontalPodAutoscalers);
  const scaled = await followed<Deployment>(t, deployments);
  const selector = { matchLabels: { queue: 'a' } };
  const web = { apiVersion: 'v1', kind: 'Service', name: 'all-kinds' };
  const cases: readonly (readonly [string, MetricSpec, object, number])[] = [
    // 120m of 400m that two containers request.
    [
      'utilization',
      resource('cpu', { type: 'Utilization', averageUtilization: 15 }),
      { averageUtilization: 30, averageValue: '120m' },
      4,
    ],
    ['amount', resource('memory', average('32Mi')), { averageValue: '100663296' }, 6],
    [
      'container',
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          container: 'log',
          target: { type: 'Utilization', averageUtilization: 5 },
        },
      },
      { averageUtilization: 10, averageValue: '20m' },
      4,
    ],
    [
      'pods',
      { type: 'Pods', pods: { metric: { name: 'queue_length', selector }, target: average('2') } },
      { averageValue: '3' },
      3,
    ],
    [
      'object',
      {
        type: 'Object',
        object: {
          metric: { name: 'queue_length' },
          describedObject: web,
          target: { type: 'Value', value: '5' },
        },
      },
      { value: '15' },
      6,
    ],
    [
      'object-average',
      {
        type: 'Object',
        object: { metric: { name: 'queue_length' }, describedObject: web, target: average('3') },
      },
      { averageValue: '7500m' },
      5,
    ],
    [
      'external',
      {
        type: 'External',
        external: {
          metric: { name: 'depth', selector: { matchLabels: { queue: 'x' } } },
          target: average('10'),
        },
      },
      { averageValue: '35' },
      7,
    ],
  ];
  await ok('create', 'service', 'clusterip', 'all-kinds', '--tcp=80');
  await cloud.client.patch(services, 'default', 'all-kinds', 'merge', {
    spec: { selector: { app: 'object' } },
  });
  const push = join(folder, 'pushed.json');
  writeFileSync(
    push,
    JSON.stringify({
      items: [
        { metricLabels: { queue: 'x' }, value: '70' },
        { metricLabels: { queue: 'y' }, value: '1k' },
      ],
    }),
  );
  await ok('create', '--raw', '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/depth', '-f', push);
  for (const [name, metric] of cases)
    await autoscale(name, [metric], name === 'object-average' ? { maxReplicas: 5 } : {});
  for (const [name, , current, replicas] of cases) {
    const { currentMetrics, conditions } = await statusOf(autoscalers, name);
    const [{ type, ...sources } = {}] = (currentMetrics ?? []) as unknown as readonly Record<
      string,
      unknown
    >[];
    const [source] = Object.values(sources) as readonly { readonly current?: object }[];
    const why = JSON.stringify(conditions);
    // The Service selects the pods of `object`; so it does for its average.
    assert.deepEqual(source?.current, current, `${name} ${String(type)} ${why}`);
    // No more than double, or four, at a time: the rest follows later.
    const first = Math.min(replicas, 4);
    await eventually(`${name} scales to ${first}`, async () =>
      scaled.find(({ metadata, spec }) => metadata.name === name && spec?.replicas === first),
    );
  }
  const described = await eventually('its event', async () => {
    const text = await ok('describe', 'hpa', 'pods');
    return text.includes('SuccessfulRescale') ? text : undefined;
  });
  assert.match(described, /"queue_length" on pods:\s+3 \/ 2/);
  assert.match(described, /SuccessfulRescale .*New size: 3; reason: pods metric queue_length above target/);
  assert.match(await ok('get', 'hpa', 'utilization'), /cpu: 30%\/15%/);
});

test('custom resources scale by their own paths; v1 shows what it has no fields for', { skip }, async () => {
  const plain = { type: 'object', properties: { size: { type: 'integer' }, selector: { type: 'string' } } };
  const paths = {
    specReplicasPath: '.spec.size',
    statusReplicasPath: '.status.size',
    labelSelectorPath: '.status.selector',
  };
  const manifest = join(folder, 'farms.json');
  writeFileSync(
    manifest,
    JSON.stringify({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'farms.example.com' },
      spec: {
        group: 'example.com',
        names: { kind: 'Farm', plural: 'farms', singular: 'farm', listKind: 'FarmList' },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            subresources: { status: {}, scale: paths },
            schema: { openAPIV3Schema: { type: 'object', properties: { spec: plain, status: plain } } },
          },
        ],
      },
    }),
  );
  await ok('create', '-f', manifest);
  await ok('wait', '--for=condition=Established', 'crd/farms.example.com');
  writeFileSync(
    manifest,
    JSON.stringify({
      apiVersion: 'example.com/v1',
      kind: 'Farm',
      metadata: { name: 'big' },
      spec: { size: 2 },
    }),
  );
  await ok('create', '-f', manifest);
  const status = { status: { size: 2, selector: 'app=web' } };
  await ok('patch', 'farm', 'big', '--subresource=status', '--type=merge', '-p', JSON.stringify(status));
  const target = average('20');
  await autoscale(
    'big',
    [
      {
        type: 'External',
        external: { metric: { name: 'depth', selector: { matchLabels: { queue: 'x' } } }, target },
      },
    ],
    {
      scaleTargetRef: { apiVersion: 'example.com/v1', kind: 'Farm', name: 'big' },
    },
  );
  await eventually('it has four', async () => {
    const size = await ok('get', 'farm', 'big', '-o', 'jsonpath={.spec.size}');
    return size === '4' ? true : undefined;
  });
  const path = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/big';
  const annotationOf = (of: HorizontalPodAutoscaler, name: string): string =>
    of.metadata.annotations?.[`autoscaling.alpha.kubernetes.io/${name}`] ?? '';
  // It scales first, and says so afterwards.
  const first = await eventually('it says so', async () => {
    const found = JSON.parse(await ok('get', '--raw', path)) as HorizontalPodAutoscaler;
    return annotationOf(found, 'conditions') === '' ? undefined : found;
  });
  const annotation = (name: string): string => annotationOf(first, name);
  assert.match(annotation('metrics'), /"metricName":"depth".*"targetAverageValue":"20"/);
  assert.match(annotation('current-metrics'), /"currentAverageValue":"35"/);
  assert.match(annotation('conditions'), /"reason":"SucceededRescale"/);
});

test('another server that an APIService names tells metrics instead, and autoscalers ask it', {
  skip,
}, async (t) => {
  const pki = await ensurePki({
    directory: join(folder, 'pki'),
    nodeName: 'x',
    names: ['localhost'],
    agentNames: [],
    nowMs: Date.now(),
  });
  const asked: string[] = [];
  const server = createServer({ cert: pki.apiserver.cert, key: pki.apiserver.key }, (request, response) => {
    const { url = '', headers } = request;
    if (headers['x-remote-user'] !== 'system:kube-aggregator')
      asked.push(`${headers['x-remote-user']} ${url}`);
    const [, , group = '', version = '', ...rest] = url.split('?')[0]?.split('/') ?? [];
    const groupVersion = `${group}/${version}`;
    const names = group === 'metrics.k8s.io' ? ['pods', 'nodes'] : ['depth'];
    const verbs = ['get', 'list'];
    const body =
      rest.length === 0
        ? {
            kind: 'APIResourceList',
            groupVersion,
            resources: names.map((name) => ({ name, kind: 'X', namespaced: true, verbs })),
          }
        : {
            kind: 'List',
            apiVersion: groupVersion,
            metadata: {},
            items: [{ metricName: 'depth', metricLabels: {}, value: '300' }],
          };
    const isMissing = url.includes('/missing');
    response.writeHead(isMissing ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isMissing ? { kind: 'Status', message: 'no such series' } : body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  await cloud.client.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'adapter', namespace: 'default' },
    spec: { type: 'ExternalName', externalName: 'localhost' },
  } as KubeObject);
  const serviceOf = (group: string) => ({
    group,
    version: 'v1beta1',
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { name: 'adapter', namespace: 'default', port },
  });
  const apis: ResourceRef = {
    group: 'apiregistration.k8s.io',
    version: 'v1',
    resource: 'apiservices',
    namespaced: false,
  };
  for (const group of ['metrics.k8s.io', 'external.metrics.k8s.io'])
    await cloud.client.create(apis, {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1beta1.${group}` },
      spec: serviceOf(group),
    } as KubeObject);
  for (const group of ['metrics.k8s.io', 'external.metrics.k8s.io'])
    await ok('wait', '--for=condition=Available', `apiservice/v1beta1.${group}`, '--timeout=60s');
  await deploy('remote', 2);
  const external = (name: string): MetricSpec => ({
    type: 'External',
    external: { metric: { name }, target: average('100') },
  });
  await autoscale('remote', [external('depth')]);
  await eventually('it scales to 3', async () => {
    const { spec } = await cloud.client.get<Deployment>(deployments, 'default', 'remote');
    return spec?.replicas === 3 ? true : undefined;
  });
  assert.deepEqual(
    [...new Set(asked.filter((one) => one.includes('depth')))],
    [
      'system:serviceaccount:kube-system:horizontal-pod-autoscaler /apis/external.metrics.k8s.io/v1beta1/namespaces/default/depth',
    ],
  );
  await deploy('unlucky', 1);
  const autoscalers = await followed<HorizontalPodAutoscaler>(t, horizontalPodAutoscalers);
  await autoscale('unlucky', [external('missing')]);
  const { conditions } = await statusOf(autoscalers, 'unlucky');
  assert.equal(
    conditions?.find(({ type }) => type === 'ScalingActive')?.message,
    'the HPA was unable to compute the replica count: unable to get external metric default/missing/nil: unable to fetch metrics from external metrics API: no such series',
  );
  await ok('get', '--raw', '/apis/metrics.k8s.io/v1beta1/nodes');
  assert.ok(asked.some((one) => one.endsWith('/apis/metrics.k8s.io/v1beta1/nodes')));
  // When it goes, ours is there again.
  await ok('delete', 'apiservice', 'v1beta1.metrics.k8s.io', 'v1beta1.external.metrics.k8s.io');
  await eventually('our own figures are told again', async () => {
    const { code } = await run('top', 'nodes');
    return code === 0 ? true : undefined;
  });
  assert.match(
    await ok('get', '--raw', '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/depth'),
    /"value":"70"/,
  );
});
