/** Metrics of programs: when they are read, what becomes of them as custom and external metrics, and what is pushed. In simulated time. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  builtinKinds,
  type ComputedApi,
  pods as podsRef,
  quantityValue,
  services as servicesRef,
} from '../api/index.ts';
import { createFakeClient, createInformers } from '../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { createObservation } from './index.ts';
import { placeOfMetrics } from './scrape-place.ts';

interface Item {
  readonly describedObject?: { readonly name: string };
  readonly metricLabels?: Readonly<Record<string, string>>;
  readonly value: string;
  readonly window?: number;
  readonly windowSeconds?: number;
}

async function start(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(7);
  const client = createFakeClient({ clock, random });
  const informers = createInformers({ client, clock, random, log: silentLog });
  /** What programs tell, by the pod's name; an Error: they do not. */
  const texts = new Map<string, string | Error>();
  const read: string[] = [];
  const observation = createObservation({
    client,
    informers,
    clock,
    random,
    registry: builtinKinds,
    log: silentLog,
    readNode: async () => ({}),
    async readPod({ metadata: { name = '' } }) {
      read.push(name);
      const text = texts.get(name) ?? '';
      if (text instanceof Error) throw text;
      return text;
    },
  });
  t.after(() => {
    observation.stop();
    informers.stop();
  });
  await clock.advance(10);
  const api = (group: string, version: string): ComputedApi => {
    const found = observation.apis.find((one) => one.group === group && one.version === version);
    assert.ok(found !== undefined);
    return found;
  };
  // Loaded outside of the time that is simulated.
  await assert.rejects(
    api('external.metrics.k8s.io', 'v1beta1').answer({
      verb: 'list',
      namespace: '',
      resource: 'x',
      name: '',
      subresource: '',
      parameter: () => undefined,
    }),
    { code: 'notFound' },
  );
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds * 4; passed++) await clock.advance(250);
  };
  /** Lets time pass until the answer is there. */
  const ask = async (one: ComputedApi, path: string, body?: unknown): Promise<readonly Item[]> => {
    const [place = '', query = ''] = path.split('?');
    const [namespace = '', resource = '', name = '', subresource = ''] = place.split('/');
    const parameters = new URLSearchParams(query);
    const verb = body === undefined ? (name === '' ? 'list' : 'get') : 'create';
    const answering = one.answer({
      verb,
      namespace,
      resource,
      name,
      subresource,
      parameter: (parameter) => parameters.get(parameter) ?? undefined,
      body,
    });
    let isDone = false;
    answering.then(
      () => {
        isDone = true;
      },
      () => {
        isDone = true;
      },
    );
    for (let waited = 0; !isDone && waited < 40; waited++) await clock.advance(250);
    const answer = await answering;
    assert.equal(answer.kind, 'list');
    return answer.kind === 'list' ? (answer.items as readonly Item[]) : [];
  };
  const addPod = (
    name: string,
    annotations: Readonly<Record<string, string>> = {},
    namespace = 'shop',
  ): void => {
    client.seed(podsRef, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace,
        labels: { app: name.split('-')[0] ?? '' },
        annotations: { 'prometheus.io/scrape': 'true', ...annotations },
      },
      status: { phase: 'Running', podIP: '10.0.0.1' },
    } as never);
  };
  return {
    clock,
    client,
    texts,
    read,
    pass,
    ask,
    addPod,
    custom: api('custom.metrics.k8s.io', 'v1beta2'),
    customFirst: api('custom.metrics.k8s.io', 'v1beta1'),
    external: api('external.metrics.k8s.io', 'v1beta1'),
  };
}

const valuesOf = (items: readonly Item[]): Readonly<Record<string, string>> =>
  Object.fromEntries(items.map(({ describedObject, value }) => [describedObject?.name ?? '', value]));

