/** A gate that is kept current, against one book after the other that is made anew. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  DeviceClass,
  DeviceTaintRule,
  DynamicResourceClaim,
  Pod,
  ResourceSlice,
} from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { DeviceClaimBook } from './claim-book.ts';
import type { Ground } from './device-gate.ts';
import type { ClaimNode } from './device-pools.ts';
import { driver } from './test-devices.ts';

class World implements Ground {
  readonly book = new DeviceClaimBook();
  readonly nodes: ClaimNode[] = [];
  staticVersion = 0;
  readonly slices = new Map<string, ResourceSlice>();
  readonly claims = new Map<string, DynamicResourceClaim>();
  readonly rules = new Map<string, DeviceTaintRule>();
  readonly classes = new Map<string, DeviceClass>();

  get rows(): number {
    return this.nodes.length;
  }

  facts(row: number): ClaimNode | undefined {
    return this.nodes[row];
  }

  rowOf(name: string): number | undefined {
    const row = this.nodes.findIndex((one) => one.name === name);
    return row < 0 ? undefined : row;
  }

  anew(): DeviceClaimBook {
    const book = new DeviceClaimBook();
    for (const one of this.classes.values()) book.setClass(one);
    for (const one of this.slices.values()) book.setSlice(one);
    for (const one of this.rules.values()) book.setTaintRule(one);
    for (const one of this.claims.values()) book.setClaim(one);
    return book;
  }
}

const pod = (name: string, gpus = 0): Pod =>
  ({
    metadata: { name, namespace: 'default', uid: `u-${name}` },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'i',
          ...(gpus > 0 && { resources: { requests: { 'example.com/gpu': String(gpus) } } }),
        },
      ],
      ...(gpus === 0 && { resourceClaims: [{ name: 'x', resourceClaimName: name }] }),
    },
  }) as unknown as Pod;

function sliceOf(random: SeededRandom, name: string): ResourceSlice {
  const isWide = name === 'wide';
  const reach = isWide
    ? random.integer(2) === 0
      ? { allNodes: true }
      : {
          nodeSelector: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'zone', operator: 'In', values: [`z${random.integer(2)}`] }] },
            ],
          },
        }
    : { nodeName: name };
  return {
    metadata: { name },
    spec: {
      driver,
      ...reach,
      pool: { name, generation: 1, resourceSliceCount: random.integer(8) === 0 ? 2 : 1 },
      devices: Array.from({ length: 1 + random.integer(3) }, (_, at) => ({
        name: `d${at}`,
        attributes: { size: { int: 1 + random.integer(2) } },
      })),
    },
  } as ResourceSlice;
}

function step(random: SeededRandom, world: World): void {
  const { book } = world;
  const node = `n${random.integer(6)}`;
  switch (random.integer(7)) {
    case 0: {
      const row = world.rowOf(node) ?? world.nodes.length;
      const extended = new Map(random.integer(3) === 0 ? [['example.com/gpu', 1]] : []);
      const labels = { zone: `z${random.integer(2)}` };
      world.nodes[row] = { name: node, labels, fields: { 'metadata.name': node }, extended };
      world.staticVersion++;
      return;
    }
    case 1: {
      const slice = sliceOf(random, random.integer(4) === 0 ? 'wide' : node);
      world.slices.set(slice.metadata.name ?? '', slice);
      book.setSlice(slice);
      return;
    }
    case 2: {
      const name = random.integer(4) === 0 ? 'wide' : node;
      world.slices.delete(name);
      book.removeSlice(name);
      return;
    }
    case 3: {
      const rule = {
        metadata: { name: 'r' },
        spec: {
          deviceSelector: { device: `d${random.integer(3)}` },
          taint: { key: 'k', effect: 'NoSchedule' },
        },
      } as DeviceTaintRule;
      if (random.integer(2) === 0) {
        world.rules.set('r', rule);
        book.setTaintRule(rule);
      } else {
        world.rules.delete('r');
        book.removeTaintRule('r');
      }
      return;
    }
    default: {
      const key = `held-${random.integer(8)}`;
      if (world.claims.has(`default/${key}`) && random.integer(2) === 0) {
        world.claims.delete(`default/${key}`);
        book.removeClaim(`default/${key}`);
        return;
      }
      const results = [
        {
          request: 'r',
          driver,
          pool: random.integer(4) === 0 ? 'wide' : node,
          device: `d${random.integer(3)}`,
        },
      ];
      const claim = {
        metadata: { name: key, namespace: 'default', uid: `u${random.integer(1e6)}`, resourceVersion: '1' },
        spec: {},
        status: { allocation: { devices: { results } } },
      } as DynamicResourceClaim;
      world.claims.set(`default/${key}`, claim);
      book.setClaim(claim);
    }
  }
}

const asks: readonly (readonly [string, number])[] = [
  ['gpu', 1],
  ['gpu', 2],
  ['big', 1],
];

test('DeviceGate says of each node what a search says that knows of nothing before', () => {
  let refused = 0;
  let open = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(`device-gate/${seed}`);
    const world = new World();
    const big = { selectors: [{ cel: { expression: `device.attributes["${driver}"].size == 2` } }] };
    for (const [name, spec] of [
      ['gpu', { extendedResourceName: 'example.com/gpu' }],
      ['big', big],
    ] as const) {
      world.classes.set(name, { metadata: { name }, spec });
      world.book.setClass({ metadata: { name }, spec });
    }
    const pods = asks.map(([deviceClassName, count]) => {
      const name = `${deviceClassName}-${count}`;
      const exactly = { deviceClassName, allocationMode: 'ExactCount', count };
      const claim = {
        metadata: { name, namespace: 'default', uid: `u-${name}`, resourceVersion: '1' },
        spec: { devices: { requests: [{ name: 'r', exactly }] } },
      } as DynamicResourceClaim;
      world.claims.set(`default/${name}`, claim);
      world.book.setClaim(claim);
      return pod(name);
    });
    for (let at = 0; at < 40; at++) {
      for (let more = random.integer(4); more >= 0; more--) step(random, world);
      const anew = world.anew();
      for (const one of [...pods, pod('extended', 1)]) {
        const gate = world.book.ask(one).gate(world);
        const other = anew.ask(one);
        for (const [row, node] of world.nodes.entries()) {
          const why = other.refusals(node)[0];
          assert.equal(
            gate?.refusal(row),
            why,
            `seed ${seed}, step ${at}: ${one.metadata.name} on ${node.name}`,
          );
          if (why === undefined) open++;
          else refused++;
        }
      }
    }
  }
  assert.ok(open > 5000 && refused > 5000, `${open} open, ${refused} refused`);
});
