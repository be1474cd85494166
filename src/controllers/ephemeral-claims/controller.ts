/**
 * Makes the claims of pods' own volumes (`ephemeral`): each belongs to its pod and goes with it.
 * Source: Kubernetes 1.36, ephemeral volume controller, as behaviour.
 */
import {
  claimsOf,
  ephemeralClaimName,
  foreignClaim,
  type PersistentVolumeClaim,
  type Pod,
  type Volume,
} from '../../api/index.ts';
import { type Informers, keyOf } from '../../client/index.ts';
import { adopterOf, controllerReference } from '../ownership.ts';
import { persistentVolumeClaimsRef, podsRef, referenceTo } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import type { Step } from '../step.ts';

export interface Observed {
  readonly pod: Pod;
  findClaim(name: string): PersistentVolumeClaim | undefined;
}

const isOurs = (pod: Pod): boolean =>
  pod.metadata.deletionTimestamp === undefined && claimsOf(pod).some(({ isEphemeral }) => isEphemeral);

export function ephemeralClaimController(informers: Informers): Controller<Observed> {
  const pods = informers.informer<Pod>(podsRef);
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsRef);
  const podsNaming = pods.index('ephemeral-claims', (pod) =>
    claimsOf(pod).flatMap(({ name, isEphemeral }) =>
      isEphemeral ? [`${pod.metadata.namespace}/${name}`] : [],
    ),
  );
  return {
    name: 'ephemeral_volume',
    watches: [
      watch<Pod>(informers, podsRef, ({ kind, key, object }) =>
        kind !== 'deleted' && isOurs(object) ? [key] : [],
      ),
      watch<PersistentVolumeClaim>(informers, persistentVolumeClaimsRef, ({ kind, key }) =>
        kind === 'deleted' ? podsNaming(key).map(keyOf) : [],
      ),
    ],
    observe(key) {
      const pod = pods.get(key);
      if (pod === undefined || !isOurs(pod)) return undefined;
      return { pod, findClaim: (name) => claims.get(`${pod.metadata.namespace}/${name}`) };
    },
    plan,
  };
}

export function plan({ pod, findClaim }: Observed): readonly Step[] {
  return (pod.spec?.volumes ?? []).flatMap((volume): readonly Step[] => {
    if (volume.ephemeral === undefined) return [];
    const found = findClaim(ephemeralClaimName(pod.metadata.name ?? '', volume.name));
    const why = found === undefined ? undefined : foreignClaim(pod, found);
    const failed = {
      about: referenceTo(podsRef, pod),
      type: 'Warning',
      reason: 'FailedBinding',
      message: `ephemeral volume ${volume.name}: `,
    } as const;
    if (why !== undefined)
      return [{ kind: 'event', event: { ...failed, message: `${failed.message}${why}` } }];
    if (found !== undefined) return [];
    return [
      {
        kind: 'create',
        ref: persistentVolumeClaimsRef,
        object: claimFor(pod, volume),
        adopter: adopterOf(podsRef, pod),
        failed: {
          ...failed,
          message: `${failed.message}create PVC ${claimFor(pod, volume).metadata.name}: {error}`,
        },
        // It was made meanwhile, and will be seen: by us, or by somebody else, who is told of then.
        untold: ['alreadyExists'],
      },
    ];
  });
}

function claimFor(pod: Pod, volume: Volume): PersistentVolumeClaim {
  const { metadata, spec } = volume.ephemeral?.volumeClaimTemplate ?? { spec: {} };
  const { labels, annotations } = metadata ?? {};
  const { namespace, name = '' } = pod.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: ephemeralClaimName(name, volume.name),
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(podsRef, pod)],
    },
    spec,
  };
}
