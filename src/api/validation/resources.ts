/**
 * What may be asked of a machine: names of resources, amounts, requests within limits.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import { compareQuantities, quantityMilli, quantityNano } from '../quantity.ts';
import type { ResourceRequirements } from '../types/core.v1.ts';
import { qualifiedName } from './names.ts';
import { notNegativeWhy, type Problems, required, wrong } from './problems.ts';

type Amounts = Readonly<Record<string, string>>;

const ofContainers = new Set(['cpu', 'memory', 'ephemeral-storage']);
/** Numbers of objects. */
const counts = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const ofQuotas = new Set([
  ...ofContainers,
  ...[...ofContainers].flatMap((name) => [`requests.${name}`, `limits.${name}`]),
  'requests.storage',
  ...counts,
]);
const standard = new Set([...ofQuotas, 'storage']);
const whole = new Set(counts);

const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isHugePagesOfQuotas = (name: string): boolean =>
  isHugePages(name) || name.startsWith('requests.hugepages-');

/** Resources of Kubernetes' own: no domain, or one of kubernetes.io. */
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Fractions make sense only of time and of bytes. */
const isWhole = (name: string): boolean =>
  whole.has(name) || (!isNative(name) && !name.startsWith('requests.'));

/** Requests below limits make sense only of what can be shared. */
export const isShareable = (name: string): boolean => isNative(name) && !isHugePages(name);

export function validateResources(
  problems: Problems,
  field: string,
  { limits = {}, requests = {} }: ResourceRequirements,
): void {
  validateAmounts(problems, `${field}.limits`, limits, validateContainerResourceName);
  validateAmounts(problems, `${field}.requests`, requests, validateContainerResourceName);
  for (const name in requests) {
    const asked = requests[name] ?? '0';
    const limit = limits[name];
    if (limit === undefined) {
      if (!isShareable(name))
        problems.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
      continue;
    }
    const order = compareQuantities(asked, limit);
    if (order !== 0 && !isShareable(name))
      problems.push(wrong(`${field}.requests`, asked, `must be equal to ${name} limit of ${limit}`));
    else if (order > 0)
      problems.push(
        wrong(`${field}.requests`, asked, `must be less than or equal to ${name} limit of ${limit}`),
      );
  }
}

/** Amounts by resource: each name by `validateName`, each amount not negative, whole where fractions make no sense. */
export function validateAmounts(
  problems: Problems,
  field: string,
  amounts: Amounts,
  validateName: (problems: Problems, field: string, name: string) => void = validateResourceName,
): void {
  for (const name in amounts) {
    const at = `${field}[${name}]`;
    validateName(problems, at, name);
    validateAmount(problems, at, name, amounts[name] ?? '0');
  }
}

/** Not negative, and whole where fractions make no sense. */
export function validateAmount(problems: Problems, field: string, name: string, amount: string): void {
  if (amount.startsWith('-')) problems.push(wrong(field, amount, notNegativeWhy));
  if (isWhole(name) && (quantityMilli(amount) ?? 0) % 1000 !== 0)
    problems.push(wrong(field, amount, 'must be an integer'));
}

export function validatePositiveAmount(problems: Problems, field: string, amount: string): void {
  if ((quantityNano(amount) ?? 0n) <= 0n) problems.push(wrong(field, amount, 'must be greater than zero'));
}

/** What a quota knows how to count or add up. */
export const isQuotaResource = (name: string): boolean => ofQuotas.has(name) || isHugePagesOfQuotas(name);

export function validateQuotaResourceName(problems: Problems, field: string, name: string): void {
  validateResourceName(problems, field, name);
  if (!name.includes('/') && !isQuotaResource(name))
    problems.push(wrong(field, name, 'must be a standard resource for quota'));
}

export function validateResourceName(problems: Problems, field: string, name: string): void {
  if (standard.has(name)) return;
  const reasons = qualifiedName(name);
  for (const why of reasons) problems.push(wrong(field, name, why));
  if (reasons.length > 0) return;
  if (!name.includes('/') && !isHugePagesOfQuotas(name))
    problems.push(wrong(field, name, 'must be a standard resource type or fully qualified'));
}

export function validateContainerResourceName(problems: Problems, field: string, name: string): void {
  if (ofContainers.has(name)) return;
  validateResourceName(problems, field, name);
  if (!name.includes('/')) {
    if (!isHugePages(name)) problems.push(wrong(field, name, 'must be a standard resource for containers'));
  } else if (!isNative(name) && name.startsWith('requests.'))
    problems.push(wrong(field, name, "doesn't follow extended resource name standard"));
}
