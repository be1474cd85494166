/**
 * Whom a pod that fits nowhere would put out of its place, as plainly as kube-scheduler's DefaultPreemption is described: every node is tried, everything is
 * counted anew after each pod. Pure and slow; what `scheduler/preemption.ts` chooses is compared with it.
 */
import type { Node, Pod, PodDisruptionBudget } from '../../api/index.ts';
import { type Cluster, judge, type PlacedPod } from './scheduler.ts';
import { selects } from './selectors.ts';

export interface Choice {
  readonly nodeName: string;
  readonly victims: readonly string[];
  readonly violations: number;
}

const priorityOf = (pod: Pod): number => pod.spec?.priority ?? 0;
const startOf = (pod: Pod): string => pod.status?.startTime ?? 'never';
const nameOf = ({ metadata }: Node): string => metadata.name ?? '';

function fits(
  cluster: Cluster,
  pods: readonly PlacedPod[],
  pod: Pod,
  node: string,
  resources: readonly string[],
) {
  return judge({ ...cluster, pods }, pod, resources).some(
    (verdict) => verdict.kind === 'possible' && verdict.node === node,
  );
}

const moreImportantFirst = (a: PlacedPod, b: PlacedPod): number =>
  priorityOf(b.pod) - priorityOf(a.pod) ||
  startOf(a.pod).localeCompare(startOf(b.pod), 'en') ||
  (a.key < b.key ? -1 : 1);

/** Asked in this order, each takes one of every budget that speaks of it; who comes when one is spent, violates it. */
function violating(
  pods: readonly PlacedPod[],
  budgets: readonly PodDisruptionBudget[],
): readonly PlacedPod[] {
  const spent = new Map<PodDisruptionBudget, number>();
  return pods.filter(({ pod }) => {
    const concerned = budgets.filter(
      ({ metadata, spec, status }) =>
        metadata.namespace === pod.metadata.namespace &&
        Object.keys(spec?.selector?.matchLabels ?? {}).length > 0 &&
        selects({ matchLabels: spec?.selector?.matchLabels ?? {} }, pod.metadata.labels ?? {}) &&
        !(pod.metadata.name !== undefined && pod.metadata.name in (status?.disruptedPods ?? {})),
    );
    for (const budget of concerned) spent.set(budget, (spent.get(budget) ?? 0) + 1);
    return concerned.some((budget) => (spent.get(budget) ?? 0) > (budget.status?.disruptionsAllowed ?? 0));
  });
}

export function choose(
  cluster: Cluster,
  pod: Pod,
  budgets: readonly PodDisruptionBudget[],
  resources: readonly string[],
): Choice | undefined {
  const choices: (Choice & { readonly pods: readonly Pod[] })[] = [];
  for (const node of cluster.nodes.map(nameOf)) {
    const below = cluster.pods
      .filter((one) => one.nodeName === node && priorityOf(one.pod) < priorityOf(pod))
      .sort(moreImportantFirst);
    let staying = cluster.pods.filter((one) => !below.includes(one));
    if (below.length === 0 || !fits(cluster, staying, pod, node, resources)) continue;
    const dear = violating(below, budgets);
    const victims: PlacedPod[] = [];
    for (const one of [...dear, ...below.filter((other) => !dear.includes(other))])
      if (fits(cluster, [...staying, one], pod, node, resources)) staying = [...staying, one];
      else victims.push(one);
    victims.sort(moreImportantFirst);
    choices.push({
      nodeName: node,
      victims: victims.map(({ key }) => key),
      violations: victims.filter((one) => dear.includes(one)).length,
      pods: victims.map((one) => one.pod),
    });
  }
  const highest = (pods: readonly Pod[]): number => Math.max(...pods.map(priorityOf));
  const longest = (pods: readonly Pod[]): string =>
    pods
      .filter((one) => priorityOf(one) === highest(pods))
      .map(startOf)
      .sort()[0] ?? '';
  const [best] = [...choices].sort(
    (a, b) =>
      a.violations - b.violations ||
      highest(a.pods) - highest(b.pods) ||
      sum(a.pods) - sum(b.pods) ||
      a.pods.length - b.pods.length ||
      longest(b.pods).localeCompare(longest(a.pods), 'en') ||
      choices.indexOf(a) - choices.indexOf(b),
  );
  return best && { nodeName: best.nodeName, victims: best.victims, violations: best.violations };
}

/** So that each victim counts, whatever its priority. */
const sum = (pods: readonly Pod[]): number =>
  pods.reduce((total, one) => total + priorityOf(one) + 2_147_483_648, 0);
