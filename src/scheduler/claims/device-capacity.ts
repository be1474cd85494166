/**
 * How much of a device a request takes, as the device's own policy rounds it. Pure.
 * Source: Kubernetes 1.36, `consumable capacity`, as behaviour.
 */
import { type Device, type DeviceRequest, quantityNano } from '../../api/index.ts';
import type { Amounts } from './device-ledger.ts';

export type CapacityRequest = NonNullable<NonNullable<DeviceRequest['exactly']>['capacity']>;
type Capacity = NonNullable<Device['capacity']>[string];
type Policy = NonNullable<Capacity['requestPolicy']>;

const nano = (text: string | undefined): bigint | undefined => quantityNano(text);

/** Names without a domain are the driver's own. */
const fullName = (name: string, driver: string): string => (name.includes('/') ? name : `${driver}/${name}`);

/**
 * By the device's own names: what one allocation takes of each capacity. undefined: what is asked for it cannot give, however free it is.
 * A device that is not shared is taken whole; then what is asked only has to be there.
 */
export function consumptionOf(
  driver: string,
  device: Device,
  request: CapacityRequest | undefined,
): Amounts | undefined {
  const { capacity = {} } = device;
  const asked = new Map<string, bigint>();
  for (const [name, amount] of Object.entries(request?.requests ?? {}))
    asked.set(fullName(name, driver), nano(amount) ?? 0n);
  const consumption = new Map<string, bigint>();
  for (const [name, one] of Object.entries(capacity)) {
    const full = fullName(name, driver);
    const whole = capacitiesOf(device).get(name) ?? 0n;
    const amount = rounded(asked.get(full), whole, one.requestPolicy);
    asked.delete(full);
    if (amount === undefined || amount < 0n || amount > whole) return undefined;
    consumption.set(name, amount);
  }
  // It has nothing of that name.
  return asked.size > 0 ? undefined : consumption;
}

const known = new WeakMap<Device, Amounts>();

/** What it has as a whole, by its own names. */
export function capacitiesOf(device: Device): Amounts {
  let amounts = known.get(device);
  if (amounts === undefined) {
    amounts = new Map(
      Object.entries(device.capacity ?? {}).map(([name, { value }]) => [name, nano(value) ?? 0n] as const),
    );
    known.set(device, amounts);
  }
  return amounts;
}

/** undefined: the policy forbids it. */
function rounded(asked: bigint | undefined, whole: bigint, policy: Policy | undefined): bigint | undefined {
  if (asked === undefined) return nano(policy?.default) ?? whole;
  if (policy === undefined) return asked;
  const { validRange, validValues = [] } = policy;
  if (validRange !== undefined) {
    const min = nano(validRange.min) ?? 0n;
    const step = nano(validRange.step) ?? 0n;
    const max = nano(validRange.max);
    let amount = asked < min ? min : asked;
    if (step > 0n) amount = min + ((amount - min + step - 1n) / step) * step;
    return max !== undefined && amount > max ? undefined : amount;
  }
  if (validValues.length === 0) return asked;
  let best: bigint | undefined;
  for (const value of validValues) {
    const amount = nano(value) ?? 0n;
    if (amount >= asked && (best === undefined || amount < best)) best = amount;
  }
  return best;
}
