/**
 * Chooses devices of one node for claims: exhaustive, with bounds. Pure: the same question has the same answer.
 *
 *   claims ──▶ for each request its candidates, in the order of pools ──▶ one after the other, back where one leads nowhere ──▶ picks, or none
 *
 * Devices that the question cannot tell apart are tried once, so that the search ends soon where many are alike; where it does not, it gives up after
 * so many devices, and says so. Alternatives of a request are tried in their order: a later one is taken only where no earlier one leads to an answer.
 *
 * Invariant: what is picked is free, wanted, tolerated, and within the counters of its pool and its own capacity; every constraint holds.
 */
import {
  attributeOf,
  type ClaimForm,
  type DeviceConstraint,
  isTainted,
  type RequestForm,
  type Selections,
} from './claim-form.ts';
import { capacitiesOf, consumptionOf } from './device-capacity.ts';
import { type Amounts, addAmounts, countersOf, type DeviceLedger } from './device-ledger.ts';
import type { PoolDevice, PoolView } from './device-pools.ts';

export interface Pick {
  readonly form: RequestForm;
  readonly one: PoolDevice;
  /** Of a device that may be many's: what this allocation takes of it. */
  readonly consumed: Amounts | undefined;
}

export type Answer =
  | { readonly kind: 'picked'; readonly picks: readonly (readonly Pick[])[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'tooLong' }
  /** Something is wrong with the question or with a pool. */
  | { readonly kind: 'fault'; readonly message: string };

/** A claim has so many results at most. */
export const resultsMax = 32;
export const stepsMax = 20_000;

interface Candidate {
  readonly one: PoolDevice;
  readonly consumed: Amounts | undefined;
  /** Equal for devices that the question cannot tell apart; undefined: like no other. */
  readonly twin: string | undefined;
}

interface Ready {
  readonly form: RequestForm;
  readonly candidates: readonly Candidate[];
  readonly count: number;
}

/** `budget` is what may be spent on this question, and less of it is left afterwards. */
export function allocate(
  claims: readonly ClaimForm[],
  pools: readonly PoolView[],
  ledger: DeviceLedger,
  selections: Selections,
  budget: { steps: number } = { steps: stepsMax },
): Answer {
  const search = new Search(claims, pools, ledger, Math.min(budget.steps, stepsMax));
  const fault = search.prepare(selections);
  if (fault !== undefined) return { kind: 'fault', message: fault };
  const picks = search.run();
  budget.steps = Math.max(0, budget.steps - search.steps);
  if (picks !== undefined) return { kind: 'picked', picks };
  if (search.isTooLong) return { kind: 'tooLong' };
  const { late } = search;
  return late === undefined ? { kind: 'none' } : { kind: 'fault', message: late };
}

class Search {
  readonly #claims: readonly ClaimForm[];
  readonly #pools: readonly PoolView[];
  readonly #ledger: DeviceLedger;
  /** By claim, by request: the alternatives that may be possible. */
  readonly #ready: Ready[][][] = [];
  readonly #picks: Pick[][];
  /** Devices picked as a whole, and by which claims. */
  readonly #picked = new Map<string, number[]>();
  /** How often shared devices are picked, and what that takes of them. */
  readonly #sharing = new Map<string, { count: number; readonly consumed: Map<string, bigint> }>();
  readonly #counters = new Map<string, Map<string, bigint>>();
  steps = 0;
  readonly #stepsMax: number;
  isTooLong = false;
  /** Told where nothing was found. */
  late: string | undefined;

  constructor(
    claims: readonly ClaimForm[],
    pools: readonly PoolView[],
    ledger: DeviceLedger,
    stepsLeft: number,
  ) {
    this.#stepsMax = stepsLeft;
    this.#claims = claims;
    this.#pools = pools;
    this.#ledger = ledger;
    this.#picks = claims.map(() => []);
  }

  /** A text: it makes no sense to go on. */
  prepare(selections: Selections): string | undefined {
    if (this.#pools.some(({ pool }) => pool.isInvalid)) this.late = 'invalid resource pools were encountered';
    const twins = new Twins(this.#claims, selections);
    for (const { claim, requests } of this.#claims) {
      let least = 0;
      const ready = requests.map((alternatives) =>
        alternatives.map((form) => this.#readyOf(form, twins, claim.metadata)),
      );
      for (const alternatives of ready) {
        for (const one of alternatives) if (typeof one === 'string') return one;
        const counts = alternatives.map((one) => (typeof one === 'string' ? 0 : one.count));
        least += Math.min(...counts);
      }
      const { namespace, name } = claim.metadata;
      if (least > resultsMax)
        return `claim ${namespace}/${name}: number of requested devices ${least} exceeds the claim limit of ${resultsMax}`;
      this.#ready.push(ready as Ready[][]);
    }
    return undefined;
  }

  #readyOf(
    form: RequestForm,
    twins: Twins,
    { namespace, name }: ClaimForm['claim']['metadata'],
  ): Ready | string {
    const candidates: Candidate[] = [];
    const isAll = form.count === 'all';
    for (const { pool, devices } of this.#pools) {
      if (isAll && (pool.isIncomplete || pool.isInvalid))
        return `claim ${namespace}/${name}, request ${form.name}: asks for all devices, but resource pool ${pool.id} is currently ${pool.isInvalid ? 'invalid' : 'being updated'}`;
      if (pool.isIncomplete || pool.isInvalid) continue;
      for (const one of devices) {
        const chosen = twins.ask(form, one);
        if (typeof chosen === 'string') return chosen;
        if (!chosen) continue;
        const isShared = one.device.allowMultipleAllocations === true;
        const consumed = consumptionOf(one.driver, one.device, form.capacity);
        // Of all that are wanted those that are full are none.
        if (isAll && isShared && !this.#hasCapacity(one, consumed)) continue;
        const isFree = form.isAdmin || !this.#ledger.isTaken(one.id);
        const isPossible = isFree && consumed !== undefined && !isTainted(one, form);
        // Of all it is one, and cannot be had: there is no answer.
        if (!isPossible && isAll && consumed !== undefined) return { form, candidates: [], count: 1 };
        if (!isPossible) continue;
        const twin = isShared ? undefined : `${this.#ledger.isTaken(one.id) ? 1 : 0}${twins.keyOf(one)}`;
        candidates.push({ one, consumed: isShared ? consumed : undefined, twin });
      }
    }
    // All of none is no answer.
    const count = form.count === 'all' ? Math.max(1, candidates.length) : form.count;
    return { form, candidates, count };
  }

  run(): readonly (readonly Pick[])[] | undefined {
    return this.#request(0, 0) ? this.#picks : undefined;
  }

  #request(claim: number, request: number): boolean {
    const requests = this.#ready[claim];
    if (requests === undefined) return true;
    const alternatives = requests[request];
    if (alternatives === undefined) return this.#request(claim + 1, 0);
    for (const ready of alternatives) {
      const picks = this.#picks[claim]?.length ?? 0;
      if (ready.candidates.length === 0 || picks + ready.count > resultsMax) continue;
      if (this.#device(claim, request, ready, 0, 0)) return true;
      if (this.isTooLong) return false;
    }
    return false;
  }

  /** The `nth` device of a request, from the candidate `from` on: what is chosen is a set, so that its order matters to nobody. */
  #device(claim: number, request: number, ready: Ready, nth: number, from: number): boolean {
    const { candidates, count, form } = ready;
    if (nth >= count) return this.#request(claim, request + 1);
    const isAll = form.count === 'all';
    const failed = new Set<string>();
    for (let at = from; at < candidates.length; at++) {
      const candidate = candidates[at] as Candidate;
      const { one } = candidate;
      const isShared = one.device.allowMultipleAllocations === true;
      // One that is picked already is like no other.
      const twin = isAll || this.#picked.has(one.id) ? undefined : candidate.twin;
      if (twin !== undefined && failed.has(twin)) continue;
      if (++this.steps > this.#stepsMax) {
        this.isTooLong = true;
        return false;
      }
      if (this.#take(claim, form, candidate)) {
        if (this.#device(claim, request, ready, nth + 1, isShared && !isAll ? at : at + 1)) return true;
        this.#putBack(claim, candidate);
        if (this.isTooLong) return false;
      }
      // Each of all has to be had.
      if (isAll) return false;
      if (twin !== undefined) failed.add(twin);
    }
    return false;
  }

  #take(claim: number, form: RequestForm, { one, consumed }: Candidate): boolean {
    const { id, device, poolId } = one;
    const isShared = device.allowMultipleAllocations === true;
    const holders = this.#picked.get(id);
    if (holders !== undefined && (!form.isAdmin || holders.includes(claim))) return false;
    if (isShared && !form.isAdmin && !this.#hasCapacity(one, consumed)) return false;
    const isNew = !form.isAdmin && !this.#ledger.isUsed(id) && !this.#sharing.has(id);
    if (isNew && !this.#hasCounters(one)) return false;
    const picks = this.#picks[claim] as Pick[];
    if (!this.#keepsConstraints(claim, form, one, picks)) return false;
    if (!isShared) {
      if (holders === undefined) this.#picked.set(id, [claim]);
      else holders.push(claim);
    } else if (!form.isAdmin && consumed !== undefined) {
      const sharing = this.#sharing.get(id) ?? { count: 0, consumed: new Map() };
      sharing.count++;
      addAmounts(sharing.consumed, consumed, 1n);
      this.#sharing.set(id, sharing);
    }
    if (isNew) addAmounts(this.#countersIn(poolId), countersOf(one), 1n);
    picks.push({ form, one, consumed });
    return true;
  }

  #putBack(claim: number, { one, consumed }: Candidate): void {
    const { id, device, poolId } = one;
    const pick = this.#picks[claim]?.pop();
    const isAdmin = pick?.form.isAdmin === true;
    if (device.allowMultipleAllocations !== true) {
      const holders = this.#picked.get(id);
      holders?.pop();
      if (holders?.length === 0) this.#picked.delete(id);
    } else if (!isAdmin && consumed !== undefined) {
      const sharing = this.#sharing.get(id);
      if (sharing !== undefined) {
        addAmounts(sharing.consumed, consumed, -1n);
        if (--sharing.count === 0) this.#sharing.delete(id);
      }
    }
    const wasNew = !isAdmin && !this.#ledger.isUsed(id) && !this.#sharing.has(id);
    if (wasNew) addAmounts(this.#countersIn(poolId), countersOf(one), -1n);
  }

  #countersIn(poolId: string): Map<string, bigint> {
    let counters = this.#counters.get(poolId);
    if (counters === undefined) {
      counters = new Map();
      this.#counters.set(poolId, counters);
    }
    return counters;
  }

  #hasCounters(one: PoolDevice): boolean {
    const asked = countersOf(one);
    if (asked.size === 0) return true;
    const pool = this.#pools.find((view) => view.pool.id === one.poolId)?.pool;
    if (pool === undefined) return false;
    const used = this.#ledger.countersUsed(pool);
    const picked = this.#counters.get(pool.id);
    for (const [name, amount] of asked) {
      const whole = pool.counters.get(name);
      if (whole === undefined || (used.get(name) ?? 0n) + (picked?.get(name) ?? 0n) + amount > whole)
        return false;
    }
    return true;
  }

  #hasCapacity({ id, device }: PoolDevice, consumed: Amounts | undefined): boolean {
    const capacities = capacitiesOf(device);
    const used = this.#ledger.consumed(id);
    const picked = this.#sharing.get(id)?.consumed;
    for (const [name, amount] of consumed ?? []) {
      const whole = capacities.get(name) ?? 0n;
      if ((used.get(name) ?? 0n) + (picked?.get(name) ?? 0n) + amount > whole) return false;
    }
    return true;
  }

  #keepsConstraints(claim: number, form: RequestForm, one: PoolDevice, picks: readonly Pick[]): boolean {
    for (const constraint of this.#claims[claim]?.constraints ?? []) {
      if (!concerns(constraint, form)) continue;
      const { matchAttribute, distinctAttribute } = constraint;
      const attribute = matchAttribute ?? distinctAttribute ?? '';
      const value = attributeOf(one, attribute);
      if (value === undefined) return false;
      for (const pick of picks) {
        if (!concerns(constraint, pick.form)) continue;
        const isSame = attributeOf(pick.one, attribute) === value;
        if (isSame !== (matchAttribute !== undefined)) return false;
      }
    }
    return true;
  }
}

/** Without requests: all of the claim. */
export function concerns({ requests = [] }: DeviceConstraint, { name, request }: RequestForm): boolean {
  return requests.length === 0 || requests.includes(name) || requests.includes(request);
}

/** What the question sees of devices. */
class Twins {
  readonly #forms: readonly RequestForm[];
  readonly #attributes: readonly string[];
  readonly #selections: Selections;
  readonly #keys = new Map<PoolDevice, string>();

  constructor(claims: readonly ClaimForm[], selections: Selections) {
    this.#forms = claims.flatMap(({ requests }) => requests.flat());
    this.#attributes = claims.flatMap(({ constraints }) =>
      constraints.map(({ matchAttribute, distinctAttribute }) => matchAttribute ?? distinctAttribute ?? ''),
    );
    this.#selections = selections;
  }

  ask(form: RequestForm, one: PoolDevice): boolean | string {
    return this.#selections.ask(form, one);
  }

  keyOf(one: PoolDevice): string {
    let key = this.#keys.get(one);
    if (key === undefined) {
      const { device, driver, poolId } = one;
      const chosen = this.#forms.map((form) => {
        const isFor = this.ask(form, one) === true && !isTainted(one, form);
        return isFor && consumptionOf(driver, device, form.capacity) !== undefined ? 1 : 0;
      });
      const attributes = this.#attributes.map((name) => attributeOf(one, name) ?? null);
      key = JSON.stringify([poolId, chosen, attributes, device.consumesCounters ?? null]);
      this.#keys.set(one, key);
    }
    return key;
  }
}
