/**
 * The controller of tainted devices: pods that hold them go. Decisions are in `plan.ts`. Keys: `claim/NAMESPACE/NAME`, `rule/NAME`. Slices are followed from the
 * first claim on that has devices, or the first rule.
 */
import type { Device, DeviceTaintRule, DynamicResourceClaim, Pod, ResourceSlice } from '../../api/index.ts';
import { type Informer, type Informers, keyOf } from '../../client/index.ts';
import { deviceTaintRulesRef, podsRef, resourceClaimsRef, resourceSlicesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { isMeant, type Observed, plan, type Result } from './plan.ts';

type Claim = DynamicResourceClaim;

const resultsOf = ({ status }: Claim): readonly Result[] => status?.allocation?.devices?.results ?? [];
const poolOf = ({ spec }: ResourceSlice): string => `${spec.driver}/${spec.pool.name}`;
const claimKey = (claim: Claim): string => `claim/${keyOf(claim)}`;
const ruleKey = ({ metadata }: DeviceTaintRule): string => `rule/${metadata.name ?? ''}`;

/** For how long at least a rule's status stays as it is. */
const ruleRestMs = 1000;

export function deviceTaintsController(informers: Informers): Controller<Observed> {
  const claims = informers.informer<Claim>(resourceClaimsRef);
  const pods = informers.informer<Pod>(podsRef);
  const rules = informers.informer<DeviceTaintRule>(deviceTaintRulesRef);
  const claimsOn = claims.index('device pool', (claim) => [
    ...new Set(resultsOf(claim).map(({ driver, pool }) => `${driver}/${pool}`)),
  ]);
  let slices: Informer<ResourceSlice> | undefined;
  let slicesOf: ((pool: string) => readonly ResourceSlice[]) | undefined;
  /** By uid of the rule: of the pods that had to go for it. */
  const evicted = new Map<string, Set<string>>();

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
  const rulesOf = (results: readonly Result[]): readonly DeviceTaintRule[] =>
    [...rules.list()].filter((rule) => results.some((result) => isMeant(rule, result)));
  const claimsOf = (rule: DeviceTaintRule): readonly Claim[] =>
    [...claims.list()].filter((claim) => resultsOf(claim).some((result) => isMeant(rule, result)));
  const publishedBy = (rule: DeviceTaintRule): number => {
    let count = 0;
    for (const slice of slices?.list() ?? []) {
      const { spec } = slice;
      const isOld = (slicesOf?.(poolOf(slice)) ?? []).some(
        (one) => (one.spec.pool.generation ?? 0) > (spec.pool.generation ?? 0),
      );
      for (const { name } of isOld ? [] : (spec.devices ?? []))
        if (isMeant(rule, { driver: spec.driver, pool: spec.pool.name, device: name })) count++;
    }
    return count;
  };
  return {
    name: 'device_taint_eviction',
    watches: [
      watch<Claim>(informers, resourceClaimsRef, (change) => {
        const { kind, object } = change;
        const now = kind === 'deleted' ? [] : resultsOf(object);
        const before = change.kind === 'updated' ? resultsOf(change.previous) : resultsOf(object);
        const concerned = rulesOf([...now, ...before]).map(ruleKey);
        return now.length === 0 ? concerned : [claimKey(object), ...concerned];
      }),
      watch<DeviceTaintRule>(informers, deviceTaintRulesRef, ({ kind, object }) => {
        if (kind === 'deleted') evicted.delete(object.metadata.uid ?? '');
        return [ruleKey(object), ...claimsOf(object).map(claimKey)];
      }),
    ],
    laterWatches(follow) {
      let following: { cancel(): void } | undefined;
      const begin = (): void => {
        if (following !== undefined) return;
        slices = informers.informer<ResourceSlice>(resourceSlicesRef);
        slicesOf = slices.index('pool', (slice) => [poolOf(slice)]);
        following = follow(
          watch<ResourceSlice>(informers, resourceSlicesRef, ({ kind, object }) =>
            kind !== 'deleted' && isTainted(object) ? claimsOn(poolOf(object)).map(claimKey) : [],
          ),
        );
      };
      const listening = [
        claims.onChange(({ object }) => {
          if (resultsOf(object).length > 0) begin();
        }),
        rules.onChange(begin),
      ];
      return {
        cancel() {
          for (const one of listening) one.cancel();
          following?.cancel();
        },
      };
    },
    async observe(key) {
      const name = key.slice(key.indexOf('/') + 1);
      if (key.startsWith('rule/')) {
        const rule = rules.get(name);
        if (rule === undefined) return undefined;
        await slices?.whenSynced();
        return {
          kind: 'rule',
          rule,
          claims: claimsOf(rule),
          publishedDevices: publishedBy(rule),
          evictedPods: evicted.get(rule.metadata.uid ?? '')?.size ?? 0,
          pod: (claim, one) => pods.get(`${claim.metadata.namespace}/${one}`),
        };
      }
      const claim = claims.get(name);
      if (claim === undefined || resultsOf(claim).length === 0) return undefined;
      return {
        kind: 'claim',
        claim,
        taints: (result) => [
          ...(deviceOf(`${result.driver}/${result.pool}`, result.device)?.taints ?? []),
          ...rulesOf([result]).map(({ spec }) => spec.taint),
        ],
        pod: (one) => pods.get(`${claim.metadata.namespace}/${one}`),
      };
    },
    plan(observed, context) {
      const steps = plan(observed, context);
      if (observed.kind === 'claim') {
        const gone = steps.flatMap((step) => (step.kind === 'delete' ? [step.uid] : []));
        for (const { metadata, spec } of gone.length === 0 ? [] : rulesOf(resultsOf(observed.claim))) {
          if (spec.taint.effect !== 'NoExecute') continue;
          const of = evicted.get(metadata.uid ?? '') ?? new Set();
          for (const uid of gone) of.add(uid);
          evicted.set(metadata.uid ?? '', of);
        }
      }
      return steps;
    },
    restMs: ({ kind }) => (kind === 'rule' ? ruleRestMs : 0),
  };
}
