/**
 * What stands between a pod and each node, all of it: where planning stops at the first reason, this goes on to the last. Pure; for those who ask, not for planning.
 */
import { type Pod, type Taint, termHolds, tolerates } from '../../api/index.ts';
import { type Demand, portsClash } from '../demand.ts';
import { isByClaim, isLargeEnough, refusals } from '../filters.ts';
import { Fit } from '../fit.ts';
import { Guard } from '../neighbours.ts';
import { Nominees } from '../nominees.ts';
import type { Snapshot } from '../snapshot.ts';

export type Obstacle =
  | { readonly kind: 'name' }
  | { readonly kind: 'cordon' }
  | { readonly kind: 'taint'; readonly taint: Taint }
  | { readonly kind: 'label'; readonly label: string }
  | { readonly kind: 'affinity'; readonly wants: string }
  | { readonly kind: 'room'; readonly resource: string; readonly lacks: number; readonly whole: number }
  | { readonly kind: 'pods' }
  | { readonly kind: 'port'; readonly port: string; readonly holder: string }
  /** As the filter says it: other pods, volumes, claims, GPUs. */
  | { readonly kind: 'other'; readonly reason: string };

export interface Look {
  readonly row: number;
  readonly node: string;
  readonly zone: string | undefined;
  readonly obstacles: readonly Obstacle[];
  /** It would have the room if it were empty. */
  readonly isLarge: boolean;
}

const zoneLabel = 'topology.kubernetes.io/zone';
const cordoned: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

export function looksOf(snapshot: Snapshot, pod: Pod, demand: Demand): readonly Look[] {
  // Room and ports are looked at here, so that they hide nothing.
  const light: Demand = {
    ...demand,
    cpuMilli: 0,
    memoryBytes: 0,
    ephemeralBytes: 0,
    extended: new Map(),
    gpus: undefined,
    hostPorts: [],
  };
  const guard = new Guard(snapshot, demand);
  const fit = new Fit(snapshot, light, guard, new Nominees(snapshot));
  const unresolved = fit.begin(pod);
  const looks: Look[] = [];
  for (let row = 0; row < snapshot.rows; row++) {
    const facts = snapshot.facts(row);
    if (facts === undefined) continue;
    let others = unresolved === undefined ? fit.reasons(row) : [unresolved];
    // A node that is full hides the rest.
    if (others[0] === refusals.tooManyPods) {
      const behind =
        fit.neighbours.refusal(row) ?? (guard.refuses(row) ? refusals.existingAntiAffinity : undefined);
      others = behind === undefined ? [] : [behind];
    }
    const obstacles = [
      ...ownObstacles(demand, snapshot, row),
      ...roomObstacles(demand, snapshot, row),
      ...portObstacles(demand, snapshot, row),
      ...others.map((reason): Obstacle => ({ kind: 'other', reason })),
    ];
    looks.push({
      row,
      node: facts.name,
      zone: facts.labels[zoneLabel],
      obstacles,
      isLarge: isLargeEnough(demand, snapshot, row),
    });
  }
  return looks;
}

function* ownObstacles(demand: Demand, snapshot: Snapshot, row: number): Iterable<Obstacle> {
  const facts = snapshot.facts(row);
  if (facts === undefined) return;
  const { name, labels, taints, unschedulable } = facts;
  if (demand.nodeName !== '' && demand.nodeName !== name) yield { kind: 'name' };
  if (unschedulable && !tolerates(demand.tolerations, cordoned)) yield { kind: 'cordon' };
  for (const taint of taints) {
    // The cordon says so already.
    if (unschedulable && taint.key === cordoned.key) continue;
    if (taint.effect !== 'PreferNoSchedule' && !tolerates(demand.tolerations, taint))
      yield { kind: 'taint', taint };
  }
  for (const [key, value] of Object.entries(demand.nodeSelector ?? {}))
    if (labels[key] !== value) yield { kind: 'label', label: `${key}=${value}` };
  const terms =
    demand.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (terms.length > 0 && !terms.some((term) => termHolds(term, facts)))
    yield { kind: 'affinity', wants: terms.map(termText).join(' or ') };
}

type Term = NonNullable<
  NonNullable<
    NonNullable<Demand['affinity']>['nodeAffinity']
  >['requiredDuringSchedulingIgnoredDuringExecution']
>['nodeSelectorTerms'][number];

export function termText({ matchExpressions = [], matchFields = [] }: Term): string {
  return [...matchExpressions, ...matchFields]
    .map(({ key, operator, values = [] }) => {
      if (operator === 'In' && values.length === 1) return `${key}=${values[0]}`;
      return values.length === 0 ? `${key} ${operator}` : `${key} ${operator} (${values.join(', ')})`;
    })
    .join(' and ');
}

function* roomObstacles(demand: Demand, snapshot: Snapshot, row: number): Iterable<Obstacle> {
  const facts = snapshot.facts(row);
  if ((snapshot.podsFree[row] ?? 0) < 1) yield { kind: 'pods' };
  const asked: readonly (readonly [string, number, number, number])[] = [
    ['cpu', demand.cpuMilli, snapshot.cpuFree[row] ?? 0, snapshot.cpuWhole[row] ?? 0],
    ['memory', demand.memoryBytes, snapshot.memoryFree[row] ?? 0, snapshot.memoryWhole[row] ?? 0],
    ['ephemeral-storage', demand.ephemeralBytes, snapshot.ephemeralFree[row] ?? 0, facts?.storageBytes ?? 0],
    ...[...demand.extended]
      .filter(([resource]) => !isByClaim(demand, snapshot, row, resource))
      .map(
        ([resource, amount]) =>
          [
            resource,
            amount,
            snapshot.extendedFree(row, resource),
            facts?.extended.get(resource) ?? 0,
          ] as const,
      ),
  ];
  for (const [resource, amount, free, whole] of asked)
    if (amount > 0 && amount > free) yield { kind: 'room', resource, lacks: amount - free, whole };
  const { gpus } = demand;
  const isOwn = gpus !== undefined && !isByClaim(demand, snapshot, row, gpus.resource);
  const ofGpus = isOwn ? snapshot.gpus.refusal(row, gpus) : undefined;
  if (ofGpus !== undefined && !ofGpus.startsWith('Insufficient ')) yield { kind: 'other', reason: ofGpus };
}

function* portObstacles(demand: Demand, snapshot: Snapshot, row: number): Iterable<Obstacle> {
  if (demand.hostPorts.length === 0) return;
  const taken = snapshot.portsOn(row);
  for (const wanted of demand.hostPorts)
    if (taken.some((one) => portsClash(wanted, one)))
      yield {
        kind: 'port',
        port: `${wanted.protocol} ${wanted.port}`,
        holder: holderOf(snapshot, row, wanted),
      };
}

function holderOf(snapshot: Snapshot, row: number, wanted: Demand['hostPorts'][number]): string {
  for (const [key, { spec }] of snapshot.placedOn(row))
    for (const { ports = [] } of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])])
      if (
        ports.some(
          (one) => (one.hostPort ?? (spec?.hostNetwork === true ? one.containerPort : 0)) === wanted.port,
        )
      )
        return key;
  return '';
}
