/**
 * What the study compares: random, best fit, and fragmentation gradient descent, as it describes them, on a cluster of plain arrays.
 * Source: Weng and others, "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent" (USENIX ATC 2023).
 */
import type { Random } from '../../src/lib/index.ts';
import type { TraceNode, TracePod } from './trace.ts';

interface State {
  cpuMilli: number;
  memoryMib: number;
  readonly free: number[];
  readonly node: TraceNode;
  version: number;
}

/** Where a pod goes: a node, and which of its GPUs. */
interface Place {
  readonly state: State;
  readonly gpus: readonly number[];
}

export type Peer = (
  states: readonly State[],
  pods: readonly TracePod[],
  random: Random,
) => (pod: TracePod) => Place | undefined;

function fits({ cpuMilli, memoryMib, free, node }: State, pod: TracePod): boolean {
  if (pod.cpuMilli > cpuMilli || pod.memoryMib > memoryMib) return false;
  if (pod.gpus === 0) return true;
  if (pod.models.length > 0 && !pod.models.includes(node.model)) return false;
  let enough = 0;
  for (const one of free) if (one >= pod.milli) enough++;
  return enough >= pod.gpus;
}

/** Of the GPUs that have enough: those with the least to give. */
function tightest({ free }: State, { gpus, milli }: TracePod): readonly number[] {
  return [...free.keys()]
    .filter((at) => (free[at] as number) >= milli)
    .sort((a, b) => (free[a] as number) - (free[b] as number))
    .slice(0, gpus);
}

/** Part of the GPUs that are given away at the end. */
export function allocateByPeer(
  nodes: readonly TraceNode[],
  pods: readonly TracePod[],
  peer: Peer,
  random: Random,
): number {
  const states = nodes.map((node): State => {
    const { cpuMilli, memoryMib, gpus } = node;
    return { cpuMilli, memoryMib, free: Array.from({ length: gpus }, () => 1000), node, version: 0 };
  });
  const pick = peer(states, pods, random);
  let allocated = 0;
  for (const pod of pods) {
    const place = pick(pod);
    if (place === undefined) continue;
    const { state, gpus } = place;
    state.cpuMilli -= pod.cpuMilli;
    state.memoryMib -= pod.memoryMib;
    for (const at of gpus) state.free[at] = (state.free[at] as number) - pod.milli;
    state.version++;
    allocated += pod.gpus * pod.milli;
  }
  return allocated;
}

export const anyNode: Peer = (states, _pods, random) => (pod) => {
  const possible = states.filter((state) => fits(state, pod));
  const state = possible[random.integer(Math.max(1, possible.length))];
  if (state === undefined) return undefined;
  const gpus = [...state.free.keys()].filter((at) => (state.free[at] as number) >= pod.milli);
  while (gpus.length > pod.gpus) gpus.splice(random.integer(gpus.length), 1);
  return { state, gpus };
};

/** The node with the least left, all resources together, each as a part of the largest node's. */
export const bestFit: Peer = (states) => {
  const most = (of: (node: TraceNode) => number): number => Math.max(...states.map(({ node }) => of(node)));
  const [cpu, memory, gpus] = [
    most((node) => node.cpuMilli),
    most((node) => node.memoryMib),
    1000 * most((node) => node.gpus),
  ];
  return (pod) => {
    let best: State | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const state of states) {
      if (!fits(state, pod)) continue;
      const left = state.free.reduce((sum, one) => sum + one, 0);
      const score = state.cpuMilli / cpu + state.memoryMib / memory + left / gpus;
      if (score < least) {
        least = score;
        best = state;
      }
    }
    return best && { state: best, gpus: tightest(best, pod) };
  };
};

interface Typical {
  readonly pod: TracePod;
  readonly part: number;
}

const keyOf = ({ cpuMilli, memoryMib, gpus, milli, models }: TracePod, withMemory: boolean): string =>
  `${cpuMilli} ${withMemory ? memoryMib : ''} ${gpus} ${milli} ${models.join('|')}`;

/** The most frequent pods, which are 95 % of all; memory aside. */
function typicalOf(pods: readonly TracePod[]): readonly Typical[] {
  const counts = new Map<string, { pod: TracePod; count: number }>();
  for (const pod of pods) {
    const key = keyOf(pod, false);
    const there = counts.get(key);
    if (there === undefined) counts.set(key, { pod, count: 1 });
    else there.count++;
  }
  const chosen: { pod: TracePod; count: number }[] = [];
  let sum = 0;
  for (const one of [...counts.values()].sort((a, b) => b.count - a.count)) {
    if (sum >= 0.95 * pods.length) break;
    chosen.push(one);
    sum += one.count;
  }
  return chosen.map(({ pod, count }) => ({ pod, part: count / sum }));
}

/** Thousandths that the next pod could not use, on average. */
function fragments(typical: readonly Typical[], cpuMilli: number, free: readonly number[], model: string) {
  const total = free.reduce((sum, one) => sum + one, 0);
  let sum = 0;
  for (const { pod, part } of typical) {
    const isBarred = pod.models.length > 0 && !pod.models.includes(model);
    if (pod.gpus === 0 || pod.cpuMilli > cpuMilli || isBarred) {
      sum += part * total;
      continue;
    }
    let enough = 0;
    let lost = 0;
    for (const one of free)
      if (one >= pod.milli) enough++;
      else lost += one;
    sum += part * (enough >= pod.gpus ? lost : total);
  }
  return sum;
}

/** As the authors' simulator: the loss as a whole number from 0 to 100, and the first of the best. */
const scoreOf = (loss: number): number => Math.floor(100 / (1 + Math.exp(loss / 1000)));

/** It knows what is asked as a rule from the start: `pods` are all that arrive. */
export const gradientDescent: Peer = (states, pods) => {
  const typical = typicalOf(pods);
  const seen = new Map<string, { scores: Float64Array; gpus: (readonly number[])[]; versions: Int32Array }>();
  const look = (state: State, pod: TracePod): { score: number; gpus: readonly number[] } => {
    const { free, node } = state;
    const before = fragments(typical, state.cpuMilli, free, node.model);
    const choices =
      pod.gpus === 1 && pod.milli < 1000
        ? [...free.keys()].filter((at) => (free[at] as number) >= pod.milli).map((at) => [at])
        : [tightest(state, pod)];
    let best = { score: Number.NEGATIVE_INFINITY, gpus: [] as readonly number[] };
    for (const gpus of choices) {
      const left = free.map((one, at) => (gpus.includes(at) ? one - pod.milli : one));
      const score = scoreOf(fragments(typical, state.cpuMilli - pod.cpuMilli, left, node.model) - before);
      if (score > best.score) best = { score, gpus };
    }
    return best;
  };
  return (pod) => {
    const key = keyOf(pod, true);
    let known = seen.get(key);
    if (known === undefined) {
      const versions = new Int32Array(states.length).fill(-1);
      known = { scores: new Float64Array(states.length), gpus: [], versions };
      seen.set(key, known);
    }
    const { scores, gpus, versions } = known;
    let best = -1;
    for (const [at, state] of states.entries()) {
      if (versions[at] !== state.version) {
        versions[at] = state.version;
        const found = fits(state, pod) ? look(state, pod) : undefined;
        scores[at] = found?.score ?? -1;
        gpus[at] = found?.gpus ?? [];
      }
      if ((scores[at] as number) >= 0 && (best < 0 || (scores[at] as number) > (scores[best] as number)))
        best = at;
    }
    return best < 0 ? undefined : { state: states[best] as State, gpus: gpus[best] ?? [] };
  };
};
