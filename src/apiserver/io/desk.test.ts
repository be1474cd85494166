import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/index.ts';
import { SimulatedClock } from '../../lib/index.ts';
import type { Store } from '../../store/index.ts';
import { keepFlows } from '../index.ts';
import { type Answer, exchange, startTestServer } from './test-server.ts';

const configMap = (name: string) => ({ metadata: { name }, data: { a: 'b' } });
const maps = '/api/v1/namespaces/default/configmaps';
const flows = '/apis/flowcontrol.apiserver.k8s.io/v1';

/** Level-triggered and bounded. */
async function eventually(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`waited in vain: ${what}`);
}

/** A store whose commits can be held back. */
function stallable() {
  let isStalled = false;
  let waiting: (() => void)[] = [];
  const wrap = (store: Store): Store =>
    new Proxy(store, {
      get(target, name) {
        if (name === 'transact')
          return async (...args: Parameters<Store['transact']>) => {
            const answer = target.transact(...args);
            if (isStalled) await new Promise<void>((resolve) => waiting.push(resolve));
            return answer;
          };
        const value = Reflect.get(target, name) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return {
    wrap,
    stall: () => {
      isStalled = true;
    },
    release: () => {
      isStalled = false;
      for (const one of waiting) one();
      waiting = [];
    },
    get waiting() {
      return waiting.length;
    },
  };
}

const metricOf = (text: string, line: RegExp): number =>
  text
    .split('\n')
    .filter((one) => line.test(one))
    .reduce((sum, one) => sum + Number(one.slice(one.lastIndexOf(' '))), 0);

test('every answer has an id of its request and says its flow', async (t) => {
  const { call, api } = await startTestServer(t);
  const keeper = keepFlows(api.context, api.client());
  t.after(() => keeper.stop());
  let schemas: Answer = await call('GET', `${flows}/flowschemas`);
  await eventually('flow schemas are there', async () => {
    schemas = await call('GET', `${flows}/flowschemas`);
    return (schemas.body.items as unknown[]).length === 13;
  });
  const uidOf = (name: string): string =>
    (schemas.body.items as FlowSchema[]).find(({ metadata }) => metadata.name === name)?.metadata.uid ?? '?';
  const quick = await call('GET', '/api/v1/namespaces/default');
  assert.match(quick.headers['audit-id'] as string, /^[0-9a-f-]{36}$/);
  assert.equal(quick.headers['x-kubernetes-pf-flowschema-uid'], uidOf('exempt'));
  const level = await call('GET', `${flows}/prioritylevelconfigurations/exempt`);
  assert.equal(quick.headers['x-kubernetes-pf-prioritylevel-uid'], level.body.metadata.uid);
  const node = await call('GET', '/api/v1/nodes/node-1', { as: 'node', headers: { 'audit-id': 'mine.1' } });
  assert.equal(node.headers['x-kubernetes-pf-flowschema-uid'], uidOf('system-node-high'));
  assert.equal(node.headers['audit-id'], 'mine.1');
  const refused = await call('GET', maps, { as: 'nobody' });
  assert.equal(refused.status, 403);
  assert.equal(refused.headers['x-kubernetes-pf-flowschema-uid'], uidOf('global-default'));
  const probe = await call('GET', '/livez', { as: 'nobody' });
  assert.equal(probe.headers['x-kubernetes-pf-flowschema-uid'], uidOf('probes'));
});

test('a flood is queued and refused with 429 and Retry-After; others go on', async (t) => {
  const store = stallable();
  const { call, api, connection } = await startTestServer(t, { wrapStore: store.wrap, seats: 20 });
  const level: PriorityLevelConfiguration = {
    metadata: { name: 'narrow' },
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 10,
        borrowingLimitPercent: 0,
        limitResponse: { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 3 } },
      },
    },
  };
  const schema = {
    metadata: { name: 'flooder' },
    spec: {
      priorityLevelConfiguration: { name: 'narrow' },
      matchingPrecedence: 50,
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'eve' } }],
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }],
        },
      ],
    },
  };
  assert.equal((await call('POST', `${flows}/prioritylevelconfigurations`, { body: level })).status, 201);
  assert.equal((await call('POST', `${flows}/flowschemas`, { body: schema })).status, 201);
  const grant = {
    metadata: { name: 'eve' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
  };
  await call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { body: grant });
  store.stall();
  const asEve = { 'impersonate-user': 'eve' };
  // Connections of their own: one that waits holds up no other.
  const flood = Array.from({ length: 30 }, (_, index) =>
    exchange({ ...connection(), method: 'POST', path: maps, headers: asEve }, configMap(`flood-${index}`)),
  );
  const statuses: number[] = [];
  for (const one of flood)
    one.then(({ status, headers, body }) => {
      statuses.push(status);
      if (status !== 429) return;
      assert.equal(headers['retry-after'], '1');
      assert.equal(body.reason, 'TooManyRequests');
    }, assert.fail);
  await eventually('all but four or less are refused', () => statuses.length >= 26);
  assert.ok(statuses.every((status) => status === 429));
  const { text } = await call('GET', '/metrics');
  const own = 'priority_level="narrow",flow_schema="flooder"';
  assert.equal(
    metricOf(text, new RegExp(`^apiserver_flowcontrol_rejected_requests_total{${own},reason="queue-full"}`)),
    statuses.length,
  );
  assert.equal(metricOf(text, new RegExp(`^apiserver_flowcontrol_current_inqueue_requests{${own}}`)), 3);
  assert.equal((await call('GET', '/api/v1/namespaces/default', { as: 'admin' })).status, 200);
  assert.notEqual((await call('GET', '/api/v1/nodes/node-1', { as: 'node' })).status, 429);
  store.release();
  const done = await Promise.all(flood);
  assert.equal(
    done.filter(({ status }) => status === 201).length,
    30 - statuses.filter((s) => s === 429).length,
  );
  assert.ok([...api.context.store.list('configmaps/default/flood').items].length >= 1);
});

