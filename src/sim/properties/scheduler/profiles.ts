/** Profiles: who answers to a name, and that what they wish is done. */
import type { Node, Pod, SchedulingProfile } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { isTerminal, requestOf, sinceMs } from '../facts.ts';
import { freeOn, isAnswered } from './room.ts';
import { refusal } from './rules-kept.ts';

const resource = 'schedulingprofiles.scheduling.caelum.dev';

const profilesFor = ({ truth }: Checked, schedulerName: string): readonly SchedulingProfile[] =>
  [...truth.objects<SchedulingProfile>(resource).values()].filter(
    ({ spec }) => spec?.schedulerName === schedulerName,
  );

/** The node that its score is highest on, if it says one. */
const wishOf = (profile: SchedulingProfile): string | undefined =>
  /^node\.name == "([^"]+)"/.exec(profile.spec?.custom?.expression ?? '')?.[1];

export const onlyAnswered: Property = {
  name: 'scheduler/only-answered',
  source: 'Kubernetes: spec.schedulerName; mission S2 (profiles)',
  statement:
    "A pod that wants another scheduler gets a node only while, as far as the scheduler may know, a profile is for that scheduler's name.",
  check(world, broken) {
    /** When each name was last answered to. */
    const answeredMs = new Map<string, number>();
    const note = (): void => {
      for (const { spec } of world.truth.objects<SchedulingProfile>(resource).values())
        answeredMs.set(spec?.schedulerName ?? '', world.nowMs());
    };
    return {
      onEvent({ kind, resource: of, object, previous, name }) {
        if (of === resource && previous !== undefined)
          answeredMs.set((previous as SchedulingProfile).spec?.schedulerName ?? '', world.nowMs());
        if (of !== 'pods' || kind === 'delete') return;
        const pod = object as Pod;
        const { nodeName, schedulerName = '' } = pod.spec ?? {};
        if (!nodeName || (previous as Pod | undefined)?.spec?.nodeName || isAnswered(world, pod)) return;
        if ((answeredMs.get(schedulerName) ?? Number.NEGATIVE_INFINITY) < sinceMs(world))
          broken(`${name} got a node, and nobody answers to ${schedulerName}`);
      },
      onSecond: note,
    };
  },
};

export const wishesHeeded: Property = {
  name: 'scheduler/wishes-heeded',
  source: 'mission S2: strategies (custom scores, changed without a restart)',
  statement:
    'A pod whose profile wishes for one node, as it has for more than five seconds in a calm world, gets that node if it surely had room.',
  check(world, broken) {
    const changedMs = new Map<string, number>();
    /** Pods that have left a node of late may not have been known to be gone. */
    const left: { readonly nodeName: string; readonly pod: Pod; readonly atMs: number }[] = [];
    const hasSurelyRoom = (node: Node, pod: Pod): boolean => {
      const since = world.knownToAllMs();
      const name = node.metadata.name ?? '';
      if ((changedMs.get(name) ?? 0) >= since || refusal(pod, node) !== undefined) return false;
      const free = freeOn(world, node);
      // Whoever waits may have been given room there.
      const others = [...world.truth.objects<Pod>('pods').values()].filter(
        (one) => !one.spec?.nodeName && !isTerminal(one),
      );
      const gone = left.filter((one) => one.nodeName === name && one.atMs >= since).map((one) => one.pod);
      return (['cpu', 'memory'] as const).every(
        (of) =>
          free[of] -
            [...others, ...gone].reduce((sum, one) => sum + requestOf(one, of), 0) -
            requestOf(pod, of) >=
          0,
      );
    };
    return {
      onEvent({ kind, resource: of, object, previous, name, atMs }) {
        if (of === resource) {
          const [now, before] = [object as SchedulingProfile, previous as SchedulingProfile | undefined];
          if (kind === 'delete' || JSON.stringify(now.spec) !== JSON.stringify(before?.spec))
            changedMs.set(name, atMs);
        }
        if (of === 'nodes') {
          const told = (node: Node | undefined): string =>
            JSON.stringify([node?.spec, node?.metadata.labels, node?.status?.allocatable]);
          if (kind === 'delete' || told(object as Node) !== told(previous as Node | undefined))
            changedMs.set(name, atMs);
        }
        if (of.startsWith('reservations'))
          for (const node of world.truth.objects('nodes').keys()) changedMs.set(node, atMs);
        if (of !== 'pods') return;
        const pod = object as Pod;
        const before = previous as Pod | undefined;
        if (before?.spec?.nodeName && (kind === 'delete' || isTerminal(pod)))
          left.push({ nodeName: before.spec.nodeName, pod: before, atMs });
        if (left.length > 1000) left.splice(0, 500);
        const { nodeName, schedulerName = '' } = pod.spec ?? {};
        const since = world.knownToAllMs();
        if (kind === 'delete' || !nodeName || before?.spec?.nodeName || since === 0) return;
        const [profile, ...others] = profilesFor(world, schedulerName);
        if (profile === undefined || others.length > 0) return;
        const wish = wishOf(profile);
        if (wish === undefined || wish === nodeName) return;
        if ((changedMs.get(profile.metadata.name ?? '') ?? 0) >= since) return;
        const node = world.truth.objects<Node>('nodes').get(wish);
        if (node !== undefined && hasSurelyRoom(node, pod))
          broken(`${name} was bound to ${nodeName}; its profile wishes for ${wish}, which had room`);
      },
    };
  },
};

export const profilesTold: Property = {
  name: 'scheduler/profiles-told',
  source: 'mission S2: profiles (conditions)',
  statement:
    'When faults and users have stopped, every profile soon says of its newest word that it is heeded.',
  check({ truth }) {
    return {
      goal() {
        for (const [name, { metadata, status }] of truth.objects<SchedulingProfile>(resource)) {
          if (status?.observedGeneration !== metadata.generation)
            return `${name}: its status is of an older generation`;
          if (!status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'))
            return `${name} does not say that it is heeded`;
        }
        return undefined;
      },
    };
  },
};
