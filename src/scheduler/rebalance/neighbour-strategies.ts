/** What is wrong between pods: anti-affinity that is broken, uneven spreading, several pods of one owner on a node. Pure. */
import { type LabelSelector, labelPredicate, type Pod, type PodAffinityTerm } from '../../api/index.ts';
import { type Demand, demandOf, termSelects } from '../demand.ts';
import { isSpreadOver } from '../filters.ts';
import { byImportance, placedOf, type Strategy } from './strategy.ts';
import { isBoundToNode, ownerOf, type Placed, type Trial } from './trial.ts';

const antiTerms = ({ spec }: Pod): readonly PodAffinityTerm[] =>
  spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];

const valueAt = (trial: Trial, node: string, key: string): string | undefined =>
  trial.nodes.get(node)?.metadata.labels?.[key];

function shuns(trial: Trial, a: Placed, term: PodAffinityTerm, b: Placed): boolean {
  if (a.key === b.key) return false;
  const domain = valueAt(trial, a.node, term.topologyKey);
  if (domain === undefined || domain !== valueAt(trial, b.node, term.topologyKey)) return false;
  const { namespace = '', labels = {} } = b.pod.metadata;
  return termSelects(term, a.pod.metadata.namespace ?? '', namespace, labels, trial.snapshot.namespaceLabels);
}

/** Who is with whom it required not to be with. */
export function antiAffinity(): Strategy {
  const guarding = (trial: Trial): readonly Placed[] =>
    [...trial.snapshot.guarding].flatMap(({ key }) => trial.placed(key) ?? []);
  /** How many it shuns where it is. */
  const shunned = (trial: Trial, one: Placed): number => {
    let count = 0;
    for (const term of antiTerms(one.pod))
      for (const other of trial.all()) if (shuns(trial, one, term, other)) count++;
    return count;
  };
  return {
    type: 'AntiAffinity',
    cost(trial, { keys }) {
      const group = new Set(keys);
      let count = 0;
      for (const one of placedOf(trial, keys)) {
        count += shunned(trial, one);
        for (const other of guarding(trial))
          if (!group.has(other.key))
            for (const term of antiTerms(other.pod)) if (shuns(trial, other, term, one)) count++;
      }
      return count;
    },
    *candidates(trial) {
      for (const one of guarding(trial).toSorted(byImportance)) {
        const now = trial.placed(one.key);
        if (now === undefined || isBoundToNode(now.pod) || shunned(trial, now) === 0) continue;
        yield {
          group: [one.key],
          reason: `on node ${now.node} it is with pods that it requires not to be with`,
        };
      }
    },
  };
}

/** One constraint of all pods that have it alike. */
interface Spread {
  readonly demand: Demand;
  readonly constraint: Demand['spread'][number];
  readonly selects: (labels: Readonly<Record<string, string>> | undefined) => boolean;
  /** Every value that a pod may go to. */
  readonly domains: ReadonlySet<string>;
  /** By node; undefined: it does not count. */
  readonly domainOf: ReadonlyMap<string, string>;
}

const isHard = (one: Spread['constraint']): boolean => one.whenUnsatisfiable !== 'ScheduleAnyway';

function spreadsOf(trial: Trial, includeSoft: boolean): readonly Spread[] {
  const found = new Map<string, Spread>();
  for (const { pod } of trial.all()) {
    if ((pod.spec?.topologySpreadConstraints ?? []).length === 0) continue;
    const demand = demandOf(pod);
    for (const constraint of demand.spread) {
      if (!includeSoft && !isHard(constraint)) continue;
      const alike = demand.spread
        .filter((one) => isHard(one) === isHard(constraint))
        .map((one) => one.topologyKey);
      const { nodeSelector, affinity, tolerations } = demand;
      const key = JSON.stringify([
        demand.namespace,
        constraint,
        alike,
        nodeSelector,
        affinity?.nodeAffinity,
        tolerations,
      ]);
      if (!found.has(key)) found.set(key, spreadOf(trial, demand, constraint, alike));
    }
  }
  return [...found.values()];
}

