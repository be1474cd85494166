/** Ranges and rules as tables; the contract on the fake. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkContract } from './contract.ts';
import { createFakePodNetwork } from './fake-network.ts';
import type { HostPort } from './network.ts';
import { addressesOf, parseAddress } from './range.ts';
import { tableText } from './rules.ts';

for (const { name, run } of networkContract)
  test(`fake network: ${name}`, async () => {
    const network = createFakePodNetwork({ podCidr: '10.251.7.0/28' });
    let pods = 0;
    const powerCut = async (): Promise<void> => network.powerCut();
    await run({ open: () => network, podUid: () => `uid-${pods++}`, powerCut });
  });

test('addressesOf() reads ranges', () => {
  for (const [cidr, gateway, size, normal] of [
    ['10.44.0.0/24', '10.44.0.1', 253, '10.44.0.0/24'],
    ['10.44.3.77/24', '10.44.3.1', 253, '10.44.3.0/24'],
    ['192.168.0.0/30', '192.168.0.1', 1, '192.168.0.0/30'],
    ['255.255.255.240/28', '255.255.255.241', 13, '255.255.255.240/28'],
  ] as const) {
    const range = addressesOf(cidr);
    assert.deepEqual([range.gateway, range.size, range.cidr], [gateway, size, normal], cidr);
  }
  for (const bad of [
    '10.44.0.0',
    '10.44.0/24',
    '10.44.0.0/31',
    '10.44.0.256/24',
    '10.44.0.0/x',
    'fd00::/64',
    '',
  ])
    assert.throws(() => addressesOf(bad), { code: 'badRequest' }, bad);
});

test('firstFree() goes round the range and ends when all are taken', () => {
  const range = addressesOf('10.0.0.0/29');
  const taken = new Set<number>();
  const given: string[] = [];
  let from: number | undefined = range.numberOf('10.0.0.5');
  for (;;) {
    const free = range.firstFree(taken, from);
    if (free === undefined) break;
    taken.add(free.number);
    given.push(free.text);
    from = free.number + 1;
  }
  assert.deepEqual(given, ['10.0.0.5', '10.0.0.6', '10.0.0.2', '10.0.0.3', '10.0.0.4']);
  assert.equal(parseAddress('01.2.3.4'), undefined);
});

test('tableText() maps host ports, by address where one is given', () => {
  const port = (changes: Partial<HostPort>): HostPort => ({
    hostIp: '',
    hostPort: 80,
    containerPort: 8080,
    protocol: 'TCP',
    ...changes,
  });
  const text = tableText(
    {
      table: 'caelum-x',
      bridgeName: 'cl0',
      range: addressesOf('10.0.0.0/30'),
      direct: ['10.1.0.0/24'],
      ports: [
        { address: '10.0.0.2', port: port({}) },
        { address: '10.0.0.2', port: port({ hostIp: '192.0.2.1', protocol: 'UDP', hostPort: 53 }) },
      ],
    },
    [],
  );
  assert.match(text, /elements = \{ tcp \. 80 : 10\.0\.0\.2 \. 8080 \}/);
  assert.match(text, /elements = \{ 192\.0\.2\.1 \. udp \. 53 : 10\.0\.0\.2 \. 8080 \}/);
  assert.match(text, /elements = \{ 10\.0\.0\.2 \. 10\.0\.0\.2 \}/);
  assert.match(text, /ip daddr != \{ 10\.0\.0\.0\/30, 10\.1\.0\.0\/24 \}/);
});
