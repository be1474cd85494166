/** The DNS server against those who mean no good: forged packets, readers that do not read, silent and lying upstreams. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { EndpointSlice, KubeObject, Service } from '../api/index.ts';
import { createFakeClient, createInformers } from '../client/index.ts';
import { CaelumError, silentLog } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { realRandom } from '../lib/io/real-random.ts';
import {
  codes,
  type DnsRecord,
  type Query,
  readQuery,
  types,
  writeQuery,
  writeResponse,
} from './dns-message.ts';
import { readReply } from './dns-reply.ts';
import { framed } from './io/dns-forwarder.ts';
import { namespaceRef, startDns } from './io/dns-server.ts';
import { resolverAt } from './io/test-resolver.ts';
import { endpointSliceRef, serviceRef } from './rule-keeper.ts';

const web: Service = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: { clusterIP: '10.96.0.1' },
};
const webName = 'web.shop.svc.cluster.local';

const away: Service = {
  metadata: { name: 'away', namespace: 'shop' },
  spec: { type: 'ExternalName', externalName: 'alias.example.com' },
};

interface Serving {
  readonly port: number;
  readonly resolver: Resolver;
  readonly client: ReturnType<typeof createFakeClient>;
}

async function serving(
  work: (serving: Serving) => Promise<void>,
  upstreams: readonly string[] = [],
  isSynced = true,
): Promise<void> {
  const client = createFakeClient({ clock: realClock });
  client.seed<Service>(serviceRef, web, away);
  if (!isSynced)
    client.intercept = ({ resource }) =>
      resource.startsWith('endpointslices') ? new CaelumError('unavailable', 'not yet') : undefined;
  const informers = createInformers({ client, clock: realClock, log: silentLog, random: realRandom });
  const dns = await startDns({
    informers,
    clock: realClock,
    log: silentLog,
    addresses: ['127.0.0.1'],
    port: 0,
    upstreams,
    // Silence is waited for this long; who answers has as long to do it.
    upstreamTimeoutMs: 1000,
  });
  const resolver = resolverAt(dns.port);
  try {
    await informers.informer<KubeObject>(namespaceRef).whenSynced();
    await informers.informer<Service>(serviceRef).whenSynced();
    if (isSynced) await informers.informer(endpointSliceRef).whenSynced();
    await work({ port: dns.port, resolver, client });
  } finally {
    await dns.close();
    informers.stop();
  }
}

type Reaction = (query: Query, bytes: Buffer) => readonly Buffer[];

/** Servers that react as told, each with the questions that it was asked. */
async function withUpstreams(
  reactions: readonly Reaction[],
  work: (upstreams: readonly string[], asked: readonly string[][]) => Promise<void>,
): Promise<void> {
  const asked: string[][] = reactions.map(() => []);
  const sockets = await Promise.all(
    reactions.map(async (react, at) => {
      const socket = createSocket('udp4');
      socket.on('message', (bytes, from) => {
        const query = readQuery(bytes);
        if (query === undefined) return;
        asked[at]?.push(query.questionBytes.toString('latin1'));
        for (const reply of react(query, bytes)) socket.send(reply, from.port, from.address);
      });
      await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
      return socket;
    }),
  );
  try {
    await work(
      sockets.map((socket) => `127.0.0.1:${socket.address().port}`),
      asked,
    );
  } finally {
    for (const socket of sockets) socket.close();
  }
}

function saying(query: Query, answers: readonly DnsRecord[], code = 0, bytesMax = 65_535): Buffer {
  return writeResponse(
    query,
    { code, authoritative: false, answers, authority: [], additional: [] },
    bytesMax,
  );
}

const address = (name: string, of: string, ttlSeconds = 60): DnsRecord => ({
  kind: 'A',
  name,
  ttlSeconds,
  address: of,
});
const honest: Reaction = (query) => [saying(query, [address(query.question?.name ?? '', '192.0.2.9')])];

/** One packet there, one back. */
async function exchange(port: number, question: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer')), 30_000);
      socket.on('message', (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
      socket.send(question, port, '127.0.0.1');
    });
  } finally {
    socket.close();
  }
}

