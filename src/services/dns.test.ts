import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { EndpointSlice, KubeObject, Service } from '../api/index.ts';
import { createFakeClient, createInformers } from '../client/index.ts';
import { SeededRandom, silentLog } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { realRandom } from '../lib/io/real-random.ts';
import { codes, type DnsRecord, readQuery, types, writeQuery, writeResponse } from './dns-message.ts';
import { aged, readReply } from './dns-reply.ts';
import { ensureDnsService } from './dns-service.ts';
import { answer, answerFollowing, type Zone } from './dns-zone.ts';
import { namespaceRef, startDns } from './io/dns-server.ts';
import { resolverAt } from './io/test-resolver.ts';
import { endpointSliceRef, serviceRef } from './rule-keeper.ts';
import { serviceKeyOf } from './virtual-ips.ts';

const external = (externalName: string): NonNullable<Service['spec']> => ({
  type: 'ExternalName',
  externalName,
});
const services: Service[] = [
  {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  },
  {
    metadata: { name: 'db', namespace: 'shop' },
    spec: { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] },
  },
  {
    metadata: { name: 'out', namespace: 'shop' },
    spec: { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local.' },
  },
  { metadata: { name: 'twice', namespace: 'shop' }, spec: external('out.shop.svc.cluster.local') },
  { metadata: { name: 'circle', namespace: 'shop' }, spec: external('circle.shop.svc.cluster.local') },
  { metadata: { name: 'lost', namespace: 'shop' }, spec: external('none.shop.svc.cluster.local') },
  { metadata: { name: 'away', namespace: 'shop' }, spec: external('Example.com') },
  { metadata: { name: 'empty', namespace: 'shop' }, spec: { clusterIP: 'None' } },
  {
    metadata: { name: 'early', namespace: 'shop' },
    spec: { clusterIP: 'None', publishNotReadyAddresses: true },
  },
];
const slices: EndpointSlice[] = [
  {
    metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
    addressType: 'IPv4',
    ports: [{ name: 'sql', port: 15432, protocol: 'TCP' }],
    endpoints: [
      { addresses: ['10.1.0.2'], hostname: 'db-0', conditions: { ready: true } },
      { addresses: ['10.1.0.3'], conditions: { ready: true } },
      { addresses: ['10.1.0.4'], hostname: 'db-2', conditions: { ready: false } },
    ],
  },
  {
    metadata: { name: 'early-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'early' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.1.0.7'], hostname: 'early-0', conditions: { ready: false } }],
  },
];
const keyed = (object: KubeObject): string => `${object.metadata.namespace}/${object.metadata.name}`;
const zone: Zone = {
  domain: 'cluster.local',
  ttlSeconds: 5,
  service: (key) => services.find((one) => keyed(one) === key),
  hasNamespace: (name) => name === 'shop',
  slices: (key) => slices.filter((one) => serviceKeyOf(one) === key),
  serviceAt: (address) => services.find((one) => one.spec?.clusterIP === address),
  slicesAt: (address) =>
    slices.filter((one) => one.endpoints?.some(({ addresses }) => addresses.includes(address))),
};

const shown = (record: DnsRecord): string =>
  record.kind === 'SRV'
    ? `SRV ${record.port} ${record.target}`
    : `${record.kind} ${'address' in record ? record.address : 'target' in record ? record.target : 'text' in record ? record.text : ''}`;

