/**
 * Makes the room that a plan has decided on: who was displaced loses its nomination, victims are marked, then deleted with their grace.
 *
 *   victim ─▶ condition DisruptionTarget ─▶ delete ─▶ Event; it makes room when it has gone
 *
 * Invariant: what has been asked for is asked for again only after it has failed. Safe to be cut off anywhere: whoever plans next sees what is left to do.
 */
import { type Pod, pods as podsRef } from '../api/index.ts';
import type { Client, EventRecorder } from '../client/index.ts';
import { type Clock, formatTime, isError, type Log } from '../lib/index.ts';
import type { Preemption, Victim } from './preemption.ts';
import type { Snapshot } from './snapshot.ts';

export interface EvictionOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly snapshot: Snapshot;
  readonly events: EventRecorder;
  readonly schedulerName: string;
}

/** False: somebody stays that was to go, and the pod has to be planned again. Never rejects. */
export async function makeRoom(
  options: EvictionOptions,
  preemptor: Pod,
  { nodeName, victims, displaced, because }: Preemption & { kind: 'chosen' },
): Promise<boolean> {
  await Promise.all(displaced.map((one) => clearNomination(options, one)));
  const done = await Promise.all(victims.map((one) => evict(options, preemptor, nodeName, one, because)));
  return done.every((isDone) => isDone);
}

async function evict(
  { client, clock, log, snapshot, events, schedulerName }: EvictionOptions,
  preemptor: Pod,
  nodeName: string,
  { key, pod }: Victim,
  because = 'preempting to accommodate a higher priority pod',
): Promise<boolean> {
  const { namespace, name = '', uid } = pod.metadata;
  // It goes already.
  if (pod.metadata.deletionTimestamp !== undefined) return true;
  const known = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${preemptor.spec?.schedulerName ?? schedulerName}: ${because}`,
    lastTransitionTime:
      (known?.status === 'True' ? known.lastTransitionTime : undefined) ?? formatTime(clock.nowMs()),
  };
  try {
    await client.patch(
      podsRef,
      namespace,
      name,
      'strategic',
      { metadata: { uid }, status: { conditions: [condition] } },
      { subresource: 'status' },
    );
    await client.delete(podsRef, namespace, name, uid === undefined ? {} : { preconditions: { uid } });
  } catch (error) {
    if (snapshot.going.get(key) === uid) snapshot.going.delete(key);
    // Gone, or another of its name is there.
    if (isError(error, 'notFound', 'conflict')) return true;
    log.warn('cannot preempt pod', { pod: key, node: nodeName, error });
    return false;
  }
  events.record({
    about: about(pod),
    type: 'Normal',
    reason: 'Preempted',
    message: `Preempted by pod ${preemptor.metadata.uid} on node ${nodeName}`,
  });
  return true;
}

async function clearNomination({ client, log }: EvictionOptions, { key, pod }: Victim): Promise<void> {
  const { namespace, name = '', uid } = pod.metadata;
  const patch = { metadata: { uid }, status: { nominatedNodeName: null } };
  try {
    await client.patch(podsRef, namespace, name, 'strategic', patch, { subresource: 'status' });
  } catch (error) {
    if (!isError(error, 'notFound', 'conflict')) log.warn('cannot clear a nomination', { pod: key, error });
  }
}

export function about(pod: Pod) {
  const { namespace, name, uid, resourceVersion } = pod.metadata;
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid, resourceVersion } as Parameters<
    EventRecorder['record']
  >[0]['about'];
}
