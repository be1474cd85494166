/**
 * Cluster DNS, answers a second over UDP. Floor: a server in the same process that echoes each packet, asked in the same way.
 */
import { createSocket, type Socket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import type { Service } from '../src/api/index.ts';
import { createFakeClient, createInformers } from '../src/client/index.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { realRandom } from '../src/lib/io/real-random.ts';
import { serviceRef, startDns } from '../src/services/index.ts';
import { type Benchmark, rateFigure } from './benchmark.ts';

const runs = 5;
const questions = 20_000;
const inFlight = 64;

export const bench: Benchmark = {
  description:
    'Cluster DNS: answers a second for names of Services, over UDP, client and server in one process',
  seconds: 8,
  async run(say) {
    const client = createFakeClient({ clock: realClock });
    const services = Array.from(
      { length: 1000 },
      (_, at): Service => ({
        metadata: { name: `service-${at}`, namespace: 'default' },
        spec: { clusterIP: `10.96.${at >> 8}.${at & 255}` },
      }),
    );
    client.seed(serviceRef, ...services);
    const informers = createInformers({ client, clock: realClock, log: silentLog, random: realRandom });
    const dns = await startDns({
      informers,
      clock: realClock,
      log: silentLog,
      addresses: ['127.0.0.1'],
      port: 0,
      upstreams: [],
    });
    await informers.informer(serviceRef).whenSynced();
    await whenAnswering(dns.port);
    const echo = createSocket('udp4');
    echo.on('message', (bytes, from) => echo.send(bytes, from.port, from.address));
    await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve));
    const ours: number[] = [];
    const floor: number[] = [];
    try {
      for (let run = 0; run < runs; run++) {
        ours.push(await rate(dns.port));
        floor.push(await rate((echo.address() as AddressInfo).port));
        say(`run ${run + 1}: ${Math.round(ours.at(-1) ?? 0)}/s, echo ${Math.round(floor.at(-1) ?? 0)}/s`);
      }
    } finally {
      await dns.close();
      informers.stop();
      echo.close();
    }
    return [rateFigure('dns answers', '1/s', ours, { name: 'UDP echo, same process', runs: floor })];
  },
};

/** Until every informer has its first copy, the server says "ask again". */
async function whenAnswering(port: number): Promise<void> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  for (let attempt = 0; ; attempt++)
    try {
      await resolver.resolve4('service-1.default.svc.cluster.local');
      return;
    } catch (error) {
      if (attempt === 50) throw error;
    }
}

async function rate(port: number): Promise<number> {
  const packets = Array.from({ length: 1000 }, (_, at) =>
    question(`service-${at}.default.svc.cluster.local`),
  );
  const socket: Socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve));
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    let sent = 0;
    let received = 0;
    const next = (): void => {
      if (sent < questions) socket.send(packets[sent++ % packets.length] as Buffer);
    };
    const timer = setTimeout(() => reject(new Error('answers were lost')), 20_000);
    socket.on('message', (reply) => {
      if (((reply[3] as number) & 15) !== 0) reject(new Error('an answer was an error'));
      received++;
      if (received === questions) {
        clearTimeout(timer);
        resolve();
      } else next();
    });
    for (let at = 0; at < inFlight; at++) next();
  });
  const seconds = (performance.now() - startedMs) / 1000;
  socket.close();
  return questions / seconds;
}

function question(name: string): Buffer {
  const labels = name.split('.').flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]);
  const head = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}
