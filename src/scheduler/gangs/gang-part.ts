/**
 * Gangs in the running scheduler: follows groups and their pods, holds members until there are enough of them, has them planned together, and tells each PodGroup
 * how it stands.
 *
 *   PodGroups, pods ─▶ GangBook ─▶ admits: enough members? ─▶ companions: all of them in one batch ─▶ plan-gang.ts ─▶ decided ─▶ PodGroup's condition
 *                                                                                         └─ room kept for too long ─▶ given up, the gang rests
 *
 * Groups are followed from the first pod on that is in one. Invariant: a gang that has never had all that it needs gives up what it holds when its time is over,
 * so that no two gangs wait for each other's room for ever.
 */
import { type Pod, type PodGroup, podGroups as podGroupsRef, pods as podsRef } from '../../api/index.ts';
import type { Change } from '../../client/index.ts';
import { formatTime, isError, type Timer } from '../../lib/index.ts';
import { about } from '../eviction.ts';
import type { Step, WaitingPod } from '../plan.ts';
import type { Hold, PartHost, SchedulerPart } from '../queue/part.ts';
import { isPlace } from '../reservations/reserved.ts';
import { type Gang, type GangBook, groupKeyOf, placedOf, scheduledType } from './gang-book.ts';
import { missingNote, unknownNote } from './notes.ts';

/** So long a gang may keep room without having all that it needs. As Kubernetes has it. */
const patienceMs = 300_000;
/** So long the room that it gave up is for others. */
const restMs = 60_000;
/** Members come one after the other: what is said of their number is said again after so long. */
const settleMs = 1000;
const toldAgainMs = 5000;

/** What the pods of a group wait for. */
const waitingReason = 'WaitingForGroup';

/** What is known of a gang beside its members. */
interface Course {
  /** Since when it has some of what it needs, by the monotonic clock. */
  heldSinceMs: number | undefined;
  restUntilMs: number;
  /** Why it was not placed, the last time. */
  refusal: string | undefined;
  timer: Timer | undefined;
  isDirty: boolean;
}

export class GangPart implements SchedulerPart {
  readonly name = 'gangs';
  readonly #host: PartHost;
  readonly #book: GangBook;
  readonly #courses = new Map<string, Course>();
  readonly #groups = new Map<string, PodGroup>();
  #followed: { cancel(): void } | undefined;
  #isKnown = false;
  #telling: Timer | undefined;
  #settling: Timer | undefined;
  readonly #unsettled = new Set<string>();
  #isStopped = false;

  constructor(host: PartHost) {
    this.#host = host;
    this.#book = host.snapshot.gangs;
  }

