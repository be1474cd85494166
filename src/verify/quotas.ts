/**
 * Namespaces within their quotas, counted again from the pods and claims that are there; and budgets whose pods are fewer than they may be. Pure.
 *
 * Kubernetes refuses growth beyond a quota and lets be what was there when the quota was made or made smaller: the latter is `drift`.
 */
import type { Pod, ResourceQuota } from '../api/index.ts';
import { amountOf, amountsIn, amountText, takenBy } from './amounts.ts';
import { selects } from './selection.ts';
import { type Finding, podName, type View } from './view.ts';

interface Counted {
  readonly name: string;
  readonly bornMs: number;
  readonly uses: ReadonlyMap<string, bigint>;
}

const one = amountOf(1) ?? 0n;

export function quotaFindings(view: View): readonly Finding[] {
  const findings: Finding[] = [];
  for (const quota of view.allocation.quotas ?? []) {
    const { namespace = '', name = '' } = quota.metadata;
    const counted = [
      ...(view.byNamespace.get(namespace) ?? [])
        .filter((pod) => !isOverdue(pod, view.allocation.nowMs) && isInScope(quota, pod))
        .map(usesOf),
      ...claimsIn(view, quota),
    ];
    const changedMs = lastChangeMs(quota);
    for (const [resource, most] of amountsIn(quota.spec?.hard)) {
      const users = counted.filter(({ uses }) => (uses.get(resource) ?? 0n) > 0n);
      const used = users.reduce((sum, { uses }) => sum + (uses.get(resource) ?? 0n), 0n);
      if (used <= most) continue;
      const newest = users.reduce((a, b) => (b.bornMs > a.bornMs ? b : a));
      const numbers = { resource, used: amountText(resource, used), hard: amountText(resource, most) };
      findings.push({
        rule: 'isolation/quota',
        severity: newest.bornMs > changedMs ? 'violation' : 'drift',
        objects: [`resourcequota/${namespace}/${name}`, newest.name],
        numbers,
        message: `namespace ${namespace} uses ${numbers.used} of ${resource}, its quota ${name} lets it have ${numbers.hard}`,
      });
    }
  }
  return findings;
}

/** When what it lets have was last written, as far as can be told. */
function lastChangeMs({ metadata }: ResourceQuota): number {
  const times = (metadata.managedFields ?? [])
    .filter(({ subresource = '' }) => subresource === '')
    .map(({ time = '' }) => Date.parse(time) || 0);
  return Math.max(Date.parse(metadata.creationTimestamp ?? '') || 0, ...times);
}

function isOverdue({ metadata }: Pod, nowMs: number | undefined): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
  if (deletionTimestamp === undefined || nowMs === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + 1000 * deletionGracePeriodSeconds;
}

const bornMs = (time: string | undefined): number => Date.parse(time ?? '') || 0;

function usesOf(pod: Pod): Counted {
  const uses = new Map([
    ['pods', one],
    ['count/pods', one],
  ]);
  for (const [resource, amount] of takenBy(pod)) {
    uses.set(`requests.${resource}`, amount);
    if (!resource.includes('/')) uses.set(resource, amount);
  }
  for (const [resource, amount] of takenBy(pod, 'limits')) uses.set(`limits.${resource}`, amount);
  return { name: podName(pod), bornMs: bornMs(pod.metadata.creationTimestamp), uses };
}

function claimsIn({ allocation }: View, { metadata, spec }: ResourceQuota): readonly Counted[] {
  if ((spec?.scopes ?? []).length + (spec?.scopeSelector?.matchExpressions ?? []).length > 0) return [];
  return (allocation.claims ?? [])
    .filter((claim) => claim.metadata.namespace === metadata.namespace)
    .map((claim) => {
      const asked = amountOf(claim.spec?.resources?.requests?.['storage']) ?? 0n;
      const given = amountOf(claim.status?.allocatedResources?.['storage']) ?? 0n;
      const uses: [string, bigint][] = [
        ['persistentvolumeclaims', one],
        ['requests.storage', asked > given ? asked : given],
      ];
      const { storageClassName = '' } = claim.spec ?? {};
      return {
        name: `persistentvolumeclaim/${claim.metadata.namespace}/${claim.metadata.name}`,
        bornMs: bornMs(claim.metadata.creationTimestamp),
        uses: new Map([
          ...uses,
          ['count/persistentvolumeclaims', one] as [string, bigint],
          ...(storageClassName === ''
            ? []
            : uses.map(([name, amount]): [string, bigint] => [
                `${storageClassName}.storageclass.storage.k8s.io/${name}`,
                amount,
              ])),
        ]),
      };
    });
}

function isInScope({ spec }: ResourceQuota, pod: Pod): boolean {
  const selectors = [
    ...(spec?.scopes ?? []).map((scopeName) => ({
      scopeName,
      operator: 'Exists',
      values: [] as readonly string[],
    })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
  return selectors.every(({ scopeName, operator, values = [] }) => {
    const ends = pod.spec?.activeDeadlineSeconds !== undefined;
    if (scopeName === 'Terminating') return ends;
    if (scopeName === 'NotTerminating') return !ends;
    if (scopeName === 'BestEffort') return asksNothing(pod);
    if (scopeName === 'NotBestEffort') return !asksNothing(pod);
    if (scopeName === 'CrossNamespacePodAffinity') return looksAbroad(pod);
    if (scopeName !== 'PriorityClass') return false;
    const { priorityClassName = '' } = pod.spec ?? {};
    const labels = priorityClassName === '' ? {} : { PriorityClass: priorityClassName };
    return selects({ matchExpressions: [{ key: 'PriorityClass', operator, values: [...values] }] }, labels);
  });
}

function asksNothing({ spec }: Pod): boolean {
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((one) => one.resources);
  return [...all, spec?.resources].every((resources) =>
    ['cpu', 'memory'].every(
      (name) =>
        (amountOf(resources?.requests?.[name] ?? '0') ?? 0n) === 0n &&
        (amountOf(resources?.limits?.[name] ?? '0') ?? 0n) === 0n,
    ),
  );
}

function looksAbroad({ spec }: Pod): boolean {
  return [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].some((terms) =>
    [
      ...(terms?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(terms?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each) => each.podAffinityTerm),
    ].some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined),
  );
}

export function budgetFindings(view: View): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { metadata, spec, status } of view.allocation.budgets ?? []) {
    const pods = (view.byNamespace.get(metadata.namespace ?? '') ?? []).filter((pod) =>
      selects(spec?.selector, pod.metadata.labels),
    );
    const healthy = pods.filter(
      (pod) =>
        pod.metadata.deletionTimestamp === undefined &&
        pod.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true,
    ).length;
    const wanted = typeof spec?.minAvailable === 'number' ? spec.minAvailable : (status?.desiredHealthy ?? 0);
    if (healthy >= wanted) continue;
    findings.push({
      rule: 'budget/healthy',
      severity: 'note',
      objects: [`poddisruptionbudget/${metadata.namespace}/${metadata.name}`],
      numbers: { healthy, wanted, pods: pods.length },
      message: `budget ${metadata.namespace}/${metadata.name} wants ${wanted} healthy pods, there are ${healthy}`,
    });
  }
  return findings;
}
