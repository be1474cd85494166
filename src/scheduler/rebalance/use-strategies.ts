/** How full nodes are: to empty those that are nearly empty, or to take from those that are too full. Pure. */
import { type Pod, quantityMilli, quantityValue, type RebalanceStrategy } from '../../api/index.ts';
import { amountsOf } from '../demand.ts';
import { byImportance, type Strategy } from './strategy.ts';
import { isBoundToNode, type Placed, type Trial } from './trial.ts';

const usual = ['cpu', 'memory'];
/** Nodes that are used more than this are not emptied, unless it is said otherwise. */
const emptyPercent = 50;
const thousandths = 1000;

function wholeOf(trial: Trial, node: string, resource: string): number {
  const { allocatable, capacity } = trial.nodes.get(node)?.status ?? {};
  const text = (allocatable ?? capacity)?.[resource];
  return (resource === 'cpu' ? quantityMilli(text) : quantityValue(text)) ?? 0;
}

/** 0 to 1 and more. */
function partOf(trial: Trial, node: string, resource: string): number {
  const whole = wholeOf(trial, node, resource);
  const used = trial.used(node, resource);
  return whole > 0 ? used / whole : used > 0 ? Number.POSITIVE_INFINITY : 0;
}

/** Does the pod count for these resources? */
function takes(pod: Pod, resources: readonly string[] | undefined): boolean {
  if (resources === undefined) return true;
  const { cpuMilli, memoryBytes, extended } = amountsOf(pod);
  return resources.some((one) =>
    one === 'cpu' ? cpuMilli > 0 : one === 'memory' ? memoryBytes > 0 : (extended.get(one) ?? 0) > 0,
  );
}

/**
 * Empties nodes: the emptiest first, where all that is on one fits on others that are in use. With resources: frees nodes of those (whole GPUs, say).
 * While pods wait for room nothing is packed.
 */
export function defragment({ resources, thresholds = {} }: RebalanceStrategy): Strategy {
  const only = resources === undefined || resources.length === 0 ? undefined : resources;
  const content = (trial: Trial, node: string): readonly Placed[] =>
    [...trial.on(node)].filter(({ pod }) => !isBoundToNode(pod) && takes(pod, only));
  const looked = only ?? usual;
  const fullness = (trial: Trial, node: string): number =>
    Math.max(...looked.map((one) => partOf(trial, node, one)));
  const isLow = (trial: Trial, node: string): boolean =>
    looked.every((one) => 100 * partOf(trial, node, one) <= (thresholds[one] ?? emptyPercent));
  return {
    type: 'Defragment',
    cost(trial, { nodes }) {
      let count = 0;
      for (const node of nodes) if (content(trial, node).length > 0) count++;
      return count;
    },
    *candidates(trial) {
      if (trial.waiting.length > 0) return;
      const nodes = [...trial.nodes.keys()]
        .filter((node) => !trial.isHeld(node) && isLow(trial, node) && content(trial, node).length > 0)
        .map((node) => ({ node, full: fullness(trial, node), pods: content(trial, node).length }))
        .sort((a, b) => a.full - b.full || a.pods - b.pods || (a.node < b.node ? -1 : 1));
      for (const [at, { node, full }] of nodes.entries()) {
        if (trial.isHeld(node)) continue;
        const group = [...content(trial, node)].sort(largestFirst).map(({ key }) => key);
        const reason = `node ${node}, of which ${Math.round(100 * full)} % are used, is emptied`;
        // Best not onto nodes that are to be emptied after it: these pods would be moved again.
        const hold = nodes.slice(at + 1, -1).map((one) => one.node);
        if (hold.length > 0) yield { group, reason, isWish: true, keep: [node], hold };
        yield { group, reason, isWish: true, keep: [node] };
      }
    },
    *holds(trial) {
      for (const node of trial.nodes.keys()) if (content(trial, node).length === 0) yield node;
    },
  };
}

/** Who is hardest to place is placed first. */
function largestFirst(a: Placed, b: Placed): number {
  const [x, y] = [amountsOf(a.pod), amountsOf(b.pod)];
  return y.cpuMilli - x.cpuMilli || y.memoryBytes - x.memoryBytes || (a.key < b.key ? -1 : 1);
}

/** Takes pods from nodes that are used beyond the target, while there are nodes below the thresholds. */
export function lowUtilization({
  resources,
  thresholds,
  targetThresholds = {},
}: RebalanceStrategy): Strategy {
  const looked =
    resources === undefined || resources.length === 0 ? Object.keys(targetThresholds) : resources;
  const excess = (trial: Trial, node: string): number =>
    looked.reduce((sum, one) => {
      const over = partOf(trial, node, one) - (targetThresholds[one] ?? 100) / 100;
      return sum + (over > 0 ? Math.min(1e9, Math.ceil(thousandths * over)) : 0);
    }, 0);
  const hasRoom = (trial: Trial, node: string): boolean =>
    looked.every(
      (one) => 100 * partOf(trial, node, one) < (thresholds?.[one] ?? targetThresholds[one] ?? 100),
    );
  return {
    type: 'LowUtilization',
    cost: (trial, { nodes }) => [...nodes].reduce((sum, node) => sum + excess(trial, node), 0),
    *candidates(trial) {
      const names = [...trial.nodes.keys()];
      if (!names.some((node) => hasRoom(trial, node))) return;
      const over = names
        .map((node) => ({ node, by: excess(trial, node) }))
        .filter(({ by }) => by > 0)
        .sort((a, b) => b.by - a.by || (a.node < b.node ? -1 : 1));
      for (const { node } of over)
        for (const { key, pod } of [...trial.on(node)].sort(byImportance)) {
          if (isBoundToNode(pod) || !takes(pod, looked)) continue;
          if (excess(trial, node) === 0) break;
          const [worst = 'cpu'] = [...looked].sort((a, b) => partOf(trial, node, b) - partOf(trial, node, a));
          const percent = Math.round(100 * partOf(trial, node, worst));
          yield { group: [key], isWish: true, reason: `node ${node} is used to ${percent} % of ${worst}` };
        }
    },
  };
}
