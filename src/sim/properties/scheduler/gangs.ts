/** Gangs: all or none, and in the end all that fit. */
import type { Node, Pod, PodGroup } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { isGoing, isSchedulers, isVictim, sinceMs } from '../facts.ts';
import { fitting, freeOn, gangKeyOf, isWithinQueue, prefix, type Room } from './room.ts';
import { refusal } from './rules-kept.ts';

const groups = 'podgroups.scheduling.k8s.io';
/** Bindings of one moment are answered within. */
const togetherMs = 5000;
/** What is over for so long has no messages under way any more; a slow one lives for 40 s. */
const settleMs = 5000;
const slowMs = 45_000;

/** Whether bindings of then may not have come through, or a scheduler may not have lived to send them. */
const isTroubled = ({ plan, nowMs }: Checked, atMs: number): boolean =>
  plan.faults.some((fault) => {
    if ('process' in fault && fault.process !== 'api' && !isSchedulers(fault.process)) return false;
    const overMs = fault.atMs + fault.forMs + (fault.kind === 'slow' ? slowMs : settleMs);
    return fault.atMs <= nowMs() && overMs >= atMs;
  });

interface Gang {
  readonly minCount: number;
  readonly topologyKey: string | undefined;
  readonly wasScheduled: boolean;
  readonly members: readonly Pod[];
}

/** Counts for its gang. */
function isMember({ metadata, spec, status }: Pod): boolean {
  if (status?.phase === 'Failed') return false;
  return Boolean(spec?.nodeName) || metadata.deletionTimestamp === undefined;
}

const hasPlace = ({ spec, status }: Pod): boolean => Boolean(spec?.nodeName) || status?.phase === 'Succeeded';

/** undefined: nobody has said how many it needs. */
function gangOf({ truth }: Checked, key: string): Gang | undefined {
  const members = [...truth.objects<Pod>('pods').values()].filter(
    (pod) => gangKeyOf(pod) === key && isMember(pod),
  );
  const group = truth.objects<PodGroup>(groups).get(key);
  if (group !== undefined)
    return {
      minCount: group.spec.schedulingPolicy.gang?.minCount ?? 1,
      topologyKey: group.spec.schedulingConstraints?.topology?.[0]?.key,
      wasScheduled:
        group.status?.conditions?.some(
          ({ type, status }) => type === 'PodGroupScheduled' && status === 'True',
        ) === true,
      members,
    };
  const said = members.map(({ metadata }) =>
    Number(metadata.annotations?.[`${prefix}pod-group-min-count`] ?? 0),
  );
  const minCount = Math.max(0, ...said);
  if (minCount === 0) return undefined;
  const topologyKey = members
    .map(({ metadata }) => metadata.annotations?.[`${prefix}pod-group-topology`])
    .find((one) => one !== undefined);
  return { minCount, topologyKey, wasScheduled: false, members };
}

export const gangsBeginWhole: Property = {
  name: 'scheduler/gangs-begin-whole',
  source: 'mission S1: gang scheduling (all or none); Kubernetes: PodGroup',
  statement:
    'Where the API server and the schedulers are undisturbed, when the first pod of a gang gets a node, as many have one within five seconds as the gang needs, unless one of them or a node goes meanwhile.',
  check(world, broken) {
    const begun = new Map<string, number>();
    const lostMs = new Map<string, number>();
    let nodeLostMs = Number.NEGATIVE_INFINITY;
    const placed = (key: string): readonly [number, Gang | undefined] => {
      const gang = gangOf(world, key);
      return [gang?.members.filter(hasPlace).length ?? 0, gang];
    };
    return {
      onEvent({ kind, resource, object, previous, name, atMs }) {
        if (resource === 'nodes' && kind === 'delete') nodeLostMs = atMs;
        if (resource === groups && (kind === 'delete' || previous === undefined)) lostMs.set(name, atMs);
        if (resource !== 'pods') return;
        const pod = object as Pod;
        const key = gangKeyOf(pod);
        if (key === undefined) return;
        if (kind === 'delete' || isGoing(pod) || !isMember(pod)) {
          lostMs.set(key, atMs);
          return;
        }
        if (!pod.spec?.nodeName || (previous as Pod | undefined)?.spec?.nodeName) return;
        const [count, gang] = placed(key);
        if (gang === undefined || gang.wasScheduled || count !== 1) return;
        if (gang.minCount > 1) begun.set(key, atMs);
      },
      onSecond() {
        const nowMs = world.nowMs();
        for (const [key, atMs] of begun) {
          const [count, gang] = placed(key);
          const isDisturbed =
            isTroubled(world, atMs) ||
            Math.max(nodeLostMs, lostMs.get(key) ?? nodeLostMs) > atMs - togetherMs;
          if (isDisturbed || gang === undefined || count >= gang.minCount) begun.delete(key);
          else if (nowMs - atMs > togetherMs) {
            broken(
              `of gang ${key} ${count} pods have nodes since ${nowMs - atMs} ms, and it needs ${gang.minCount}`,
            );
            begun.delete(key);
          }
        }
      },
    };
  },
};

