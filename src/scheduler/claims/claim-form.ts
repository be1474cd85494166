/**
 * What a claim asks for, in the form in which it is searched: its requests, each with its alternatives, and what has to hold between devices. Pure.
 * Selectors are compiled once for each text, and asked once for each device.
 */
import {
  compileDeviceSelector,
  type DeviceClass,
  type DeviceRequest,
  type DeviceSelection,
  type DynamicResourceClaim,
} from '../../api/index.ts';
import { NewestMap } from '../../lib/index.ts';
import type { CapacityRequest } from './device-capacity.ts';
import type { PoolDevice } from './device-pools.ts';

type Exact = NonNullable<DeviceRequest['exactly']>;
export type DeviceToleration = NonNullable<Exact['tolerations']>[number];
export type DeviceConstraint = NonNullable<
  NonNullable<DynamicResourceClaim['spec']['devices']>['constraints']
>[number];

/** One alternative of a request. */
export interface RequestForm {
  /** `request`, or `request/alternative`. */
  readonly name: string;
  readonly request: string;
  readonly deviceClass: DeviceClass;
  readonly count: number | 'all';
  readonly isAdmin: boolean;
  readonly tolerations: readonly DeviceToleration[] | undefined;
  readonly capacity: CapacityRequest | undefined;
  readonly selectors: readonly Selector[];
}

export interface ClaimForm {
  readonly claim: DynamicResourceClaim;
  /** By request; the first alternative that is possible is taken. */
  readonly requests: readonly (readonly RequestForm[])[];
  readonly constraints: readonly DeviceConstraint[];
}

interface Selector {
  readonly expression: string;
  /** Whose it is and which: `class gpu: selector #0`. */
  readonly whose: string;
}

export type ClassOf = (name: string) => DeviceClass | undefined;

/** The text: why it cannot be allocated, wherever. */
export function formOf(claim: DynamicResourceClaim, classOf: ClassOf): ClaimForm | string {
  const { requests = [], constraints = [] } = claim.spec?.devices ?? {};
  const forms: RequestForm[][] = [];
  for (const request of requests) {
    const alternatives: RequestForm[] = [];
    const { name, exactly, firstAvailable = [] } = request;
    const asked: readonly (readonly [string, Exact])[] =
      exactly === undefined
        ? firstAvailable.map((one) => [`${name}/${one.name}`, one] as const)
        : [[name, exactly]];
    if (asked.length === 0) return `request ${name}: unsupported request type`;
    for (const [full, one] of asked) {
      const deviceClass = classOf(one.deviceClassName);
      if (deviceClass === undefined)
        return `request ${full}: device class ${one.deviceClassName} does not exist`;
      alternatives.push(requestForm(claim, name, full, one, deviceClass));
    }
    forms.push(alternatives);
  }
  return { claim, requests: forms, constraints };
}

function requestForm(
  { metadata }: DynamicResourceClaim,
  request: string,
  name: string,
  one: Exact,
  deviceClass: DeviceClass,
): RequestForm {
  const selectors = (whose: string, list: Exact['selectors']): readonly Selector[] =>
    (list ?? []).map(({ cel }, index) => ({
      expression: cel?.expression ?? '',
      whose: `${whose}: selector #${index}`,
    }));
  return {
    name,
    request,
    deviceClass,
    count: one.allocationMode === 'All' ? 'all' : (one.count ?? 1),
    isAdmin: one.adminAccess === true,
    tolerations: one.tolerations,
    capacity: one.capacity,
    selectors: [
      ...selectors(`class ${deviceClass.metadata.name}`, deviceClass.spec?.selectors),
      ...selectors(`claim ${metadata.namespace}/${metadata.name}`, one.selectors),
    ],
  };
}

/** What expressions make of devices; a fault is a text. */
export class Selections {
  readonly #compiled = new NewestMap<string, DeviceSelection | string>(1000);
  readonly #answers = new WeakMap<PoolDevice, Map<string, boolean | string>>();

  /** Of the first selector that does not hold: false, or the text of its fault. */
  ask({ selectors }: Pick<RequestForm, 'selectors'>, one: PoolDevice): boolean | string {
    for (const { expression, whose } of selectors) {
      const answer = this.#one(expression, one);
      if (typeof answer === 'string') return `${whose}: ${answer}`;
      if (!answer) return false;
    }
    return true;
  }

  #one(expression: string, one: PoolDevice): boolean | string {
    let answers = this.#answers.get(one);
    if (answers === undefined || answers.size > 100) {
      answers = new Map();
      this.#answers.set(one, answers);
    }
    let answer = answers.get(expression);
    if (answer === undefined) {
      answer = evaluate(this.#compile(expression), one);
      answers.set(expression, answer);
    }
    return answer;
  }

  #compile(expression: string): DeviceSelection | string {
    let compiled = this.#compiled.get(expression);
    if (compiled === undefined) {
      const made = compileDeviceSelector(expression);
      compiled = 'selection' in made ? made.selection : `CEL compile error: ${made.text}`;
      this.#compiled.set(expression, compiled);
    }
    return compiled;
  }
}

/** Whether any of the requests may mean the device, or stumbles over it. */
export function isAskedFor(forms: readonly ClaimForm[], one: PoolDevice, selections: Selections): boolean {
  return forms.some(({ requests }) =>
    requests.some((alternatives) => alternatives.some((form) => selections.ask(form, one) !== false)),
  );
}

function evaluate(compiled: DeviceSelection | string, { driver, device }: PoolDevice): boolean | string {
  if (typeof compiled === 'string') return compiled;
  try {
    return compiled.matches(driver, device);
  } catch (error) {
    return `CEL runtime error: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** With the driver's domain where it names none. */
export function attributeOf({ driver, device }: PoolDevice, name: string): string | undefined {
  const { attributes = {} } = device;
  const own = name.startsWith(`${driver}/`) ? attributes[name.slice(driver.length + 1)] : undefined;
  const found = attributes[name] ?? own;
  if (found === undefined) return undefined;
  const { string, int, bool, version } = found;
  const value = string ?? int ?? bool ?? version;
  return value === undefined ? undefined : JSON.stringify([typeof value, version === undefined, value]);
}

/** Tainted so that the request may not have it. */
export function isTainted({ device }: PoolDevice, { tolerations = [] }: RequestForm): boolean {
  return (device.taints ?? []).some(
    ({ key, value = '', effect }) =>
      (effect === 'NoSchedule' || effect === 'NoExecute') &&
      !tolerations.some(
        (one) =>
          (one.effect === undefined || one.effect === '' || one.effect === effect) &&
          (one.key === undefined || one.key === '' || one.key === key) &&
          (one.operator === 'Exists' || ((one.key ?? '') !== '' && (one.value ?? '') === value)),
      ),
  );
}