test('answer() knows the names of the cluster', () => {
  const s = 'shop.svc.cluster.local';
  const cases: readonly (readonly [string, keyof typeof types, string])[] = [
    [`web.${s}`, 'A', 'A 10.96.0.1'],
    [`web.${s}`, 'AAAA', 'NODATA'],
    [`web.${s}`, 'ANY', 'A 10.96.0.1'],
    [`none.${s}`, 'A', 'NXDOMAIN'],
    [`x.web.${s}`, 'A', 'NXDOMAIN'],
    ['web.other.svc.cluster.local', 'A', 'NXDOMAIN'],
    [s, 'A', 'NODATA'],
    ['svc.cluster.local', 'A', 'NODATA'],
    ['cluster.local', 'SOA', 'SOA '],
    ['cluster.local', 'A', 'NODATA'],
    ['dns-version.cluster.local', 'TXT', 'TXT 1.1.0'],
    ['dns-version.cluster.local', 'A', 'NODATA'],
    [`empty.${s}`, 'A', 'NXDOMAIN'],
    [`early.${s}`, 'A', 'A 10.1.0.7'],
    [`early.${s}`, 'AAAA', 'NODATA'],
    ['7.0.1.10.in-addr.arpa', 'PTR', `PTR early-0.early.${s}`],
    [`_._tcp.early.${s}`, 'SRV', 'NXDOMAIN'],
    ['what.cluster.local', 'A', 'NXDOMAIN'],
    [`db.${s}`, 'A', 'A 10.1.0.2, A 10.1.0.3'],
    [`db-0.db.${s}`, 'A', 'A 10.1.0.2'],
    [`10-1-0-3.db.${s}`, 'A', 'A 10.1.0.3'],
    [`db-2.db.${s}`, 'A', 'NXDOMAIN'],
    [`_http._tcp.web.${s}`, 'SRV', `SRV 80 web.${s}`],
    [`_http._udp.web.${s}`, 'SRV', 'NXDOMAIN'],
    [`_sql._tcp.db.${s}`, 'SRV', `SRV 15432 db-0.db.${s}, SRV 15432 10-1-0-3.db.${s}`],
    [`_sql._tcp.db.${s}`, 'A', 'NODATA'],
    [`out.${s}`, 'A', `CNAME web.${s}`],
    ['10-1-2-3.shop.pod.cluster.local', 'A', 'A 10.1.2.3'],
    ['10-1-2-300.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
    ['1.0.96.10.in-addr.arpa', 'PTR', `PTR web.${s}`],
    ['2.0.1.10.in-addr.arpa', 'PTR', `PTR db-0.db.${s}`],
    ['9.9.9.9.in-addr.arpa', 'PTR', 'elsewhere'],
    ['example.com', 'A', 'elsewhere'],
    ['notcluster.local', 'A', 'elsewhere'],
  ];
  for (const [name, type, wanted] of cases) {
    const found = answer({ name, type: types[type], class: 1 }, zone);
    const text =
      found === undefined
        ? 'elsewhere'
        : found.code === codes.nameError
          ? 'NXDOMAIN'
          : found.answers.length === 0
            ? 'NODATA'
            : found.answers.map(shown).join(', ');
    assert.equal(text, wanted, `${name} ${type}`);
    if (text === 'NXDOMAIN' || text === 'NODATA') assert.equal(found?.authority[0]?.kind, 'SOA');
  }
});

test('answerFollowing() follows aliases inside the cluster and says where they leave it', () => {
  const cases: readonly (readonly [string, keyof typeof types, string])[] = [
    ['out', 'A', 'CNAME A 10.96.0.1'],
    ['out', 'AAAA', 'CNAME SOA'],
    ['out', 'CNAME', 'CNAME'],
    ['twice', 'A', 'CNAME CNAME A 10.96.0.1'],
    ['circle', 'A', 'CNAME '.repeat(9).trim()],
    ['lost', 'A', 'NXDOMAIN CNAME SOA'],
    ['away', 'A', 'CNAME → example.com'],
  ];
  for (const [name, type, wanted] of cases) {
    const question = { name: `${name}.shop.svc.cluster.local`, type: types[type], class: 1 };
    const found = answerFollowing(question, zone);
    assert.ok(found);
    const words = found.response.answers.map((one) => (one.kind === 'CNAME' ? 'CNAME' : shown(one)));
    if (found.response.code === codes.nameError) words.unshift('NXDOMAIN');
    for (const { kind } of found.response.authority) words.push(kind);
    if (found.outside !== undefined) words.push(`→ ${found.outside}`);
    assert.equal(words.join(' '), wanted, `${name} ${type}`);
  }
});

test('readReply() says how long a reply may be kept, and aged() counts down', () => {
  const query = readQuery(writeQuery(1, { name: 'a.example.com', type: types.A, class: 1 }, 4096));
  assert.ok(query);
  const start: DnsRecord = {
    kind: 'SOA',
    name: 'example.com',
    ttlSeconds: 600,
    primary: 'ns.example.com',
    mailbox: 'root.example.com',
    serial: 1,
    minimumSeconds: 20,
  };
  const one: DnsRecord = { kind: 'A', name: 'a.example.com', ttlSeconds: 60, address: '192.0.2.1' };
  const written = (code: number, answers: DnsRecord[], authority: DnsRecord[]): Buffer =>
    writeResponse(query, { code, authoritative: false, answers, authority, additional: [] }, 1232);
  assert.equal(readReply(written(0, [one], []))?.cacheSeconds, 60);
  assert.equal(readReply(written(0, [], [start]))?.cacheSeconds, 20, 'the SOA says how long a "no" holds');
  assert.equal(readReply(written(codes.nameError, [], [start]))?.cacheSeconds, 20);
  assert.equal(readReply(written(codes.nameError, [], []))?.cacheSeconds, undefined);
  assert.equal(readReply(written(codes.serverFailure, [], [start]))?.cacheSeconds, undefined);
  const long: DnsRecord = {
    kind: 'AAAA',
    name: 'a.example.com',
    ttlSeconds: 0x80000000,
    address: '2001:db8::1',
  };
  assert.equal(readReply(written(0, [long], []))?.cacheSeconds, 0);
  const reply = written(0, [one, { ...one, ttlSeconds: 5 }], []);
  const older = readReply(aged(reply, readReply(reply)?.ttlOffsets ?? [], 10));
  assert.deepEqual(older?.answers, [
    { ...one, ttlSeconds: 50 },
    { ...one, ttlSeconds: 0 },
  ]);
  for (let length = 0; length < reply.length - 11; length++)
    assert.equal(readReply(reply.subarray(0, length)), undefined, `cut at ${length}`);
});

test('readQuery() reads what writeQuery() wrote, and refuses pointers that lead nowhere or in circles', () => {
  const question = { name: 'a.example.com', type: types.A, class: 1 };
  const query = readQuery(writeQuery(7, question, 4096));
  assert.deepEqual([query?.id, query?.question, query?.ednsBytes], [7, question, 4096]);
  for (const name of [[0xc0, 0x0c], [1, 97, 0xc0, 0x0c], [0xc0, 0x50], [0x80, 1], [63, 1], [0xff]]) {
    const bytes = Buffer.concat([
      writeQuery(1, { name: '', type: 1, class: 1 }).subarray(0, 12),
      Buffer.from([...name, 0, 1, 0, 1]),
    ]);
    assert.equal(readQuery(bytes)?.question, undefined, name.join());
  }
  assert.equal(readQuery(Buffer.alloc(5)), undefined);
});

test('writeResponse() compresses names, and marks what it cuts', () => {
  const query = readQuery(writeQuery(1, { name: 'db.shop.svc.cluster.local', type: types.A, class: 1 }));
  assert.ok(query);
  const answers = Array.from(
    { length: 100 },
    (_, at): DnsRecord => ({
      kind: 'A',
      name: 'db.shop.svc.cluster.local',
      ttlSeconds: 5,
      address: `10.1.0.${at}`,
    }),
  );
  const response = { code: 0, authoritative: true, answers, authority: [], additional: [] };
  const whole = writeResponse(query, response, 65_535);
  assert.equal(whole.length, 12 + query.questionBytes.length + 100 * 16);
  assert.equal(whole.readUInt16BE(2) & 0x0200, 0);
  const cut = writeResponse(query, response, 512);
  assert.ok(cut.length <= 512 && (cut.readUInt16BE(2) & 0x0200) !== 0);
  assert.equal(cut.readUInt16BE(6), Math.floor((512 - 12 - query.questionBytes.length) / 16));
  assert.equal(readReply(whole)?.cacheSeconds, 5);
  assert.equal(readReply(cut)?.cacheSeconds, undefined);
});

test('readQuery() and readReply() survive any bytes', () => {
  const seed = 11;
  const random = new SeededRandom(seed);
  const good = writeQuery(1, { name: 'a.b.example.com', type: 1, class: 1 }, 1232);
  for (let run = 0; run < 20_000; run++) {
    const bytes = run % 2 === 0 ? Buffer.from(random.bytes(random.integer(80))) : Buffer.from(good);
    for (let change = random.integer(4); change > 0 && bytes.length > 0; change--)
      bytes[random.integer(bytes.length)] = random.integer(256);
    const query = readQuery(bytes);
    readReply(bytes);
    if (query?.question === undefined) continue;
    const reply = writeResponse(
      query,
      answer(query.question, zone) ?? {
        code: 2,
        authoritative: false,
        answers: [],
        authority: [],
        additional: [],
      },
      512,
    );
    assert.ok(reply.length <= 512, `seed ${seed}, run ${run}`);
  }
});

test('startDns() answers over UDP and TCP, follows changes, and asks upstream for the rest', async () => {
  const client = createFakeClient({ clock: realClock });
  client.seed(serviceRef, ...services);
  const many = Array.from({ length: 90 }, (_, at) => ({ addresses: [`10.1.9.${at}`] }));
  client.seed(endpointSliceRef, ...slices, {
    metadata: { name: 'big-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'big' } },
    addressType: 'IPv4',
    ports: [],
    endpoints: many,
  } as EndpointSlice);
  client.seed<Service>(serviceRef, {
    metadata: { name: 'big', namespace: 'shop' },
    spec: { clusterIP: 'None' },
  });
  const informers = createInformers({ client, clock: realClock, log: silentLog, random: realRandom });
  let asked = 0;
  const upstream = createSocket('udp4');
  upstream.on('message', (bytes, from) => {
    asked++;
    const query = readQuery(bytes);
    if (query?.question === undefined || query.question.name === 'silent.example.com') return;
    const answers: DnsRecord[] = [
      { kind: 'A', name: query.question.name, ttlSeconds: 60, address: '192.0.2.9' },
    ];
    upstream.send(
      writeResponse(query, { code: 0, authoritative: false, answers, authority: [], additional: [] }, 512),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => upstream.bind(0, '127.0.0.1', resolve));
  const upstreams = [`127.0.0.1:${(upstream.address() as AddressInfo).port}`];
  const dns = await startDns({
    informers,
    clock: realClock,
    log: silentLog,
    addresses: ['127.0.0.1'],
    port: 0,
    upstreams,
    upstreamTimeoutMs: 1000,
  });
  try {
    await informers.informer<KubeObject>(namespaceRef).whenSynced();
    await informers.informer<Service>(serviceRef).whenSynced();
    await informers.informer<EndpointSlice>(endpointSliceRef).whenSynced();
    const resolver = resolverAt(dns.port);
    assert.deepEqual(await resolver.resolve4('web.shop.svc.cluster.local'), ['10.96.0.1']);
    assert.deepEqual(
      (await resolver.resolveSrv('_sql._tcp.db.shop.svc.cluster.local')).map(({ port }) => port),
      [15432, 15432],
    );
    assert.deepEqual(await resolver.reverse('10.96.0.1'), ['web.shop.svc.cluster.local']);
    assert.deepEqual(await resolver.resolve4('out.shop.svc.cluster.local'), ['10.96.0.1']);
    // Too much for one packet: the resolver asks again over TCP.
    assert.equal((await resolver.resolve4('big.shop.svc.cluster.local')).length, 90);
    await assert.rejects(resolver.resolve4('none.shop.svc.cluster.local'), { code: 'ENOTFOUND' });
    await assert.rejects(resolver.resolve6('web.shop.svc.cluster.local'), { code: 'ENODATA' });
    assert.deepEqual(await resolver.resolve4('example.com'), ['192.0.2.9']);
    assert.deepEqual(await resolver.resolve4('example.com'), ['192.0.2.9']);
    assert.equal(asked, 1, 'the second answer comes from the cache');
    await assert.rejects(resolver.resolve4('silent.example.com'), { code: 'ESERVFAIL' });
    await ensureDnsService({ client, clusterIp: '10.96.0.10', addresses: ['10.1.0.1'], nodeName: 'n1' });
    await ensureDnsService({ client, clusterIp: '10.96.0.10', addresses: ['10.1.0.9'], nodeName: 'n1' });
    assert.deepEqual(
      client.peek<EndpointSlice>(endpointSliceRef, 'kube-system/kube-dns-n1')?.endpoints?.[0]?.addresses,
      ['10.1.0.9'],
    );
    assert.deepEqual(await resolver.resolve4('kube-dns.kube-system.svc.cluster.local'), ['10.96.0.10']);
  } finally {
    await dns.close();
    informers.stop();
    upstream.close();
  }
});

test('ensureDnsService() mends a Service of ours and leaves one with a selector alone', async () => {
  const client = createFakeClient({ clock: realClock });
  const ensure = (clusterIp: string): Promise<void> =>
    ensureDnsService({ client, clusterIp, addresses: ['10.1.0.1'], nodeName: 'n1' });
  const seen = (): Service | undefined => client.peek<Service>(serviceRef, 'kube-system/kube-dns');
  await ensure('10.96.0.10');
  const first = seen();
  assert.ok(first);
  await ensure('10.96.0.10');
  assert.equal(seen()?.metadata.resourceVersion, first.metadata.resourceVersion, 'right: not written again');
  await client.update<Service>(serviceRef, {
    ...first,
    metadata: { ...first.metadata, labels: { team: 'a' } },
    spec: { ...first.spec, ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }] },
  });
  await ensure('10.96.0.10');
  assert.deepEqual(seen()?.spec?.ports, first.spec?.ports);
  assert.deepEqual(seen()?.metadata.labels, { team: 'a', ...first.metadata.labels });
  await ensure('10.97.0.10');
  assert.equal(seen()?.spec?.clusterIP, '10.97.0.10');
  const theirs = seen();
  assert.ok(theirs);
  await client.update<Service>(serviceRef, {
    ...theirs,
    spec: { ...theirs.spec, selector: { app: 'coredns' } },
  });
  await ensure('10.96.0.10');
  assert.equal(seen()?.spec?.clusterIP, '10.97.0.10');
});
