/**
 * Storage under chance: requests that fail before or after they were carried out, late copies, controllers and scheduler that end and begin again, pods, sets and claims that
 * come and go. All the while no volume goes whose claim is there; when it is over every claim has its one volume, nothing is left over, and all is quiet.
 * Seeds: `CAELUM_SEED` for one, else a few.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startHollowNodes } from '../agent/index.ts';
import {
  builtinKinds,
  claimsOf,
  persistentVolumeClaims as claimsRef,
  type KubeObject,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  pods as podsRef,
  statefulSets as setsRef,
  persistentVolumes as volumesRef,
} from '../api/index.ts';
import { createApi, createFirstObjects } from '../apiserver/index.ts';
import {
  type Client,
  createInformers,
  type ResourceRef,
  type WatchHandler,
  type WatchOptions,
} from '../client/index.ts';
import { CaelumError, isError, type Random, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { startScheduler } from '../scheduler/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { startControllers } from './index.ts';

const seeds =
  process.env['CAELUM_SEED'] === undefined ? ['1', '2', '3', '4', '5', '6'] : [process.env['CAELUM_SEED']];

interface Trouble {
  /** Chance that a write fails. */
  chance: number;
}

/** Writes fail before they are carried out, or their answers are lost; what is watched comes late, in order. */
function troubled(client: Client, clock: SimulatedClock, random: Random, trouble: Trouble): Client {
  const lost = () => new CaelumError('unavailable', 'the connection broke');
  async function attempt<T>(write: () => Promise<T>): Promise<T> {
    const chance = random.float();
    if (chance < trouble.chance) throw lost();
    const answer = await write();
    if (chance < trouble.chance * 2) throw lost();
    return answer;
  }
  return {
    get: (...call) => client.get(...call),
    list: (...call) => client.list(...call),
    create: (...call) => attempt(() => client.create(...call)),
    createSubresource: (...call) => attempt(() => client.createSubresource(...call)),
    update: (...call) => attempt(() => client.update(...call)),
    patch: (...call) => attempt(() => client.patch(...call)) as never,
    delete: (...call) => attempt(() => client.delete(...call)),
    watch<T extends KubeObject>(ref: ResourceRef, options: WatchOptions, handler: WatchHandler<T>) {
      let dueMs = 0;
      return client.watch<T>(ref, options, {
        onEnd: (error) => handler.onEnd(error),
        onEvent(event) {
          const lagMs = trouble.chance > 0 ? random.integer(250) : 0;
          dueMs = Math.max(dueMs, clock.monotonicMs() + lagMs);
          if (dueMs <= clock.monotonicMs()) handler.onEvent(event);
          else clock.after(dueMs - clock.monotonicMs(), () => handler.onEvent(event));
        },
      });
    },
  };
}

async function world(t: TestContext, seed: string) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(`storage ${seed}`);
  const store = createMemoryStore({ clock });
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const trouble: Trouble = { chance: 0 };
  let stops: (() => void)[] = [];
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  const own = (name: string) => {
    const informersClient = troubled(client, clock, random.stream(name), trouble);
    const informers = createInformers({
      client: informersClient,
      clock,
      random: random.stream(name),
      log: silentLog,
    });
    return {
      client: informersClient,
      informers,
      clock,
      random: random.stream(`${name} own`),
      log: silentLog,
    };
  };
  const begin = (): void => {
    const common = own('controllers');
    const controllers = startControllers({ ...common, registry: builtinKinds, rootCaPem: 'PEM' });
    const scheduler = startScheduler(common);
    stops = [() => controllers.stop(), () => scheduler.stop(), () => common.informers.stop()];
  };
  const end = (): void => {
    for (const stop of stops) stop();
    stops = [];
  };
  begin();
  const agents = own('agents');
  const starting = startHollowNodes({
    ...agents,
    count: 3,
    namePrefix: 'node',
    startDelayMs: 200,
    stopDelayMs: 300,
  });
  await run(1000);
  const hollow = await starting;
  t.after(async () => {
    end();
    await hollow.stop();
    agents.informers.stop();
    await store.close();
  });
  return { client, clock, random, store, trouble, run, begin, end };
}

const claimTemplate = (name: string) => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
});
const podSpec = { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'x' }] };

const set = (name: string, random: Random): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: 2,
      serviceName: name,
      podManagementPolicy: random.integer(2) === 0 ? 'Parallel' : 'OrderedReady',
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec },
      volumeClaimTemplates: [claimTemplate('data')],
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: 'Delete',
        whenScaled: random.integer(2) === 0 ? 'Delete' : 'Retain',
      },
    },
  }) as unknown as KubeObject;

const loner = (name: string): KubeObject =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      ...podSpec,
      volumes: [
        { name: 'shared', persistentVolumeClaim: { claimName: 'shared' } },
        { name: 'own', ephemeral: { volumeClaimTemplate: { spec: claimTemplate('x').spec } } },
      ],
    },
  }) as unknown as KubeObject;

