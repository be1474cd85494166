/**
 * Devices that pods claim, as queues count them: by class, under the names that ResourceQuota has for them. Pure.
 *
 *   claim that was made for a pod ─▶ counts for that pod
 *   claim that pods name ─▶ counts for each while nobody of them has a place, then for the first of those who have one; when that one goes, for the next
 *
 * Invariant: of those who have a place exactly one is counted with a claim that they share.
 */
import { type DynamicResourceClaim, deviceUsage, type Pod, quantityValue } from '../../api/index.ts';
import { claimNamesOf } from '../claims/claim-names.ts';

type Devices = ReadonlyMap<string, number>;

export const devicesName = (className: string): string => `${className}.deviceclass.resource.k8s.io/devices`;

const none: Devices = new Map();

export class DeviceShares {
  /** By namespace and name. */
  claimOf: (claimKey: string) => DynamicResourceClaim | undefined = () => undefined;
  /** By claim: pods with a place that name it; the first one is counted with it. */
  readonly #users = new Map<string, Set<string>>();
  /** With a place, of whose claims some were not known when they were counted. */
  readonly #unknown = new Set<string>();

  /** What the pod counts for now. */
  of(pod: Pod): Devices {
    if (pod.spec?.resourceClaims === undefined) return none;
    const podKey = keyOf(pod);
    const devices = new Map<string, number>();
    for (const { claimKey, isMade } of claimsOf(pod)) {
      const claim = this.claimOf(claimKey);
      const [holder] = isMade ? [] : (this.#users.get(claimKey) ?? []);
      if (claim === undefined || (holder !== undefined && holder !== podKey)) continue;
      for (const [name, count] of devicesOf(claim)) devices.set(name, (devices.get(name) ?? 0) + count);
    }
    return devices;
  }

  /** It has a place from now on. Answers whether others who wait count for less. */
  enter(pod: Pod): boolean {
    if (pod.spec?.resourceClaims === undefined) return false;
    const podKey = keyOf(pod);
    let isFirst = false;
    this.#unknown.delete(podKey);
    for (const { claimKey, isMade } of claimsOf(pod)) {
      if (this.claimOf(claimKey) === undefined) this.#unknown.add(podKey);
      if (isMade) continue;
      const users = this.#users.get(claimKey);
      if (users === undefined) {
        this.#users.set(claimKey, new Set([podKey]));
        isFirst = true;
      } else users.add(podKey);
    }
    return isFirst;
  }

  /** It has none any more. Answers who counts for what they shared. */
  leave(pod: Pod): readonly string[] {
    if (pod.spec?.resourceClaims === undefined) return [];
    const podKey = keyOf(pod);
    const heirs = new Set<string>();
    this.#unknown.delete(podKey);
    for (const { claimKey } of claimsOf(pod)) {
      const users = this.#users.get(claimKey);
      const [holder] = users ?? [];
      if (users?.delete(podKey) !== true) continue;
      const [heir] = users;
      if (heir === undefined) this.#users.delete(claimKey);
      else if (holder === podKey) heirs.add(heir);
    }
    return [...heirs];
  }

  /** Those whose claims were not known, and may be now. */
  get unknown(): Iterable<string> {
    return this.#unknown;
  }

  clear(): void {
    this.#users.clear();
    this.#unknown.clear();
  }
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

interface ClaimName {
  readonly claimKey: string;
  readonly isMade: boolean;
}

/** Each once. */
function claimsOf(pod: Pod): readonly ClaimName[] {
  const claims = new Map<string, ClaimName>();
  for (const { name, isMade } of claimNamesOf(pod)) {
    const claimKey = `${pod.metadata.namespace}/${name}`;
    if (name !== undefined) claims.set(claimKey, { claimKey, isMade });
  }
  return [...claims.values()];
}

const known = new WeakMap<object, Devices>();

function devicesOf(claim: DynamicResourceClaim): Devices {
  const { spec } = claim;
  let devices = known.get(spec);
  if (devices === undefined) {
    const usage = Object.entries(deviceUsage({ spec }));
    devices = new Map(usage.map(([name, count]) => [name, quantityValue(count) ?? 0]));
    known.set(spec, devices);
  }
  return devices;
}
