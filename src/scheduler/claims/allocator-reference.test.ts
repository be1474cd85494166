/** The allocator against a search that tries everything, on small random cases. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Device, DynamicResourceClaim } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { allocate, type Pick } from './allocator.ts';
import { type ClaimForm, type RequestForm, Selections } from './claim-form.ts';
import { DeviceLedger } from './device-ledger.ts';
import { DevicePools, type PoolView } from './device-pools.ts';
import {
  type Constraint,
  claim,
  type Draft,
  driver,
  form,
  node,
  type Request,
  shared,
  slice,
  taken,
  told,
  wants,
} from './test-devices.ts';

interface Case {
  readonly pools: readonly PoolView[];
  readonly ledger: DeviceLedger;
  readonly forms: readonly ClaimForm[];
}

function randomCase(random: SeededRandom): Case {
  const chance = (of: number): boolean => random.float() < of;
  const isParted = chance(0.3);
  const list: Device[] = [];
  const isSharing = chance(0.3);
  for (let at = random.integer(5); at >= 0; at--) {
    const device: Draft<Device> = {
      name: `d${at}`,
      attributes: {
        size: { int: 1 + random.integer(2) },
        ...(chance(0.8) && { numa: { int: random.integer(2) } }),
      },
    };
    if (chance(0.15)) device.taints = [{ key: 'k', effect: 'NoSchedule' }];
    if (isSharing && chance(0.5)) Object.assign(device, shared(`${1 + random.integer(4)}Gi`));
    if (isParted && chance(0.7))
      device.consumesCounters = [
        { counterSet: 'set', counters: { c: { value: String(1 + random.integer(3)) } } },
      ];
    list.push(device);
  }
  const pool = { name: 'n1', generation: 1, resourceSliceCount: 2 };
  const counters = {
    driver,
    pool,
    nodeName: 'n1',
    sharedCounters: [{ name: 'set', counters: { c: { value: String(2 + random.integer(4)) } } }],
  };
  const pools = new DevicePools();
  pools.setSlice({ metadata: { name: 'c' }, spec: counters });
  pools.setSlice(slice('s', list, { pool }));
  const ledger = new DeviceLedger();
  for (const { name, allowMultipleAllocations } of list)
    if (chance(0.2))
      ledger.add(
        allowMultipleAllocations === true
          ? {
              devices: {
                results: [
                  {
                    request: 'r',
                    driver,
                    pool: 'n1',
                    device: name,
                    shareID: 's',
                    consumedCapacity: { memory: '1Gi' },
                  },
                ],
              },
            }
          : taken(name),
        1,
      );
  const forms = Array.from({ length: 1 + random.integer(2) }, () => form(randomClaim(random)));
  return { pools: pools.of(node), ledger, forms };
}

function randomClaim(random: SeededRandom): DynamicResourceClaim {
  const chance = (of: number): boolean => random.float() < of;
  const one = (): NonNullable<Request['exactly']> => ({
    deviceClassName: chance(0.3) ? 'big' : 'gpu',
    ...(chance(0.1)
      ? { allocationMode: 'All' }
      : { allocationMode: 'ExactCount', count: 1 + random.integer(2) }),
    ...(chance(0.3) && { tolerations: [{ operator: 'Exists' }] }),
    ...(chance(0.1) && { adminAccess: true }),
    ...(chance(0.2) && wants(`${1 + random.integer(3)}Gi`)),
  });
  const names = ['a', 'b'].slice(0, 1 + random.integer(2));
  const requests = names.map((name): Request => {
    if (chance(0.75)) return { name, exactly: one() };
    const { adminAccess: _, ...x } = one();
    const { adminAccess: __, ...y } = one();
    return {
      name,
      firstAvailable: [
        { name: 'x', ...x },
        { name: 'y', ...y },
      ],
    };
  });
  const constraints: Constraint[] = [];
  for (const kind of ['matchAttribute', 'distinctAttribute'] as const)
    if (chance(0.2))
      constraints.push({
        [kind]: `${driver}/${chance(0.7) ? 'numa' : 'size'}`,
        ...(chance(0.4) && { requests: [random.integer(2) === 0 ? 'a' : (names[1] ?? 'a')] }),
      });
  return claim(requests, constraints);
}

/** Every choice of alternatives and devices, each looked at as a whole. */
function anyAnswer({ pools, ledger, forms }: Case): boolean {
  const all = pools.flatMap((view) => view.devices);
  const slots = forms.flatMap((one, at) => one.requests.map((alternatives) => ({ at, alternatives })));
  const go = (index: number, picks: readonly (readonly Pick[])[]): boolean => {
    const slot = slots[index];
    if (slot === undefined) return isRight({ pools, ledger, forms }, picks);
    return slot.alternatives.some((alternative) => {
      const wanted = all.filter((one) =>
        alternative.selectors.every(({ expression }) => selects(expression, one.device)),
      );
      const isPossible = (one: (typeof all)[number]): boolean =>
        consumption(alternative, one.device) !== undefined;
      const isFull = (one: (typeof all)[number]): boolean => {
        const left = quantity(one.device) - (ledger.consumed(one.id).get('memory') ?? 0n);
        return (
          one.device.allowMultipleAllocations === true && (consumption(alternative, one.device) ?? 0n) > left
        );
      };
      const sets =
        alternative.count === 'all'
          ? [wanted.filter((one) => isPossible(one) && !isFull(one))].filter((one) => one.length > 0)
          : multisets(wanted.filter(isPossible), alternative.count);
      return sets.some((set) => {
        const more = set.map((one): Pick => ({ form: alternative, one, consumed: undefined }));
        return go(
          index + 1,
          picks.map((list, at) => (at === slot.at ? [...list, ...more] : list)),
        );
      });
    });
  };
  return go(
    0,
    forms.map(() => []),
  );
}

