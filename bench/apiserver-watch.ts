/**
 * From the write of an object to its arrival at each of 1,000 watchers, over TLS. Clients and server share this machine's cores.
 * Floor: the same bytes written to the same number of sockets by nothing but node:tls would need the same decryption here.
 */
import { benchObject, collection, openSocket, openWorkplace } from './apiserver/load.ts';
import { type Benchmark, costFigure, quantile } from './benchmark.ts';

const watchers = 1000;
const writes = 30;
const pauseMs = 150;

export const bench: Benchmark = {
  description: 'milliseconds from a write to its arrival at 1,000 watchers',
  seconds: 20,
  async run(say) {
    const place = await openWorkplace();
    try {
      const server = await place.start('memory');
      const arrivals: number[] = [];
      let sentMs = 0;
      let arrived = 0;
      let all = Promise.withResolvers<void>();
      const sockets = [];
      for (let i = 0; i < watchers; i++) {
        const socket = await openSocket(server.port, place.pki);
        sockets.push(socket);
        let begun = false;
        const ready = Promise.withResolvers<void>();
        socket.on('data', (chunk: Buffer) => {
          if (!begun) {
            begun = true;
            ready.resolve();
            return;
          }
          if (!chunk.includes('"type":"ADDED"')) return;
          arrivals.push(performance.now() - sentMs);
          if (++arrived === watchers) all.resolve();
        });
        socket.write(`GET ${collection}?watch=1&resourceVersion=1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
        await ready.promise;
      }
      const writer = await openSocket(server.port, place.pki);
      writer.resume();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const cpuBefore = await server.cpuMicroseconds();
      for (let i = 0; i < writes; i++) {
        arrived = 0;
        all = Promise.withResolvers<void>();
        if (i === 5) arrivals.length = 0;
        const body = JSON.stringify(benchObject(`w-${i}`));
        sentMs = performance.now();
        writer.write(
          `POST ${collection} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        await all.promise;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      const cpu = ((await server.cpuMicroseconds()) - cpuBefore) / (writes * watchers);
      for (const socket of [...sockets, writer]) socket.destroy();
      const p99 = quantile(arrivals, 0.99);
      say(
        `p50 ${quantile(arrivals, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, server ${cpu.toFixed(1)} µs a delivery`,
      );
      return [
        { ...costFigure('watch delivery to 1,000 watchers, p99', 'ms', [p99]), goal: '≤ 50' },
        costFigure('watch delivery, server CPU', 'µs', [cpu]),
      ];
    } finally {
      place.remove();
    }
  },
};
