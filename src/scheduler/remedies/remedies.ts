/**
 * What would make a pending pod fit: for each way the least change. Pure; worked out when somebody asks, and costs planning nothing.
 *
 *   nodes with all that stands between ─▶ those that one sort of change would open ─▶ the least such change ─▶ a sentence
 *
 * Invariant: where the change that a way names is made, and nothing else has changed, the pod has its place.
 */
import type { Pod } from '../../api/index.ts';
import { demandIn } from '../claims/extended-claims.ts';
import { type Demand, termSelects } from '../demand.ts';
import { refusals } from '../filters.ts';
import { around } from '../neighbours.ts';
import { priorityOf } from '../preemption.ts';
import type { Snapshot } from '../snapshot.ts';
import { type Look, looksOf, type Obstacle } from './obstacles.ts';
import { leastPriority } from './priority.ts';
import { amountWords, listed, nodesWords, obstacleText } from './words.ts';

export type Way =
  | {
      readonly kind: 'room';
      readonly text: string;
      readonly nodes: readonly string[];
      readonly lacks: Readonly<Record<string, number>>;
      readonly zone?: string;
    }
  | {
      readonly kind: 'toleration';
      readonly text: string;
      readonly nodes: readonly string[];
      readonly taints: readonly string[];
    }
  | {
      readonly kind: 'label';
      readonly text: string;
      readonly nodes: readonly string[];
      readonly labels: readonly string[];
    }
  | {
      readonly kind: 'uncordon' | 'port' | 'pods' | 'neighbours' | 'other';
      readonly text: string;
      readonly nodes: readonly string[];
    }
  | {
      readonly kind: 'skew';
      readonly text: string;
      readonly nodes: readonly string[];
      readonly topologyKey: string;
      readonly maxSkew: number;
    }
  | {
      readonly kind: 'priority';
      readonly text: string;
      readonly nodes: readonly string[];
      readonly above: number;
      readonly victims: readonly string[];
    }
  | {
      readonly kind: 'node' | 'gates' | 'pod' | 'gang';
      readonly text: string;
      readonly nodes: readonly string[];
    };

export interface Remedies {
  /** Any of these would do. */
  readonly ways: readonly Way[];
  /** Nodes with the fewest obstacles. */
  readonly nearest: readonly { readonly node: string; readonly obstacles: readonly string[] }[];
  /** Of a pod that goes with others only: what is said above is said of the next of them, with those beside it that fit. */
  readonly gang?: GangRemedies;
}

/** How a gang stands. */
export interface GangRemedies {
  /** For people. */
  readonly label: string;
  /** So many have to fit at once, and so many do. */
  readonly needs: number;
  readonly fit: number;
  /** The key of the next one. */
  readonly next: string;
  /** What would make all of them fit, where that is more than what the next one needs. */
  readonly whole: readonly Way[];
}

/** Where it has to be. */
export interface Within {
  readonly rows: ReadonlySet<number>;
  /** What all these nodes have. */
  readonly label: string;
}

const nearestMax = 5;
const zonesMax = 3;
const skewMax = 50;

/** `within`: no other nodes come into question. */
export function remediesOf(snapshot: Snapshot, pod: Pod, within?: Within): Remedies {
  const gates = (pod.spec?.schedulingGates ?? []).map(({ name }) => name);
  if (gates.length > 0)
    return {
      ways: [
        { kind: 'gates', text: `once its scheduling gates are removed: ${gates.join(', ')}`, nodes: [] },
      ],
      nearest: [],
    };
  const demand = demandIn(snapshot, pod);
  if (demand.impossible !== undefined)
    return {
      ways: [{ kind: 'pod', text: `no cloud could take it: ${demand.impossible}`, nodes: [] }],
      nearest: [],
    };
  const all = looksOf(snapshot, pod, demand);
  const looks = within === undefined ? all : all.filter(({ row }) => within.rows.has(row));
  const near = [...looks]
    .filter(({ obstacles }) => obstacles.length > 0)
    .sort((a, b) => distance(a) - distance(b) || (a.node < b.node ? -1 : 1))
    .slice(0, nearestMax);
  return {
    ways: [
      ...roomWays(looks),
      ...tolerationWays(looks),
      ...labelWays(looks),
      ...simpleWays(looks),
      ...neighbourWays(snapshot, pod, looks),
      ...priorityWays(snapshot, pod, looks),
      ...newNodeWays(snapshot, pod, looks, within?.label),
    ],
    nearest: near.map(({ node, obstacles }) => ({ node, obstacles: obstacles.map(obstacleText) })),
  };
}

