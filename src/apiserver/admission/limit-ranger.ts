/**
 * LimitRanger: what a container asks for that says nothing, and that nobody asks for less or more than the namespace's LimitRanges allow. Pure.
 * Source: Kubernetes 1.36, plugin/pkg/admission/limitranger, as behaviour.
 */
import {
  type Amounts,
  type Container,
  compareQuantities,
  type Draft,
  type LimitRange,
  type LimitRangeItem,
  type PersistentVolumeClaim,
  type Pod,
  podLimits,
  podRequests,
  quantityValue,
} from '../../api/index.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { Following } from './following.ts';
import { refused } from './refusal.ts';

const annotation = 'kubernetes.io/limit-ranger';

export function limitRanger(context: AdmissionContext): AdmissionStep {
  const ranges = new Following<LimitRange>(context, context.resources.core('limitranges'));
  return {
    name: 'LimitRanger',
    concerns: ({ groupResource }, subresource, operation) =>
      (groupResource === 'pods' &&
        ((subresource === '' && operation === 'CREATE') ||
          (subresource === 'resize' && operation === 'UPDATE'))) ||
      (groupResource === 'persistentvolumeclaims' &&
        subresource === '' &&
        (operation === 'CREATE' || operation === 'UPDATE')),
    handles: ({ namespace, oldObject }) =>
      !ranges.isEmpty && ranges.in(namespace).size > 0 && oldObject?.metadata.deletionTimestamp === undefined,
    mutate(admission) {
      const { resource, namespace, object, subresource } = admission;
      if (resource.groupResource !== 'pods' || subresource !== '') return;
      for (const range of ranges.in(namespace).values()) giveDefaults(range, object as unknown as Draft<Pod>);
    },
    validate(admission) {
      for (const range of ranges.in(admission.namespace).values()) check(admission, range);
    },
  };
}

function giveDefaults({ spec }: LimitRange, pod: Draft<Pod>): void {
  const limits: Record<string, string> = {};
  const requests: Record<string, string> = {};
  for (const item of spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    Object.assign(limits, item.default);
    Object.assign(requests, item.defaultRequest);
  }
  const said = [
    ...(pod.spec?.containers ?? []).flatMap((one) => complete(one, 'container', limits, requests)),
    ...(pod.spec?.initContainers ?? []).flatMap((one) => complete(one, 'init container', limits, requests)),
  ];
  if (said.length === 0) return;
  pod.metadata.annotations ??= {};
  pod.metadata.annotations[annotation] = `LimitRanger plugin set: ${said.join('; ')}`;
}

/** Answers what was set, in words. */
function complete(
  container: Draft<Container>,
  kind: string,
  limits: Amounts,
  requests: Amounts,
): readonly string[] {
  const said: string[] = [];
  for (const [part, defaults, word] of [
    ['requests', requests, 'request'],
    ['limits', limits, 'limit'],
  ] as const) {
    const missing = Object.keys(defaults)
      .filter((name) => container.resources?.[part]?.[name] === undefined)
      .sort();
    if (missing.length === 0) continue;
    container.resources ??= {};
    const amounts: Record<string, string> = { ...container.resources[part] };
    for (const name of missing) amounts[name] = defaults[name] as string;
    container.resources[part] = amounts;
    said.push(`${missing.join(', ')} ${word} for ${kind} ${container.name}`);
  }
  return said;
}

function check(admission: Admission, { spec }: LimitRange): void {
  const problems: string[] = [];
  for (const item of spec?.limits ?? [])
    for (const [requests, limits] of askedOf(admission, item))
      problems.push(...problemsOf(item, requests, limits));
  if (problems.length === 0) return;
  const unique = [...new Set(problems)];
  throw refused(admission, unique.length === 1 ? (unique[0] as string) : `[${unique.join(', ')}]`);
}

type Asked = readonly [requests: Amounts, limits: Amounts];

/** What the item is held against: each container, the pod as a whole, the claim. */
function askedOf({ resource, object }: Admission, { type }: LimitRangeItem): readonly Asked[] {
  if (resource.groupResource === 'persistentvolumeclaims') {
    if (type !== 'PersistentVolumeClaim') return [];
    return [[(object as unknown as PersistentVolumeClaim).spec?.resources?.requests ?? {}, {}]];
  }
  const { spec } = object as unknown as Pod;
  if (spec === undefined) return [];
  if (type === 'Pod') return [[podRequests(spec), podLimits(spec)]];
  if (type !== 'Container') return [];
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(
    ({ resources }) => [resources?.requests ?? {}, resources?.limits ?? {}] as const,
  );
}

function problemsOf(item: LimitRangeItem, requests: Amounts, limits: Amounts): readonly string[] {
  const problems: (string | undefined)[] = [];
  for (const [name, amount] of sorted(item.min))
    problems.push(
      tooLittle(`minimum ${name} usage per ${item.type} is ${amount}`, amount, requests[name], limits[name]),
    );
  for (const [name, amount] of sorted(item.max)) {
    const rule = `maximum ${name} usage per ${item.type} is ${amount}`;
    problems.push(
      item.type === 'PersistentVolumeClaim'
        ? tooMuchAsked(rule, amount, requests[name])
        : tooMuch(rule, amount, requests[name], limits[name]),
    );
  }
  for (const [name, ratio] of sorted(item.maxLimitRequestRatio))
    problems.push(
      tooFar(
        `${name} max limit to request ratio per ${item.type} is ${ratio}`,
        ratio,
        requests[name],
        limits[name],
      ),
    );
  return problems.filter((one) => one !== undefined);
}

const sorted = (amounts: Amounts | undefined): readonly (readonly [string, string])[] =>
  Object.entries(amounts ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

function tooLittle(rule: string, least: string, request?: string, limit?: string): string | undefined {
  if (request === undefined) return `${rule}.  No request is specified`;
  if (compareQuantities(request, least) < 0) return `${rule}, but request is ${request}`;
  if (limit !== undefined && compareQuantities(limit, least) < 0) return `${rule}, but limit is ${limit}`;
  return undefined;
}

function tooMuch(rule: string, most: string, request?: string, limit?: string): string | undefined {
  if (limit === undefined) return `${rule}.  No limit is specified`;
  if (compareQuantities(limit, most) > 0) return `${rule}, but limit is ${limit}`;
  if (request !== undefined && compareQuantities(request, most) > 0)
    return `${rule}, but request is ${request}`;
  return undefined;
}

function tooMuchAsked(rule: string, most: string, request?: string): string | undefined {
  if (request === undefined) return `${rule}.  No request is specified`;
  return compareQuantities(request, most) > 0 ? `${rule}, but request is ${request}` : undefined;
}

function tooFar(rule: string, most: string, request?: string, limit?: string): string | undefined {
  const asked = quantityValue(request) ?? 0;
  const allowed = quantityValue(limit) ?? 0;
  if (asked === 0) return `${rule}, but no request is specified or request is 0`;
  if (allowed === 0) return `${rule}, but no limit is specified or limit is 0`;
  const ratio = allowed / asked;
  return ratio > (quantityValue(most) ?? 0)
    ? `${rule}, but provided ratio is ${ratio.toFixed(6)}`
    : undefined;
}
