/** Plans written by hand for worlds in which load comes and goes and nothing else happens, but that agents do not tell of it, or that their clocks are set. */
import type { Action, Fault, NodePlan, RulesPlan, ScalerPlan, SimPlan } from './plan.ts';
import { nodeName, tellings } from './plan.ts';

interface Written {
  readonly name: string;
  readonly sentence: string;
  readonly plan: Omit<SimPlan, 'seed'>;
}

const node: NodePlan = { cpuCount: 8, memoryGiB: 32, zone: 'zone-0', agent: 'hollow' };
const nodes: readonly NodePlan[] = [node, { ...node, agent: 'real' }, { ...node, zone: 'zone-1' }];

const planOf = (
  activeMs: number,
  metrics: 'near' | 'served',
  actions: readonly Action[],
  faults: readonly Fault[],
): Omit<SimPlan, 'seed'> => ({
  nodes,
  historyEvents: 20_000,
  startDelayMs: 300,
  stopDelayMs: 300,
  actions: [...actions].sort((a, b) => a.atMs - b.atMs),
  faults,
  metrics,
  activeMs,
  recoverMs: 400_000,
  restMs: 60_000,
});

const rules = (windowSeconds: number, value: number, periodSeconds: number): RulesPlan => ({
  windowSeconds,
  select: 'Max',
  policies: [{ type: 'Pods', value, periodSeconds }],
});

const autoscaler: ScalerPlan = {
  by: 'autoscaler',
  min: 1,
  max: 6,
  percent: 80,
  requestMilli: 100,
  of: 'pod',
  up: rules(0, 2, 30),
  down: rules(30, 1, 30),
};

const policy: ScalerPlan = {
  by: 'policy',
  min: 1,
  max: 6,
  perReplicaMilli: 80,
  bufferPercent: 20,
  tolerancePercent: 10,
  stabilizationSeconds: 0,
  cooldownSeconds: 40,
};

const vertical: ScalerPlan = { by: 'vertical', mode: 'Recreate', maxMilli: 400 };

const scaled = (number: number, replicas: number, scaler: ScalerPlan): readonly Action[] => [
  { kind: 'burden', number, replicas, cpuMilli: 100, atMs: 1000 + number },
  { kind: 'scaler', number, scaler, atMs: 8000 + 500 * number },
];

/** Pairs of seconds and thousandths of a core. */
const loads = (number: number, ...all: readonly (readonly [number, number])[]): readonly Action[] =>
  all.map(([seconds, milli]) => ({ kind: 'load', number, milli, atMs: 1000 * seconds }));

const everywhere = (tells: (typeof tellings)[number], fromMs: number, untilMs: number): readonly Fault[] =>
  nodes.map((_, index) => ({
    kind: 'metrics',
    process: nodeName(index),
    tells,
    atMs: fromMs,
    forMs: untilMs - fromMs,
  }));

const comeAndGo = [
  [5, 60],
  [60, 600],
  [190, 330],
  [280, 30],
  [330, 290],
] as const;

export const scaledWorlds: readonly Written[] = [
  ...(['near', 'served'] as const).map(
    (metrics): Written => ({
      name: 'loads-come-and-go',
      sentence: 'Loads grow and shrink, and nothing is wrong.',
      plan: planOf(
        420_000,
        metrics,
        [
          ...scaled(0, 2, autoscaler),
          ...loads(0, ...comeAndGo),
          ...scaled(1, 1, policy),
          ...loads(1, ...comeAndGo),
          ...scaled(2, 5, vertical),
          ...loads(2, [5, 2000], [200, 3500]),
          ...scaled(3, 3, {
            ...autoscaler,
            max: 4,
            percent: 50,
            up: rules(45, 4, 15),
            down: rules(30, 4, 15),
          }),
          ...loads(3, [5, 120], [50, 900], [130, 20], [240, 350]),
        ],
        [],
      ),
    }),
  ),
  ...tellings.map(
    (tells, at): Written => ({
      name: 'agents-do-not-tell',
      sentence: 'The load goes while agents tell nothing of it, or not all, or nonsense.',
      plan: planOf(
        330_000,
        at % 2 === 0 ? 'near' : 'served',
        [
          ...scaled(0, 5, { ...autoscaler, up: rules(0, 6, 15), down: rules(30, 6, 15) }),
          ...loads(0, [2, 460], [105, 180]),
          ...scaled(1, 5, { ...policy, cooldownSeconds: 0 }),
          ...loads(1, [2, 380], [105, 60]),
          // Without a window it turns for ever where there is any load at all.
          ...scaled(2, 5, { ...autoscaler, up: rules(0, 6, 15), down: rules(0, 6, 15) }),
          ...loads(2, [2, 460], [105, 180], [318, 0]),
        ],
        everywhere(tells, 100_000, 290_000),
      ),
    }),
  ),
  ...(['near', 'served'] as const).map(
    (metrics): Written => ({
      name: 'loads-turn-soon',
      sentence: 'Loads turn while what was wanted before is still in mind.',
      plan: planOf(
        260_000,
        metrics,
        [
          ...scaled(0, 1, { ...autoscaler, up: rules(0, 6, 15), down: rules(60, 6, 15) }),
          ...loads(0, [5, 60], [60, 460], [92, 60]),
          ...scaled(1, 1, policy),
          ...loads(1, [5, 60], [60, 200], [78, 560], [150, 60]),
          ...scaled(2, 6, { ...autoscaler, up: rules(60, 6, 15), down: rules(30, 6, 15) }),
          ...loads(2, [5, 460], [60, 60], [120, 460]),
          ...scaled(3, 5, { ...autoscaler, up: rules(0, 6, 15), down: rules(0, 6, 15) }),
          ...loads(3, [5, 460], [60, 180], [150, 0]),
          ...scaled(4, 5, { ...policy, cooldownSeconds: 0 }),
          ...loads(4, [5, 380], [60, 180], [150, 0]),
        ],
        [],
      ),
    }),
  ),
  {
    name: 'clocks-are-set',
    sentence: 'The load stays what it is, and the clocks of machines are set ahead and back.',
    plan: planOf(
      200_000,
      'near',
      [...scaled(0, 4, { ...autoscaler, down: rules(30, 6, 15) }), ...loads(0, [2, 330])],
      [80_000, 140_000].flatMap((atMs, turn): readonly Fault[] =>
        nodes.map((_, index) => ({
          kind: 'clockJump',
          process: nodeName(index),
          byMs: turn === 0 ? 86_400_000 : 3_600_000,
          atMs,
          forMs: 1000,
        })),
      ),
    ),
  },
];