/** Obstacles of one kind weigh alike; of room, how much of the node lacks. */
function distance({ obstacles }: Look): number {
  return obstacles.reduce(
    (sum, one) => sum + 1 + (one.kind === 'room' ? Math.min(1, one.lacks / Math.max(1, one.whole)) : 0),
    0,
  );
}

type Kind = Obstacle['kind'];

/** Nodes between which and the pod there is nothing but these. */
const onlyBy = (looks: readonly Look[], ...kinds: readonly Kind[]): readonly Look[] =>
  looks.filter(
    ({ obstacles }) => obstacles.length > 0 && obstacles.every(({ kind }) => kinds.includes(kind)),
  );

function roomWays(looks: readonly Look[]): readonly Way[] {
  const open = onlyBy(looks, 'room');
  const byZone = new Map<string, Look[]>();
  for (const look of open) byZone.set(look.zone ?? '', [...(byZone.get(look.zone ?? '') ?? []), look]);
  // Where no node says its zone, they are one.
  const groups = byZone.size > zonesMax ? [['', [...open]] as const] : [...byZone];
  return groups
    .map(([zone, list]) => ({
      zone,
      list: list.toSorted((a, b) => distance(a) - distance(b) || (a.node < b.node ? -1 : 1)),
    }))
    .sort((a, b) => distance(a.list[0] as Look) - distance(b.list[0] as Look))
    .map(({ zone, list }): Way => {
      const best = list[0] as Look;
      const lacks = lacksOf(best);
      const amounts = listed(
        Object.entries(lacks).map(([resource, amount]) => amountWords(resource, amount)),
      );
      const where =
        list.length === 1
          ? `on node ${best.node}`
          : zone === ''
            ? `on any of ${list.length} nodes (nearest: ${best.node})`
            : `on any node of zone ${zone} (nearest: ${best.node})`;
      return {
        kind: 'room',
        text: `needs ${amounts} more ${where}`,
        nodes: list.map(({ node }) => node),
        lacks,
        ...(zone === '' ? {} : { zone }),
      };
    });
}

const lacksOf = ({ obstacles }: Look): Record<string, number> =>
  Object.fromEntries(obstacles.flatMap((one) => (one.kind === 'room' ? [[one.resource, one.lacks]] : [])));

function tolerationWays(looks: readonly Look[]): readonly Way[] {
  return grouped(onlyBy(looks, 'taint'), ({ obstacles }) =>
    obstacles.flatMap((one) =>
      one.kind === 'taint'
        ? [
            `${one.taint.key}${one.taint.value === undefined || one.taint.value === '' ? '' : `=${one.taint.value}`}:${one.taint.effect}`,
          ]
        : [],
    ),
  ).map(({ words: taints, nodes }) => ({
    kind: 'toleration',
    text: `would fit on ${nodesWords(nodes)} if ${taints.length === 1 ? 'the taint' : 'the taints'} ${listed(taints)} were tolerated`,
    nodes,
    taints,
  }));
}

function labelWays(looks: readonly Look[]): readonly Way[] {
  return grouped(onlyBy(looks, 'label', 'affinity'), ({ obstacles }) =>
    obstacles.flatMap((one) =>
      one.kind === 'label' ? [one.label] : one.kind === 'affinity' ? [one.wants] : [],
    ),
  ).map(({ words: labels, nodes }) => ({
    kind: 'label',
    text: `would fit on ${nodesWords(nodes)} with ${labels.length === 1 ? 'the label' : 'the labels'} ${listed(labels)}`,
    nodes,
    labels,
  }));
}

