/**
 * `caelum verify allocation`: is what runs where right? Reads the live objects and asks every rule of them.
 *
 * The objects are read one sort after the other, so a change in between may look like a fault: what is found is looked for once more, and told when it is still there.
 */
import {
  type DynamicResourceClaim,
  type Namespace,
  type Node,
  namespaces,
  nodes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type PodDisruptionBudget,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  pods,
  type Queue,
  queues,
  type ResourceQuota,
  type ResourceSlice,
  resourceQuotas,
} from '../../api/index.ts';
import { textTable, usage } from '../../cli/index.ts';
import type { HttpClient, ResourceRef } from '../../client/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import {
  type Allocation,
  type AllocationReport,
  type Finding,
  verifyResourceAllocation,
} from '../../verify/index.ts';
import { allOf, withCloud } from '../cloud-client.ts';
import { dataOption, outputOption, print, printJson, type RunnableCommand } from '../command.ts';

const devices = (resource: string, namespaced: boolean): ResourceRef => ({
  group: 'resource.k8s.io',
  version: 'v1',
  resource,
  namespaced,
});
const lookAgainMs = 500;
const shownMax = 50;

export const verify: RunnableCommand = {
  name: 'verify',
  summary:
    'Whether what runs where is right: capacity, isolation, quotas, fairness. Exit code 1 when a rule is violated.',
  words: 'allocation',
  wordCount: { min: 0, max: 1 },
  options: [
    dataOption,
    outputOption,
    { name: 'strict', help: 'what has only drifted since it was placed is wrong too' },
  ],
  notes:
    'A violation must never be. Drift was right when it was placed, and objects have changed since: Kubernetes lets it run on, `caelum rebalance` moves it. A note is against no rule.',
  run(given) {
    const [what = 'allocation'] = given.words;
    if (what !== 'allocation') throw usage(verify, `there is nothing to verify that is called "${what}"`);
    return withCloud(given, async (client) => {
      const report = await verified(client);
      if (given.value('output') === 'json') printJson(report);
      else print(reportText(report));
      const isWrong = !report.holds || (given.flag('strict') && report.counts.drifts > 0);
      return isWrong ? 1 : 0;
    });
  },
};

async function verified(client: HttpClient): Promise<AllocationReport> {
  const first = verifyResourceAllocation(await allocationOf(client));
  if (first.counts.violations + first.counts.drifts === 0) return first;
  await realClock.sleep(lookAgainMs);
  const second = verifyResourceAllocation(await allocationOf(client));
  const seen = new Set(first.findings.map(keyOf));
  const findings = second.findings.filter((one) => one.severity === 'note' || seen.has(keyOf(one)));
  const countOf = (severity: Finding['severity']): number =>
    findings.filter((one) => one.severity === severity).length;
  const counts = { violations: countOf('violation'), drifts: countOf('drift'), notes: countOf('note') };
  return { ...second, findings, counts, holds: counts.violations === 0 };
}

const keyOf = ({ rule, objects }: Finding): string => `${rule} ${objects[0]}`;

/** Quotas, limits and nodes before the pods that they hold: what comes between is rather missed than accused. */
async function allocationOf(client: HttpClient): Promise<Allocation> {
  const [nodeList, quotas, namespaceList, budgets, queueList, slices] = await Promise.all([
    allOf<Node>(client, nodes),
    allOf<ResourceQuota>(client, resourceQuotas),
    allOf<Namespace>(client, namespaces),
    allOf<PodDisruptionBudget>(client, podDisruptionBudgets),
    allOf<Queue>(client, queues),
    allOf<ResourceSlice>(client, devices('resourceslices', false)),
  ]);
  const [podList, claims, volumes, deviceClaims] = await Promise.all([
    allOf<Pod>(client, pods),
    allOf<PersistentVolumeClaim>(client, persistentVolumeClaims),
    allOf<PersistentVolume>(client, persistentVolumes),
    allOf<DynamicResourceClaim>(client, devices('resourceclaims', true)),
  ]);
  return {
    nodes: nodeList,
    pods: podList,
    namespaces: namespaceList,
    quotas,
    budgets,
    queues: queueList,
    claims,
    volumes,
    deviceClaims,
    deviceSlices: slices,
    nowMs: realClock.nowMs(),
  };
}

export function reportText({ holds, findings, counts, looked, use, fairness }: AllocationReport): string {
  const lines = [
    holds
      ? 'The allocation is right.'
      : `The allocation is not right: ${count(counts.violations, 'violation')}.`,
    `Looked at ${count(looked.nodes, 'node')}, ${count(looked.placed, 'placed pod')} of ${looked.pods}, ${count(looked.quotas, 'quota')}, ${count(looked.budgets, 'budget')}, ${count(looked.queues, 'queue')}; ${count(counts.drifts, 'drift')}, ${count(counts.notes, 'note')}.`,
    '',
  ];
  for (const { severity, rule, message } of findings.slice(0, shownMax))
    lines.push(`${severity}  ${rule}: ${message}`);
  if (findings.length > shownMax) lines.push(`… and ${findings.length - shownMax} more (-o json shows all)`);
  if (findings.length > 0) lines.push('');
  const percent = (part: number): string => `${Math.round(1000 * part) / 10} %`;
  const uses = use.map((one) => [one.resource, one.taken, one.allocatable, percent(one.part)]);
  if (uses.length > 0) lines.push(textTable(['RESOURCE', 'TAKEN', 'ALLOCATABLE', 'PART'], uses));
  const tenants = fairness.tenants.map((one) => [
    one.tenant,
    percent(one.dominantShare),
    one.dominantResource,
    String(one.pods),
    String(one.waiting),
  ]);
  if (tenants.length > 0)
    lines.push(
      textTable(['TENANT', 'DOMINANT SHARE', 'OF', 'PODS', 'WAITING'], tenants),
      `Jain index ${fairness.jainIndex} of all, ${fairness.jainIndexOfWaiting} of those that wait; ${count(fairness.envy.length, 'envy', 'envies')}.`,
    );
  return `${lines.join('\n').trimEnd()}\n`;
}

const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;
