/**
 * What a DaemonSet does about its pods in one look, node by node. Pure; names only.
 *
 * Source: "DaemonSet" (how daemon pods are scheduled, rolling update), the fields' documentation of maxUnavailable and maxSurge.
 */

export interface DaemonPod {
  readonly name: string;
  readonly state: 'available' | 'unready' | 'failed' | 'succeeded';
  readonly isOld: boolean;
  readonly isTerminating: boolean;
  readonly createdAt: number;
  /** It is only waiting for its node. */
  readonly isUnbound: boolean;
}

export interface DaemonNode {
  readonly name: string;
  /** New pods are put there. */
  readonly wants: boolean;
  /** Those that are there may stay. */
  readonly bears: boolean;
  /** Undefined: the node is gone. */
  readonly exists: boolean;
  readonly pods: readonly DaemonPod[];
}

export interface Update {
  readonly isOnDelete: boolean;
  readonly maxUnavailable: number;
  readonly maxSurge: number;
}

export interface Deed {
  readonly create: readonly string[];
  readonly delete: readonly string[];
}

const isOver = ({ state }: DaemonPod): boolean => state === 'failed' || state === 'succeeded';
const counts = (pod: DaemonPod): boolean => !(isOver(pod) && pod.isTerminating);
const runs = (pod: DaemonPod): boolean => !isOver(pod) && !pod.isTerminating;
const isUp = (pod: DaemonPod): boolean => pod.state === 'available' && !pod.isTerminating;

export function deedOf(nodes: readonly DaemonNode[], update: Update): Deed {
  const first = presence(nodes, update);
  const isCalm = first.create.length + first.delete.length === 0;
  return isCalm && !update.isOnDelete ? rollout(nodes, update) : first;
}

/** One on each that wants one, none where it is not borne; what has ended is taken away; of several the oldest stays. */
function presence(nodes: readonly DaemonNode[], update: Update): Deed {
  const create: string[] = [];
  const remove: string[] = [];
  for (const node of nodes) {
    const there = node.pods.filter(counts);
    if (!node.exists) {
      remove.push(...there.filter((pod) => pod.isUnbound && !pod.isTerminating).map(({ name }) => name));
      continue;
    }
    if (node.wants && there.length === 0) create.push(node.name);
    else if (!node.bears) remove.push(...there.filter((pod) => !pod.isTerminating).map(({ name }) => name));
    else {
      remove.push(...there.filter((pod) => isOver(pod) && !pod.isTerminating).map(({ name }) => name));
      remove.push(...tooMany(there.filter(runs), update));
    }
  }
  return { create: create.sort(), delete: remove.sort() };
}

const older = (a: DaemonPod, b: DaemonPod): number =>
  Number(a.isUnbound) - Number(b.isUnbound) || a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1);

function tooMany(running: readonly DaemonPod[], { maxSurge, isOnDelete }: Update): readonly string[] {
  if (running.length < 2) return [];
  const byAge = [...running].sort(older);
  if (maxSurge === 0 || isOnDelete) return byAge.slice(1).map(({ name }) => name);
  // "A pod of each template side by side", until the new one is available or the old one is not ready.
  const fresh = byAge.find(({ isOld }) => !isOld);
  const old = byAge.find(({ isOld }) => isOld);
  const isOldOver = fresh !== undefined && old !== undefined && (!isUp(old) || isUp(fresh));
  return byAge.filter((pod) => pod !== fresh && (pod !== old || isOldOver)).map(({ name }) => name);
}

function rollout(nodes: readonly DaemonNode[], { maxUnavailable, maxSurge }: Update): Deed {
  return maxSurge > 0 ? newFirst(nodes, maxSurge) : oldFirst(nodes, maxUnavailable);
}

/**
 * Each node's old pods go first, as many nodes at a time as may be without one; a node that has none that is available costs nothing more. A node with
 * more than one pod (it is gone, else it would have been put right) is left as it is.
 */
function oldFirst(nodes: readonly DaemonNode[], maxUnavailable: number): Deed {
  const concerned = nodes
    .filter(({ exists, wants, pods }) => (exists && wants) || pods.some(counts))
    .map(({ pods }) => pods.filter((pod) => counts(pod) && !pod.isTerminating));
  const single = concerned.filter(({ length }) => length === 1).flat();
  const without = concerned.length - single.filter(isUp).length;
  const old = single.filter(({ isOld }) => isOld);
  const busy = old.filter(isUp);
  const idle = old.filter((pod) => !isUp(pod));
  const spare = Math.max(0, maxUnavailable - without);
  return {
    create: [],
    delete: [...idle, ...busy.slice(0, spare)].map(({ name }) => name).sort(),
  };
}

/** New pods come beside old ones, on as many nodes at a time; beside one that is not available they cost nothing. */
function newFirst(nodes: readonly DaemonNode[], maxSurge: number): Deed {
  const all = nodes.map((node) => ({
    node,
    living: node.pods.filter((pod) => counts(pod) && !pod.isTerminating),
  }));
  type Pair = (typeof all)[number];
  const has = ({ living }: Pair, isOld: boolean): number =>
    living.filter((pod) => pod.isOld === isOld).length;
  const isMessy = (pair: Pair): boolean => has(pair, true) > 1 || has(pair, false) > 1;
  const pairs = all.filter((pair) => !isMessy(pair) && has(pair, true) === 1);
  const doubled = pairs.filter((pair) => has(pair, false) === 1);
  const single = pairs.filter((pair) => has(pair, false) === 0 && pair.node.exists && pair.node.wants);
  const isDone = ({ living }: Pair): boolean => living.some((pod) => !pod.isOld && isUp(pod));
  const surging = doubled.filter((pair) => !isDone(pair)).length + all.filter(isMessy).length;
  const free = single.filter(({ living }) => !living.some(isUp));
  const costly = single.filter(({ living }) => living.some(isUp));
  const spare = Math.max(0, maxSurge - surging);
  return {
    create: [...free, ...costly.slice(0, spare)].map(({ node }) => node.name).sort(),
    delete: doubled
      .filter(isDone)
      .flatMap(({ living }) => living.filter(({ isOld }) => isOld))
      .map(({ name }) => name)
      .sort(),
  };
}