test('startDns() survives a packet whose source port is 0', async (t) => {
  await serving(async ({ port, resolver }) => {
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

test('startDns() says "ask again" of the cluster, not "no such name", before it knows the cluster', async () => {
  await withUpstreams([honest], async (upstreams) => {
    await serving(
      async ({ resolver }) => {
        await assert.rejects(resolver.resolve4(webName), { code: 'ESERVFAIL' });
        assert.deepEqual(await resolver.resolve4('example.com'), ['192.0.2.9']);
      },
      upstreams,
      false,
    );
  });
});

test('startDns() follows an alias out of the cluster, and asks again over TCP or fails as a whole', async () => {
  const chain: Reaction = (query) => [
    saying(query, [
      { kind: 'CNAME', name: 'alias.example.com', ttlSeconds: 60, target: 'real.example.com' },
      address('real.example.com', '192.0.2.1', 3),
    ]),
  ];
  await withUpstreams([chain], async (upstreams) => {
    await serving(async ({ port, resolver }) => {
      assert.deepEqual(await resolver.resolve4('away.shop.svc.cluster.local', { ttl: true }), [
        { address: '192.0.2.1', ttl: 3 },
      ]);
      const name = 'away.shop.svc.cluster.local';
      const reply = readReply(await exchange(port, writeQuery(1, { name, type: types.A, class: 1 })));
      assert.deepEqual(
        reply?.answers.map((one) => [one.kind, one.name]),
        [
          ['CNAME', name],
          ['CNAME', 'alias.example.com'],
          ['A', 'real.example.com'],
        ],
      );
    }, upstreams);
  });
  const nobody: Reaction = () => [];
  await withUpstreams([nobody], async (upstreams) => {
    await serving(async ({ resolver }) => {
      await assert.rejects(resolver.resolve4('away.shop.svc.cluster.local'), { code: 'ESERVFAIL' });
    }, upstreams);
  });
});

test('startDns() believes no upstream but the one it asked, and asks the next after silence, refusal or garbage', async () => {
  const wrongId: Reaction = (query) => [saying({ ...query, id: query.id ^ 1 }, [address('x', '6.6.6.6')])];
  const wrongQuestion: Reaction = (query) => {
    const other = readQuery(writeQuery(query.id, { name: 'other.example', type: types.A, class: 1 }));
    assert.ok(other);
    return [saying(other, [address('other.example', '6.6.6.6')])];
  };
  const failing: Reaction = (query) => [saying(query, [], codes.serverFailure)];
  const garbage: Reaction = (query) => {
    const bytes = saying(query, [address(query.question?.name ?? '', '6.6.6.6')]);
    return [bytes.subarray(0, bytes.length - 3)];
  };
  for (const [what, bad] of Object.entries({ wrongId, wrongQuestion, failing, garbage }))
    await withUpstreams([bad, honest], async (upstreams, asked) => {
      await serving(async ({ resolver }) => {
        assert.deepEqual(await resolver.resolve4('example.com'), ['192.0.2.9'], what);
        assert.deepEqual(await resolver.resolve4('example.org'), ['192.0.2.9'], what);
        assert.deepEqual(
          asked.map(({ length }) => length),
          [1, 2],
          `${what}: the one that answered goes first`,
        );
      }, upstreams);
    });
});

test('startDns() keeps the spelling of a question, and gives one asker no more than it can take of what another asked', async () => {
  const many = Array.from({ length: 60 }, (_, at) => address('big.example.com', `192.0.2.${at}`));
  const large: Reaction = (query) => [saying(query, many, 0, query.ednsBytes ?? 512)];
  await withUpstreams([large], async (upstreams, asked) => {
    await serving(async ({ port }) => {
      const question = { name: 'BiG.eXample.com', type: types.A, class: 1 };
      const whole = await exchange(port, writeQuery(1, question, 4096));
      assert.equal(readReply(whole)?.answers.length, 60);
      assert.ok(whole.toString('latin1').includes('BiG\x07eXample\x03com'));
      const cut = await exchange(port, writeQuery(2, { ...question, name: 'big.example.com' }, 512));
      assert.ok(cut.length <= 512 && readReply(cut)?.isTruncated === true);
      assert.equal(asked[0]?.length, 1, 'the second comes from the cache');
      assert.ok(asked[0]?.[0]?.includes('BiG'));
    }, upstreams);
  });
});

test('startDns() never asks a virtual IP of its own cluster', async () => {
  await withUpstreams([honest], async (upstreams, asked) => {
    await serving(async ({ resolver, client }) => {
      assert.deepEqual(await resolver.resolve4('example.com'), ['192.0.2.9']);
      const metadata = { name: 'taken', namespace: 'shop' };
      await client.create<Service>(serviceRef, { metadata, spec: { clusterIP: '127.0.0.1' } });
      assert.deepEqual(await resolver.resolve4('taken.shop.svc.cluster.local'), ['127.0.0.1']);
      await assert.rejects(resolver.resolve4('example.org'), { code: 'ESERVFAIL' });
      assert.equal(asked[0]?.length, 1);
    }, upstreams);
  });
});

test('startDns() stops reading from those who do not take their answers', async () => {
  await serving(async ({ port, resolver, client }) => {
    const metadata = { name: 'wide', namespace: 'shop' };
    const endpoints = Array.from({ length: 1000 }, (_, at) => ({
      addresses: [`10.1.${at >> 8}.${at & 255}`],
    }));
    await client.create<Service>(serviceRef, { metadata, spec: { clusterIP: 'None' } });
    await client.create<EndpointSlice>(endpointSliceRef, {
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'wide' } },
      addressType: 'IPv4',
      ports: [],
      endpoints,
    });
    // Of 16 KB each, the answers to all of these would be 160 MB.
    const question = writeQuery(1, { name: 'wide.shop.svc.cluster.local', type: types.A, class: 1 });
    const questions = Buffer.concat(Array<Buffer>(10_000).fill(framed(question)));
    const beforeBytes = process.memoryUsage().arrayBuffers;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    try {
      socket.pause();
      socket.write(questions);
      for (let count = 0; count < 100; count++)
        assert.deepEqual(await resolver.resolve4(webName), ['10.96.0.1'], 'others are served meanwhile');
      const heldBytes = process.memoryUsage().arrayBuffers - beforeBytes;
      assert.ok(heldBytes < 80e6, `${heldBytes} bytes held`);
      // And reads on when they do.
      let taken = 0;
      await new Promise<void>((resolve) => {
        socket.on('data', (chunk) => {
          taken += chunk.length;
          if (taken > 32e6) resolve();
        });
        socket.resume();
      });
    } finally {
      socket.destroy();
    }
  });
});
