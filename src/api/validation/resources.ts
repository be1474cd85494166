/**
 * What may be asked of a machine: names of resources, amounts, requests within limits.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import { compareQuantities, quantityMilli } from '../quantity.ts';
import type { ResourceRequirements } from '../types/core.v1.ts';
import { qualifiedName } from './names.ts';
import { notNegativeWhy, type Problems, required, wrong } from './problems.ts';

type Amounts = Readonly<Record<string, string>>;

const ofContainers = new Set(['cpu', 'memory', 'ephemeral-storage']);
const standard = new Set([...ofContainers, 'storage', 'pods']);

const isHugePages = (name: string): boolean => name.startsWith('hugepages-');

/** Resources of Kubernetes' own: no domain, or one of kubernetes.io. */
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');

/** Fractions make sense only of time and of bytes. */
const isWhole = (name: string): boolean => !isNative(name) || name === 'pods';

/** Requests below limits make sense only of what can be shared. */
const isShareable = (name: string): boolean => isNative(name) && !isHugePages(name);

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
    const amount = amounts[name] ?? '0';
    validateName(problems, at, name);
    if (amount.startsWith('-')) problems.push(wrong(at, amount, notNegativeWhy));
    if (isWhole(name) && (quantityMilli(amount) ?? 0) % 1000 !== 0)
      problems.push(wrong(at, amount, 'must be an integer'));
  }
}

export function validateResourceName(problems: Problems, field: string, name: string): void {
  if (standard.has(name)) return;
  for (const why of qualifiedName(name)) problems.push(wrong(field, name, why));
  if (!name.includes('/') && !isHugePages(name))
    problems.push(wrong(field, name, 'must be a standard resource type or fully qualified'));
}

function validateContainerResourceName(problems: Problems, field: string, name: string): void {
  if (ofContainers.has(name)) return;
  validateResourceName(problems, field, name);
  if (!name.includes('/')) {
    if (!isHugePages(name)) problems.push(wrong(field, name, 'must be a standard resource for containers'));
  } else if (!isNative(name) && name.startsWith('requests.'))
    problems.push(wrong(field, name, "doesn't follow extended resource name standard"));
}
