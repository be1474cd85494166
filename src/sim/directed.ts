/**
 * Plans written by hand: situations that random walks rarely come upon, each so small that a fault of its kind must show. They hold on every test run, and are
 * tried first on the planted faults that name them.
 */
import { standbyName } from './generate-placement.ts';
import type { Action, Fault, NodePlan, SimPlan } from './plan.ts';

/** Beyond every seed of a random walk. */
const firstSeed = 9_000_001;

export interface Directed {
  readonly name: string;
  readonly sentence: string;
  readonly plan: SimPlan;
}

const small: NodePlan = { cpuCount: 4, memoryGiB: 16, zone: 'zone-0', agent: 'hollow' };

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

const large: Action = {
  kind: 'deploy',
  app: 0,
  workload: {
    replicas: 1,
    cpuMilli: 3500,
    memoryMiB: 16,
    maxSurge: 1,
    maxUnavailable: 0,
    strategy: 'RollingUpdate',
    placement: 'anywhere',
  },
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

const unseeded: readonly (Omit<Directed, 'plan'> & { readonly plan: Omit<SimPlan, 'seed'> })[] = [
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
];

export const directed: readonly Directed[] = unseeded.map((one, at) => ({
  ...one,
  plan: { ...one.plan, seed: firstSeed + at },
}));

export const directedPlan = (seed: number): SimPlan | undefined =>
  directed.find(({ plan }) => plan.seed === seed)?.plan;
