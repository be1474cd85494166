/** For tests: all controllers, the scheduler and hollow nodes on the real API, in memory, under simulated time. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type HollowNodes, startHollowNodes } from '../agent/index.ts';
import { builtinKinds, type KubeObject } from '../api/index.ts';
import { createApi, createFirstObjects } from '../apiserver/index.ts';
import { type Client, createInformers, type ResourceRef } from '../client/index.ts';
import { isError, SeededRandom, SimulatedClock, silentLog } from '../lib/index.ts';
import { startScheduler } from '../scheduler/index.ts';
import { createMemoryStore } from '../store/index.ts';
import { startControllers } from './index.ts';

export interface Cloud {
  readonly client: Client;
  readonly clock: SimulatedClock;
  readonly revision: () => number;
  hollow(options: { count: number; namePrefix: string; stopDelayMs?: number }): Promise<HollowNodes>;
  until(what: string, check: () => Promise<boolean>, withinMs?: number): Promise<void>;
  run(ms: number): Promise<void>;
  list<T extends KubeObject>(ref: ResourceRef, namespace?: string): Promise<readonly T[]>;
  isGone(ref: ResourceRef, namespace: string | undefined, name: string): Promise<boolean>;
}

export async function cloud(t: TestContext, seed: number): Promise<Cloud> {
  const clock = new SimulatedClock();
  const random = new SeededRandom(seed);
  const store = createMemoryStore({ clock });
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/16' });
  const client = api.client();
  await createFirstObjects(client, undefined);
  const informers = createInformers({ client, clock, random, log: silentLog });
  const common = { client, informers, clock, random, log: silentLog };
  const controllers = startControllers({ ...common, registry: builtinKinds, rootCaPem: 'PEM' });
  const scheduler = startScheduler(common);
  const stops: (() => unknown)[] = [
    () => store.close(),
    () => informers.stop(),
    () => controllers.stop(),
    () => scheduler.stop(),
  ];
  t.after(async () => {
    for (const stop of stops.reverse()) await stop();
  });
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  return {
    client,
    clock,
    run,
    revision: () => store.revision(),
    async hollow(options) {
      const nodes = startHollowNodes({ ...common, ...options });
      await run(1000);
      stops.push(() => nodes.then((one) => one.stop()));
      return nodes;
    },
    async until(what, check, withinMs = 60_000) {
      for (let passed = 0; !(await check()); passed += 50) {
        assert.ok(passed < withinMs, `seed ${seed}: not within ${withinMs} ms: ${what}`);
        await clock.advance(50);
      }
    },
    async list<T extends KubeObject>(ref: ResourceRef, namespace?: string) {
      return (await client.list<T>(ref, namespace === undefined ? {} : { namespace })).items;
    },
    async isGone(ref, namespace, name) {
      try {
        await client.get(ref, namespace, name);
        return false;
      } catch (error) {
        if (isError(error, 'notFound')) return true;
        throw error;
      }
    },
  };
}
