/**
 * What the best nodes for a pod are worth, aspect by aspect, for those who ask why it is where it is. Pure: the snapshot is as it was when it returns.
 *
 * Worked out when it is asked for, not when the pod was placed: placing costs nothing for it, and what is told is true now, with the pod itself left out.
 */
import type { Pod } from '../api/index.ts';
import { demandIn } from './claims/extended-claims.ts';
import { Fit } from './fit.ts';
import { Guard } from './neighbours.ts';
import { Nominees } from './nominees.ts';
import type { Aspect, Policy } from './scorer.ts';
import type { Snapshot } from './snapshot.ts';
import { Standing } from './standing.ts';
import { suitableNodes } from './suitable.ts';
import { Welcome } from './welcome.ts';

export interface RankedNode {
  readonly node: string;
  readonly score: number;
  /** Points, by what they are for: 0 to 100 for an aspect, times its weight. */
  readonly aspects: Readonly<Record<string, number>>;
}

export interface Ranked {
  /** The strategy, and the profile in brackets. */
  readonly strategy: string;
  readonly possibleNodes: number;
  /** The best first. */
  readonly nodes: readonly RankedNode[];
}

const mostTold = 5;

/** Undefined: the pod is no question (it asks for what makes no sense). */
export function rankNodes(snapshot: Snapshot, key: string, pod: Pod, policy: Policy): Ranked | undefined {
  const demand = demandIn(snapshot, pod);
  if (demand.impossible !== undefined) return undefined;
  const placed = snapshot.placed(key);
  const nodeName = placed === undefined ? undefined : snapshot.facts(placed.row)?.name;
  // What it has of devices is not taken away from it only to look.
  const isLeftOut = nodeName !== undefined && demand.gpus === undefined && !demand.hasDeviceClaims;
  if (isLeftOut) snapshot.removePod(key);
  try {
    return rank(snapshot, pod, policy);
  } finally {
    if (isLeftOut && placed !== undefined) snapshot.addPod(key, placed.pod, nodeName);
  }
}

function rank(snapshot: Snapshot, pod: Pod, policy: Policy): Ranked {
  const demand = demandIn(snapshot, pod);
  const scorer = policy.scorerOf(pod);
  const scoring = scorer.begin(demand, snapshot, pod);
  const suitable = suitableNodes(unnamed(demand), snapshot, scorer, scoring);
  const fit = new Fit(snapshot, demand, new Guard(snapshot, demand), new Nominees(snapshot));
  const possible: { readonly row: number; readonly index: number }[] = [];
  if (fit.begin(pod) === undefined)
    suitable.rows.forEach((row, index) => {
      if (fit.reasons(row).length === 0) possible.push({ row, index });
    });
  const { zones, around } = scoring;
  const attraction = around.pods === 0 ? undefined : snapshot.seekers.attraction(demand, snapshot);
  const welcomes = new Welcome(snapshot, demand, attraction).scores(possible.map(({ row }) => row));
  const standing = new Standing(suitable.relative);
  for (const { index } of possible) standing.add(index);
  const scored = possible.map(({ row, index }) => {
    let score = scoring.score(row, (suitable.fixed[index] ?? 0) + standing.value(index));
    const { spread, pods } = welcomes(row);
    score += around.spread * spread + around.pods * pods;
    if (zones !== undefined) score += zones.score(zones.of(row));
    return { row, index, score, spread, pods };
  });
  scored.sort((a, b) => b.score - a.score || a.row - b.row);
  const nodes = scored.slice(0, mostTold).map(({ row, index, score, spread, pods }): RankedNode => {
    const others: Aspect[] = [
      { name: 'PodTopologySpread', weight: around.spread, value: spread },
      { name: 'InterPodAffinity', weight: around.pods, value: pods },
      { name: 'OwnerSpread (zone)', weight: 1, value: zones === undefined ? 0 : zones.score(zones.of(row)) },
    ];
    const told = [
      ...scoring.aspects(row),
      ...standing.aspects(index),
      ...others.filter(({ value }) => value !== 0),
    ];
    return { node: snapshot.facts(row)?.name ?? '', score: rounded(score), aspects: pointsOf(told) };
  });
  return { strategy: scorer.name, possibleNodes: possible.length, nodes };
}

/** Where it is does not make the other nodes impossible. */
function unnamed<T extends { readonly nodeName: string; readonly nodesKey: string }>(demand: T): T {
  return demand.nodeName === ''
    ? demand
    : { ...demand, nodeName: '', nodesKey: `${demand.nodesKey} unnamed` };
}

function pointsOf(aspects: readonly Aspect[]): Readonly<Record<string, number>> {
  const points: Record<string, number> = {};
  for (const { name, weight, value } of aspects) points[name] = rounded((points[name] ?? 0) + weight * value);
  return points;
}

const rounded = (value: number): number => Math.round(value * 100) / 100;