/** How many of these fit into a zone, by the label's value; without a label all nodes are one. */
function roomFor(world: Checked, { topologyKey, members }: Gang, pod: Pod): ReadonlyMap<string, number> {
  const nodes = world.truth.objects<Node>('nodes');
  const zoneOf = (node: Node | undefined): string | undefined =>
    topologyKey === undefined ? '' : node?.metadata.labels?.[topologyKey];
  const taken = members
    .filter(({ spec }) => Boolean(spec?.nodeName))
    .map(({ spec }) => zoneOf(nodes.get(spec?.nodeName ?? '')))
    .find((value) => value !== undefined);
  const room = new Map<string, number>();
  for (const node of nodes.values()) {
    const value = zoneOf(node);
    if (value === undefined || (taken !== undefined && value !== taken) || refusal(pod, node) !== undefined)
      continue;
    const free: Room = freeOn(world, node);
    room.set(value, (room.get(value) ?? 0) + fitting(free, pod));
  }
  return room;
}

export const gangsTogether: Property = {
  name: 'scheduler/gangs-together',
  source: 'mission S1: gang scheduling (topology)',
  statement: 'Pods of a gang that wants one zone are bound in the zone of those that have a node already.',
  check(world, broken) {
    const { truth } = world;
    return {
      onEvent({ kind, resource, object, previous, name }) {
        if (resource !== 'pods' || kind === 'delete') return;
        const pod = object as Pod;
        if (!pod.spec?.nodeName || (previous as Pod | undefined)?.spec?.nodeName) return;
        const key = gangKeyOf(pod);
        const gang = key === undefined ? undefined : gangOf(world, key);
        const label = gang?.topologyKey;
        if (gang === undefined || label === undefined || key === undefined) return;
        const since = sinceMs(world);
        const isNew = (of: string, one: string): boolean =>
          truth.heldSince(of, one, since, (object) => object === undefined);
        const zoneOf = (nodeName = ''): string | undefined =>
          isNew('nodes', nodeName)
            ? undefined
            : truth.objects<Node>('nodes').get(nodeName)?.metadata.labels?.[label];
        const own = zoneOf(pod.spec.nodeName);
        // What it was told anew may not have been known.
        if (own === undefined || (truth.objects(groups).has(key) && isNew(groups, key))) return;
        for (const { metadata, spec } of gang.members) {
          const theirs = zoneOf(spec?.nodeName);
          if (theirs !== undefined && theirs !== own)
            broken(`${name} got a node in ${own}, and ${metadata.name} of its gang is in ${theirs}`);
        }
      },
    };
  },
};

export const gangsGivenUpHalf: Property = {
  name: 'scheduler/gangs-given-up-half',
  source: 'mission S1: gang scheduling (all or none)',
  statement:
    'A scheduler deletes pods of a gang only to make room for others, or when the gang has not had all that it needs for long.',
  check(world, broken) {
    /** When each gang was last seen to have begun. */
    const lackedMs = new Map<string, number>();
    return {
      onSecond() {
        const keys = new Set([...world.truth.objects<Pod>('pods').values()].map(gangKeyOf));
        for (const key of keys) {
          if (key === undefined) continue;
          const gang = gangOf(world, key);
          const isHalf = gang !== undefined && gang.members.filter(hasPlace).length < gang.minCount;
          if (isHalf || gang === undefined) lackedMs.set(key, world.nowMs());
        }
      },
      onAsked({ by, verb, resource, name }) {
        if (!isSchedulers(by) || verb !== 'delete' || resource !== 'pods') return;
        const pod = world.truth.objects<Pod>('pods').get(name);
        const key = pod === undefined ? undefined : gangKeyOf(pod);
        if (pod === undefined || key === undefined || isVictim(pod)) return;
        if ((lackedMs.get(key) ?? Number.NEGATIVE_INFINITY) < sinceMs(world) - 1000)
          broken(`${name} was deleted by the scheduler, and its gang has all that it needs`);
      },
    };
  },
};

export const gangsReached: Property = {
  name: 'scheduler/gangs-reached',
  source: 'mission S1: gang scheduling, R2 (no starvation)',
  statement:
    'When faults and users have stopped, no gang soon waits while what it lacks would fit, in one zone where it wants that; and each PodGroup that has all it needs says so.',
  check(world) {
    const { truth } = world;
    return {
      goal() {
        const keys = new Set([...truth.objects<Pod>('pods').values()].map(gangKeyOf));
        for (const key of keys) {
          const gang = key === undefined ? undefined : gangOf(world, key);
          if (gang === undefined) continue;
          const waiting = gang.members.filter((pod) => !hasPlace(pod) && !isGoing(pod));
          const count = gang.members.length - waiting.length;
          const group = truth.objects<PodGroup>(groups).get(key ?? '');
          if (group !== undefined && count >= gang.minCount && !gang.wasScheduled)
            return `${key} has ${count} of ${gang.minCount} pods placed, and does not say so`;
          const [pod] = waiting;
          // What a queue may have together is that property's affair.
          if (pod === undefined || pod.metadata.namespace !== 'default' || !isWithinQueue(world, pod))
            continue;
          const need = gang.wasScheduled && count > 0 ? 0 : Math.max(0, gang.minCount - count);
          const isAtWork = gang.wasScheduled && gang.members.length > 1;
          if (waiting.length < need || (!isAtWork && gang.members.length < gang.minCount)) continue;
          for (const [zone, room] of roomFor(world, gang, pod))
            if (room >= Math.max(1, need))
              return `${key} has ${count} of ${gang.minCount} pods placed, ${waiting.length} wait, and ${room} would fit${zone === '' ? '' : ` into ${zone}`}`;
        }
        return undefined;
      },
    };
  },
};
