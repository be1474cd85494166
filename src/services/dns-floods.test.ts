/** The DNS server against those who mean no good: forged packets, readers that do not read, silent and lying upstreams. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { test } from 'node:test';
import type { Service } from '../api/index.ts';
import { createFakeClient, createInformers } from '../client/index.ts';
import { silentLog } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { realRandom } from '../lib/io/real-random.ts';
import { types, writeQuery } from './dns-message.ts';
import { startDns } from './io/dns-server.ts';
import { serviceRef } from './io/service-rules.ts';

const web: Service = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: { clusterIP: '10.96.0.1' },
};
const webName = 'web.shop.svc.cluster.local';

async function serving(
  work: (port: number, resolver: Resolver) => Promise<void>,
  upstreams: readonly string[] = [],
): Promise<void> {
  const client = createFakeClient({ clock: realClock });
  client.seed<Service>(serviceRef, web);
  const informers = createInformers({ client, clock: realClock, log: silentLog, random: realRandom });
  const dns = await startDns({
    informers,
    clock: realClock,
    log: silentLog,
    addresses: ['127.0.0.1'],
    port: 0,
    upstreams,
    upstreamTimeoutMs: 200,
  });
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([`127.0.0.1:${dns.port}`]);
  try {
    await informers.informer<Service>(serviceRef).whenSynced();
    await work(dns.port, resolver);
  } finally {
    await dns.close();
    informers.stop();
  }
}

test('startDns() survives a packet whose source port is 0', async (t) => {
  await serving(async (port, resolver) => {
    const question = writeQuery(1, { name: webName, type: types.A, class: 1 });
    const script = `import socket,struct,sys
body=bytes.fromhex(sys.argv[2])
raw=socket.socket(socket.AF_INET,socket.SOCK_RAW,socket.IPPROTO_UDP)
raw.sendto(struct.pack('>HHHH',0,int(sys.argv[1]),8+len(body),0)+body,('127.0.0.1',0))`;
    const sent = spawnSync('python3', ['-c', script, String(port), question.toString('hex')]);
    if (sent.status !== 0) {
      t.skip('forging a packet needs python3 and raw sockets');
      return;
    }
    // Asked after the forged packet, on the same socket: answered after it.
    assert.deepEqual(await resolver.resolve4(webName), ['10.96.0.1']);
  });
});
