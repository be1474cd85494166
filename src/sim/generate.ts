/**
 * Makes a plan from a seed. Each seed turns other faults and other habits of users on (swarm testing: a bug that needs a full disk but
 * no lost message is found sooner where messages are not lost). Source: Groce et al., Swarm Testing, ISSTA 2012.
 *
 * Sizes of workloads follow a recorded production cluster (openb, ATC'23): quantiles of its 8,152 pods, scaled to small nodes.
 */
import { type Random, SeededRandom } from '../lib/index.ts';
import { directedPlan } from './directed.ts';
import { deviceActions } from './generate-devices.ts';
import { gangActions, gangFaults, reservationActions } from './generate-groups.ts';
import { claimActions, otherActions } from './generate-kinds.ts';
import { placementActions, schedulerFaults } from './generate-placement.ts';
import { metricsFaults, scalingActions } from './generate-scaling.ts';
import { tenantActions } from './generate-tenants.ts';
import { gpuActions, profileActions, rebalanceActions, rebalancerFaults } from './generate-wishes.ts';
import {
  type Action,
  type Fault,
  faultKinds,
  type NodePlan,
  nodeName,
  proxyName,
  type SimPlan,
  type WorkloadPlan,
} from './plan.ts';

/** Quantiles at 0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1: milli-CPU, MiB, seconds. */
const recorded = {
  at: [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1],
  cpuMilli: [1000, 3152, 4000, 11300, 12000, 16400, 32000, 120200],
  memoryMiB: [0, 5600, 15258, 41560, 49152, 58368, 125952, 737280],
  seconds: [0, 80, 167, 540, 1971, 6568, 93426, 12537496],
} as const;

function sample(random: Random, quantiles: readonly number[]): number {
  const u = random.float();
  const at = recorded.at.findIndex((q) => q > u);
  const [low, high] = [recorded.at[at - 1] ?? 0, recorded.at[at] ?? 1];
  const [from, to] = [quantiles[at - 1] ?? 0, quantiles[at] ?? 0];
  return from + ((u - low) / (high - low)) * (to - from);
}

export interface GenerateOptions {
  readonly nodes?: number;
  readonly activeMs?: number;
  /** No faults at all. */
  readonly calm?: boolean;
  /** Of the kinds of workloads. */
  readonly onlyDeployments?: boolean;
  /** Nothing has claims, for storage or for devices. */
  readonly withoutClaims?: boolean;
}

