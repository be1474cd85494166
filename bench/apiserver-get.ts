/** GET of one 1 KiB object over TLS 1.3 with keep-alive, beside the floor: bare node:https with a fixed body of the same size. */
import { collection, type Load, load, openWorkplace } from './apiserver/load.ts';
import { type Benchmark, costFigure, rateFigure } from './benchmark.ts';

const connections = 32;
const runMs = 2500;
const rounds = 3;

export const bench: Benchmark = {
  description: 'GETs of one object a second over HTTPS, and what each costs the server',
  seconds: 25,
  async run(say) {
    const place = await openWorkplace();
    try {
      const [floor, api] = await Promise.all([place.start('bare'), place.start('memory')]);
      const bytes = Buffer.from(
        `GET ${collection}/floor HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n`,
      );
      const measure = (server: typeof api): Promise<Load> =>
        load({ server, pki: place.pki, connections, ms: runMs, request: () => bytes, expected: 200 });
      const ours: Load[] = [];
      const theirs: Load[] = [];
      for (let round = -1; round < rounds; round++) {
        const [bare, get] = [await measure(floor), await measure(api)];
        say(
          `${Math.round(get.perSecond)}/s at ${get.serverMicroseconds.toFixed(1)} µs, bare ${Math.round(bare.perSecond)}/s at ${bare.serverMicroseconds.toFixed(1)} µs`,
        );
        if (round < 0) continue;
        ours.push(get);
        theirs.push(bare);
      }
      const name = 'bare node:https, fixed body';
      return [
        {
          ...rateFigure(
            'API GET, load generator beside it',
            '1/s',
            ours.map((one) => one.perSecond),
            {
              name,
              runs: theirs.map((one) => one.perSecond),
            },
          ),
        },
        {
          ...costFigure(
            'API GET, server CPU',
            'µs',
            ours.map((one) => one.serverMicroseconds),
            {
              name,
              runs: theirs.map((one) => one.serverMicroseconds),
            },
          ),
          goal: '≤ 25 µs (40,000/s on one core)',
        },
      ];
    } finally {
      place.remove();
    }
  },
};
