/**
 * Fairness: what part of the cloud each tenant has, how equal the parts are, who would rather have what another has, and whether queues have what they were promised.
 * Pure. A tenant is a queue where there are queues, else what the label `caelum.dev/tenant` of a namespace says, else the namespace.
 *
 * - dominant share: the largest of a tenant's parts of any resource, divided by its weight
 * - Jain index: (sum of shares)² / (n × sum of squares): 1 when all are equal, 1/n when one has all
 * - envy: a tenant with pods that found no room would have more of all that it asks for with another's part (by weight) than with its own
 *
 * Source: Ghodsi et al., "Dominant Resource Fairness" (NSDI 2011); Jain et al., DEC-TR-301.
 */
import { addTo, amountsIn, amountText, asNumber } from './amounts.ts';
import { type QueueHolding, queueHoldings, type Tenant, tenantsOf } from './tenants.ts';
import type { Finding, View } from './view.ts';

export interface TenantShare {
  readonly tenant: string;
  readonly weight: number;
  /** By weight; 0 to 1. */
  readonly dominantShare: number;
  readonly dominantResource: string;
  readonly used: Readonly<Record<string, string>>;
  /** What its pods ask for that found no room. */
  readonly unmet: Readonly<Record<string, string>>;
  readonly pods: number;
  readonly waiting: number;
}

export interface Envy {
  readonly tenant: string;
  readonly of: string;
  /** How many times its own part it would have with the other's. */
  readonly times: number;
}

export interface Fairness {
  readonly tenants: readonly TenantShare[];
  /** Of all tenants. */
  readonly jainIndex: number;
  /** Of those whose pods wait: others have what they want. */
  readonly jainIndexOfWaiting: number;
  readonly envy: readonly Envy[];
}

/** Room is made within so long where it can be. */
const promiseGraceMs = 60_000;
const aLot = 1 + 1e-9;

export function fairnessOf(view: View): {
  readonly fairness: Fairness;
  readonly findings: readonly Finding[];
} {
  const whole = new Map<string, bigint>();
  for (const node of view.allocation.nodes) addTo(whole, amountsIn(node.status?.allocatable));
  whole.delete('pods');
  const tenants = tenantsOf(view);
  const shares = tenants.map((one) => shareOf(one, whole));
  const envy: Envy[] = [];
  for (const a of tenants)
    if (a.waiting > 0)
      for (const b of tenants) {
        const times = a === b ? 0 : wouldHave(a, b);
        if (times > aLot) envy.push({ tenant: a.name, of: b.name, times: round(times) });
      }
  const fairness = {
    tenants: shares,
    jainIndex: jain(shares.map((one) => one.dominantShare)),
    jainIndexOfWaiting: jain(shares.filter((one) => one.waiting > 0).map((one) => one.dominantShare)),
    envy,
  };
  return { fairness, findings: [...envyFindings(envy, shares), ...queueFindings(view)] };
}

function shareOf(tenant: Tenant, whole: ReadonlyMap<string, bigint>): TenantShare {
  let [dominantShare, dominantResource] = [0, ''];
  for (const [resource, amount] of tenant.used) {
    const all = whole.get(resource) ?? 0n;
    const share = all === 0n ? 0 : asNumber(amount) / asNumber(all) / tenant.weight;
    if (share > dominantShare) [dominantShare, dominantResource] = [share, resource];
  }
  return {
    tenant: tenant.name,
    weight: tenant.weight,
    dominantShare: round(dominantShare),
    dominantResource,
    used: texts(tenant.used),
    unmet: texts(tenant.unmet),
    pods: tenant.pods,
    waiting: tenant.waiting,
  };
}

const texts = (amounts: ReadonlyMap<string, bigint>): Record<string, string> =>
  Object.fromEntries([...amounts].map(([resource, amount]) => [resource, amountText(resource, amount)]));

const round = (value: number): number => Math.round(value * 10_000) / 10_000;

function jain(shares: readonly number[]): number {
  const sum = shares.reduce((all, one) => all + one, 0);
  const squares = shares.reduce((all, one) => all + one * one, 0);
  return squares === 0 ? 1 : round((sum * sum) / (shares.length * squares));
}

