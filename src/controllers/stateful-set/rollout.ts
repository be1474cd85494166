/**
 * Which pods of a StatefulSet are made, mended and ended now. Pure.
 *
 *   replicas, from the lowest ordinal: ended ones away, missing ones made ──▶ those beyond the count, from the highest ──▶ those of an old
 *   template, from the highest, as many as may be unavailable
 *
 * OrderedReady stops at the first pod that is not as it should be; Parallel goes on. Work is bounded by the pods that are there and one burst.
 * Invariant: no pod is made under a name that is taken; a pod beyond the count goes only when all below it are well (OrderedReady).
 */
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  StatefulSet,
} from '../../api/index.ts';
import { scaledValue } from '../deployment/facts.ts';
import { templateOf } from '../history/history.ts';
import { adopterOf } from '../ownership.ts';
import { availableInMs, isFinished, isReady, isTerminating } from '../pod-state.ts';
import { persistentVolumeClaimsRef, podsRef, referenceTo, statefulSetsRef } from '../resources.ts';
import { deletion, type Step, type Write } from '../step.ts';
import {
  claimNameOf,
  claimOf,
  identityWrites,
  isInRange,
  isStale,
  ordinalOf,
  podNameOf,
  replicasOf,
  retentionWrites,
  revisionNameOf,
  startOf,
  statefulPod,
} from './identity.ts';

export interface Picture {
  readonly set: StatefulSet;
  /** That it controls. */
  readonly pods: readonly Pod[];
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly findPod: (name: string) => Pod | undefined;
  readonly findClaim: (name: string) => PersistentVolumeClaim | undefined;
  readonly nowMs: number;
}

/** Creations in one go; more follow when these are seen. */
export const burstMax = 500;

interface Numbered {
  readonly ordinal: number;
  readonly pod: Pod;
}

export const isParallel = ({ spec }: StatefulSet): boolean => spec?.podManagementPolicy === 'Parallel';
export const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === 'Running' && isReady(pod);

export function isAvailable(set: StatefulSet, pod: Pod, nowMs: number): boolean {
  return isRunningAndReady(pod) && availableInMs(pod, set.spec?.minReadySeconds ?? 0, nowMs) === 0;
}

const isWell = (pod: Pod): boolean => isRunningAndReady(pod) && !isTerminating(pod);

export function podSteps(picture: Picture): readonly Step[] {
  return new Round(picture).steps();
}

/** One look at all pods. What it finds to do is collected by kind, for the kinds have an order. */
class Round {
  readonly #picture: Picture;
  readonly #isParallel: boolean;
  readonly #replicas = new Map<number, Pod>();
  readonly #condemned: readonly Numbered[];
  readonly #events: Step[] = [];
  readonly #mending: Write[] = [];
  readonly #deletions = new Set<Pod>();
  /** Of pods whose claims are there; of claims; of pods that wait for these. */
  readonly #creations: Write[] = [];
  readonly #claims: Write[] = [];
  readonly #laterCreations: Write[] = [];

  constructor(picture: Picture) {
    this.#picture = picture;
    const { set, pods } = picture;
    this.#isParallel = isParallel(set);
    const condemned: Numbered[] = [];
    for (const pod of pods) {
      const ordinal = ordinalOf(set, pod.metadata.name);
      if (ordinal === undefined) continue;
      if (isInRange(set, ordinal)) this.#replicas.set(ordinal, pod);
      else condemned.push({ ordinal, pod });
    }
    this.#condemned = condemned.sort((a, b) => b.ordinal - a.ordinal);
  }