function simpleWays(looks: readonly Look[]): readonly Way[] {
  const cordoned = onlyBy(looks, 'cordon').map(({ node }) => node);
  const full = onlyBy(looks, 'pods').map(({ node }) => node);
  const ports = grouped(onlyBy(looks, 'port'), ({ obstacles }) =>
    obstacles.flatMap((one) => (one.kind === 'port' ? [`${one.port} (${one.holder} has it)`] : [])),
  );
  return [
    ...(cordoned.length === 0
      ? []
      : [
          {
            kind: 'uncordon',
            text: `would fit on ${nodesWords(cordoned)} after an uncordon`,
            nodes: cordoned,
          } as const,
        ]),
    ...(full.length === 0
      ? []
      : [
          {
            kind: 'pods',
            text: `would fit on ${nodesWords(full)} with one pod less there`,
            nodes: full,
          } as const,
        ]),
    ...ports.map(
      ({ words, nodes }) =>
        ({
          kind: 'port',
          text: `would fit on ${nodesWords(nodes)} with the host port free: ${listed(words)}`,
          nodes,
        }) as const,
    ),
  ];
}

function neighbourWays(snapshot: Snapshot, pod: Pod, looks: readonly Look[]): readonly Way[] {
  const ways: Way[] = [];
  const reasons = grouped(onlyBy(looks, 'other'), ({ obstacles }) =>
    obstacles.flatMap((one) => (one.kind === 'other' ? [one.reason] : [])),
  );
  for (const { words, nodes } of reasons) {
    const [reason = ''] = words;
    if (words.length === 1 && reason === refusals.spread) {
      const way = skewWay(snapshot, pod, nodes);
      if (way !== undefined) ways.push(way);
    } else if (reason === refusals.podAntiAffinity || reason === refusals.existingAntiAffinity) {
      const [first = ''] = nodes;
      const foes = foesAt(snapshot, pod, first);
      const who = foes.length === 0 ? 'pods that may not be with it' : listed(foes.slice(0, 3));
      ways.push({ kind: 'neighbours', text: `would fit on node ${first} if ${who} were not there`, nodes });
    } else if (reason === refusals.podAffinity)
      ways.push({
        kind: 'neighbours',
        text: `would fit on ${nodesWords(nodes)} if a pod were there that its affinity asks for`,
        nodes,
      });
    else
      ways.push({
        kind: 'other',
        text: `would fit on ${nodesWords(nodes)}, were it not for: ${listed(words)}`,
        nodes,
      });
  }
  return ways;
}

/** The least skew that lets it in, where one constraint alone is in the way. */
function skewWay(snapshot: Snapshot, pod: Pod, nodes: readonly string[]): Way | undefined {
  const demand = demandIn(snapshot, pod);
  const rows = nodes.flatMap((node) => snapshot.rowOf(node) ?? []);
  let best: Extract<Way, { kind: 'skew' }> | undefined;
  for (const [at, constraint] of demand.spread.entries()) {
    if (constraint.whenUnsatisfiable === 'ScheduleAnyway') continue;
    for (let maxSkew = constraint.maxSkew + 1; maxSkew <= constraint.maxSkew + skewMax; maxSkew++) {
      if (best !== undefined && maxSkew >= best.maxSkew) break;
      const spread = demand.spread.map((one, index) => (index === at ? { ...one, maxSkew } : one));
      const { refusal } = around(snapshot, { ...demand, spread });
      const open = rows
        .filter((row) => refusal(row) === undefined)
        .flatMap((row) => snapshot.facts(row)?.name ?? []);
      if (open.length === 0) continue;
      const { topologyKey } = constraint;
      best = {
        kind: 'skew',
        text: `would fit on ${nodesWords(open)} with maxSkew ${maxSkew} for ${topologyKey} instead of ${constraint.maxSkew}`,
        nodes: open,
        topologyKey,
        maxSkew,
      };
      break;
    }
  }
  return best;
}

