/**
 * The scheduler of those that have been elected: it runs while its program leads, and starts anew in each term, with all that it reads read anew.
 *
 *   stand by (follow the lease, nothing else) ─ elected ─▶ list pods, nodes … ─▶ plan and bind in the name of the term ─ deposed ─▶ stand by
 *
 * Invariant: what is planned in a term has seen every binding of the terms before: those that come later are refused by the API server, which knows the term of each.
 */
import { createInformers, type Informers, startLeaderElection } from '../client/index.ts';
import { type Scheduler, type SchedulerOptions, startScheduler } from './bind-loop.ts';

export interface ElectedSchedulerOptions extends Omit<SchedulerOptions, 'office'> {
  /** Different for each program that may schedule; the same for each life of one. */
  readonly identity: string;
  /** Copies to schedule by, made in each term; default: `informers`, for those who hear of every change before it is answered. */
  readonly ownCopies?: boolean;
  /** How often the lease is renewed; default: every 2 s. */
  readonly renewMs?: number;
}

export interface ElectedScheduler {
  readonly isLeader: boolean;
  explain: Scheduler['explain'];
  /** Lets somebody else take over at once. Never rejects. */
  stop(): Promise<void>;
}

const lease = { namespace: 'kube-system', name: 'kube-scheduler' };

export function startElectedScheduler(options: ElectedSchedulerOptions): ElectedScheduler {
  const { clock, client, informers, random, log, identity, renewMs, ownCopies = false } = options;
  let current: { readonly scheduler: Scheduler; readonly copies: Informers | undefined } | undefined;
  const end = (): void => {
    current?.scheduler.stop();
    current?.copies?.stop();
    current = undefined;
  };
  const election = startLeaderElection({
    client,
    informers,
    clock,
    random,
    log,
    identity,
    ...lease,
    ...(renewMs === undefined ? {} : { retryMs: renewMs }),
    onElected: (term) => {
      end();
      const copies = ownCopies ? createInformers({ client, clock, random, log }) : undefined;
      const office = {
        term: `${lease.namespace}/${lease.name}/${term}`,
        isHeld: () => election.isLeader,
      };
      const scheduler = startScheduler({ ...options, informers: copies ?? informers, office });
      current = { scheduler, copies };
    },
    onDeposed: end,
  });
  return {
    get isLeader() {
      return election.isLeader;
    },
    explain: (podKey) => current?.scheduler.explain(podKey),
    stop: () => {
      end();
      return election.stop();
    },
  };
}