for (const seed of seeds)
  test(`storage finds its way, seed ${seed}`, async (t) => {
    const { client, clock, random, store, trouble, run, begin, end } = await world(t, seed);
    const list = async <T extends KubeObject>(ref: ResourceRef) => (await client.list<T>(ref)).items;
    // No volume goes while its claim is there.
    const wrong: string[] = [];
    const present = new Map<string, PersistentVolumeClaim>();
    client.watch<PersistentVolumeClaim>(
      claimsRef,
      { resourceVersion: '0' },
      {
        onEnd: () => {},
        onEvent: (event) => {
          if (event.type === 'BOOKMARK') return;
          const { uid = '' } = event.object.metadata;
          if (event.type === 'DELETED') present.delete(uid);
          else present.set(uid, event.object);
        },
      },
    );
    client.watch<PersistentVolume>(
      volumesRef,
      { resourceVersion: '0' },
      {
        onEnd: () => {},
        onEvent: (event) => {
          if (event.type !== 'DELETED') return;
          const claim = present.get(event.object.spec?.claimRef?.uid ?? '');
          if (claim?.spec?.volumeName === event.object.metadata.name)
            wrong.push(`${event.object.metadata.name} went`);
        },
      },
    );
    const attempt = (write: Promise<unknown>) =>
      write.catch((error: unknown) => {
        if (!isError(error, 'alreadyExists', 'notFound', 'conflict', 'forbidden', 'invalid')) throw error;
      });
    const metadata = { name: 'shared', namespace: 'default' };
    await client.create(claimsRef, { ...claimTemplate(''), metadata } as KubeObject);
    trouble.chance = 0.08;
    for (let round = 0; round < 40; round++) {
      const which = ['red', 'blue'][random.integer(2)] as string;
      const pods = await list<Pod>(podsRef);
      const pod = pods[random.integer(Math.max(1, pods.length))];
      const claims = await list<PersistentVolumeClaim>(claimsRef);
      const claim = claims[random.integer(Math.max(1, claims.length))];
      switch (random.integer(9)) {
        case 0:
          await attempt(client.create(setsRef, set(which, random)));
          break;
        case 1:
          await attempt(
            client.patch(setsRef, 'default', which, 'merge', { spec: { replicas: random.integer(4) } }),
          );
          break;
        case 2:
          await attempt(client.delete(setsRef, 'default', which));
          break;
        case 3:
        case 4:
          await attempt(client.create(podsRef, loner(`loner-${random.integer(3)}`)));
          break;
        case 5:
          if (pod !== undefined) await attempt(client.delete(podsRef, 'default', pod.metadata.name ?? ''));
          break;
        case 6:
          if (claim !== undefined && claim.metadata.name !== 'shared')
            await attempt(client.delete(claimsRef, 'default', claim.metadata.name ?? ''));
          break;
        case 7: {
          const spec = { resources: { requests: { storage: `${2 + random.integer(5)}Gi` } } };
          if (claim !== undefined)
            await attempt(client.patch(claimsRef, 'default', claim.metadata.name ?? '', 'merge', { spec }));
          break;
        }
        default:
          end();
          await clock.advance(random.integer(500));
          begin();
      }
      await run(random.integer(1200));
    }
    trouble.chance = 0;
    end();
    begin();
    await run(120_000);
    assert.deepEqual(wrong, []);
    const claims = await list<PersistentVolumeClaim>(claimsRef);
    const volumes = await list<PersistentVolume>(volumesRef);
    const told = JSON.stringify(
      {
        claims: claims.map(({ metadata: m, spec, status }) => [
          m.name,
          m.uid,
          m.deletionTimestamp,
          m.annotations,
          spec?.volumeName,
          status,
        ]),
        volumes: volumes.map(({ metadata: m, spec, status }) => [
          m.name,
          m.deletionTimestamp,
          spec?.claimRef,
          status,
        ]),
      },
      undefined,
      1,
    );
    const pods = await list<Pod>(podsRef);
    const used = new Set(pods.flatMap((pod) => claimsOf(pod).map(({ name }) => name)));
    for (const pod of pods)
      assert.equal(
        pod.status?.phase,
        'Running',
        `${pod.metadata.name} ${JSON.stringify(pod.status)}\n${told}`,
      );
    for (const { metadata: of, spec, status } of claims) {
      if (of.deletionTimestamp !== undefined) assert.ok(used.has(of.name ?? ''), told);
      if (used.has(of.name ?? '')) assert.equal(status?.phase, 'Bound', told);
      const bound = volumes.filter((volume) => volume.spec?.claimRef?.uid === of.uid);
      assert.deepEqual(
        bound.map((volume) => volume.metadata.name),
        spec?.volumeName ? [spec.volumeName] : [],
        told,
      );
      if (status?.phase === 'Bound')
        assert.equal(status.capacity?.['storage'], spec?.resources?.requests?.['storage'], told);
    }
    assert.equal(volumes.length, claims.filter(({ spec }) => spec?.volumeName).length, told);
    for (const { status, metadata: of } of volumes)
      assert.deepEqual([status?.phase, of.deletionTimestamp], ['Bound', undefined], told);
    const before = store.revision();
    await run(8000);
    assert.ok(
      store.revision() - before <= 3,
      `${store.revision() - before} writes at rest, three of them leases`,
    );
  });
