/** Durable creates of 1 KiB ConfigMaps over HTTPS at 64 connections, into SQLite; beside it the same into memory, and what each costs the server. */
import { benchObject, collection, type Load, load, openWorkplace } from './apiserver/load.ts';
import { type Benchmark, costFigure, quantile, rateFigure } from './benchmark.ts';

const connections = 64;
const runMs = 2500;
const rounds = 3;

export const bench: Benchmark = {
  description: 'durable creates of 1 KiB a second over HTTPS, 64 connections',
  seconds: 25,
  async run(say) {
    const place = await openWorkplace();
    try {
      const [durable, memory] = await Promise.all([place.start('sqlite'), place.start('memory')]);
      let number = 0;
      const request = (): Buffer => {
        const body = JSON.stringify(benchObject(`c-${number++}`));
        return Buffer.from(
          `POST ${collection} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
      };
      const measure = (server: typeof durable): Promise<Load> =>
        load({ server, pki: place.pki, connections, ms: runMs, request, expected: 201 });
      const ours: Load[] = [];
      const theirs: Load[] = [];
      for (let round = -1; round < rounds; round++) {
        const [floor, create] = [await measure(memory), await measure(durable)];
        say(
          `${Math.round(create.perSecond)}/s at ${create.serverMicroseconds.toFixed(1)} µs, p99 ${quantile(create.latenciesMs, 0.99).toFixed(1)} ms; not durable ${Math.round(floor.perSecond)}/s at ${floor.serverMicroseconds.toFixed(1)} µs`,
        );
        if (round < 0) continue;
        ours.push(create);
        theirs.push(floor);
      }
      const name = 'the same into memory';
      return [
        {
          ...rateFigure(
            'API durable create',
            '1/s',
            ours.map((one) => one.perSecond),
            {
              name,
              runs: theirs.map((one) => one.perSecond),
            },
          ),
          goal: '≥ 8,000/s',
        },
        costFigure(
          'API durable create, server CPU',
          'µs',
          ours.map((one) => one.serverMicroseconds),
          {
            name,
            runs: theirs.map((one) => one.serverMicroseconds),
          },
        ),
      ];
    } finally {
      place.remove();
    }
  },
};
