/**
 * Where a gang does not fit by what is best for each of its pods, it is placed by what leaves most room for the others: largest first, packed. Pure.
 */
import { demandOf } from '../demand.ts';
import type { WaitingPod } from '../plan.ts';
import type { Policy, Scorer, Scoring } from '../scorer.ts';

const tightScorer: Scorer = {
  name: 'Tight',
  packs: true,
  begin(demand, snapshot): Scoring {
    const part = (free: number, asked: number): number => (asked === 0 ? 0 : free / asked);
    return {
      fixed: () => 0,
      relative: [],
      zones: undefined,
      around: { spread: 0, pods: 0 },
      // Where least is left beside it.
      score: (row) =>
        -Math.max(
          part(snapshot.cpuFree[row] as number, demand.cpuMilli),
          part(snapshot.memoryFree[row] as number, demand.memoryBytes),
        ),
      steadyKey: '',
      aspects: () => [],
    };
  },
};

export const tightPolicy: Policy = { scorerOf: () => tightScorer };

/** Those that ask least, as many as are needed; undefined: all ask the same, and there is nothing to be gained. */
export function smallest(members: readonly WaitingPod[], need: number): readonly WaitingPod[] | undefined {
  const [first] = members;
  const { cpuMilli, memoryBytes } =
    first === undefined ? { cpuMilli: 0, memoryBytes: 0 } : demandOf(first.pod);
  const isMixed = members.some(({ pod }) => {
    const demand = demandOf(pod);
    return demand.cpuMilli !== cpuMilli || demand.memoryBytes !== memoryBytes;
  });
  if (!isMixed) return undefined;
  const most = { cpu: 1, memory: 1 };
  for (const { pod } of members) {
    most.cpu = Math.max(most.cpu, demandOf(pod).cpuMilli);
    most.memory = Math.max(most.memory, demandOf(pod).memoryBytes);
  }
  const size = ({ pod }: WaitingPod): number =>
    Math.max(demandOf(pod).cpuMilli / most.cpu, demandOf(pod).memoryBytes / most.memory);
  return [...members].sort((a, b) => size(a) - size(b)).slice(0, need);
}
