/**
 * The controller of tainted devices: pods that hold them go. Decisions are in `plan.ts`. Keys: `namespace/name` of a claim. Slices are followed from the
 * first claim on that has devices.
 */
import type { Device, DynamicResourceClaim, Pod, ResourceSlice } from '../../api/index.ts';
import { type Informer, type Informers, keyOf } from '../../client/index.ts';
import { podsRef, resourceClaimsRef, resourceSlicesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { type Observed, plan } from './plan.ts';

type Claim = DynamicResourceClaim;

const hasDevices = ({ status }: Claim): boolean => (status?.allocation?.devices?.results?.length ?? 0) > 0;
const poolOf = ({ spec }: ResourceSlice): string => `${spec.driver}/${spec.pool.name}`;

export function deviceTaintsController(informers: Informers): Controller<Observed> {
  const claims = informers.informer<Claim>(resourceClaimsRef);
  const pods = informers.informer<Pod>(podsRef);
  const claimsOn = claims.index('device pool', ({ status }) => [
    ...new Set((status?.allocation?.devices?.results ?? []).map(({ driver, pool }) => `${driver}/${pool}`)),
  ]);
  let slices: Informer<ResourceSlice> | undefined;
  let slicesOf: ((pool: string) => readonly ResourceSlice[]) | undefined;
  const deviceOf = (poolId: string, name: string): Device | undefined => {
    let found: { readonly device: Device; readonly generation: number } | undefined;
    for (const { spec } of slicesOf?.(poolId) ?? []) {
      const device = spec.devices?.find((one) => one.name === name);
      const generation = spec.pool.generation ?? 0;
      if (device !== undefined && generation > (found?.generation ?? -1)) found = { device, generation };
    }
    return found?.device;
  };
  const isTainted = (slice: ResourceSlice | undefined): boolean =>
    slice?.spec.devices?.some(({ taints = [] }) => taints.some(({ effect }) => effect === 'NoExecute')) ===
    true;
  return {
    name: 'device_taint_eviction',
    watches: [
      watch<Claim>(informers, resourceClaimsRef, ({ kind, key, object }) =>
        kind === 'deleted' || !hasDevices(object) ? [] : [key],
      ),
    ],
    laterWatches(follow) {
      let following: { cancel(): void } | undefined;
      const onClaim = (claim: Claim): void => {
        if (following !== undefined || !hasDevices(claim)) return;
        slices = informers.informer<ResourceSlice>(resourceSlicesRef);
        slicesOf = slices.index('pool', (slice) => [poolOf(slice)]);
        following = follow(
          watch<ResourceSlice>(informers, resourceSlicesRef, ({ kind, object }) =>
            kind !== 'deleted' && isTainted(object) ? claimsOn(poolOf(object)).map(keyOf) : [],
          ),
        );
      };
      const listening = claims.onChange(({ object }) => onClaim(object));
      return {
        cancel() {
          listening.cancel();
          following?.cancel();
        },
      };
    },
    observe(key) {
      const claim = claims.get(key);
      if (claim === undefined || !hasDevices(claim)) return undefined;
      return {
        claim,
        device: ({ driver, pool, device }) => deviceOf(`${driver}/${pool}`, device),
        pod: (name) => pods.get(`${claim.metadata.namespace}/${name}`),
      };
    },
    plan,
  };
}