  stop(): void {
    this.#isStopped = true;
    this.#followed?.cancel();
    this.#telling?.cancel();
    this.#settling?.cancel();
    for (const { timer } of this.#courses.values()) timer?.cancel();
  }

  onPod({ kind, key, object }: Change<Pod>): void {
    const groupKey = groupKeyOf(object);
    if (groupKey === undefined && this.#book.isEmpty) return;
    const left = isMember(object) && kind !== 'deleted' ? undefined : this.#book.removePod(key);
    if (left !== undefined) this.#changed(left);
    if (groupKey === undefined || !isMember(object) || kind === 'deleted') return;
    this.#follow();
    const before = this.#book.gang(groupKey)?.members.get(key);
    this.#book.setPod(key, object);
    if (before?.spec?.nodeName !== object.spec?.nodeName) this.#changed(groupKey);
    if (before !== undefined) return;
    this.#changed(groupKey);
    this.#ask(groupKey, key);
  }

  #follow(): void {
    if (this.#followed !== undefined) return;
    const informer = this.#host.informers.informer<PodGroup>(podGroupsRef);
    this.#followed = informer.onChange(({ kind, key, object }) => {
      const wasAtWork = this.#book.gang(key)?.rule?.wasScheduled === true;
      if (kind === 'deleted') {
        this.#groups.delete(key);
        this.#book.removeGroup(key);
      } else {
        this.#groups.set(key, object);
        this.#book.setGroup(object);
      }
      this.#changed(key);
      const isAtWork = this.#book.gang(key)?.rule?.wasScheduled === true;
      if (kind !== 'updated' || isAtWork !== wasAtWork) this.#reconsider(key);
    });
    this.#host.hold(
      informer.whenSynced().then(() => {
        this.#isKnown = true;
      }),
    );
  }

  /** A member came. When they are enough all are planned; until then they are told now and then how many lack. */
  #ask(groupKey: string, newest: string): void {
    const gang = this.#book.gang(groupKey);
    if (gang === undefined) return;
    if (this.#lackOf(gang) <= 0) {
      // The newest is not with the queue yet.
      this.#host.reconsider([...gang.members.keys()].filter((key) => key !== newest));
      return;
    }
    this.#unsettled.add(groupKey);
    this.#settling ??= this.#host.clock.after(settleMs, () => {
      this.#settling = undefined;
      for (const key of this.#unsettled) this.#reconsider(key);
      this.#unsettled.clear();
    });
  }

  #reconsider(groupKey: string): void {
    const gang = this.#book.gang(groupKey);
    // Some are held, others were planned and set aside.
    if (gang !== undefined && !this.#isStopped) this.#host.tryAgain([...gang.members.keys()]);
  }

  #lackOf({ rule, members }: Gang): number {
    if (rule === undefined) return 1;
    // What comes to one that is at work comes by itself.
    return rule.wasScheduled && members.size > 1 ? 0 : rule.minCount - members.size;
  }

  admits({ key }: WaitingPod): Hold | undefined {
    // Until groups are known nothing is planned anyway.
    if (this.#book.isEmpty || !this.#isKnown) return undefined;
    const gang = this.#book.gangOf(key);
    if (gang === undefined) return undefined;
    const reason = waitingReason;
    if (gang.rule === undefined) return { reason, message: unknownNote(gang) };
    const lack = this.#lackOf(gang);
    if (lack > 0) return { reason, message: missingNote(gang, lack) };
    const course = this.#courses.get(gang.key);
    if (course === undefined || course.restUntilMs <= this.#host.clock.monotonicMs()) return undefined;
    return { reason: 'Unschedulable', message: givenUpNote(gang) };
  }

  companions({ key }: WaitingPod): Iterable<string> {
    return this.#book.gangOf(key)?.members.keys() ?? [];
  }

  decided(step: Step): void {
    if (this.#book.isEmpty || isPlace(step.podKey)) return;
    const gang = this.#book.gangOf(step.podKey);
    if (gang === undefined) return;
    const course = this.#courseOf(gang.key);
    course.refusal = step.kind === 'wait' ? (step.note ?? course.refusal) : undefined;
    this.#changed(gang.key);
  }

  told(podKey: string, { reason, message }: Hold): void {
    const gang = this.#book.isEmpty || isPlace(podKey) ? undefined : this.#book.gangOf(podKey);
    if (gang === undefined || reason === waitingReason) return;
    this.#courseOf(gang.key).refusal = message;
    this.#changed(gang.key);
  }

  #courseOf(key: string): Course {
    let course = this.#courses.get(key);
    if (course === undefined) {
      course = {
        heldSinceMs: undefined,
        restUntilMs: 0,
        refusal: undefined,
        timer: undefined,
        isDirty: false,
      };
      this.#courses.set(key, course);
    }
    return course;
  }

  /** Looked at after the events of this moment. */
  #changed(key: string): void {
    this.#courseOf(key).isDirty = true;
    this.#telling ??= this.#host.clock.after(100, () => {
      this.#telling = undefined;
      for (const [groupKey, course] of this.#courses) {
        if (!course.isDirty || this.#isStopped) continue;
        course.isDirty = false;
        this.#look(groupKey, course);
      }
    });
  }

  #look(key: string, course: Course): void {
    const gang = this.#book.gang(key);
    if (gang === undefined) {
      course.timer?.cancel();
      this.#courses.delete(key);
      return;
    }
    if (this.#host.isLeading()) this.#tell(gang, course);
    this.#watchOver(gang, course);
  }

  #bound(gang: Gang): number {
    let bound = 0;
    for (const { spec } of gang.members.values()) if ((spec?.nodeName ?? '') !== '') bound++;
    return bound;
  }

  /** Has it some of what it needs, and not all? Then its time runs. */
  #watchOver(gang: Gang, course: Course): void {
    const { clock, snapshot } = this.#host;
    const { rule } = gang;
    const some = placedOf(gang, snapshot, () => false);
    const nominated = [...gang.members.keys()].some((key) => snapshot.nominations.has(key));
    const isOwed = rule !== undefined && this.#bound(gang) < rule.minCount && !rule.wasScheduled;
    if (!isOwed || (some === 0 && !nominated)) {
      course.heldSinceMs = undefined;
      course.timer?.cancel();
      course.timer = undefined;
      return;
    }
    course.heldSinceMs ??= clock.monotonicMs();
    course.timer ??= clock.after(patienceMs, () => {
      course.timer = undefined;
      if (this.#isStopped || course.heldSinceMs === undefined) return;
      course.heldSinceMs = undefined;
      if (this.#host.isLeading()) this.#giveUp(gang.key, course);
    });
  }

  /**
   * What was kept for it is for others now, for a while. Members that are bound go too where somebody makes them anew: half a gang does no work, and holds what
   * another may need to be whole.
   */
  #giveUp(key: string, course: Course): void {
    const { client, clock, events, log, snapshot } = this.#host;
    const gang = this.#book.gang(key);
    if (gang === undefined) return;
    course.restUntilMs = clock.monotonicMs() + restMs;
    clock.after(restMs, () => this.#reconsider(key));
    const message = givenUpNote(gang);
    for (const [podKey, pod] of gang.members) {
      snapshot.nominations.delete(podKey);
      const { namespace, name = '', uid, ownerReferences = [] } = pod.metadata;
      const isBound = (pod.spec?.nodeName ?? '') !== '';
      if (!isBound || !ownerReferences.some(({ controller }) => controller === true)) continue;
      events.record({ about: about(pod), type: 'Warning', reason: 'GangTimedOut', message });
      client
        .delete(podsRef, namespace, name, uid === undefined ? {} : { preconditions: { uid } })
        .catch((error: unknown) => {
          if (!isError(error, 'notFound', 'conflict'))
            log.warn('cannot give up a gang', { pod: podKey, error });
        });
    }
    this.#host.tryAgain([...gang.members.keys()]);
    // Whoever waits may have it.
    this.#host.tryAgain();
  }

  /** The group's condition. Once it has been scheduled it stays so: what becomes of its pods then is their own affair. */
  #tell(gang: Gang, course: Course): void {
    const group = this.#groups.get(gang.key);
    if (group === undefined || gang.rule === undefined || gang.rule.wasScheduled) return;
    const { client, clock, log } = this.#host;
    const lack = this.#lackOf(gang);
    const [status, reason, message] =
      this.#bound(gang) >= gang.rule.minCount
        ? ['True', 'Scheduled', 'All required pods have been successfully scheduled']
        : lack > 0
          ? ['False', 'WaitingForPods', missingNote(gang, lack)]
          : ['False', 'Unschedulable', course.refusal ?? ''];
    if (message === '') return;
    const known = group.status?.conditions?.find(({ type }) => type === scheduledType);
    if (known?.status === status && known.reason === reason && known.message === message) return;
    const isSame = known?.status === status;
    const condition = {
      type: scheduledType,
      status,
      reason,
      message,
      lastTransitionTime: isSame ? known.lastTransitionTime : formatTime(clock.nowMs()),
    };
    const { namespace, name = '', uid } = group.metadata;
    client
      .patch(
        podGroupsRef,
        namespace,
        name,
        'strategic',
        { metadata: { uid }, status: { conditions: [condition] } },
        { subresource: 'status' },
      )
      .catch((error: unknown) => {
        if (isError(error, 'notFound', 'conflict')) return;
        log.warn('cannot tell how a group stands', { group: gang.key, error });
        clock.after(toldAgainMs, () => {
          if (!this.#isStopped) this.#changed(gang.key);
        });
      });
  }
}

export const startGangs = (host: PartHost): SchedulerPart => new GangPart(host);

/** Counts for its group: neither failed nor going, and not held back by gates of its own. */
function isMember({ metadata, spec, status }: Pod): boolean {
  if (status?.phase === 'Failed') return false;
  if ((spec?.nodeName ?? '') !== '') return true;
  return metadata.deletionTimestamp === undefined && (spec?.schedulingGates?.length ?? 0) === 0;
}

const givenUpNote = ({ label }: Gang): string =>
  `${label} did not get all that it needs in ${patienceMs / 1000} s and gave up the room that was kept for it`;