function multisets<T>(list: readonly T[], count: number): readonly (readonly T[])[] {
  if (count === 0) return [[]];
  return list.flatMap((one, at) => multisets(list.slice(at), count - 1).map((rest) => [one, ...rest]));
}

const selects = (expression: string, { attributes = {} }: Device): boolean =>
  !expression.includes('size == 2') || attributes['size']?.int === 2;
const gi = 1024n ** 3n * 10n ** 9n;
const quantity = ({ capacity }: Device): bigint =>
  BigInt(Number.parseInt(capacity?.['memory']?.value ?? '0', 10)) * gi;

/** Of memory; undefined: it cannot give so much, or has none. */
function consumption({ capacity }: RequestForm, device: Device): bigint | undefined {
  const asked = capacity?.requests?.['memory'];
  if (device.capacity === undefined) return asked === undefined ? 0n : undefined;
  const amount = BigInt(Number.parseInt(asked ?? '1', 10)) * gi;
  return amount > quantity(device) ? undefined : amount;
}

function isRight({ pools, ledger, forms }: Case, picks: readonly (readonly Pick[])[]): boolean {
  const memory = new Map<string, bigint>();
  const counters = new Map<string, bigint>();
  const used = new Set<string>();
  /** Pools of which somebody else is too generous already are not made worse. */
  const asked = new Set<string>();
  for (const view of pools)
    for (const { id, device } of view.pool.devices)
      if (ledger.isUsed(id)) {
        for (const { counters: all } of device.consumesCounters ?? [])
          counters.set(view.pool.id, (counters.get(view.pool.id) ?? 0n) + BigInt(all['c']?.value ?? 0));
        used.add(id);
        memory.set(id, ledger.consumed(id).get('memory') ?? 0n);
      }
  const whole = new Map<string, Set<number>>();
  for (const [at, list] of picks.entries())
    for (const { form: request, one } of list) {
      const { device, id } = one;
      if ((device.taints?.length ?? 0) > 0 && (request.tolerations?.length ?? 0) === 0) return false;
      if (device.allowMultipleAllocations !== true) {
        const by = whole.get(id) ?? new Set();
        if (by.has(at)) return false;
        if (!request.isAdmin && (ledger.isTaken(id) || by.size > 0)) return false;
        whole.set(id, by.add(at));
      } else if (!request.isAdmin) {
        const sum = (memory.get(id) ?? 0n) + (consumption(request, device) ?? 0n);
        if (sum > quantity(device)) return false;
        memory.set(id, sum);
      }
      if (!request.isAdmin && !used.has(id)) {
        used.add(id);
        if (device.consumesCounters !== undefined) asked.add(one.poolId);
        for (const { counters: all } of device.consumesCounters ?? [])
          counters.set(one.poolId, (counters.get(one.poolId) ?? 0n) + BigInt(all['c']?.value ?? 0));
      }
      for (const constraint of forms[at]?.constraints ?? []) {
        const meant = (pick: Pick): boolean =>
          (constraint.requests?.length ?? 0) === 0 ||
          constraint.requests?.includes(pick.form.request) === true;
        const values = list
          .filter(meant)
          .map(
            (pick) =>
              pick.one.device.attributes?.[
                (constraint.matchAttribute ?? constraint.distinctAttribute ?? '').slice(driver.length + 1)
              ]?.int,
          );
        if (values.includes(undefined)) return false;
        const different = new Set(values).size;
        if (constraint.matchAttribute !== undefined ? different > 1 : different < values.length) return false;
      }
    }
  return pools.every(
    ({ pool }) =>
      !asked.has(pool.id) || (counters.get(pool.id) ?? 0n) * 10n ** 9n <= (pool.counters.get('set/c') ?? 0n),
  );
}

test('allocate() finds an answer exactly where there is one, and a right one', () => {
  let found = 0;
  for (let seed = 1; seed <= 1500; seed++) {
    const one = randomCase(new SeededRandom(`claims/${seed}`));
    const answer = allocate(one.forms, one.pools, one.ledger, new Selections());
    assert.ok(answer.kind !== 'tooLong' && answer.kind !== 'fault', `seed ${seed}: ${told(answer)}`);
    assert.equal(answer.kind === 'picked', anyAnswer(one), `seed ${seed}: ${told(answer)}`);
    if (answer.kind !== 'picked') continue;
    found++;
    assert.ok(isRight(one, answer.picks), `seed ${seed}: ${told(answer)}`);
    for (const [at, { requests }] of one.forms.entries())
      for (const alternatives of requests) {
        const picks: readonly Pick[] = (answer.picks[at] ?? []).filter((pick) =>
          alternatives.includes(pick.form),
        );
        const forms = new Set(picks.map((pick) => pick.form));
        assert.equal(forms.size, 1, `seed ${seed}: one alternative`);
        const [chosen] = forms;
        if (chosen !== undefined && chosen.count !== 'all')
          assert.equal(picks.length, chosen.count, `seed ${seed}`);
      }
  }
  assert.ok(found > 250 && found < 1450, `${found} of 1500`);
});
