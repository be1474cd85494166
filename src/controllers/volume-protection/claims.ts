/**
 * Keeps claims while pods use them: a claim that is being deleted goes when the last pod on a node has gone that names it.
 * Source: Kubernetes 1.36, pvc-protection-controller, as behaviour.
 */
import {
  claimProtection,
  claimsOf,
  foreignClaim,
  type PersistentVolumeClaim,
  type Pod,
} from '../../api/index.ts';
import type { Client, Informers } from '../../client/index.ts';
import { persistentVolumeClaimsRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import type { Step } from '../step.ts';
import { finalizersPatch } from './finalizers.ts';

export interface Observed {
  readonly claim: PersistentVolumeClaim;
  readonly isUsed: boolean;
}

export function claimProtectionController(informers: Informers, client: Client): Controller<Observed> {
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsRef);
  const pods = informers.informer<Pod>(podsRef);
  const usersOf = pods.index('claims-in-use', (pod) =>
    pod.spec?.nodeName ? claimsOf(pod).map(({ name }) => `${pod.metadata.namespace}/${name}`) : [],
  );
  return {
    name: 'pvc-protection-controller',
    watches: [
      watch<PersistentVolumeClaim>(informers, persistentVolumeClaimsRef, ({ kind, key }) =>
        kind === 'deleted' ? [] : [key],
      ),
      watch<Pod>(informers, podsRef, ({ object }) =>
        claimsOf(object).flatMap(({ name }) => {
          const key = `${object.metadata.namespace}/${name}`;
          return claims.get(key)?.metadata.deletionTimestamp === undefined ? [] : [key];
        }),
      ),
    ],
    async observe(key) {
      const claim = claims.get(key);
      if (claim === undefined) return undefined;
      const isGoing = claim.metadata.deletionTimestamp !== undefined;
      if (!isGoing || claim.metadata.finalizers?.includes(claimProtection) !== true)
        return { claim, isUsed: true };
      const inUse = (pod: Pod): boolean => uses(pod, claim);
      if (usersOf(key).some(inUse)) return { claim, isUsed: true };
      // The copy may not show yet that a pod has come.
      const { items } = await client.list<Pod>(podsRef, { namespace: claim.metadata.namespace ?? '' });
      return { claim, isUsed: items.some(inUse) };
    },
    plan,
  };
}

/** Pods without a node do not count: no agent starts one that uses a claim which is being deleted. */
export function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec?.nodeName) return false;
  return claimsOf(pod).some(
    ({ name, isEphemeral }) =>
      name === claim.metadata.name &&
      (!isEphemeral || (!isShutDown(pod) && foreignClaim(pod, claim) === undefined)),
  );
}

/** The agent is done with it, or it was deleted by force. */
const isShutDown = ({ metadata }: Pod): boolean =>
  metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;

export function plan({ claim, isUsed }: Observed): readonly Step[] {
  const { finalizers = [], deletionTimestamp } = claim.metadata;
  const has = finalizers.includes(claimProtection);
  if (deletionTimestamp === undefined)
    return has ? [] : [finalizersPatch(persistentVolumeClaimsRef, claim, [...finalizers, claimProtection])];
  if (!has || isUsed) return [];
  const rest = finalizers.filter((one) => one !== claimProtection);
  return [finalizersPatch(persistentVolumeClaimsRef, claim, rest)];
}
