import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '../api/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { type Change, type Client, keyOf, type ResourceRef, type WatchHandler } from './client.ts';
import { createFakeClient, type FakeClient } from './fake-client.ts';
import { createInformers } from './informer.ts';

const pods: ResourceRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };

interface Pod extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
}

const pod = (name: string, nodeName = 'n1', labels: Record<string, string> = {}): Pod => ({
  metadata: { name, namespace: 'a', labels },
  spec: { nodeName },
});

function setUp(pageSize?: number) {
  const clock = new SimulatedClock();
  const client = createFakeClient({ clock });
  const informers = createInformers({
    client,
    clock,
    log: silentLog,
    random: new SeededRandom(1),
    ...(pageSize === undefined ? {} : { pageSize }),
  });
  return { clock, client, informers };
}

/** Lets everything run that needs no time. */
const settle = (clock: SimulatedClock): Promise<void> => clock.advance(0);
const describeChange = (change: Change<KubeObject>): string => `${change.kind} ${change.key}`;
const listsOf = (client: FakeClient): number =>
  client.requests.filter((request) => request.verb === 'list').length;
const keysOf = (objects: Iterable<KubeObject>): string[] => [...objects].map(keyOf).sort();

test('informer() lists, then follows, and tells handlers in order', async () => {
  const { clock, client, informers } = setUp();
  client.seed(pods, pod('x'), pod('y'));
  const informer = informers.informer<Pod>(pods);
  assert.equal(informer.synced, false);
  const told: string[] = [];
  informer.onChange((change) => {
    assert.equal(informer.get(change.key), change.kind === 'deleted' ? undefined : change.object);
    told.push(describeChange(change));
  });
  await settle(clock);
  await informer.whenSynced();
  assert.equal(informer.synced, true);
  client.seed(pods, pod('z'), pod('x', 'n2'));
  client.remove(pods, 'a/y');
  assert.deepEqual(told, ['added a/x', 'added a/y', 'added a/z', 'updated a/x', 'deleted a/y']);
  assert.equal(informer.get('a/x')?.spec?.nodeName, 'n2');
  assert.equal(informer.size, 2);
  informers.stop();
  assert.equal(client.watchCount(), 0);
});

test('informer() is shared by selection', async () => {
  const { clock, client, informers } = setUp();
  client.seed(pods, pod('x', 'n1', { app: 'web' }), pod('y'));
  const all = informers.informer<Pod>(pods);
  assert.equal(informers.informer<Pod>(pods), all);
  const web = informers.informer<Pod>(pods, { labelSelector: 'app=web' });
  assert.notEqual(web, all);
  await settle(clock);
  assert.deepEqual([all.size, web.size, listsOf(client)], [2, 1, 2]);
  client.seed(pods, pod('x'));
  assert.deepEqual([all.size, web.size], [2, 0]);
  informers.stop();
});

test('onChange() tells late and nested handlers of each object once', async () => {
  const { clock, client, informers } = setUp();
  client.seed(pods, pod('x'));
  const informer = informers.informer<Pod>(pods);
  await settle(clock);
  const late: string[] = [];
  const nested: string[] = [];
  let isNested = false;
  const first = informer.onChange((change) => {
    late.push(describeChange(change));
    if (isNested || change.key !== 'a/y') return;
    isNested = true;
    informer.onChange((inner) => void nested.push(describeChange(inner)));
  });
  assert.deepEqual(late, ['added a/x']);
  client.seed(pods, pod('y'));
  client.seed(pods, pod('z'));
  first.cancel();
  client.remove(pods, 'a/x');
  assert.deepEqual(late, ['added a/x', 'added a/y', 'added a/z']);
  assert.deepEqual(nested, ['added a/x', 'added a/y', 'added a/z', 'deleted a/x']);
  informers.stop();
});

test('index() follows changes, also when made late', async () => {
  const { clock, client, informers } = setUp();
  client.seed(pods, pod('x', 'n1'), pod('y', 'n1'), pod('z', 'n2'));
  const informer = informers.informer<Pod>(pods);
  const byNode = informer.index('node', (object) => [object.spec?.nodeName ?? '']);
  await settle(clock);
  const byLetter = informer.index('letter', ({ metadata }) => ['all', metadata.name ?? '']);
  assert.deepEqual(keysOf(byNode('n1')), ['a/x', 'a/y']);
  assert.equal(byNode('n1'), byNode('n1'));
  client.seed(pods, pod('x', 'n2'));
  client.remove(pods, 'a/z');
  assert.deepEqual(keysOf(byNode('n1')), ['a/y']);
  assert.deepEqual(keysOf(byNode('n2')), ['a/x']);
  assert.deepEqual(keysOf(byLetter('all')), ['a/x', 'a/y']);
  assert.deepEqual([byLetter('z'), byNode('nowhere')], [[], []]);
  informers.stop();
});

