/**
 * The controller of volumes and claims: binds them to each other, and says of each how it fares. Decisions are in `claim-plan.ts` and `volume-plan.ts`.
 * Keys: `claim/NAMESPACE/NAME`, `volume/NAME`.
 */
import {
  awaitsClass,
  claimsOf,
  classOf,
  isFullyBound,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type StorageClass,
} from '../../api/index.ts';
import { type Change, type Client, type Informers, keyOf } from '../../client/index.ts';
import { isError } from '../../lib/index.ts';
import { persistentVolumeClaimsRef, persistentVolumesRef, podsRef, storageClassesRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import type { Step } from '../step.ts';
import { type ObservedClaim, planClaim } from './claim-plan.ts';
import { type ObservedVolume, planVolume } from './volume-plan.ts';

export type Observed = ObservedClaim | ObservedVolume;

const noClass = ' ';

export function volumeBinderController(informers: Informers, client: Client): Controller<Observed> {
  const claims = informers.informer<PersistentVolumeClaim>(persistentVolumeClaimsRef);
  const volumes = informers.informer<PersistentVolume>(persistentVolumesRef);
  const classes = informers.informer<StorageClass>(storageClassesRef);
  const pods = informers.informer<Pod>(podsRef);
  const freeOfClass = volumes.index('free', (volume) =>
    volume.spec?.claimRef === undefined ? [classOf(volume)] : [],
  );
  const volumesFor = volumes.index('claim', ({ spec }) =>
    spec?.claimRef === undefined ? [] : [`${spec.claimRef.namespace}/${spec.claimRef.name}`],
  );
  /** Claims that have no volume, by their class; `noClass`: those that would take the default one. */
  const waitingFor = claims.index('waiting', (claim) => {
    if (isFullyBound(claim)) return [];
    const wanted = [classOf(claim)];
    if (awaitsClass(claim)) wanted.push(noClass);
    return wanted;
  });
  const claimsOfVolume = claims.index('volume', ({ spec }) => (spec?.volumeName ? [spec.volumeName] : []));
  const podsWith = pods.index('unbound-claims', (pod) =>
    pod.spec?.nodeName ? [] : claimsOf(pod).map(({ name }) => `${pod.metadata.namespace}/${name}`),
  );
  /** Volumes (by name) that have just been given to a claim (by uid). */
  const taken = new Map<string, string>();
  /** What was told of a claim or volume last: it is told again when it is something else. */
  const told = new Map<string, string>();

  const claimKey = (claim: PersistentVolumeClaim): string => `claim/${keyOf(claim)}`;

  function ofVolume({ kind, key, object }: Change<PersistentVolume>): readonly string[] {
    taken.delete(key);
    const { claimRef } = object.spec ?? {};
    const keys = [`volume/${key}`, ...claimsOfVolume(key).map(claimKey)];
    if (claimRef !== undefined) keys.push(`claim/${claimRef.namespace}/${claimRef.name}`);
    else if (kind !== 'deleted' && object.status?.phase === 'Available')
      keys.push(...waitingFor(classOf(object)).map(claimKey));
    if (kind === 'deleted') told.delete(`volume/${key}`);
    return keys;
  }

  function ofClaim({ kind, key, object }: Change<PersistentVolumeClaim>): readonly string[] {
    if (kind === 'deleted') {
      told.delete(`claim/${key}`);
      for (const [volume, uid] of taken) if (uid === object.metadata.uid) taken.delete(volume);
    }
    const keys = [`claim/${key}`, ...volumesFor(key).map((volume) => `volume/${volume.metadata.name}`)];
    if (object.spec?.volumeName) keys.push(`volume/${object.spec.volumeName}`);
    return [...new Set(keys)];
  }

  function ofClass({ key }: Change<StorageClass>): readonly string[] {
    return [...waitingFor(key), ...waitingFor(noClass)].map(claimKey);
  }

  async function observeVolume(name: string): Promise<ObservedVolume | undefined> {
    const volume = volumes.get(name);
    if (volume === undefined) return undefined;
    const { claimRef } = volume.spec ?? {};
    if ((claimRef?.uid ?? '') === '') return { kind: 'volume', volume, claim: undefined };
    const { namespace, name: claimName = '', uid } = claimRef ?? {};
    const known = claims.get(`${namespace}/${claimName}`);
    if (known?.metadata.uid === uid) return { kind: 'volume', volume, claim: known };
    // That a claim has gone is not believed of a copy: what follows cannot be undone.
    const asked = await client
      .get<PersistentVolumeClaim>(persistentVolumeClaimsRef, namespace, claimName)
      .catch((error: unknown) => {
        if (isError(error, 'notFound')) return undefined;
        throw error;
      });
    return { kind: 'volume', volume, claim: asked?.metadata.uid === uid ? asked : undefined };
  }

  function observeClaim(key: string): ObservedClaim | undefined {
    const claim = claims.get(key);
    if (claim === undefined) return undefined;
    const reserved = volumesFor(key);
    const fitting = isFullyBound(claim) ? [] : freeOfClass(classOf(claim));
    return {
      kind: 'claim',
      claim,
      storageClass: classes.get(classOf(claim)),
      defaultClass: defaultOf(classes.list()),
      named: claim.spec?.volumeName ? volumes.get(claim.spec.volumeName) : undefined,
      volumes: reserved.length === 0 ? fitting : [...reserved, ...fitting],
      isTaken: ({ metadata }) => {
        const by = taken.get(metadata.name ?? '');
        return by !== undefined && by !== claim.metadata.uid;
      },
      waitingPods: podsWith(key),
    };
  }

  function news(observed: Observed, steps: readonly Step[]): readonly Step[] {
    const key =
      observed.kind === 'claim' ? claimKey(observed.claim) : `volume/${observed.volume.metadata.name}`;
    const object = observed.kind === 'claim' ? observed.claim : observed.volume;
    const texts = steps.flatMap((step) => (step.kind === 'event' ? [step.event.message] : []));
    if (texts.length === 0) return steps;
    const text = `${object.metadata.uid} ${texts.join('\n')}`;
    if (told.get(key) === text) return steps.filter(({ kind }) => kind !== 'event');
    told.set(key, text);
    return steps;
  }

  return {
    name: 'persistentvolume-controller',
    workers: 8,
    watches: [
      watch<PersistentVolumeClaim>(informers, persistentVolumeClaimsRef, ofClaim),
      watch<PersistentVolume>(informers, persistentVolumesRef, ofVolume),
      watch<StorageClass>(informers, storageClassesRef, ofClass),
    ],
    observe(key) {
      const slash = key.indexOf('/');
      return key.startsWith('claim/')
        ? observeClaim(key.slice(slash + 1))
        : observeVolume(key.slice(slash + 1));
    },
    plan(observed) {
      if (observed.kind === 'volume') return news(observed, planVolume(observed));
      const steps = planClaim(observed);
      const { uid = '' } = observed.claim.metadata;
      for (const step of steps)
        if (step.kind === 'patch' && step.ref === persistentVolumesRef && step.subresource === undefined)
          taken.set(step.name, uid);
      return news(observed, steps);
    },
  };
}

const marks = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** The newest of those that are marked; of those of one moment the first by name. */
function defaultOf(classes: Iterable<StorageClass>): string | undefined {
  let best: StorageClass['metadata'] | undefined;
  for (const { metadata } of classes) {
    if (!marks.some((mark) => metadata.annotations?.[mark] === 'true')) continue;
    const [at = '', bestAt = ''] = [metadata.creationTimestamp, best?.creationTimestamp];
    if (best === undefined || at > bestAt || (at === bestAt && (metadata.name ?? '') < (best.name ?? '')))
      best = metadata;
  }
  return best?.name;
}