test('pods, objects and namespaces have what their series say', async (t) => {
  const { ask, addPod, texts, custom, customFirst, client, external } = await start(t);
  for (const name of ['web-a', 'web-b', 'exporter']) addPod(name);
  addPod('elsewhere', {}, 'other');
  texts.set('web-a', 'jobs{queue="x"} 3\njobs{queue="y"} 1.5');
  texts.set('web-b', 'jobs{queue="x"} 5\njobs{queue="bad"} NaN');
  texts.set(
    'exporter',
    'jobs{service="web",queue="x"} 100\njobs{pod="web-a",queue="z"} 7\njobs{ingress="main"} 9',
  );
  texts.set('elsewhere', 'jobs 1000');
  client.seed(servicesRef, {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { app: 'web' } },
  } as never);
  client.seed(servicesRef, {
    metadata: { name: 'all', namespace: 'shop' },
    spec: { selector: { app: 'web' } },
  } as never);
  assert.deepEqual(valuesOf(await ask(custom, 'shop/pods/*/jobs?labelSelector=app=web')), {
    'web-a': '11500m',
    'web-b': '5',
  });
  assert.deepEqual(valuesOf(await ask(custom, 'shop/pods/web-a/jobs?metricLabelSelector=queue+in+(x,y)')), {
    'web-a': '4500m',
  });
  assert.deepEqual(valuesOf(await ask(customFirst, 'shop/services/web/jobs')), { web: '100' });
  assert.deepEqual(valuesOf(await ask(custom, 'shop/services/all/jobs')), { all: '16500m' });
  assert.deepEqual(valuesOf(await ask(custom, 'shop/services/*/jobs')), { web: '100', all: '16500m' });
  // What is said of an object by name counts, whether or not there is one.
  assert.deepEqual(valuesOf(await ask(custom, 'shop/ingresses.networking.k8s.io/main/jobs')), { main: '9' });
  assert.deepEqual(valuesOf(await ask(custom, 'shop/metrics/jobs')), { shop: '125500m' });
  const series = await ask(external, 'shop/jobs?labelSelector=queue=x');
  assert.deepEqual(series.map(({ metricLabels, value }) => [metricLabels?.['pod'], value]).sort(), [
    ['exporter', '100'],
    ['web-a', '3'],
    ['web-b', '5'],
  ]);
  assert.deepEqual(await ask(external, 'shop/none'), []);
  const missing: readonly (readonly [string, string])[] = [
    ['shop/pods/*/none', 'the server could not find the metric none for pods'],
    ['shop/pods/gone/jobs', 'the server could not find the metric jobs for pods gone'],
    ['shop/services/gone/jobs', 'the server could not find the metric jobs for services gone'],
    ['shop/things/gone/jobs', 'the server could not find the metric jobs for things gone'],
    ['/nodes/n/jobs', 'the server could not find the metric jobs for nodes'],
  ];
  for (const [path, message] of missing)
    await assert.rejects(ask(custom, path), { code: 'notFound', message });
  await assert.rejects(ask(custom, 'shop/pods/*/jobs?metricLabelSelector=a+=+=b'), { code: 'badRequest' });
});

test('programs are read while somebody asks, and never otherwise; a rate waits for a second reading', async (t) => {
  const { ask, addPod, texts, custom, read, pass, clock } = await start(t);
  addPod('web-a');
  addPod('quiet', { 'prometheus.io/scrape': 'false' });
  texts.set('web-a', 'hits_total 100\nsize 1');
  await pass(60);
  assert.deepEqual(read, []);
  const reading = ask(custom, 'shop/pods/*/hits');
  await clock.advance(500);
  texts.set('web-a', 'hits_total 130\nsize 2');
  const [first] = await reading;
  assert.ok(first !== undefined && (quantityValue(first.value) ?? 0) >= 20, JSON.stringify(first));
  assert.equal(first.windowSeconds, 1);
  assert.equal(read.length, 2);
  // Another name is looked for at once; then both are kept up.
  assert.deepEqual(valuesOf(await ask(custom, 'shop/pods/*/size')), { 'web-a': '2' });
  assert.equal(read.length, 3);
  await pass(15);
  texts.set('web-a', 'hits_total 280\nsize 3');
  await pass(15);
  const [later] = await ask(custom, 'shop/pods/*/hits');
  const rate = quantityValue(later?.value) ?? 0;
  assert.ok(rate > 8 && rate < 12, JSON.stringify(later));
  assert.ok(read.length >= 4 && read.length <= 6, `${read.length} readings`);
  await pass(300);
  const atRest = read.length;
  assert.ok(atRest < 16, `${atRest} readings`);
  await pass(300);
  assert.equal(read.length, atRest);
});

test('what cannot be read is missing, says why, and comes back', async (t) => {
  const { ask, addPod, texts, custom, pass } = await start(t);
  addPod('web-a');
  addPod('web-b');
  texts.set('web-a', 'size 1');
  texts.set('web-b', new Error('connection refused'));
  assert.deepEqual(valuesOf(await ask(custom, 'shop/pods/*/size')), { 'web-a': '1' });
  texts.set('web-a', 'size{ 1');
  await pass(20);
  // For a while what was known counts; then nothing does.
  assert.deepEqual(valuesOf(await ask(custom, 'shop/pods/*/size')), { 'web-a': '1' });
  await pass(30);
  await assert.rejects(ask(custom, 'shop/pods/*/size'), {
    message:
      'the server could not find the metric size for pods: pod web-a: line 1: a label is no name="value"',
  });
  texts.set('web-a', 'size 4');
  texts.set('web-b', 'size 5');
  await pass(16);
  assert.deepEqual(valuesOf(await ask(custom, 'shop/pods/*/size')), { 'web-a': '4', 'web-b': '5' });
});

