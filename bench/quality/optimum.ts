/**
 * Small random instances of packing, and their optimum by a mixed-integer solver (HiGHS).
 *
 * Two questions: all pods on as few nodes as can be (nodes alike), and as much as can be on nodes that are too few (nodes of several sizes).
 */
import highs from 'highs';
import type { Random } from '../../src/lib/index.ts';
import { plan } from '../../src/scheduler/plan.ts';
import type { Policy } from '../../src/scheduler/scorer.ts';
import { Snapshot } from '../../src/scheduler/snapshot.ts';
import { nodeOf, podOf } from './through-engine.ts';
import type { TraceNode, TracePod } from './trace.ts';

export interface Instance {
  readonly nodes: readonly TraceNode[];
  readonly pods: readonly TracePod[];
}

const solverSeconds = 20;

const randomPods = (count: number, random: Random): readonly TracePod[] =>
  Array.from({ length: count }, () => ({
    cpuMilli: 250 * (1 + random.integer(16)),
    memoryMib: 512 * (1 + random.integer(16)),
    gpus: 0,
    milli: 0,
    models: [],
  }));

const nodeOfSize = (at: number, cpuMilli: number, memoryMib: number): TraceNode => ({
  name: `n-${at}`,
  cpuMilli,
  memoryMib,
  gpus: 0,
  model: '',
});

export function fewNodes(random: Random): Instance {
  const nodes = Array.from({ length: 10 }, (_, at) => nodeOfSize(at, 8000, 16_384));
  return { nodes, pods: randomPods(15 + random.integer(8), random) };
}

export function tooFewNodes(random: Random): Instance {
  const nodes = Array.from({ length: 4 }, (_, at) =>
    nodeOfSize(at, 4000 * (1 + random.integer(3)), 8192 * (1 + random.integer(3))),
  );
  return { nodes, pods: randomPods(15 + random.integer(8), random) };
}

export interface Outcome {
  readonly usedNodes: number;
  /** Of processors and memory together, as parts of what all nodes have: 2 is everything. */
  readonly allocated: number;
  readonly placed: number;
}

function wholeOf({ nodes }: Instance): { readonly cpu: number; readonly memory: number } {
  return {
    cpu: nodes.reduce((sum, { cpuMilli }) => sum + cpuMilli, 0),
    memory: nodes.reduce((sum, { memoryMib }) => sum + memoryMib, 0),
  };
}

export function byEngine(
  instance: Instance,
  policy: Policy,
  annotations: Readonly<Record<string, string>>,
): Outcome {
  const snapshot = new Snapshot();
  for (const node of instance.nodes) snapshot.setNode(nodeOf(node));
  const waiting = instance.pods.map((one, at) => {
    const pod = podOf(one, `p-${at}`);
    return { key: `default/p-${at}`, pod: { ...pod, metadata: { ...pod.metadata, annotations } } };
  });
  const whole = wholeOf(instance);
  const used = new Set<string>();
  let [allocated, placed] = [0, 0];
  for (const step of plan(snapshot, waiting, policy)) {
    if (step.kind !== 'bind') continue;
    used.add(step.nodeName);
    const { cpuMilli, memoryMib } = instance.pods[Number(step.podKey.slice('default/p-'.length))] as TracePod;
    allocated += cpuMilli / whole.cpu + memoryMib / whole.memory;
    placed++;
  }
  return { usedNodes: used.size, allocated, placed };
}

type Load = (typeof highs)['default'];
/** Its types speak of a CommonJS module; what is loaded is not one. */
const load = highs as unknown as Load;
let solver: Awaited<ReturnType<Load>> | undefined;

/** The best value, or a bound of it where time was up. */
async function solve(program: string): Promise<{ readonly value: number; readonly isProven: boolean }> {
  solver ??= await load();
  const found = solver.solve(program, { time_limit: solverSeconds });
  return { value: found.ObjectiveValue, isProven: found.Status === 'Optimal' };
}

const sum = (terms: readonly string[]): string => terms.join(' + ');

function assignment({ nodes, pods }: Instance, isUsed: boolean): readonly string[] {
  const lines: string[] = [];
  for (const [pod] of pods.entries())
    lines.push(`a${pod}: ${sum(nodes.map((_, node) => `x${pod}_${node}`))} ${isUsed ? '=' : '<='} 1`);
  for (const [node, { cpuMilli, memoryMib }] of nodes.entries())
    for (const [name, most, of] of [
      ['c', cpuMilli, (pod: TracePod) => pod.cpuMilli],
      ['m', memoryMib, (pod: TracePod) => pod.memoryMib],
    ] as const) {
      const asked = sum(pods.map((one, pod) => `${of(one)} x${pod}_${node}`));
      lines.push(
        isUsed ? `${name}${node}: ${asked} - ${most} y${node} <= 0` : `${name}${node}: ${asked} <= ${most}`,
      );
    }
  return lines;
}

const choices = ({ nodes, pods }: Instance): readonly string[] =>
  pods.flatMap((_, pod) => nodes.map((__, node) => `x${pod}_${node}`));

/** Nodes are alike: the first ones are used. */
export function fewestNodes(instance: Instance): ReturnType<typeof solve> {
  const used = instance.nodes.map((_, node) => `y${node}`);
  const ordered = used.slice(1).map((one, at) => `s${at}: ${used[at]} - ${one} >= 0`);
  const lines = [...assignment(instance, true), ...ordered].join('\n ');
  return solve(
    `Minimize\n obj: ${sum(used)}\nSubject To\n ${lines}\nBinary\n ${[...used, ...choices(instance)].join(' ')}\nEnd\n`,
  );
}

export function mostAllocated(instance: Instance): ReturnType<typeof solve> {
  const whole = wholeOf(instance);
  const worth = ({ cpuMilli, memoryMib }: TracePod): number =>
    cpuMilli / whole.cpu + memoryMib / whole.memory;
  const goal = sum(
    instance.pods.flatMap((one, pod) => instance.nodes.map((_, node) => `${worth(one)} x${pod}_${node}`)),
  );
  const lines = assignment(instance, false).join('\n ');
  return solve(
    `Maximize\n obj: ${goal}\nSubject To\n ${lines}\nBinary\n ${choices(instance).join(' ')}\nEnd\n`,
  );
}