test('a lost watch goes on from its revision, without a list', async () => {
  const { clock, client, informers } = setUp();
  client.seed(pods, pod('x'));
  const informer = informers.informer<Pod>(pods);
  await settle(clock);
  client.dropWatches(new CaelumError('unavailable', 'lost'));
  client.seed(pods, pod('y'));
  assert.equal(informer.size, 1);
  await clock.advance(200);
  assert.deepEqual([informer.size, listsOf(client)], [2, 1]);
  informers.stop();
});

test('expired history is made good by a list that tells only differences', async () => {
  const { clock, client, informers } = setUp();
  client.seed(pods, pod('same'), pod('gone'), pod('changed'), pod('replaced'));
  const informer = informers.informer<Pod>(pods);
  const told: string[] = [];
  await settle(clock);
  informer.onChange((change) => void told.push(describeChange(change)));
  told.length = 0;
  client.dropWatches();
  client.remove(pods, 'a/gone');
  client.seed(pods, pod('changed', 'n9'), pod('new'));
  client.remove(pods, 'a/replaced');
  client.seed(pods, pod('replaced'));
  client.compact();
  await clock.advance(1000);
  assert.deepEqual(told.sort(), [
    'added a/new',
    'added a/replaced',
    'deleted a/gone',
    'deleted a/replaced',
    'updated a/changed',
  ]);
  assert.equal(listsOf(client), 2);
  client.seed(pods, pod('after'));
  assert.equal(informer.size, 5);
  client.dropWatches(new CaelumError('expired', 'in mid-stream'));
  await clock.advance(1000);
  assert.equal(listsOf(client), 3);
  informers.stop();
});

test('errors back off exponentially, with jitter, and are forgotten after success', async () => {
  const { clock, client, informers } = setUp();
  const at: number[] = [];
  client.intercept = (request) => {
    if (request.verb !== 'list') return undefined;
    at.push(clock.monotonicMs());
    return new CaelumError('unavailable', 'down');
  };
  const informer = informers.informer<Pod>(pods);
  await clock.advance(120_000);
  const gaps = at.slice(1).map((time, index) => time - (at[index] as number));
  gaps.forEach((gap, index) => {
    const whole = Math.min(10_000, 100 * 2 ** index);
    assert.ok(gap >= whole / 2 && gap <= whole, `gap ${index} is ${gap} ms`);
  });
  assert.ok(at.length > 15 && at.length < 40, `${at.length} attempts`);
  assert.equal(informer.synced, false);
  client.intercept = undefined;
  await clock.advance(10_000);
  assert.equal(informer.synced, true);
  client.dropWatches();
  await clock.advance(0);
  assert.equal(client.watchCount(), 1, 'a watch that lasted is resumed at once');
  informers.stop();
});

test('a big selection is listed in pages of one revision; an expired page falls back to one list', async () => {
  const { clock, client, informers } = setUp(10);
  client.seed(pods, ...Array.from({ length: 35 }, (_, at) => pod(`p${at}`)));
  let lists = 0;
  client.intercept = (request) => {
    if (request.verb === 'list' && ++lists === 2) client.remove(pods, 'a/p34');
    return undefined;
  };
  const informer = informers.informer<Pod>(pods);
  const told: string[] = [];
  informer.onChange((change) => void told.push(describeChange(change)));
  await settle(clock);
  assert.deepEqual([lists, informer.size, told.length, told.at(-1)], [4, 34, 36, 'deleted a/p34']);
  informers.stop();

  const again = setUp(10);
  again.client.seed(pods, ...Array.from({ length: 35 }, (_, at) => pod(`p${at}`)));
  again.client.intercept = ({ verb }) => {
    if (verb === 'list' && listsOf(again.client) === 3) again.client.compact();
    return undefined;
  };
  const other = again.informers.informer<Pod>(pods);
  const original = again.client.list.bind(again.client);
  again.client.list = async (ref, options) => {
    if (options?.continue !== undefined && listsOf(again.client) === 2)
      throw new CaelumError('expired', 'continue');
    return original(ref, options);
  };
  await settle(again.clock);
  assert.equal(other.size, 35);
  again.informers.stop();
});

