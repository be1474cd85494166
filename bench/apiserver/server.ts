/** A server to be measured, in a process of its own: `server.ts bare|memory|sqlite FOLDER`. Tells its port, and on request what CPU it has used. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApi, createFirstObjects, serveApi } from '../../src/apiserver/index.ts';
import { silentLog } from '../../src/lib/index.ts';
import { realClock } from '../../src/lib/io/real-clock.ts';
import { realRandom } from '../../src/lib/io/real-random.ts';
import { ensurePki } from '../../src/security/index.ts';
import { createMemoryStore, openSqliteStore } from '../../src/store/index.ts';
import { benchObject, pkiOptions } from './load.ts';

const [, , mode = '', folder = ''] = process.argv;
const pki = await ensurePki(pkiOptions(folder));
const tls = { ca: pki.ca.cert, cert: pki.apiserver.cert, key: pki.apiserver.key };

const port = mode === 'bare' ? await serveBare() : await serve();
process.send?.({ port });
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicroseconds: user + system });
});
process.on('disconnect', () => process.exit(0));

/** The floor: the platform's HTTPS with a fixed body of the same size, and nothing else. */
async function serveBare(): Promise<number> {
  const body = Buffer.from(JSON.stringify(benchObject('floor')).padEnd(1200));
  const server = createServer(
    { ...tls, requestCert: true, rejectUnauthorized: false },
    (_request, response) => {
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
  const api = createApi({
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
