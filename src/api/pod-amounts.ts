/**
 * What a pod asks for as a whole, and what it may use at most: its containers together, what starts before them where that is more, its overhead. Pure.
 * Source: Kubernetes 1.36, k8s.io/component-helpers/resource, as behaviour.
 */
import { addQuantities, compareQuantities } from './quantity.ts';
import type { Container, PodSpec } from './types/core.v1.ts';

export type Amounts = Readonly<Record<string, string>>;
type Sums = Record<string, string>;
type Part = 'requests' | 'limits';

/** Of a pod as it was written: what is being resized is not looked at. */
export function podRequests(spec: PodSpec): Amounts {
  return podAmounts(spec, 'requests');
}

/** The overhead counts where there is a limit. */
export function podLimits(spec: PodSpec): Amounts {
  return podAmounts(spec, 'limits');
}

function podAmounts(spec: PodSpec, part: Part): Amounts {
  const sums = containersAmounts(spec, part);
  // What the pod says of itself stands for its containers.
  for (const [name, amount] of Object.entries(spec.resources?.[part] ?? {})) sums[name] = amount;
  for (const [name, amount] of Object.entries(spec.overhead ?? {}))
    if (part === 'requests' || (sums[name] !== undefined && sums[name] !== '0')) add(sums, name, amount);
  return sums;
}

function containersAmounts(spec: PodSpec, part: Part): Sums {
  const sums: Sums = {};
  for (const container of spec.containers ?? []) addAll(sums, container, part);
  const sidecars: Sums = {};
  const before: Sums = {};
  for (const container of spec.initContainers ?? []) {
    const mine: Sums = {};
    addAll(mine, container, part);
    if (container.restartPolicy === 'Always') {
      addAll(sums, container, part);
      addAll(sidecars, container, part);
      raise(before, sidecars);
    } else {
      for (const [name, amount] of Object.entries(sidecars)) add(mine, name, amount);
      raise(before, mine);
    }
  }
  raise(sums, before);
  return sums;
}

function addAll(sums: Sums, { resources }: Container, part: Part): void {
  for (const [name, amount] of Object.entries(resources?.[part] ?? {})) add(sums, name, amount);
}

function add(sums: Sums, name: string, amount: string): void {
  const before = sums[name];
  sums[name] = before === undefined ? amount : addQuantities(before, amount);
}

/** To the larger of both. */
function raise(sums: Sums, others: Sums): void {
  for (const [name, amount] of Object.entries(others)) {
    const before = sums[name];
    if (before === undefined || compareQuantities(before, amount) < 0) sums[name] = amount;
  }
}