describe('a watch that misbehaves', () => {
  /** A client whose one watch is driven by hand. */
  async function driven(...present: Pod[]) {
    const { clock, client } = setUp();
    client.seed(pods, ...present);
    let handler: WatchHandler<Pod> | undefined;
    const watched: string[] = [];
    const scripted: Client = Object.create(client, {
      list: { value: client.list.bind(client) },
      watch: {
        value: (_: ResourceRef, options: { resourceVersion: string }, given: WatchHandler<Pod>) => {
          watched.push(options.resourceVersion);
          handler = given;
          return { cancel: () => {} };
        },
      },
    });
    const log = silentLog;
    const informers = createInformers({ client: scripted, clock, log, random: new SeededRandom(2) });
    const informer = informers.informer<Pod>(pods);
    const told: string[] = [];
    informer.onChange((change) => void told.push(describeChange(change)));
    await settle(clock);
    assert.ok(handler);
    const latest = (): WatchHandler<Pod> => handler as WatchHandler<Pod>;
    return { clock, client, informer, told, latest, watched, informers };
  }
  const versioned = (name: string, resourceVersion: number): Pod => ({
    metadata: { name, namespace: 'a', uid: name, resourceVersion: String(resourceVersion) },
  });

  test('repeated and late events change nothing', async () => {
    const { informer, told, latest, informers } = await driven();
    latest().onEvent({ type: 'ADDED', object: versioned('x', 10) });
    latest().onEvent({ type: 'ADDED', object: versioned('x', 10) });
    latest().onEvent({ type: 'MODIFIED', object: versioned('x', 12) });
    latest().onEvent({ type: 'MODIFIED', object: versioned('x', 11) });
    latest().onEvent({ type: 'DELETED', object: versioned('x', 9) });
    assert.equal(informer.get('a/x')?.metadata.resourceVersion, '12');
    latest().onEvent({ type: 'DELETED', object: versioned('x', 13) });
    latest().onEvent({ type: 'DELETED', object: versioned('x', 13) });
    assert.deepEqual(told, ['added a/x', 'updated a/x', 'deleted a/x']);
    informers.stop();
  });

  test('MODIFIED of an unknown object adds it', async () => {
    const { told, latest, informers } = await driven();
    latest().onEvent({ type: 'MODIFIED', object: versioned('x', 10) });
    assert.deepEqual(told, ['added a/x']);
    informers.stop();
  });

  test('bookmarks move the revision from which it goes on', async () => {
    const { clock, latest, watched, informers } = await driven(pod('x'));
    latest().onEvent({ type: 'ADDED', object: versioned('y', 70) });
    latest().onEvent({ type: 'BOOKMARK', resourceVersion: '90' });
    latest().onEnd(undefined);
    await clock.advance(1000);
    assert.deepEqual(watched, ['2', '90']);
    informers.stop();
    latest().onEvent({ type: 'ADDED', object: versioned('z', 99) });
  });
});

test('whenSynced() gives up with its signal; stop() ends everything', async () => {
  const { clock, client, informers } = setUp();
  client.intercept = () => new CaelumError('unavailable', 'down');
  const informer = informers.informer<Pod>(pods);
  const stopping = new AbortController();
  const waiting = informer.whenSynced(stopping.signal);
  stopping.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  await assert.rejects(informer.whenSynced(stopping.signal), /enough/);
  informers.stop();
  const before = client.requests.length;
  await clock.advance(100_000);
  assert.equal(client.requests.length, before);
});

test('it scales: 100,000 objects, 20,000 changes', async () => {
  const { clock, client, informers } = setUp();
  const count = 100_000;
  const objects = Array.from({ length: count }, (_, at) => ({
    metadata: { name: `p${at}`, namespace: 'a', uid: String(at), resourceVersion: '1' },
    spec: { nodeName: `n${at % 1000}` },
  }));
  client.list = async <T>() => ({ resourceVersion: '1', items: objects as T[] });
  let handler: WatchHandler<Pod> | undefined;
  client.watch = ((_ref: ResourceRef, _options: unknown, given: WatchHandler<Pod>) => {
    handler = given;
    return { cancel: () => {} };
  }) as FakeClient['watch'];
  const informer = informers.informer<Pod>(pods);
  const byNode = informer.index('node', (object) => [object.spec?.nodeName ?? '']);
  let told = 0;
  informer.onChange(() => void told++);
  const usedMs = (): number => process.cpuUsage().user / 1000;
  const startMs = usedMs();
  await settle(clock);
  for (let at = 0; at < 20_000; at++) {
    const metadata = { ...objects[at]?.metadata, resourceVersion: String(at + 2) };
    handler?.onEvent({ type: 'MODIFIED', object: { metadata, spec: { nodeName: `n${(at + 1) % 1000}` } } });
  }
  // A bound for what is quadratic (minutes), not a figure: that is the benches' part.
  const tookMs = usedMs() - startMs;
  assert.deepEqual([informer.size, told, byNode('n7').length], [count, count + 20_000, 100]);
  assert.ok(tookMs < 20_000, `${Math.round(tookMs)} ms`);
  informers.stop();
});