export function generatePlan(seed: number, options: GenerateOptions = {}): SimPlan {
  const byHand = directedPlan(seed);
  if (byHand !== undefined) return byHand;
  const random = new SeededRandom(`plan/${seed}`);
  const activeMs = options.activeMs ?? 60_000 + random.integer(240_000);
  const nodeCount = options.nodes ?? 1 + random.integer(8);
  const agents = random.stream('agents');
  const agent = chance(agents, 0.5) ? 'real' : 'hollow';
  // Among real ones a hollow one now and then: both kinds in one world.
  const isMixed = chance(agents, 0.2);
  const nodes = Array.from({ length: nodeCount }, (_, index): NodePlan => {
    const cpuCount = [4, 8, 16][random.integer(3)] as number;
    const zone = `zone-${random.integer(3)}`;
    return {
      cpuCount,
      // On some machines memory is what is short.
      memoryGiB: cpuCount * (index % 2 === 0 ? 4 : 1),
      zone,
      agent: isMixed && chance(agents, 0.5) ? 'hollow' : agent,
    };
  });
  const actions = makeActions(random.stream('actions'), activeMs, nodeCount);
  const quiet = random.stream('quiet');
  const isQuiet = options.calm !== true && activeMs > 150_000 && chance(quiet, 0.25);
  const lost = isQuiet ? loseNode(quiet, activeMs, nodeCount) : undefined;
  const isOfOld = options.onlyDeployments === true || options.withoutClaims === true || isQuiet;
  const elections = random.stream('schedulers');
  const schedulers = !isOfOld && chance(elections, 0.4) ? 2 : 1;
  const more = isOfOld ? nothingMore : moreOf(random, activeMs, nodes);
  const scaling = isOfOld ? [] : scalingActions(random.stream('scaling'), activeMs);
  return {
    seed,
    nodes,
    historyEvents: random.integer(3) === 0 ? 50 : 20_000,
    startDelayMs: random.integer(3) === 0 ? 0 : random.integer(5000),
    stopDelayMs: random.integer(3) === 0 ? 0 : random.integer(5000),
    actions: inOrder([
      ...actions,
      ...(lost === undefined ? [] : wantLess(quiet, lost)),
      ...(options.onlyDeployments === true ? [] : otherActions(random.stream('kinds'), activeMs)),
      ...(options.onlyDeployments === true || options.withoutClaims === true
        ? []
        : [
            ...claimActions(random.stream('claims'), activeMs),
            ...deviceActions(random.stream('devices'), activeMs, nodeCount),
          ]),
      ...(isOfOld ? [] : placementActions(random.stream('placement'), activeMs, nodes)),
      ...(isOfOld ? [] : tenantActions(random.stream('tenants'), activeMs, nodes)),
      ...more.actions,
      ...scaling,
    ]),
    faults:
      options.calm === true
        ? []
        : lost === undefined
          ? inOrder([
              ...makeFaults(random.stream('faults'), activeMs, nodeCount),
              ...(schedulers === 2 ? schedulerFaults(elections, activeMs) : []),
              ...more.faults,
              ...metricsFaults(random.stream('metrics faults'), scaling, activeMs, nodeCount),
            ])
          : [lost],
    ...(schedulers === 2 ? { schedulers } : {}),
    ...(scaling.length === 0 ? {} : { metrics: seed % 2 === 0 ? ('near' as const) : ('served' as const) }),
    activeMs,
    recoverMs: scaling.length === 0 ? 240_000 : scaledRecoverMs,
    restMs: 45_000,
  };
}

interface More {
  readonly actions: readonly Action[];
  readonly faults: readonly Fault[];
}

const nothingMore: More = { actions: [], faults: [] };

/** What the scheduler can do beyond Kubernetes' own. */
function moreOf(random: Random, activeMs: number, nodes: readonly NodePlan[]): More {
  const gangs = gangActions(random.stream('gangs'), activeMs, nodes);
  const profiles = profileActions(random.stream('profiles'), activeMs, nodes.length);
  // What goes by another score than the default is put back where it was.
  const moves = profiles.length > 0 ? [] : rebalanceActions(random.stream('rebalance'), activeMs);
  return {
    actions: [
      ...gangs,
      ...reservationActions(random.stream('reservations'), activeMs, nodes),
      ...gpuActions(random.stream('gpus'), activeMs, nodes.length),
      ...profiles,
      ...moves,
    ],
    faults: [
      ...gangFaults(random.stream('gang faults'), gangs, activeMs),
      ...(moves.length > 0 ? rebalancerFaults(random.stream('rebalancer faults'), activeMs) : []),
    ],
  };
}

/** Where nothing else is said, an autoscaler takes nothing away before five minutes are over. */
const scaledRecoverMs = 600_000;

const inOrder = <T extends { readonly atMs: number }>(items: T[]): T[] =>
  items.sort((a, b) => a.atMs - b.atMs);
const chance = (random: Random, of: number): boolean => random.float() < of;

function workload(random: Random): WorkloadPlan {
  const surge = random.integer(4);
  const unavailable = surge === 0 ? 1 + random.integer(2) : random.integer(3);
  return {
    replicas: random.integer(10) === 0 ? 0 : 1 + Math.floor(random.float() ** 2 * 12),
    cpuMilli: Math.max(10, Math.round(sample(random, recorded.cpuMilli) / 40)),
    memoryMiB: Math.max(8, Math.round(sample(random, recorded.memoryMiB) / 160)),
    maxSurge: chance(random, 0.4) ? '25%' : surge,
    maxUnavailable: surge !== 0 && chance(random, 0.4) ? '25%' : unavailable,
    strategy: chance(random, 0.15) ? 'Recreate' : 'RollingUpdate',
    placement:
      (['anywhere', 'anywhere', 'spread', 'apart', 'zone'] as const)[random.integer(5)] ?? 'anywhere',
  };
}

