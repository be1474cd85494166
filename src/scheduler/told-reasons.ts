/**
 * Tells why a pod waits, in its condition `PodScheduled`, until it is there: a pod that waits is looked at again only when something changes.
 * Invariant: what is told is told again only after it has failed, and only while the pod waits still.
 */
import { type Pod, pods as podsRef } from '../api/index.ts';
import type { Client } from '../client/index.ts';
import { type Clock, formatTime, isError, type Log } from '../lib/index.ts';
import type { Hold } from './queue/part.ts';
import type { Snapshot } from './snapshot.ts';

export interface ToldReasonsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly snapshot: Snapshot;
  /** The pod as it waits now; undefined: it does so no more. */
  waiting(podKey: string): Pod | undefined;
}

/** Until a reason that could not be written is written again. */
const toldAgainMs = 5000;

export class ToldReasons {
  readonly #options: ToldReasonsOptions;
  #isStopped = false;

  constructor(options: ToldReasonsOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#isStopped = true;
  }

  tell(podKey: string, pod: Pod, why: Hold): void {
    const { clock, client, log, snapshot } = this.#options;
    const known = pod.status?.conditions?.find((one) => one.type === 'PodScheduled');
    const nominated = snapshot.nominations.get(podKey)?.nodeName ?? '';
    const isNominated = nominated === (pod.status?.nominatedNodeName ?? '');
    const { reason, message } = why;
    const isKnown = known?.status === 'False' && known.message === message && known.reason === reason;
    if (isNominated && isKnown) return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason,
      message,
      lastTransitionTime: known?.status === 'False' ? known.lastTransitionTime : formatTime(clock.nowMs()),
    };
    client
      .patch(
        podsRef,
        pod.metadata.namespace,
        pod.metadata.name ?? '',
        'strategic',
        {
          metadata: { uid: pod.metadata.uid },
          status: {
            conditions: [condition],
            ...(isNominated ? {} : { nominatedNodeName: nominated === '' ? null : nominated }),
          },
        },
        { subresource: 'status' },
      )
      .catch((error: unknown) => {
        if (isError(error, 'notFound', 'conflict')) return;
        log.warn('cannot tell why a pod waits', { pod: podKey, error });
        clock.after(toldAgainMs, () => {
          const now = this.#options.waiting(podKey);
          if (this.#isStopped || now === undefined || now.metadata.uid !== pod.metadata.uid) return;
          this.tell(podKey, now, why);
        });
      });
  }
}