test('what is pushed is an external metric, and one of what its labels name, for five minutes', async (t) => {
  const { ask, external, custom, pass, clock } = await start(t);
  assert.deepEqual(external.resources()[0]?.name, 'externalmetrics');
  let told = 0;
  external.onChange?.(() => told++);
  const push = (body: unknown, metric = 'depth') => ask(external, `shop/${metric}`, body);
  assert.deepEqual(
    (await push({ metricLabels: { queue: 'a', service: 'web' }, value: '1500m' })).map(({ value }) => value),
    ['1500m'],
  );
  await push('depth{queue="b"} 7\n');
  await push({ items: [{ metricLabels: { queue: 'a', service: 'web' }, value: 2 }] });
  assert.equal(told, 1);
  assert.deepEqual(external.resources()[0]?.name, 'depth');
  const values = async (path: string) => (await ask(external, path)).map(({ value }) => value).sort();
  assert.deepEqual(await values('shop/depth'), ['2', '7']);
  assert.deepEqual(await values('shop/depth?labelSelector=queue=b'), ['7']);
  assert.deepEqual(await values('other/depth'), []);
  assert.deepEqual(valuesOf(await ask(custom, 'shop/services/web/depth')), { web: '2' });
  await pass(200);
  await push({ metricLabels: { queue: 'b' }, value: '8' });
  await pass(150);
  assert.deepEqual(await values('shop/depth'), ['8']);
  const wrong: readonly (readonly [unknown, RegExp, string?])[] = [
    ['depth{ 7', /cannot be read: line 1/],
    ['other 7', /push other to its own/],
    ['depth NaN', /has no value of depth/],
    [{ value: 'much' }, /value: must be a quantity/],
    [{ value: Number.POSITIVE_INFINITY }, /value: must be a quantity/],
    [{ value: '1', metricName: 'other' }, /does not match the name on the URL/],
    [{ value: '1', metricLabels: { a: 5 } }, /must be a text/],
    [{ value: '1', metricLabels: 'x' }, /must be a map/],
    [[], /must be a quantity/],
    [7, /what is pushed is/],
    [{ value: '1' }, /is no name of a metric/, 'a b'],
  ];
  for (const [body, message, metric] of wrong)
    await assert.rejects(push(body, metric), { code: 'badRequest', message });
  const many = Array.from({ length: 1001 }, (_, at) => ({ metricLabels: { at: String(at) }, value: '1' }));
  await assert.rejects(push({ items: many }), { code: 'forbidden', message: /no more than 1000 series/ });
  assert.deepEqual(await values('shop/depth'), ['8']);
  // Numbers that no quantity holds are as near to it as can be.
  await push({ value: 1e300 }, 'huge');
  assert.match((await values('shop/huge'))[0] ?? '', /^9\d*/);
  assert.ok(clock.nowMs() > 0);
});

test('placeOfMetrics() is what annotations say', () => {
  const place = (annotations: Readonly<Record<string, string>>, ports?: readonly object[]) => {
    try {
      const { scheme, host, port, path } = placeOfMetrics({
        metadata: {
          annotations: Object.fromEntries(
            Object.entries(annotations).map(([key, value]) => [`prometheus.io/${key}`, value]),
          ),
        },
        spec: { containers: [{ name: 'c', ...(ports === undefined ? {} : { ports: ports as never }) }] },
        status: { podIP: 'fd00::1' },
      });
      return `${scheme} ${host} ${port} ${path}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  const cases: readonly (readonly [string, string])[] = [
    [place({}), 'http fd00::1 80 /metrics'],
    [
      place({}, [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 9090 }]),
      'http fd00::1 9090 /metrics',
    ],
    [place({ port: '8443', scheme: 'https', path: 'stats?x=y' }), 'https fd00::1 8443 /stats?x=y'],
    [place({ port: '0' }), 'prometheus.io/port: "0" is no port'],
    [place({ port: '70000' }), 'prometheus.io/port: "70000" is no port'],
    [place({ port: '80/x' }), 'prometheus.io/port: "80/x" is no port'],
    [place({ scheme: 'file' }), 'prometheus.io/scheme: "file" is neither http nor https'],
    [place({ path: '/a b' }), 'prometheus.io/path: it is no path of a URL'],
    [place({ path: '/a\r\nHost: x' }), 'prometheus.io/path: it is no path of a URL'],
  ];
  for (const [found, expected] of cases) assert.equal(found, expected);
});
