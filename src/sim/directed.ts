/**
 * Plans written by hand: situations that random walks rarely come upon, each so small that a fault of its kind must show. They hold on every test run, and are
 * tried first on the planted faults that name them.
 */
import { type Random, SeededRandom } from '../lib/index.ts';
import { scaledWorlds } from './directed-scaling.ts';
import { gangs, heldRoom } from './generate-groups.ts';
import { standbyName } from './generate-placement.ts';
import { tenants } from './generate-tenants.ts';
import { gpus, profiles } from './generate-wishes.ts';
import type { Action, Fault, NodePlan, SimPlan, WorkloadPlan } from './plan.ts';

/** Beyond every seed of a random walk. */
const firstSeed = 9_000_001;

export interface Directed {
  readonly name: string;
  readonly sentence: string;
  readonly plan: SimPlan;
}

type Unseeded = Omit<Directed, 'plan'> & { readonly plan: Omit<SimPlan, 'seed'> };

const small: NodePlan = { cpuCount: 4, memoryGiB: 16, zone: 'zone-0', agent: 'hollow' };

const mixed: readonly NodePlan[] = [
  small,
  { ...small, zone: 'zone-1' },
  { ...small, cpuCount: 8, zone: 'zone-1' },
];

const planOf = (
  nodes: readonly NodePlan[],
  activeMs: number,
  actions: readonly Action[],
  faults: readonly Fault[],
  more: Partial<SimPlan> = {},
): Omit<SimPlan, 'seed'> => ({
  nodes,
  historyEvents: 20_000,
  startDelayMs: 100,
  stopDelayMs: 100,
  actions,
  faults,
  activeMs,
  recoverMs: 240_000,
  restMs: 45_000,
  ...more,
});

const filler = (number: number, atMs: number): Action => ({
  kind: 'fill',
  number,
  pods: 1,
  cpuMilli: 3500,
  memoryMiB: 16,
  level: 'low',
  mayPreempt: false,
  isGated: false,
  atMs,
});

const crowd: WorkloadPlan = {
  replicas: 3,
  cpuMilli: 200,
  memoryMiB: 16,
  maxSurge: 1,
  maxUnavailable: 0,
  strategy: 'RollingUpdate',
  placement: 'anywhere',
};

const large: Action = {
  kind: 'deploy',
  app: 0,
  workload: { ...crowd, replicas: 1, cpuMilli: 3500 },
  atMs: 12_000,
};

const claimers = (number: number): Action => ({
  kind: 'claimers',
  number,
  replicas: 3,
  devices: 1,
  isShared: false,
  atMs: 2000 + 100 * number,
});

/** Each a few times: which messages are lost is chance. */
const claimsUnderLoss = [0, 1, 2].map((turn) =>
  planOf(
    [small, small, small],
    60_000,
    [
      ...[0, 1, 2].map((node): Action => ({ kind: 'devices', node, count: 3, atMs: 500 })),
      ...[0, 1, 2].map(claimers),
      ...Array.from(
        { length: 15 },
        (_, at): Action => ({
          kind: 'scaleClaimers',
          number: at % 3,
          replicas: at % 2 === 0 ? 0 : 3,
          atMs: 8000 + 3000 * at + turn,
        }),
      ),
    ],
    [{ kind: 'loss', chance: 0.3, atMs: 1000, forMs: 56_000 }],
  ),
);

/** Nothing breaks in these: what is done by whoever does it right is seen to be right to the second. */
const calm = (
  name: string,
  sentence: string,
  activeMs: number,
  actionsOf: (random: Random, activeMs: number, turn: number) => readonly Action[],
): readonly Unseeded[] =>
  [0, 1, 2].map((turn) => {
    const random = new SeededRandom(`directed/${name}/${turn}`);
    const actions = [...actionsOf(random, activeMs, turn)].sort((a, b) => a.atMs - b.atMs);
    return { name, sentence, plan: planOf(mixed, activeMs, actions, []) };
  });

const app = (number: number, replicas: number, cpuMilli: number, atMs: number): Action => ({
  kind: 'deploy',
  app: number,
  workload: { ...crowd, replicas, cpuMilli },
  atMs,
});

/** One that does not fit before somebody has gone; whose group goes and comes while it waits. */
const tooLarge = (atMs: number): Action => ({
  kind: 'gang',
  number: 9,
  minCount: 11,
  pods: 11,
  cpuMilli: 1000,
  by: 'group',
  isTogether: false,
  goesTogether: false,
  isOwned: false,
  isLow: false,
  atMs,
});

