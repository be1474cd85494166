/**
 * Limit ranges: what each pod, container or claim of a namespace may ask for, and what it gets that asks for nothing.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import type { Draft } from '../object.ts';
import { compareQuantities, quantityValue } from '../quantity.ts';
import type { LimitRange, LimitRangeItem } from '../types/core.v1.ts';
import { qualifiedName } from '../validation/names.ts';
import { duplicate, forbiddenField, type Problems, required, wrong } from '../validation/problems.ts';
import { isShareable, validateContainerResourceName, validateResourceName } from '../validation/resources.ts';
import { createdAtColumn, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

const standardTypes = ['Pod', 'Container', 'PersistentVolumeClaim'];

export const limitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  resource: 'limitranges',
  message: 'core.v1.LimitRange',
  description: 'LimitRange limits what each pod, container or claim of a namespace may ask for.',
  shortNames: ['limits'],
  columns: [nameColumn, createdAtColumn],
  applyDefaults({ spec }) {
    for (const item of spec?.limits ?? []) applyItemDefaults(item);
  },
  validate({ spec }) {
    const problems: Problems = [];
    const types = new Set<string>();
    spec?.limits?.forEach((item, index) => {
      const at = `spec.limits[${index}]`;
      validateType(problems, `${at}.type`, item.type ?? '');
      if (types.has(item.type)) problems.push(duplicate(`${at}.type`, item.type));
      types.add(item.type);
      validateItem(problems, at, item);
    });
    return problems;
  },
});

/** For containers: the limit is the maximum, the request is the limit or else the minimum, unless said otherwise. */
function applyItemDefaults(item: Draft<LimitRangeItem>): void {
  if (item.type !== 'Container') return;
  const limits = { ...item.max, ...item.default };
  if (Object.keys(limits).length > 0) item.default = limits;
  const requests = { ...item.min, ...limits, ...item.defaultRequest };
  if (Object.keys(requests).length > 0) item.defaultRequest = requests;
}

function validateType(problems: Problems, field: string, type: string): void {
  const reasons = qualifiedName(type);
  for (const why of reasons) problems.push(wrong(field, type, why));
  if (reasons.length === 0 && !type.includes('/') && !standardTypes.includes(type))
    problems.push(wrong(field, type, 'must be a standard limit type or fully qualified'));
}

function validateItem(problems: Problems, field: string, item: LimitRangeItem): void {
  const validateName =
    item.type === 'Pod' || item.type === 'Container' ? validateContainerResourceName : validateResourceName;
  const names = new Set<string>();
  const take = (
    part: keyof LimitRangeItem & string,
    amounts: Readonly<Record<string, string>> = {},
  ): void => {
    for (const name in amounts) {
      validateName(problems, `${field}.${part}[${name}]`, name);
      names.add(name);
    }
  };
  take('max', item.max);
  take('min', item.min);
  if (item.type === 'Pod') {
    for (const part of ['default', 'defaultRequest'] as const)
      if (Object.keys(item[part] ?? {}).length > 0)
        problems.push(forbiddenField(`${field}.${part}`, "may not be specified when `type` is 'Pod'"));
  } else {
    take('default', item.default);
    take('defaultRequest', item.defaultRequest);
  }
  if (
    item.type === 'PersistentVolumeClaim' &&
    item.min?.['storage'] === undefined &&
    item.max?.['storage'] === undefined
  )
    problems.push(
      required(
        `${field}.limits`,
        'either minimum or maximum storage value is required, but neither was provided',
      ),
    );
  take('maxLimitRequestRatio', item.maxLimitRequestRatio);
  for (const name of names) validateAmountsOf(problems, field, item, name);
}

/** One resource: what is less must be less. */
function validateAmountsOf(problems: Problems, field: string, item: LimitRangeItem, name: string): void {
  const [min, max, limit, request] = [
    item.min?.[name],
    item.max?.[name],
    item.default?.[name],
    item.defaultRequest?.[name],
  ];
  const ordered = (part: string, shown: string | undefined, pair: Amounts, words: Words): void => {
    const [low, high] = pair;
    if (low === undefined || high === undefined || compareQuantities(low, high) <= 0) return;
    const why = `${words[0]} value ${low} is greater than ${words[1]} value ${high}`;
    problems.push(wrong(`${field}.${part}[${name}]`, shown, why));
  };
  ordered('min', min, [min, max], ['min', 'max']);
  ordered('defaultRequest', request, [min, request], ['min', 'default request']);
  ordered('defaultRequest', request, [request, max], ['default request', 'max']);
  ordered('defaultRequest', request, [request, limit], ['default request', 'default limit']);
  ordered('default', min, [min, limit], ['min', 'default']);
  ordered('default', max, [limit, max], ['default', 'max']);
  validateRatio(problems, `${field}.maxLimitRequestRatio[${name}]`, item.maxLimitRequestRatio?.[name], [
    min,
    max,
  ]);
  if (
    !isShareable(name) &&
    limit !== undefined &&
    request !== undefined &&
    compareQuantities(limit, request) !== 0
  )
    problems.push(
      wrong(
        `${field}.defaultRequest[${name}]`,
        request,
        `default value ${limit} must equal to defaultRequest value ${request} in ${name}`,
      ),
    );
}

type Amounts = readonly [low: string | undefined, high: string | undefined];
type Words = readonly [low: string, high: string];

function validateRatio(
  problems: Problems,
  field: string,
  ratio: string | undefined,
  [min, max]: Amounts,
): void {
  if (ratio === undefined) return;
  if (compareQuantities(ratio, '1') < 0) problems.push(wrong(field, ratio, `ratio ${ratio} is less than 1`));
  if (min === undefined || max === undefined) return;
  const most = (quantityValue(max) ?? 0) / (quantityValue(min) ?? 0);
  if ((quantityValue(ratio) ?? 0) > most)
    problems.push(wrong(field, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`));
}
