/**
 * A device as its driver tells of it: attributes, capacity, taints, counters that it shares with others.
 * Source: Kubernetes 1.36, pkg/apis/resource/validation, as behaviour.
 */
import type {
  Counter,
  Device,
  DeviceAttribute,
  DeviceCapacity,
  DeviceTaint,
} from '../../types/resource.v1.ts';
import { validateLabelKey } from '../../validation/label-selectors.ts';
import { labelValue, subdomainName } from '../../validation/names.ts';
import {
  duplicate,
  forbiddenField,
  notSupported,
  type Problems,
  required,
  tooLong,
  tooMany,
  wrong,
} from '../../validation/problems.ts';
import { validateNodeSelector } from '../pod-spec/placement.ts';
import { taintEffects } from './claim.ts';
import { validateAttributeName, validateLabelName, validateSet } from './names.ts';

const entriesMax = 32;
const taintsMax = 16;
const consumptionsMax = 2;
const countersMax = 32;
const conditionsMax = 4;
const valueBytesMax = 64;
/** semver.org, 2.0.0. */
const semver =
  /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;
const setOrUnsetWhy = 'must be either unset or set to true';

export function validateDevice(
  problems: Problems,
  field: string,
  device: Device,
  choosesNodes: boolean,
): void {
  const { name = '', attributes = {}, capacity = {}, taints, consumesCounters } = device;
  validateLabelName(problems, `${field}.name`, name);
  const entries = Object.keys(attributes).length + Object.keys(capacity).length;
  if (entries > entriesMax)
    problems.push(
      wrong(field, entries, `the total number of attributes and capacities must not exceed ${entriesMax}`),
    );
  for (const [key, attribute] of Object.entries(attributes)) {
    validateAttributeName(problems, `${field}.attributes`, key);
    validateAttribute(problems, `${field}.attributes[${key}]`, attribute);
  }
  for (const [key, amount] of Object.entries(capacity)) {
    validateAttributeName(problems, `${field}.capacity`, key);
    validateCapacity(problems, `${field}.capacity[${key}]`, amount, device.allowMultipleAllocations === true);
  }
  validateSet(problems, `${field}.taints`, taints, taintsMax, undefined, (at, taint) => {
    validateTaint(problems, at, taint);
  });
  const consumed = `${field}.consumesCounters`;
  validateSet(
    problems,
    consumed,
    consumesCounters,
    consumptionsMax,
    (one) => one.counterSet,
    (at, one) => {
      validateCounters(problems, at, 'counterSet', one.counterSet, one.counters);
    },
  );
  if (choosesNodes) validateNodes(problems, field, device);
  else if ([device.nodeName, device.nodeSelector, device.allNodes].some((one) => one !== undefined))
    problems.push(
      wrong(
        field,
        undefined,
        '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ),
    );
  validateBinding(problems, field, device);
}

function validateAttribute(problems: Problems, field: string, attribute: DeviceAttribute): void {
  for (const name of ['bools', 'ints', 'strings', 'versions'] as const)
    if (attribute[name]?.length === 0)
      problems.push(wrong(`${field}.${name}`, [], 'must not be empty if specified'));
  const texts = (name: 'string' | 'version'): readonly (readonly [string, string])[] => {
    const one = attribute[name];
    const many = attribute[`${name}s`] ?? [];
    return [
      ...(one === undefined ? [] : [[`${field}.${name}`, one] as const]),
      ...many.map((text, index) => [`${field}.${name}s[${index}]`, text] as const),
    ];
  };
  for (const [at, text] of texts('string'))
    if (Buffer.byteLength(text) > valueBytesMax) problems.push(tooLong(at, valueBytesMax));
  for (const [at, text] of texts('version')) {
    if (!semver.test(text))
      problems.push(wrong(at, text, 'must be a string compatible with semver.org spec 2.0.0'));
    if (Buffer.byteLength(text) > valueBytesMax) problems.push(tooLong(at, valueBytesMax));
  }
  const count = Object.values(attribute).filter((value) => value !== undefined).length;
  if (count !== 1)
    problems.push(wrong(field, count === 0 ? '' : attribute, 'exactly one value must be specified'));
}

/** How much of it each may take is a question only where many may have it. */
function validateCapacity(
  problems: Problems,
  field: string,
  { requestPolicy: policy }: DeviceCapacity,
  isShared: boolean,
): void {
  if (policy === undefined) return;
  const at = `${field}.requestPolicy`;
  const hasValues = (policy.validValues?.length ?? 0) > 0;
  if (!isShared) problems.push(forbiddenField(at, 'allowMultipleAllocations must be true'));
  else if (hasValues && policy.validRange !== undefined)
    problems.push(
      forbiddenField(
        at,
        'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ),
    );
  else if ((hasValues || policy.validRange !== undefined) && policy.default === undefined)
    problems.push(
      required(`${at}.default`, `required when ${hasValues ? 'validValues' : 'validRange'} is defined`),
    );
}

export function validateTaint(
  problems: Problems,
  field: string,
  { key = '', value = '', effect = '' }: DeviceTaint,
): void {
  validateLabelKey(problems, `${field}.key`, key);
  for (const why of labelValue(value)) problems.push(wrong(`${field}.value`, value, why));
  if (effect === '') problems.push(required(`${field}.effect`));
  else if (!taintEffects.includes(effect))
    problems.push(notSupported(`${field}.effect`, effect, taintEffects));
}

/** A set of counters, or what is taken of one. */
export function validateCounters(
  problems: Problems,
  field: string,
  nameField: 'name' | 'counterSet',
  name = '',
  counters: Readonly<Record<string, Counter>> = {},
): void {
  if (name === '') problems.push(required(`${field}.${nameField}`));
  else validateLabelName(problems, `${field}.${nameField}`, name);
  const keys = Object.keys(counters);
  const at = `${field}.counters`;
  if (keys.length === 0) problems.push(required(at));
  else if (keys.length > countersMax) problems.push(tooMany(at, keys.length, countersMax));
  else for (const key of keys) validateLabelName(problems, at, key);
}

function validateNodes(
  problems: Problems,
  field: string,
  { nodeName, nodeSelector, allNodes }: Device,
): void {
  const chosen: string[] = [];
  if (nodeName === '') problems.push(wrong(`${field}.nodeName`, nodeName, 'must not be empty'));
  else if (nodeName !== undefined) {
    chosen.push('`nodeName`');
    for (const why of subdomainName(nodeName)) problems.push(wrong(`${field}.nodeName`, nodeName, why));
  }
  if (nodeSelector !== undefined) {
    chosen.push('`nodeSelector`');
    validateNodeSelector(problems, `${field}.nodeSelector`, nodeSelector);
  }
  if (allNodes === true) chosen.push('`allNodes`');
  else if (allNodes === false) problems.push(wrong(`${field}.allNodes`, false, setOrUnsetWhy));
  const why =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (chosen.length === 0) problems.push(required(field, why));
  else if (chosen.length > 1) problems.push(wrong(field, `{${chosen.join(', ')}}`, why));
}

interface Binding {
  readonly bindingConditions?: readonly string[];
  readonly bindingFailureConditions?: readonly string[];
}

/** Conditions that a pod waits for, and those that end the wait: both or none. */
export function validateBinding(
  problems: Problems,
  field: string,
  { bindingConditions: wanted = [], bindingFailureConditions: failed = [] }: Binding,
): void {
  const [wantedField, failedField] = [`${field}.bindingConditions`, `${field}.bindingFailureConditions`];
  for (const [at, list] of [
    [wantedField, wanted],
    [failedField, failed],
  ] as const)
    validateSet(problems, at, list, conditionsMax, undefined, (each, condition) => {
      validateLabelKey(problems, each, condition);
    });
  wanted.forEach((condition, index) => {
    if (wanted.indexOf(condition) < index) problems.push(duplicate(`${wantedField}[${index}]`, condition));
  });
  failed.forEach((condition, index) => {
    const at = `${failedField}[${index}]`;
    if (failed.indexOf(condition) < index) problems.push(duplicate(at, condition));
    if (wanted.includes(condition))
      problems.push(wrong(at, condition, 'bindingFailureConditions must not overlap with bindingConditions'));
  });
  if (wanted.length === 0 && failed.length > 0)
    problems.push(
      wrong(wantedField, wanted, 'bindingConditions are required to use bindingFailureConditions'),
    );
  if (failed.length === 0 && wanted.length > 0)
    problems.push(
      wrong(failedField, failed, 'bindingFailureConditions are required to use bindingConditions'),
    );
}
