/**
 * The tree of queues, made of the objects as they are: also of those that contradict each other. Pure.
 *
 * A queue whose parent is not there, or is below it, hangs at the root and is not in force: nothing of it is planned until that is mended, since nobody knows
 * which limits hold for it. What is wrong with guarantees is told; they are kept as far as they can be.
 */
import type { Queue } from '../../api/index.ts';
import type { Resources, Vector } from './amounts.ts';
import { QueueNode, type QueueRules, type ReclaimPolicy } from './queue-node.ts';

export interface QueueProblem {
  /** A word for the condition. */
  readonly reason:
    | 'UnknownParent'
    | 'ParentCycle'
    | 'ParentNotReady'
    | 'GuaranteesExceedOwn'
    | 'GuaranteesExceedLimit';
  readonly message: string;
}

export interface QueueTree {
  readonly root: QueueNode;
  readonly byName: ReadonlyMap<string, QueueNode>;
  /** Of queues that are in force all the same, or not (`broken`). */
  readonly problems: ReadonlyMap<string, QueueProblem>;
}

export function treeOf(queues: Iterable<Queue>, resources: Resources): QueueTree {
  const objects = new Map(
    [...queues]
      .map((one): [string, Queue] => [one.metadata.name ?? '', one])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const root = new QueueNode('', undefined, rulesOf(undefined, resources));
  const byName = new Map<string, QueueNode>();
  const problems = new Map<string, QueueProblem>();
  const place = (name: string, object: Queue, above: ReadonlySet<string>): QueueNode => {
    const there = byName.get(name);
    if (there !== undefined) return there;
    const { parent: parentName = '' } = object.spec ?? {};
    const parentObject = objects.get(parentName);
    let problem: QueueProblem | undefined;
    let parent = root;
    if (parentName !== '' && parentObject === undefined)
      problem = { reason: 'UnknownParent', message: `its parent ${parentName} does not exist` };
    else if (above.has(parentName) || parentName === name)
      problem = { reason: 'ParentCycle', message: `it is above its own parent ${parentName}` };
    else if (parentObject !== undefined) {
      parent = place(parentName, parentObject, new Set([...above, name]));
      if (parent.broken !== undefined)
        problem = {
          reason: 'ParentNotReady',
          message: `its parent ${parentName} is not ready: ${parent.broken}`,
        };
    }
    const known = byName.get(name);
    if (known !== undefined) return known;
    const node = new QueueNode(name, parent, rulesOf(object, resources));
    parent.children.push(node);
    byName.set(name, node);
    if (problem !== undefined) {
      node.broken = problem.message;
      problems.set(name, problem);
    }
    return node;
  };
  for (const [name, object] of objects) place(name, object, new Set());
  root.settle();
  for (const node of byName.values()) {
    const problem = problems.has(node.name) ? undefined : guaranteeProblem(node, resources);
    if (problem !== undefined) problems.set(node.name, problem);
  }
  return { root, byName, problems };
}

function rulesOf(object: Queue | undefined, resources: Resources): QueueRules {
  const spec = object?.spec ?? {};
  return {
    weight: Math.max(1, spec.weight ?? 1),
    min: resources.vector(spec.min),
    max: resources.vector(spec.max),
    mayBorrow: spec.mayBorrow ?? true,
    mayLend: spec.mayLend ?? true,
    reclaim: (spec.reclaimPolicy ?? 'Any') as ReclaimPolicy,
  };
}

function guaranteeProblem(node: QueueNode, resources: Resources): QueueProblem | undefined {
  const sums = sumOfChildren(node);
  for (let at = 0; at < sums.length; at++) {
    const sum = sums[at] ?? 0;
    const [own, most] = [node.rules.min[at], node.rules.max[at]];
    if (own !== undefined && sum > own)
      return {
        reason: 'GuaranteesExceedOwn',
        message: `the queues below it are guaranteed ${resources.told(at, sum)}, it is guaranteed ${resources.text(at, own)}`,
      };
    if (most !== undefined && sum > most)
      return {
        reason: 'GuaranteesExceedLimit',
        message: `the queues below it are guaranteed ${resources.told(at, sum)}, it may have ${resources.text(at, most)}`,
      };
  }
  return undefined;
}

function sumOfChildren(node: QueueNode): number[] {
  const sums: number[] = [];
  for (const { min } of node.children)
    min.forEach((amount = 0, at) => {
      sums[at] = (sums[at] ?? 0) + amount;
    });
  return sums;
}

/** What all queues together are guaranteed and the cloud does not have. */
export function overcommitment(
  { root }: QueueTree,
  capacity: Vector,
  resources: Resources,
): QueueProblem | undefined {
  const sums = sumOfChildren(root);
  for (let at = 0; at < sums.length; at++) {
    const [sum, whole] = [sums[at] ?? 0, capacity[at] ?? 0];
    if (sum > whole)
      return {
        reason: 'GuaranteesExceedLimit',
        message: `all queues together are guaranteed ${resources.told(at, sum)}, the cloud has ${resources.text(at, whole)}`,
      };
  }
  return undefined;
}