function makeActions(random: Random, activeMs: number, nodeCount: number): Action[] {
  const appCount = 1 + random.integer(4);
  const habits: (() => Omit<Action, 'atMs'>)[] = [
    () => ({ kind: 'scale', app: random.integer(appCount), replicas: Math.floor(random.float() ** 2 * 16) }),
    () => ({ kind: 'roll', app: random.integer(appCount), image: random.integer(6) }),
    () => ({ kind: 'pause', app: random.integer(appCount), paused: chance(random, 0.5) }),
    () => ({
      kind: 'undeploy',
      app: random.integer(appCount),
      propagation: (['Background', 'Foreground', 'Orphan'] as const)[random.integer(3)] ?? 'Background',
    }),
    () => ({ kind: 'deploy', app: random.integer(appCount), workload: workload(random) }),
    () => ({ kind: chance(random, 0.7) ? 'serve' : 'unserve', app: random.integer(appCount) }),
    () => ({
      kind: 'job',
      number: random.integer(20),
      exitAfterMs: Math.round(Math.min(120, sample(random, recorded.seconds) / 30) * 1000),
      exitCode: random.integer(3) === 0 ? 1 : 0,
    }),
    () => {
      const pick = random.integer(1000);
      return { kind: 'deletePod', pick, force: pick % 4 === 3 };
    },
    () => ({ kind: 'relabelPod', pick: random.integer(1000) }),
    () => ({ kind: 'cordon', node: random.integer(nodeCount), on: chance(random, 0.5) }),
    () => ({
      kind: 'taint',
      node: random.integer(nodeCount),
      on: chance(random, 0.5),
      effect: chance(random, 0.5) ? 'NoExecute' : 'NoSchedule',
    }),
    () => ({ kind: 'namespace', number: random.integer(3), apps: random.integer(4) }),
    () => ({ kind: 'dropNamespace', number: random.integer(3) }),
    () => ({ kind: 'nonsense', pick: random.integer(1000) }),
  ];
  const own = habits.filter((_, index) => index < 2 || chance(random, 0.5));
  const actions: Action[] = [];
  for (let app = 0; app < appCount; app++) {
    actions.push({ kind: 'deploy', app, workload: workload(random), atMs: random.integer(10_000) });
    if (chance(random, 0.7)) actions.push({ kind: 'serve', app, atMs: random.integer(20_000) });
  }
  const anew = random.stream('anew');
  const gapMs = [500, 2000, 8000, 20_000][random.integer(4)] as number;
  for (
    let atMs = 5000;
    atMs < activeMs && actions.length < 200;
    atMs += 1 + Math.floor(-Math.log(1 - random.float()) * gapMs)
  ) {
    const make = own[random.integer(own.length)] as () => Omit<Action, 'atMs'>;
    const action = { ...make(), atMs } as Action;
    actions.push(action);
    // Who is deleted is often made anew at once: another of the same name.
    if ((action.kind === 'undeploy' || action.kind === 'unserve') && chance(anew, 0.5)) {
      const at = Math.min(activeMs, atMs + anew.integer(4000));
      const { app } = action;
      actions.push(
        action.kind === 'unserve'
          ? { kind: 'serve', app, atMs: at }
          : { kind: 'deploy', app, workload: workload(anew), atMs: at },
      );
    }
  }
  // In the end every node can be used: goals would be unreachable otherwise.
  for (let node = 0; node < nodeCount; node++) {
    actions.push({ kind: 'cordon', node, on: false, atMs: activeMs });
    actions.push({ kind: 'taint', node, on: false, effect: 'NoExecute', atMs: activeMs });
    actions.push({ kind: 'taint', node, on: false, effect: 'NoSchedule', atMs: activeMs });
  }
  return inOrder(actions);
}