/** How many times what it has `a` would have of all that it asks for, with what `b` has for its weight. */
function wouldHave(a: Tenant, b: Tenant): number {
  let least = Number.POSITIVE_INFINITY;
  const asks = new Map(a.used);
  addTo(asks, a.unmet);
  for (const [resource, wanted] of asks) {
    if (wanted === 0n) continue;
    const mine = asNumber(a.used.get(resource) ?? 0n) / a.weight;
    const theirs = asNumber(b.used.get(resource) ?? 0n) / b.weight;
    least = Math.min(least, mine === 0 ? (theirs > 0 ? 1e9 : 0) : theirs / mine);
  }
  return least === Number.POSITIVE_INFINITY ? 0 : least;
}

function envyFindings(envy: readonly Envy[], shares: readonly TenantShare[]): readonly Finding[] {
  const shareOfTenant = new Map(shares.map((one) => [one.tenant, one]));
  return envy.map(({ tenant, of, times }) => {
    const [mine, theirs] = [shareOfTenant.get(tenant), shareOfTenant.get(of)];
    return {
      rule: 'fairness/envy',
      severity: 'note',
      objects: [`tenant/${tenant}`, `tenant/${of}`],
      numbers: { share: mine?.dominantShare ?? 0, other: theirs?.dominantShare ?? 0, times },
      message: `${mine?.waiting ?? 0} pods of tenant ${tenant} wait; it has a dominant share of ${mine?.dominantShare ?? 0}, and with what ${of} has (${theirs?.dominantShare ?? 0}) it would have more`,
    };
  });
}

/** A queue never has more than its max; and while it waits for what it was promised, nobody has more than that. */
function queueFindings(view: View): readonly Finding[] {
  const holdings = queueHoldings(view);
  return holdings.flatMap((one) => [
    ...limitFindings(one),
    ...promiseFindings(one, holdings, view.allocation.nowMs ?? 0),
  ]);
}

function limitFindings({ name, queue, used, pods }: QueueHolding): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [resource, most] of amountsIn(queue.spec?.max)) {
    const has = resource === 'pods' ? BigInt(pods) * 1_000_000_000n : (used.get(resource) ?? 0n);
    if (has <= most) continue;
    const numbers = { resource, used: amountText(resource, has), max: amountText(resource, most) };
    findings.push({
      rule: 'fairness/limit',
      // A limit that was made smaller lets be what is there.
      severity: (queue.metadata.generation ?? 1) > 1 ? 'drift' : 'violation',
      objects: [`queue/${name}`],
      numbers,
      message: `queue ${name} has ${numbers.used} of ${resource}, it may have ${numbers.max}`,
    });
  }
  return findings;
}

function promiseFindings(
  { name, queue, kin, used, unmet, waitsSinceMs }: QueueHolding,
  holdings: readonly QueueHolding[],
  nowMs: number,
): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [resource, promised] of amountsIn(queue.spec?.min)) {
    const has = used.get(resource) ?? 0n;
    const lacks = unmet.get(resource) ?? 0n;
    if (has >= promised || lacks === 0n) continue;
    const borrowers = holdings.filter((other) => {
      const theirs = amountsIn(other.queue.spec?.min).get(resource) ?? 0n;
      return !kin.has(other.name) && (other.used.get(resource) ?? 0n) > theirs;
    });
    if (borrowers.length === 0) continue;
    const isReclaimed = (queue.spec?.reclaimPolicy ?? 'Any') === 'Any';
    const isLong = nowMs - waitsSinceMs > promiseGraceMs;
    const numbers = {
      resource,
      guaranteed: amountText(resource, promised),
      used: amountText(resource, has),
      unmet: amountText(resource, lacks),
    };
    findings.push({
      rule: 'fairness/guarantee',
      severity: isLong && isReclaimed ? 'violation' : 'note',
      objects: [`queue/${name}`, ...borrowers.map((one) => `queue/${one.name}`)],
      numbers,
      message: `queue ${name} is promised ${numbers.guaranteed} of ${resource} and has ${numbers.used}; its pods wait for ${numbers.unmet}, while ${borrowers.map((one) => one.name).join(', ')} have more than they were promised`,
    });
  }
  return findings;
}