test('a store that stalls is answered with time-outs; nothing acknowledged is lost', async (t) => {
  const store = stallable();
  const clock = new SimulatedClock(Date.now());
  const { call, api } = await startTestServer(t, { wrapStore: store.wrap, clock });
  assert.equal((await call('POST', maps, { body: configMap('before') })).status, 201);
  store.stall();
  const short = call('POST', `${maps}?timeout=10s`, { body: configMap('short') });
  const long = call('POST', maps, { body: configMap('long') });
  await eventually('both wait', () => store.waiting >= 2);
  await clock.advance(10_000);
  const answer = await short;
  assert.equal(answer.status, 504);
  assert.equal(answer.body.reason, 'Timeout');
  assert.equal(answer.body.message, 'Timeout: request did not complete within the allotted timeout');
  const live = call('GET', '/livez');
  await eventually('the check waits too', () => store.waiting >= 3);
  await clock.advance(2000);
  assert.equal((await live).status, 500);
  // Reads go on.
  assert.equal((await call('GET', `${maps}/before`)).status, 200);
  store.release();
  assert.equal((await long).status, 201);
  await eventually('what was given up is there or not, but whole', async () => {
    const { status } = await call('GET', `${maps}/short`);
    return status === 200 || status === 404;
  });
  assert.equal((await call('GET', `${maps}/long`)).status, 200);
  const usual = stallUsual();
  async function stallUsual(): Promise<Answer> {
    store.stall();
    return call('POST', maps, { body: configMap('usual') });
  }
  await eventually('it waits', () => store.waiting >= 1);
  await clock.advance(62_000);
  assert.equal((await usual).status, 504);
  store.release();
  assert.ok(api.context.store.revision() > 0);
});

test('a timeout that is none is refused as Go refuses it', async (t) => {
  const { call } = await startTestServer(t);
  const answer = await call('GET', `${maps}?timeout=5`);
  assert.equal(answer.status, 400);
  assert.equal(
    answer.body.message,
    'invalid timeout specified in the request URL - time: invalid duration "5"',
  );
  for (const fine of ['0', '1m30s', '1.5h', '100ms'])
    assert.equal((await call('GET', `${maps}?timeout=${fine}`)).status, 200, fine);
});

test('what cannot be read as a request is answered with a Status too', async (t) => {
  const { connection, call } = await startTestServer(t);
  const long = await exchange(
    { ...connection(), method: 'GET', path: `/${'x'.repeat(70_000)}` },
    undefined,
  ).catch((error: Error) => error);
  assert.ok(!(long instanceof Error), String(long));
  assert.equal(long.status, 431);
  assert.equal(long.body.kind, 'Status');
  const garbled = await new Promise<string>((resolve, reject) => {
    const { host, port, ca, cert, key } = connection() as never as Record<string, string>;
    const socket = connect({ host, port: Number(port), ca, cert, key }, () =>
      socket.write('what is this\r\n\r\n'),
    );
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
  });
  assert.match(garbled, /^HTTP\/1\.1 400 [\s\S]*"kind":"Status"/);
  // Not one of many headers is dropped: here the last says on whose behalf.
  const headers: Record<string, string> = {};
  for (let i = 0; i < 2500; i++) headers[`x-${i}`] = 'y';
  headers['impersonate-user'] = 'eve';
  const many = await call('GET', maps, { headers });
  assert.equal(many.status, 403);
  assert.match(many.body.message, /User "eve" cannot list/);
});