/** One node is lost for long while all else is well: what is promised of that can be checked to the second. */
function loseNode(random: Random, activeMs: number, nodeCount: number): Fault {
  const lost = { process: nodeName(random.integer(nodeCount)), forMs: 120_000 };
  const atMs = activeMs - 121_000 - random.integer(10_000);
  return chance(random, 0.5)
    ? { ...lost, atMs, kind: 'kill', afterSends: 0 }
    : { ...lost, atMs, kind: 'crashNode' };
}

/** And while it is lost, users want less. */
function wantLess(random: Random, { atMs }: Fault): Action[] {
  return [0, 1, 2, 3].map((app) => ({
    kind: 'scale',
    app,
    replicas: 1 + random.integer(3),
    atMs: atMs + 60_000 + random.integer(40_000),
  }));
}

function makeFaults(random: Random, activeMs: number, nodeCount: number): Fault[] {
  const processes = [
    'api',
    'controllers',
    'scheduler',
    'witness',
    ...Array.from({ length: nodeCount }, (_, i) => nodeName(i)),
    ...Array.from({ length: nodeCount }, (_, i) => proxyName(i)),
  ];
  const node = (): string => nodeName(random.integer(nodeCount));
  const anyone = (): string =>
    chance(random, 0.3)
      ? (processes[random.integer(3)] as string)
      : (processes[random.integer(processes.length)] as string);
  const notApi = (): string => processes[1 + random.integer(processes.length - 1)] as string;
  const kinds = faultKinds.filter(() => chance(random, 0.35));
  const faults: Fault[] = [];
  if (kinds.length === 0) return faults;
  const gapMs = [2000, 8000, 30_000][random.integer(3)] as number;
  for (let atMs = 3000; faults.length < 60; ) {
    atMs += 1 + Math.floor(-Math.log(1 - random.float()) * gapMs);
    const leftMs = activeMs - atMs;
    if (leftMs < 1000) break;
    const kind = kinds[random.integer(kinds.length)] as Fault['kind'];
    const longMs = chance(random, 0.2) ? 120_000 : 20_000;
    const forMs = Math.min(leftMs, 200 + random.integer(longMs));
    faults.push({ ...makeFault(random, kind, { anyone, notApi, node }), atMs, forMs } as Fault);
  }
  return inOrder(faults);
}

interface Victims {
  readonly anyone: () => string;
  readonly notApi: () => string;
  readonly node: () => string;
}

function makeFault(random: Random, kind: Fault['kind'], { anyone, notApi, node }: Victims): object {
  switch (kind) {
    case 'kill':
      return { kind, process: anyone(), afterSends: chance(random, 0.5) ? 0 : random.integer(12) };
    case 'cut':
      return { kind, process: notApi(), way: (['in', 'out', 'both'] as const)[random.integer(3)] };
    case 'slow':
      return { kind, chance: random.float() * 0.3, slowMs: [100, 2000, 40_000][random.integer(3)] };
    case 'loss':
      return { kind, chance: random.float() * 0.2 };
    case 'repeat':
      return { kind, chance: random.float() * 0.3 };
    case 'breakStreams':
      return { kind, process: notApi() };
    case 'clockJump':
      return {
        kind,
        process: anyone(),
        byMs: (chance(random, 0.5) ? 1 : -1) * random.integer(chance(random, 0.2) ? 86_400_000 : 120_000),
      };
    case 'clockDrift':
      return { kind, process: anyone(), drift: (random.float() - 0.5) * 0.02 };
    case 'crashNode':
      return { kind, process: node() };
    case 'containerExits':
      return {
        kind,
        process: node(),
        pick: random.integer(1000),
        exitCode: [0, 1, 137][random.integer(3)] as number,
      };
    case 'slowPull':
      return { kind, process: node(), pullMs: [2000, 20_000, 90_000][random.integer(3)] as number };
    case 'machineErrors':
      return { kind, process: node(), chance: random.float() * 0.3 };
    default:
      return { kind };
  }
}
