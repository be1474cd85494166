/** The table refuses what the kernel refuses, and takes what the real planning makes, whatever changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RuleTable } from './rule-table.ts';

const table = 't';
const whole = `add table ip t
delete table ip t
table ip t {
  map virtual { type ipv4_addr . inet_proto . inet_service : verdict; }
  map refused-virtual { type ipv4_addr . inet_proto . inet_service : verdict; }
  chain services {
    ip daddr . meta l4proto . th dport vmap @virtual
  }
  chain refuse {
    reject
  }
}
add chain ip t s-a
add rule ip t s-a meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.1.0.2 . 8080, 1 : 10.1.0.3 . 8080 }
add element ip t virtual { 10.96.0.1 . tcp . 80 : goto s-a }
add element ip t refused-virtual { 10.96.0.2 . tcp . 80 : goto refuse }
`;

function loaded(): RuleTable {
  const rules = new RuleTable();
  rules.load(whole);
  return rules;
}

test('destinationOf() follows maps and chains', () => {
  const rules = loaded();
  assert.deepEqual(rules.destinationOf('10.96.0.1', 'tcp', 80), {
    kind: 'endpoints',
    endpoints: ['10.1.0.2:8080', '10.1.0.3:8080'],
  });
  assert.equal(rules.destinationOf('10.96.0.2', 'tcp', 80).kind, 'refused');
  assert.equal(rules.destinationOf('10.96.0.1', 'udp', 80).kind, 'unknown');
});

for (const [what, text] of [
  ['a rule in no chain', `add rule ip ${table} none drop`],
  ['a flush of no chain', `flush chain ip ${table} none`],
  ['an element that is not there', `delete element ip ${table} virtual { 10.96.9.9 . tcp . 80 }`],
  [
    'an element with another value',
    `add element ip ${table} virtual { 10.96.0.1 . tcp . 80 : goto services }`,
  ],
  ['a chain that is referred to', `delete chain ip ${table} s-a`],
  ['a jump to no chain', `add rule ip ${table} services goto none`],
  ['no command', `paint table ip ${table}`],
] as const)
  test(`load() refuses ${what}, and changes nothing`, () => {
    const rules = loaded();
    assert.throws(() => rules.load(`add chain ip ${table} new\n${text}\n`), { code: 'internal' });
    assert.equal(loaded().missingFrom(rules), undefined);
    assert.equal(rules.missingFrom(loaded()), undefined);
  });

test('missingFrom() tells what differs', () => {
  const rules = loaded();
  rules.load(`flush chain ip ${table} s-a\nadd rule ip ${table} s-a drop\n`);
  assert.match(loaded().missingFrom(rules) ?? '', /chain s-a is drop/);
  assert.equal(rules.destinationOf('10.96.0.1', 'tcp', 80).kind, 'dropped');
  rules.clear();
  assert.equal(loaded().missingFrom(rules), 'there is no table');
});
