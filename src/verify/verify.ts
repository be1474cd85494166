/**
 * `verifyResourceAllocation`: proves or refutes that what runs where is right: capacity, isolation, fairness. Pure, over the objects of one moment.
 *
 *   nodes, pods, quotas, namespaces, budgets, claims ─▶ rules, each on its own ─▶ findings that name objects, numbers and the rule
 *
 * Written apart from the scheduler on purpose (own arithmetic, own selectors, this room cannot import that one): it has to be able to find its faults.
 * Invariant: no violation means that every rule was asked of everything that was given.
 */
import type { Pod } from '../api/index.ts';
import { addTo, amountsIn, amountText, asNumber } from './amounts.ts';
import { capacityFindings, nodeFindings } from './capacity.ts';
import { type Fairness, fairnessOf } from './fairness.ts';
import { isolationFindings } from './isolation.ts';
import { budgetFindings, quotaFindings } from './quotas.ts';
import { type Allocation, type Finding, isPlaced, View } from './view.ts';

export interface ResourceUse {
  readonly resource: string;
  readonly taken: string;
  readonly allocatable: string;
  /** 0 to 1. */
  readonly part: number;
}

export interface AllocationReport {
  /** No rule is violated. */
  readonly holds: boolean;
  readonly findings: readonly Finding[];
  readonly counts: { readonly violations: number; readonly drifts: number; readonly notes: number };
  /** Of how much was it asked. */
  readonly looked: {
    readonly nodes: number;
    readonly pods: number;
    readonly placed: number;
    readonly namespaces: number;
    readonly quotas: number;
    readonly budgets: number;
    readonly claims: number;
    readonly deviceClaims: number;
    readonly queues: number;
  };
  readonly use: readonly ResourceUse[];
  readonly fairness: Fairness;
}

const order = { violation: 0, drift: 1, note: 2 } as const;

export function verifyResourceAllocation(allocation: Allocation): AllocationReport {
  const view = new View(allocation);
  const { fairness, findings: unfair } = fairnessOf(view);
  const findings = [
    ...capacityFindings(view),
    ...isolationFindings(view),
    ...quotaFindings(view),
    ...budgetFindings(view),
    ...unfair,
  ].sort((a, b) => order[a.severity] - order[b.severity] || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0));
  const countOf = (severity: Finding['severity']): number =>
    findings.filter((one) => one.severity === severity).length;
  const counts = { violations: countOf('violation'), drifts: countOf('drift'), notes: countOf('note') };
  return {
    holds: counts.violations === 0,
    findings,
    counts,
    looked: {
      nodes: allocation.nodes.length,
      pods: allocation.pods.length,
      placed: view.living.filter(isPlaced).length,
      namespaces: view.byNamespace.size,
      quotas: allocation.quotas?.length ?? 0,
      budgets: allocation.budgets?.length ?? 0,
      claims: allocation.claims?.length ?? 0,
      deviceClaims: allocation.deviceClaims?.length ?? 0,
      queues: allocation.queues?.length ?? 0,
    },
    use: useOf(view),
    fairness,
  };
}

/** Of one pod that was placed just now: is there room for it where it is, and may it be there? What is found is a violation. */
export function verifyPlacement(allocation: Allocation, pod: Pod): readonly Finding[] {
  const view = new View(allocation);
  const { nodeName = '' } = pod.spec ?? {};
  return [
    ...nodeFindings(view, nodeName, view.podsOn.get(nodeName) ?? []),
    ...isolationFindings(view, { of: [pod], asPlaced: true }),
  ];
}

function useOf(view: View): readonly ResourceUse[] {
  const [taken, whole] = [new Map<string, bigint>(), new Map<string, bigint>()];
  for (const node of view.allocation.nodes) addTo(whole, amountsIn(node.status?.allocatable));
  for (const pods of view.podsOn.values()) for (const pod of pods) addTo(taken, view.taken(pod));
  whole.delete('pods');
  return [...whole]
    .filter(([, all]) => all > 0n)
    .map(([resource, all]) => {
      const amount = taken.get(resource) ?? 0n;
      return {
        resource,
        taken: amountText(resource, amount),
        allocatable: amountText(resource, all),
        part: Math.round((10_000 * asNumber(amount)) / asNumber(all)) / 10_000,
      };
    });
}