const held = (number: number, count: number, ttlMs: number, atMs: number): Action => ({
  kind: 'reserve',
  number,
  count,
  cpuMilli: 500,
  isPartial: true,
  mayFail: false,
  ttlMs,
  atMs,
});

const strategies = [
  ['Duplicates', 'SpreadRepair'],
  ['Defragment'],
  ['NodeTaints', 'LowUtilization'],
] as const;

/** Both queues are asked for more than they may have, by single pods and by gangs. */
const limited: readonly Action[] = [
  { kind: 'tenants', node: 2, guaranteedMilli: [1000, 500], atMs: 2000 },
  { kind: 'limitTenant', tenant: 0, maxMilli: 2000, mayBorrow: true, atMs: 3000 },
  { kind: 'limitTenant', tenant: 1, maxMilli: 1500, mayBorrow: true, atMs: 3000 },
  ...[0, 1, 2, 3, 4, 5].map(
    (number): Action => ({
      kind: 'tenantPods',
      tenant: number % 2,
      number,
      pods: 6,
      cpuMilli: 250,
      ...(number % 3 === 2 ? { gang: 4 } : {}),
      atMs: 15_000 + 5000 * number,
    }),
  ),
  ...[0, 1].map((number): Action => ({ kind: 'dropTenantPods', number, atMs: 60_000 })),
];

const few = { moves: 1, movesPerNode: 1 };
const limitsOf = [{ moves: 1, movesPerNode: 9 }, { moves: 20, movesPerNode: 20 }, few] as const;

const calmWorlds: readonly Unseeded[] = [
  ...calm(
    'calm-gangs',
    'Gangs come, grow and go, and one is too large at first.',
    50_000,
    (random, activeMs) => [
      app(0, 4, 1500, 500),
      tooLarge(3000),
      app(1, 3, 500, 8000),
      { kind: 'dropGang', number: 9, what: 'group', atMs: 20_000 },
      { kind: 'undeploy', app: 0, propagation: 'Background', atMs: 30_000 },
      tooLarge(40_000),
      ...gangs(random, activeMs, mixed),
    ],
  ),
  ...calm(
    'calm-reservations',
    'Room is held, used and given back, and others want more than there is.',
    50_000,
    (random, activeMs, turn) => [
      held(5, 1, 0, 2000),
      { kind: 'guests', number: 50, reservation: 5, pods: 2, cpuMilli: 500, isNamed: true, atMs: 6000 },
      held(5, 2, 0, 35_000),
      held(6, 1, 12_000, 2500),
      held(7, 1, 60_000, 2600),
      held(7, 1, 0, 9000),
      ...heldRoom(random, activeMs, mixed),
      ...(turn === 0 ? [] : [app(0, 70, 250, 22_000)]),
    ],
  ),
  ...calm('calm-gpus', 'Shares of GPUs are given away.', 90_000, (random, activeMs) =>
    gpus(random, activeMs, mixed.length),
  ),
  ...calm(
    'calm-profiles',
    'Profiles are made, changed and deleted while pods wait.',
    90_000,
    (random, activeMs) => [
      { kind: 'wishes', number: 99, profile: 0, pods: 2, cpuMilli: 50, atMs: 200 },
      ...profiles(random, activeMs, mixed.length),
    ],
  ),
  ...calm(
    'calm-queues',
    'Tenants share a node, of which none may have all.',
    90_000,
    (random, activeMs, turn) => (turn === 0 ? limited : tenants(random, activeMs, mixed)),
  ),
  ...calm('calm-moves', 'Pods are moved while nodes are closed and opened.', 120_000, (_, __, turn) => [
    {
      kind: 'rebalance',
      mode: 'Propose',
      strategies: strategies[turn] ?? [],
      intervalMs: 10_000,
      ...(limitsOf[turn] ?? few),
      atMs: 1000,
    },
    {
      kind: 'rebalance',
      mode: 'Apply',
      strategies: strategies[turn] ?? [],
      intervalMs: 10_000,
      ...(limitsOf[turn] ?? few),
      atMs: 40_000,
    },
    ...[0, 1, 2].map((number) => app(number, 3 + 3 * number, 200, 4000)),
    ...[0, 1, 2].flatMap((node): Action[] => [
      { kind: 'cordon', node, on: true, atMs: 1500 + 20_000 * node },
      { kind: 'cordon', node, on: false, atMs: 18_000 + 20_000 * node },
      { kind: 'taint', node, on: true, effect: 'NoSchedule', atMs: 70_000 + 15_000 * node },
      { kind: 'taint', node, on: false, effect: 'NoSchedule', atMs: 80_000 + 15_000 * node },
    ]),
  ]),
];