test('/metrics counts requests by verb, resource and code', async (t) => {
  const { call, connection } = await startTestServer(t);
  for (let i = 0; i < 3; i++) await call('GET', '/api/v1/namespaces/default');
  await call('GET', `${maps}/none`);
  await call('POST', maps, { body: configMap('a') });
  await call('POST', `${maps}?dryRun=All`, { body: configMap('b') });
  await call('GET', '/api/v1/secrets/../nothing');
  await call('GET', '/api/v1/whatever');
  const watch = httpsRequest({ ...connection(), path: `${maps}?watch=1&resourceVersion=0` });
  t.after(() => watch.destroy());
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    watch.on('response', (response) => response.once('data', resolve));
    watch.on('error', reject);
    watch.end();
  });
  assert.match(bytes.toString(), /ADDED/);
  let text = '';
  await eventually('the watch is counted', async () => {
    ({ text } = await call('GET', '/metrics'));
    return metricOf(text, /^apiserver_longrunning_requests{verb="WATCH"/) === 1;
  });
  const of = (verb: string, resource: string, code: number): number =>
    metricOf(
      text,
      new RegExp(`^apiserver_request_total{verb="${verb}",.*resource="${resource}",.*code="${code}"}`),
    );
  assert.equal(of('GET', 'namespaces', 200), 3);
  assert.equal(of('GET', 'configmaps', 404), 1);
  assert.equal(of('POST', 'configmaps', 201), 2);
  assert.equal(metricOf(text, /^apiserver_request_total{verb="POST",dry_run="All".*code="201"}/), 1);
  assert.equal(of('LIST', '', 404), 1);
  assert.ok(
    metricOf(text, /^apiserver_request_duration_seconds_count{verb="GET",.*resource="namespaces"/) === 3,
  );
  assert.ok(
    metricOf(text, /^apiserver_watch_events_total{group="",version="v1",resource="configmaps"}/) >= 1,
  );
  assert.ok(metricOf(text, /^apiserver_storage_objects{resource="configmaps"}/) >= 1);
  assert.ok(metricOf(text, /^process_resident_memory_bytes /) > 1e6);
  assert.match(text, /^kubernetes_build_info{major="1",minor="36"/m);
  for (const line of text.trimEnd().split('\n'))
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+({(\w+="([^"\\\n]|\\.)*",?)*})? (\S+))$/);
  watch.destroy();
  await eventually('it is counted no more', async () => {
    ({ text } = await call('GET', '/metrics'));
    return metricOf(text, /^apiserver_longrunning_requests{verb="WATCH"/) === 0;
  });
});

test('health checks are printed as Kubernetes prints them', async (t) => {
  let why: string | undefined;
  const { call } = await startTestServer(t, {
    checks: [
      { name: 'moon', check: () => why },
      { name: 'guests', readyOnly: true, check: () => 'none yet' },
    ],
  });
  const ask = async (path: string): Promise<readonly [number, string]> => {
    const { status, text } = await call('GET', path, { as: path.includes('/moon') ? 'admin' : 'admin' });
    return [status, text];
  };
  assert.deepEqual(await ask('/livez'), [200, 'ok']);
  assert.deepEqual(await ask('/livez?verbose'), [
    200,
    '[+]ping ok\n[+]store ok\n[+]moon ok\nlivez check passed\n',
  ]);
  assert.deepEqual(await ask('/readyz'), [
    500,
    '[+]ping ok\n[+]store ok\n[+]moon ok\n[-]guests failed: reason withheld\nreadyz check failed\n',
  ]);
  assert.deepEqual(await ask('/readyz?exclude=guests&exclude=sun&verbose=true'), [
    200,
    '[+]ping ok\n[+]store ok\n[+]moon ok\n[+]guests excluded: ok\nwarn: some health checks cannot be excluded: no matches for "sun"\nreadyz check passed\n',
  ]);
  assert.deepEqual(await ask('/livez/etcd'), [200, 'ok']);
  why = 'it has set';
  assert.deepEqual(await ask('/livez/moon'), [500, 'internal server error: reason withheld\n']);
  assert.equal((await ask('/healthz'))[0], 500);
  assert.equal((await ask('/livez/guests'))[0], 404);
});