/** Pods in the same place as a node with which it may not be, or which may not be with it. */
function foesAt(snapshot: Snapshot, pod: Pod, node: string): readonly string[] {
  const { namespace = '', labels = {} } = pod.metadata;
  const at = snapshot.facts(snapshot.rowOf(node) ?? -1)?.labels ?? {};
  const foes: string[] = [];
  const antiTerms = ({ spec }: Pod) =>
    spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  for (let row = 0; row < snapshot.rows; row++) {
    const there = snapshot.facts(row)?.labels ?? {};
    const isNear = (key: string): boolean => at[key] !== undefined && at[key] === there[key];
    for (const [key, other] of snapshot.placedOn(row)) {
      const { namespace: theirs = '', labels: marks = {} } = other.metadata;
      const isFoe =
        antiTerms(pod).some(
          (term) =>
            isNear(term.topologyKey) && termSelects(term, namespace, theirs, marks, snapshot.namespaceLabels),
        ) ||
        antiTerms(other).some(
          (term) =>
            isNear(term.topologyKey) &&
            termSelects(term, theirs, namespace, labels, snapshot.namespaceLabels),
        );
      if (isFoe) foes.push(key);
    }
  }
  return foes.sort();
}

function priorityWays(snapshot: Snapshot, pod: Pod, looks: readonly Look[]): readonly Way[] {
  const open = onlyBy(looks, 'room', 'pods').filter(({ isLarge }) => isLarge);
  const found = leastPriority(
    snapshot,
    demandIn(snapshot, pod),
    open.map(({ row }) => row),
  );
  if (found === undefined || found.above < priorityOf(pod)) return [];
  const { node, above, victims } = found;
  return [
    {
      kind: 'priority',
      text: `with a priority above ${above} it could have the place of ${listed(victims.slice(0, 3))}${victims.length > 3 ? ` and ${victims.length - 3} more` : ''} on node ${node}${pod.spec?.preemptionPolicy === 'Never' ? ', if its preemptionPolicy were not Never' : ''}`,
      nodes: [node],
      above,
      victims,
    },
  ];
}

/** One more machine helps whoever does not hang on others. */
function newNodeWays(
  snapshot: Snapshot,
  pod: Pod,
  looks: readonly Look[],
  label: string | undefined,
): readonly Way[] {
  const demand = demandIn(snapshot, pod);
  if (hangsOnOthers(demand) || looks.some(({ obstacles }) => obstacles.length === 0)) return [];
  const wants = looks.flatMap(({ obstacles }) =>
    obstacles.flatMap((one) => (one.kind === 'affinity' ? [one.wants] : [])),
  );
  const what = nodeWords(demand, 1, [...wants, ...(label === undefined ? [] : [label])]);
  return [{ kind: 'node', text: `one more node${what}`, nodes: [] }];
}

export const hangsOnOthers = (demand: Demand): boolean =>
  demand.nodeName !== '' ||
  demand.hasClaims ||
  demand.hasDeviceClaims ||
  demand.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined ||
  demand.spread.length > 0;

/** What an empty node has to have for so many of its kind; empty: nothing. */
export function nodeWords(demand: Demand, count: number, wants: readonly string[]): string {
  const labels = Object.entries(demand.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  const asked = [...labels, ...new Set(wants)];
  const amounts = [
    ['cpu', demand.cpuMilli] as const,
    ['memory', demand.memoryBytes] as const,
    ['ephemeral-storage', demand.ephemeralBytes] as const,
    ...demand.extended,
  ].flatMap(([resource, amount]) => (amount > 0 ? [amountWords(resource, count * amount)] : []));
  const what = [
    ...(asked.length === 0 ? [] : [`${asked.length === 1 ? 'the label' : 'the labels'} ${listed(asked)}`]),
    ...(amounts.length === 0 ? [] : [`${listed(amounts)} to give`]),
  ];
  return what.length === 0 ? '' : ` with ${what.join(' and ')}`;
}

/** Nodes by what stands between them and the pod; those that open most first. */
function grouped(
  looks: readonly Look[],
  wordsOf: (look: Look) => readonly string[],
): readonly { readonly words: readonly string[]; readonly nodes: readonly string[] }[] {
  const groups = new Map<string, { readonly words: readonly string[]; readonly nodes: string[] }>();
  for (const look of looks) {
    const words = [...new Set(wordsOf(look))].sort();
    const key = words.join('\n');
    const group = groups.get(key) ?? { words, nodes: [] };
    group.nodes.push(look.node);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((a, b) => a.words.length - b.words.length || b.nodes.length - a.nodes.length)
    .slice(0, zonesMax);
}