const unseeded: readonly Unseeded[] = [
  {
    name: 'room-comes-free',
    sentence: 'A pod waits on a full node, and the pod that fills it goes: nothing else happens any more.',
    plan: planOf(
      [small],
      20_000,
      [filler(0, 2000), filler(1, 6000), { kind: 'unfill', number: 0, atMs: 15_000 }],
      [],
    ),
  },
  // Which of the two leads is chance.
  ...['scheduler', standbyName].map((process) => ({
    name: 'deposed-binding-late',
    sentence:
      'The binding of a scheduler that is cut off arrives when its successor has given the room to somebody more important.',
    plan: planOf(
      [small],
      60_000,
      // The first is so that what is followed for its like is followed already.
      [filler(2, 3000), { kind: 'unfill', number: 2, atMs: 6000 }, filler(0, 10_500), large],
      [{ kind: 'cut', process, way: 'out', atMs: 10_000, forMs: 20_000 }],
      { schedulers: 2 },
    ),
  })),
  ...claimsUnderLoss.map((plan) => ({
    name: 'claims-under-loss',
    sentence: 'Connections break all the time while devices are given away and given back.',
    plan,
  })),
  {
    name: 'calm-crons',
    sentence:
      'One that may not run twice runs into the next minute; another, which is there still in the end, leaves its Jobs behind.',
    plan: planOf(
      [small],
      330_000,
      [
        { kind: 'cron', number: 0, cron: { concurrency: 'Forbid', exitAfterMs: 70_000 }, atMs: 1000 },
        { kind: 'cron', number: 1, cron: { concurrency: 'Allow', exitAfterMs: 2000 }, atMs: 1000 },
        { kind: 'dropCron', number: 0, atMs: 330_000 },
      ],
      [],
    ),
  },
  {
    name: 'calm-neighbours',
    sentence: 'More pods that will not be together than there are nodes come at once.',
    plan: planOf(
      mixed,
      30_000,
      [
        { kind: 'deploy', app: 0, workload: { ...crowd, replicas: 5, placement: 'apart' }, atMs: 5000 },
        { kind: 'scale', app: 0, replicas: 2, atMs: 14_000 },
        { kind: 'scale', app: 0, replicas: 6, atMs: 20_000 },
      ],
      [],
    ),
  },
  {
    name: 'calm-budgets',
    sentence:
      'Pods of a budget are evicted one after the other, others are never ready; autoscalers know nothing.',
    plan: planOf(
      mixed,
      80_000,
      [
        app(0, 6, 100, 2000),
        app(1, 7, 100, 2000),
        app(2, 3, 100, 2000),
        // Most of these find no node: they are never ready.
        app(3, 4, 5000, 2000),
        { kind: 'budget', app: 0, minAvailable: 5, atMs: 12_000 },
        { kind: 'budget', app: 3, minAvailable: 1, atMs: 12_000 },
        // Long after users have asked for something.
        { kind: 'autoscale', app: 1, min: 5, max: 8, atMs: 55_000 },
        { kind: 'autoscale', app: 2, min: 5, max: 8, atMs: 55_000 },
        ...Array.from(
          { length: 30 },
          (_, at): Action => ({ kind: 'evict', pick: at, atMs: 20_000 + 400 * at }),
        ),
      ],
      [],
      { startDelayMs: 3000 },
    ),
  },
  {
    name: 'held-over-a-restart',
    sentence: 'A scheduler starts again, and long after that more is asked for than what is not held.',
    plan: planOf(
      mixed,
      66_000,
      [held(0, 20, 0, 3000), app(0, 70, 250, 62_000)],
      [{ kind: 'kill', process: 'scheduler', afterSends: 0, atMs: 8000, forMs: 2000 }],
    ),
  },
  ...calmWorlds,
  ...scaledWorlds,
];

export const directed: readonly Directed[] = unseeded.map((one, at) => ({
  ...one,
  plan: { ...one.plan, seed: firstSeed + at },
}));

export const directedPlan = (seed: number): SimPlan | undefined =>
  directed.find(({ plan }) => plan.seed === seed)?.plan;
