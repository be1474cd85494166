/**
 * Watch fan-out of the store: events a second delivered to 1,000 watchers of one prefix, with 1,000 watchers of another one looking on.
 * Floor: calling 1,000 functions with the same events.
 */
import { realClock } from '../src/lib/io/real-clock.ts';
import { createMemoryStore } from '../src/store/index.ts';
import { type Benchmark, rateFigure } from './benchmark.ts';

const watchers = 1000;
const writes = 2000;
const rounds = 6;

export const bench: Benchmark = {
  description: 'events a second from the store to 1,000 watchers',
  seconds: 6,
  async run(say) {
    const store = createMemoryStore({ clock: realClock });
    let delivered = 0;
    let seen = 0;
    for (let count = 0; count < watchers; count++) {
      const onEvents = (events: readonly { revision: number }[]): void => {
        for (const event of events) seen += event.revision & 1;
        delivered += events.length;
      };
      store.watch('pods/', 1, { onEvents, onEnd: () => {} });
      store.watch('nodes/', 1, { onEvents, onEnd: () => {} });
    }
    const handlers = Array.from({ length: watchers }, () => (events: readonly { revision: number }[]) => {
      for (const event of events) seen += event.revision & 1;
      delivered += events.length;
    });
    const encode = (revision: number): Buffer => Buffer.from(JSON.stringify({ revision }));
    const ours: number[] = [];
    const floor: number[] = [];
    for (let round = -1; round < rounds; round++) {
      delivered = 0;
      let startMs = performance.now();
      for (let at = 0; at < writes; at++)
        await store.transact([{ kind: 'put', key: `pods/default/${at}`, encode }]);
      const rate = (delivered * 1000) / (performance.now() - startMs);
      delivered = 0;
      startMs = performance.now();
      for (let at = 0; at < writes; at++) {
        const events = [{ revision: at }];
        for (const handler of handlers) handler(events);
        await Promise.resolve();
      }
      const floorRate = (delivered * 1000) / (performance.now() - startMs);
      say(`${(rate / 1e6).toFixed(1)} M deliveries/s, floor ${(floorRate / 1e6).toFixed(1)} M/s`);
      if (round < 0) continue;
      ours.push(rate);
      floor.push(floorRate);
    }
    if (seen < 0) throw new Error('never');
    return [
      rateFigure('watch deliveries, 1,000 watchers', '1/s', ours, {
        name: 'bare function calls',
        runs: floor,
      }),
    ];
  },
};
