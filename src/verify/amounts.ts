/**
 * Amounts, exactly: whole numbers of billionths, read and added here and nowhere else, so that a fault in the arithmetic of those who place is seen. Pure.
 * Source: Kubernetes, "Quantity", "resource sharing within containers", "pod-level resources", "resize".
 */
import type { Container, ContainerStatus, Pod } from '../api/index.ts';

/** Billionths by resource. */
export type Amounts = ReadonlyMap<string, bigint>;

const billion = 1_000_000_000n;
const suffixes: Readonly<Record<string, readonly [bigint, bigint]>> = {
  n: [1n, billion],
  u: [1_000n, billion],
  m: [1_000_000n, billion],
  '': [1n, 1n],
  k: [10n ** 3n, 1n],
  M: [10n ** 6n, 1n],
  G: [10n ** 9n, 1n],
  T: [10n ** 12n, 1n],
  P: [10n ** 15n, 1n],
  E: [10n ** 18n, 1n],
  Ki: [2n ** 10n, 1n],
  Mi: [2n ** 20n, 1n],
  Gi: [2n ** 30n, 1n],
  Ti: [2n ** 40n, 1n],
  Pi: [2n ** 50n, 1n],
  Ei: [2n ** 60n, 1n],
};

/** Billionths, rounded up; undefined: no quantity. */
export function amountOf(text: string | number | undefined): bigint | undefined {
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)$/.exec(
    String(text ?? ''),
  );
  if (found === null) return undefined;
  const [, sign = '', whole = '', fraction = '', power, suffix = ''] = found;
  if (whole === '' && fraction === '') return undefined;
  let [up, down] = suffixes[suffix] ?? [1n, 1n];
  const exponent = Number(power ?? 0);
  if (exponent >= 0) up *= 10n ** BigInt(exponent);
  else down *= 10n ** BigInt(-exponent);
  down *= 10n ** BigInt(fraction.length);
  const value = BigInt(whole + fraction) * up * billion;
  const rounded = (value + down - 1n) / down;
  return sign === '-' ? -rounded : rounded;
}

/** For people and programs: `2`, `1500m`, `64Mi`. */
export function amountText(resource: string, amount: bigint): string {
  const sign = amount < 0n ? '-' : '';
  const size = amount < 0n ? -amount : amount;
  if (size % billion !== 0n) return `${sign}${(size + 999_999n) / 1_000_000n}m`;
  const whole = size / billion;
  if (/memory|storage|hugepages/.test(resource))
    for (const [suffix, factor] of [
      ['Gi', 2n ** 30n],
      ['Mi', 2n ** 20n],
      ['Ki', 2n ** 10n],
    ] as const)
      if (whole >= factor && whole % factor === 0n) return `${sign}${whole / factor}${suffix}`;
  return `${sign}${whole}`;
}

export const asNumber = (amount: bigint): number => Number(amount) / 1e9;

export function amountsIn(list: Readonly<Record<string, string>> | undefined): Map<string, bigint> {
  const amounts = new Map<string, bigint>();
  for (const [name, text] of Object.entries(list ?? {})) amounts.set(name, amountOf(text) ?? 0n);
  return amounts;
}

export function addTo(sum: Map<string, bigint>, more: Amounts): void {
  for (const [name, amount] of more) sum.set(name, (sum.get(name) ?? 0n) + amount);
}

function raiseTo(most: Map<string, bigint>, other: Amounts): void {
  for (const [name, amount] of other) if (amount > (most.get(name) ?? -1n)) most.set(name, amount);
}

type Part = 'requests' | 'limits';
type Granted = Pick<ContainerStatus, 'allocatedResources' | 'resources'>;

/** What is asked for, or what is still held while that is changed: whichever is more; only what is held, where what is asked for can never be given. */
function partOf(
  asked: Container['resources'],
  held: Granted | undefined,
  isHopeless: boolean,
  part: Part,
): Amounts {
  const amounts = amountsIn(asked?.[part]);
  if (held?.resources === undefined) return amounts;
  if (isHopeless) for (const name of ['cpu', 'memory']) amounts.delete(name);
  raiseTo(amounts, amountsIn(held.resources[part]));
  if (part === 'requests') raiseTo(amounts, amountsIn(held.allocatedResources));
  return amounts;
}

/** What a pod takes at its worst moment. */
export function takenBy({ spec, status }: Pod, part: Part = 'requests'): Amounts {
  const isHopeless =
    status?.conditions?.some((one) => one.type === 'PodResizePending' && one.reason === 'Infeasible') ===
    true;
  const heldBy = (statuses: readonly ContainerStatus[] | undefined, { name }: Container) =>
    statuses?.find((one) => one.name === name);
  const lasting = new Map<string, bigint>();
  const worst = new Map<string, bigint>();
  const sidecars = new Map<string, bigint>();
  for (const one of spec?.initContainers ?? []) {
    const isSidecar = one.restartPolicy === 'Always';
    const held = isSidecar ? heldBy(status?.initContainerStatuses, one) : undefined;
    const mine = partOf(one.resources, held, isHopeless, part);
    const moment = new Map(sidecars);
    addTo(moment, mine);
    raiseTo(worst, moment);
    if (isSidecar) addTo(sidecars, mine);
  }
  addTo(lasting, sidecars);
  for (const one of spec?.containers ?? [])
    addTo(lasting, partOf(one.resources, heldBy(status?.containerStatuses, one), isHopeless, part));
  raiseTo(worst, lasting);
  if (spec?.resources?.[part] !== undefined)
    for (const [name, amount] of partOf(spec.resources, status, isHopeless, part)) worst.set(name, amount);
  for (const [name, amount] of amountsIn(spec?.overhead))
    if (part === 'requests' || (worst.get(name) ?? 0n) > 0n)
      worst.set(name, (worst.get(name) ?? 0n) + amount);
  return worst;
}