  steps(): readonly Step[] {
    if (this.#processReplicas()) {
      const { set, findClaim } = this.#picture;
      for (const { pod } of this.#condemned) this.#mending.push(...retentionWrites(set, pod, findClaim));
      if (this.#processCondemned() && set.spec?.updateStrategy?.type !== 'OnDelete') this.#update();
    }
    const deletions = [...this.#deletions].map((pod) => this.#deletion(pod));
    return [
      ...this.#events,
      ...together(this.#mending, false),
      ...together(this.#creations, true),
      ...together(this.#claims, true),
      ...together(this.#laterCreations, true),
      ...together(deletions, false),
    ];
  }

  /** Whether there is nothing to wait for. */
  #processReplicas(): boolean {
    const { set } = this.#picture;
    const start = startOf(set);
    let made = 0;
    for (let ordinal = start; ordinal < start + replicasOf(set); ordinal++) {
      const pod = this.#replicas.get(ordinal);
      const goesOn = pod === undefined ? this.#create(ordinal) : this.#tend(pod, ordinal);
      if (pod === undefined && ++made >= burstMax) break;
      if (!goesOn && !this.#isParallel) return false;
    }
    return true;
  }

  /** Answers whether the next may be looked at. */
  #tend(pod: Pod, ordinal: number): boolean {
    const { set, nowMs, findClaim } = this.#picture;
    // Succeeded too: evicted and forcibly ended pods are known by their exit codes alone.
    if (isFinished(pod)) {
      if (!isTerminating(pod)) this.#deletions.add(pod);
      return false;
    }
    if ((pod.status?.phase ?? 'Pending') === 'Pending' && !isTerminating(pod)) this.#makeClaims(ordinal);
    const isAsWanted = !isTerminating(pod) && isAvailable(set, pod, nowMs);
    if (isAsWanted || this.#isParallel)
      this.#mending.push(...identityWrites(set, pod, ordinal), ...retentionWrites(set, pod, findClaim));
    return isAsWanted;
  }

  /** A missing pod, unless its name or its claims belong to others still. The next has to wait for it. */
  #create(ordinal: number): boolean {
    const { set, findPod, findClaim } = this.#picture;
    const name = podNameOf(set, ordinal);
    if (findPod(name) !== undefined) return false;
    const claims = (set.spec?.volumeClaimTemplates ?? []).map(({ metadata }) =>
      findClaim(claimNameOf(set, metadata?.name ?? '', ordinal)),
    );
    if (claims.some((claim) => claim !== undefined && isStale(set, claim, name))) return false;
    const going = claims.find((claim) => claim?.metadata.deletionTimestamp !== undefined);
    if (going !== undefined) {
      const message = `create Pod ${name} in StatefulSet ${set.metadata.name} failed error: pvc ${going.metadata.name} is being deleted`;
      const about = referenceTo(statefulSetsRef, set);
      this.#events.push({
        kind: 'event',
        event: { about, type: 'Warning', reason: 'FailedCreate', message },
      });
      return false;
    }
    const isLater = this.#makeClaims(ordinal);
    (isLater ? this.#laterCreations : this.#creations).push(this.#creation(ordinal));
    return false;
  }

  /** Whether any is missing. */
  #makeClaims(ordinal: number): boolean {
    const { set, findClaim } = this.#picture;
    const { name: setName = '' } = set.metadata;
    const about = referenceTo(statefulSetsRef, set);
    const podName = podNameOf(set, ordinal);
    let isAnyMissing = false;
    for (const template of set.spec?.volumeClaimTemplates ?? []) {
      const claim = claimOf(set, template, ordinal);
      const { name = '' } = claim.metadata;
      if (findClaim(name) !== undefined) continue;
      isAnyMissing = true;
      const message = `create Claim ${name} Pod ${podName} in StatefulSet ${setName} success`;
      const failure = `create Claim ${name} for Pod ${podName} in StatefulSet ${setName} failed error: {error}`;
      this.#claims.push({
        kind: 'create',
        ref: persistentVolumeClaimsRef,
        object: claim,
        adopter: adopterOf(statefulSetsRef, set),
        done: { about, type: 'Normal', reason: 'SuccessfulCreate', message },
        failed: { about, type: 'Warning', reason: 'FailedCreate', message: failure },
        // Whoever made it: a claim of that name is the pod's.
        accept: ['alreadyExists'],
      });
    }
    return isAnyMissing;
  }

  /** Answers whether updates may be looked at. */
  #processCondemned(): boolean {
    const { set, nowMs } = this.#picture;
    // All replicas are well by now, where the order counts.
    const firstUnwell = this.#condemned.findLast(({ pod }) => !isWell(pod));
    for (const numbered of this.#condemned) {
      const { pod } = numbered;
      if (this.#isParallel) {
        if (!isTerminating(pod)) this.#deletions.add(pod);
        continue;
      }
      if (!isTerminating(pod) && (isAvailable(set, pod, nowMs) || numbered === firstUnwell))
        this.#deletions.add(pod);
      return false;
    }
    return true;
  }

  /** Pods of an old template, the highest ordinals first. */
  #update(): void {
    const { set, nowMs, update } = this.#picture;
    const { partition = 0, maxUnavailable = 1 } = set.spec?.updateStrategy?.rollingUpdate ?? {};
    const count = replicasOf(set);
    const allowed = Math.max(1, scaledValue(maxUnavailable, count, 'down'));
    const isUp = (pod: Pod): boolean => !isTerminating(pod) && isAvailable(set, pod, nowMs);
    let spare = allowed - (count - [...this.#replicas.values()].filter(isUp).length);
    const old = [...this.#replicas]
      .filter(([ordinal]) => ordinal >= startOf(set) + partition)
      .sort(([a], [b]) => b - a)
      .map(([, pod]) => pod)
      .filter(
        (pod) => revisionNameOf(pod) !== update.metadata.name && !isTerminating(pod) && !isFinished(pod),
      );
    // One that does not run anyway costs nothing: else a template that never becomes ready could not be replaced.
    if (this.#isParallel) for (const pod of old) if (!isUp(pod)) this.#deletions.add(pod);
    for (const pod of old) {
      if (spare <= 0) return;
      if (this.#deletions.has(pod)) continue;
      this.#deletions.add(pod);
      spare--;
    }
  }

  #creation(ordinal: number): Write {
    const { set } = this.#picture;
    const { template, revisionName } = this.#versionOf(ordinal);
    const about = referenceTo(statefulSetsRef, set);
    const what = `create Pod {name} in StatefulSet ${set.metadata.name}`;
    return {
      kind: 'create',
      ref: podsRef,
      object: statefulPod(set, ordinal, template, revisionName),
      adopter: adopterOf(statefulSetsRef, set),
      done: { about, type: 'Normal', reason: 'SuccessfulCreate', message: `${what} successful` },
      failed: { about, type: 'Warning', reason: 'FailedCreate', message: `${what} failed error: {error}` },
      untold: ['alreadyExists'],
    };
  }

  /** Below the partition pods keep the template that they had. */
  #versionOf(ordinal: number): { readonly template: PodTemplateSpec; readonly revisionName: string } {
    const { set, current, update } = this.#picture;
    const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {};
    const kept = rollingUpdate?.partition ?? (rollingUpdate === undefined ? set.status?.currentReplicas : 0);
    const isKept = type === 'RollingUpdate' && ordinal < startOf(set) + (kept ?? 0);
    const revision = isKept ? current : update;
    const template = (revision === update ? set.spec?.template : templateOf(revision)) ?? {};
    return { template, revisionName: revision.metadata.name ?? '' };
  }

  #deletion(pod: Pod): Write {
    const { set } = this.#picture;
    const about = referenceTo(statefulSetsRef, set);
    const what = `delete Pod {name} in StatefulSet ${set.metadata.name}`;
    return deletion(podsRef, pod, {
      done: { about, type: 'Normal', reason: 'SuccessfulDelete', message: `${what} successful` },
      failed: { about, type: 'Warning', reason: 'FailedDelete', message: `${what} failed error: {error}` },
      accept: ['notFound', 'conflict'],
    });
  }
}

function together(writes: readonly Write[], slowStart: boolean): readonly Step[] {
  return writes.length === 0 ? [] : [{ kind: 'together', writes, slowStart }];
}
