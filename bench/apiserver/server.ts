/** A server to be measured, in a process of its own: `server.ts bare|memory|sqlite FOLDER`. Tells its port, and on request what CPU it has used. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Api, createApi, createFirstObjects, serveApi } from '../../src/apiserver/index.ts';
import { silentLog } from '../../src/lib/index.ts';
import { realClock } from '../../src/lib/io/real-clock.ts';
import { realRandom } from '../../src/lib/io/real-random.ts';
import { ensurePki } from '../../src/security/index.ts';
import { createMemoryStore, openSqliteStore } from '../../src/store/index.ts';
import { benchObject, type Order, pkiOptions } from './load.ts';
import { fill, stir, weigh } from './world.ts';

const [, , mode = '', folder = ''] = process.argv;
const pki = await ensurePki(pkiOptions(folder));
const tls = { ca: pki.ca.cert, cert: pki.apiserver.cert, key: pki.apiserver.key };

let api: Api | undefined;
let stop: (() => number) | undefined;
const port = mode === 'bare' ? await serveBare() : await serve();
process.send?.({ port });
process.on('message', (message: Order | 'cpu') => {
  void carryOut(message).then((answer) => process.send?.(answer));
});
process.on('disconnect', () => process.exit(0));

async function carryOut(order: Order | 'cpu'): Promise<object> {
  if (order === 'cpu') {
    const { user, system } = process.cpuUsage();
    return { cpuMicroseconds: user + system };
  }
  if (api === undefined) throw new Error('the bare server has no world');
  const client = api.client();
  switch (order.kind) {
    case 'fill':
      await fill(client, order.world);
      return { bytes: api.context.store.stats().bytes, resident: process.memoryUsage.rss() };
    case 'weigh':
      return weigh(client, api.context.store, order.pods);
    case 'stir':
      stop = stir(client, order.world, order.perSecond);
      return {};
    default:
      return { changes: stop?.() ?? 0 };
  }
}

/** The floor: the platform's HTTPS with a fixed body of the same size, and nothing else. */
async function serveBare(): Promise<number> {
  const body = Buffer.from(JSON.stringify(benchObject('floor')).padEnd(1200));
  let big = Buffer.alloc(0);
  const server = createServer(
    { ...tls, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const wanted = /^\/bytes\/(\d+)$/.exec(request.url ?? '')?.[1];
      if (wanted !== undefined) {
        if (big.length !== Number(wanted)) big = Buffer.alloc(Number(wanted), 'x');
        response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', wanted]);
        response.end(big);
        return;
      }
      if (request.method === 'POST') {
        request.on('data', () => {});
        request.on('end', () => {
          response.writeHead(201, [
            'Content-Type',
            'application/json',
            'Content-Length',
            String(body.length),
          ]);
          response.end(body);
        });
        return;
      }
      response.writeHead(200, ['Content-Type', 'application/json', 'Content-Length', String(body.length)]);
      response.end(body);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function serve(): Promise<number> {
  const store =
    mode === 'sqlite'
      ? await openSqliteStore({ file: join(folder, `${mode}.db`), clock: realClock, log: silentLog })
      : createMemoryStore({ clock: realClock });
  api = createApi({
    store,
    clock: realClock,
    random: realRandom,
    log: silentLog,
    serviceCidr: '10.131.0.0/16',
  });
  const server = await serveApi({ api, host: '127.0.0.1', port: 0, tls });
  await createFirstObjects(api.client(), undefined);
  const ref = { group: '', version: 'v1', resource: 'configmaps', namespaced: true };
  await api.client().create(ref, benchObject('floor'));
  return server.port;
}