function spreadOf(
  trial: Trial,
  demand: Demand,
  constraint: Spread['constraint'],
  keys: readonly string[],
): Spread {
  const domainOf = new Map<string, string>();
  for (const [name, node] of trial.nodes) {
    const row = trial.snapshot.rowOf(name);
    const facts = row === undefined ? undefined : trial.snapshot.facts(row);
    const labels = node.metadata.labels ?? {};
    if (facts === undefined || keys.some((key) => labels[key] === undefined)) continue;
    if (isSpreadOver(constraint, demand, facts)) domainOf.set(name, labels[constraint.topologyKey] ?? '');
  }
  return {
    demand,
    constraint,
    selects: labelPredicate(constraint.labelSelector as LabelSelector | undefined),
    domains: new Set(domainOf.values()),
    domainOf,
  };
}

function countsOf(trial: Trial, { demand, selects, domains, domainOf }: Spread): Map<string, number> {
  const counts = new Map([...domains].map((value) => [value, 0]));
  for (const { pod, node } of trial.inNamespace(demand.namespace)) {
    const domain = domainOf.get(node);
    if (domain === undefined || pod.metadata.deletionTimestamp !== undefined || !selects(pod.metadata.labels))
      continue;
    counts.set(domain, (counts.get(domain) ?? 0) + 1);
  }
  return counts;
}

/** By how many pods domains have too many. */
function excessOf(counts: ReadonlyMap<string, number>, { constraint }: Spread): number {
  const least = counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values());
  let excess = 0;
  for (const count of counts.values()) excess += Math.max(0, count - least - constraint.maxSkew);
  return excess;
}

/** Pods that their topology spread constraints would not let in where they are now. */
export function spreadRepair(includeSoft: boolean): Strategy {
  let known: { readonly trial: Trial; readonly spreads: readonly Spread[] } | undefined;
  const spreads = (trial: Trial): readonly Spread[] => {
    if (known?.trial !== trial) known = { trial, spreads: spreadsOf(trial, includeSoft) };
    return known.spreads;
  };
  return {
    type: 'SpreadRepair',
    cost(trial, { keys }) {
      const moved = placedOf(trial, keys);
      let excess = 0;
      for (const one of spreads(trial)) {
        const isMeant = moved.some(
          ({ pod }) => pod.metadata.namespace === one.demand.namespace && one.selects(pod.metadata.labels),
        );
        if (isMeant) excess += excessOf(countsOf(trial, one), one);
      }
      return excess;
    },
    *candidates(trial) {
      for (const spread of spreads(trial)) {
        const counts = countsOf(trial, spread);
        if (excessOf(counts, spread) === 0) continue;
        const { constraint, demand, selects, domainOf } = spread;
        const least = Math.min(...counts.values());
        const over = [...trial.inNamespace(demand.namespace)].filter(
          ({ pod, node }) =>
            selects(pod.metadata.labels) &&
            (counts.get(domainOf.get(node) ?? '') ?? 0) - least > constraint.maxSkew &&
            pod.metadata.deletionTimestamp === undefined,
        );
        for (const { key, node } of over.sort(byImportance)) {
          const domain = domainOf.get(node) ?? '';
          const [here] = [counts.get(domain)];
          yield {
            group: [key],
            reason: `${constraint.topologyKey} "${domain}" has ${here} of its kind, another has ${least}; ${constraint.maxSkew} more are allowed`,
          };
        }
      }
    },
  };
}

/** Pods of one owner that share a node, while another has fewer of them. */
export function duplicates(): Strategy {
  return {
    type: 'Duplicates',
    cost(trial, { keys, nodes }) {
      let pairs = 0;
      const owners = new Set(placedOf(trial, keys).flatMap(({ pod }) => ownerOf(pod)?.uid ?? []));
      for (const owner of owners)
        for (const [node, count] of perNode(trial, owner))
          if (nodes.has(node)) pairs += (count * (count - 1)) / 2;
      return pairs;
    },
    *candidates(trial) {
      for (const owner of [...trial.owners()].sort()) {
        const counts = perNode(trial, owner);
        const many = [...counts]
          .filter(([, count]) => count > 1)
          .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
        for (const [node, count] of many) {
          const here = [...trial.ownedBy(owner)].filter(
            (one) => one.node === node && !isBoundToNode(one.pod),
          );
          for (const { key } of here.sort(byImportance).slice(1))
            yield { group: [key], reason: `node ${node} has ${count} pods of its owner` };
        }
      }
    },
  };
}

function perNode(trial: Trial, owner: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { node } of trial.ownedBy(owner)) counts.set(node, (counts.get(node) ?? 0) + 1);
  return counts;
}
