/**
 * Which pods belong together: groups and their members. Pure; kept current by single changes; empty while no pod is in a group.
 *
 *   PodGroup, or annotations of the pods ─▶ gang: how many at once, where ┐
 *   pods (spec.schedulingGroup, or our label) ─▶ members ────────────────┴─▶ plan-gang.ts
 *
 * Invariant: a member is in one gang. A gang that nobody has described yet (no PodGroup) has no `rule`.
 */
import { gangTopologyAnnotation, type Pod, type PodGroup } from '../../api/index.ts';
import type { Snapshot } from '../snapshot.ts';

/** Pods that cannot say it in their spec, as those of charts, say it by a label. */
export const groupLabel = 'scheduling.caelum.dev/pod-group';
/** Where no PodGroup of that name is there: so many at once. */
export const minCountAnnotation = 'scheduling.caelum.dev/pod-group-min-count';
export const topologyAnnotation = gangTopologyAnnotation;

/** The condition of a PodGroup. */
export const scheduledType = 'PodGroupScheduled';

/** What holds for a group. */
export interface GangRule {
  /** So many are placed at once, or none. */
  readonly minCount: number;
  /** The label of nodes of which all members share a value. */
  readonly topologyKey?: string;
  /** Where the group has a priority of its own. */
  readonly priority?: number;
  /** RFC 3339. */
  readonly since: string;
  /** Who takes the place of one member takes that of all. */
  readonly goesTogether: boolean;
  /** It had all that it needs. */
  readonly wasScheduled: boolean;
}

export interface Gang {
  /** `namespace/name`. */
  readonly key: string;
  /** For people: `PodGroup "x"`. */
  readonly label: string;
  /** What its members are called. */
  readonly noun: string;
  readonly rule: GangRule | undefined;
  readonly members: ReadonlyMap<string, Pod>;
}

interface Entry extends Gang {
  rule: GangRule | undefined;
  readonly members: Map<string, Pod>;
  /** The rule comes from a PodGroup. */
  isDescribed: boolean;
}

/** `namespace/name` of the group that a pod says it is in. */
export function groupKeyOf({ metadata, spec }: Pod): string | undefined {
  const name = spec?.schedulingGroup?.podGroupName ?? metadata.labels?.[groupLabel];
  return name === undefined || name === '' ? undefined : `${metadata.namespace}/${name}`;
}

export class GangBook {
  readonly #gangs = new Map<string, Entry>();
  readonly #gangOf = new Map<string, Entry>();

  get isEmpty(): boolean {
    return this.#gangOf.size === 0;
  }

  gang(key: string): Gang | undefined {
    return this.#gangs.get(key);
  }

  /** Of a member, by its key. */
  gangOf(podKey: string): Gang | undefined {
    return this.#gangOf.get(podKey);
  }

  setGroup(group: PodGroup): void {
    const { namespace, name = '', creationTimestamp = '' } = group.metadata;
    const entry = this.#entry(`${namespace}/${name}`, name);
    const { schedulingPolicy, schedulingConstraints, priorityClassName = '', priority } = group.spec;
    const topologyKey = schedulingConstraints?.topology?.[0]?.key;
    entry.isDescribed = true;
    entry.rule = {
      // Of the other policy each goes by itself; topology still holds.
      minCount: schedulingPolicy.gang?.minCount ?? 1,
      ...(topologyKey === undefined ? {} : { topologyKey }),
      ...(priorityClassName === '' || priority === undefined ? {} : { priority }),
      since: creationTimestamp,
      goesTogether: group.spec.disruptionMode === 'PodGroup',
      wasScheduled: (group.status?.conditions ?? []).some(
        ({ type, status }) => type === scheduledType && status === 'True',
      ),
    };
  }

  removeGroup(key: string): void {
    const entry = this.#gangs.get(key);
    if (entry === undefined) return;
    entry.isDescribed = false;
    entry.rule = ruleOfMembers(entry.members.values());
    this.#drop(entry);
  }

  /** One that nobody else describes: places of a reservation. */
  setRule(key: string, label: string, noun: string, rule: GangRule): void {
    const entry = this.#gangs.get(key) ?? { key, label, noun, rule, members: new Map(), isDescribed: true };
    entry.rule = rule;
    this.#gangs.set(key, entry);
  }

  /** Idempotent. Answers the key of its gang, if it is in one. */
  setPod(podKey: string, pod: Pod): string | undefined {
    const key = groupKeyOf(pod);
    const before = this.#gangOf.get(podKey);
    if (before !== undefined && before.key !== key) this.removePod(podKey);
    if (key === undefined) return undefined;
    const entry = this.#entry(key, key.slice(key.indexOf('/') + 1));
    this.#join(entry, podKey, pod);
    if (!entry.isDescribed) entry.rule = ruleOfMembers(entry.members.values());
    return key;
  }

  /** A member of a gang that was made by `setRule`. */
  join(gangKey: string, podKey: string, pod: Pod): void {
    const entry = this.#gangs.get(gangKey);
    if (entry !== undefined) this.#join(entry, podKey, pod);
  }

  #join(entry: Entry, podKey: string, pod: Pod): void {
    entry.members.set(podKey, pod);
    this.#gangOf.set(podKey, entry);
  }

  removePod(podKey: string): string | undefined {
    const entry = this.#gangOf.get(podKey);
    if (entry === undefined) return undefined;
    this.#gangOf.delete(podKey);
    entry.members.delete(podKey);
    if (!entry.isDescribed) entry.rule = ruleOfMembers(entry.members.values());
    this.#drop(entry);
    return entry.key;
  }

  removeRule(key: string): void {
    const entry = this.#gangs.get(key);
    for (const podKey of [...(entry?.members.keys() ?? [])]) this.#gangOf.delete(podKey);
    this.#gangs.delete(key);
  }

  #entry(key: string, name: string): Entry {
    let entry = this.#gangs.get(key);
    if (entry === undefined) {
      entry = {
        key,
        label: `PodGroup ${JSON.stringify(name)}`,
        noun: 'pods',
        rule: undefined,
        members: new Map(),
        isDescribed: false,
      };
      this.#gangs.set(key, entry);
    }
    return entry;
  }

  #drop(entry: Entry): void {
    if (!entry.isDescribed && entry.members.size === 0) this.#gangs.delete(entry.key);
  }
}

/** Without a PodGroup the members say it: the largest number counts. */
function ruleOfMembers(members: Iterable<Pod>): GangRule | undefined {
  let minCount = 0;
  let topologyKey: string | undefined;
  let since: string | undefined;
  for (const { metadata } of members) {
    const said = Number(metadata.annotations?.[minCountAnnotation] ?? 0);
    if (Number.isSafeInteger(said) && said > minCount) minCount = said;
    topologyKey ??= metadata.annotations?.[topologyAnnotation];
    const { creationTimestamp = '' } = metadata;
    if (since === undefined || creationTimestamp < since) since = creationTimestamp;
  }
  if (minCount === 0) return undefined;
  return {
    minCount,
    ...(topologyKey === undefined ? {} : { topologyKey }),
    since: since ?? '',
    goesTogether: false,
    wasScheduled: false,
  };
}

/** How many of its members have a place, or had one and are done; without those that are asked about. */
export function placedOf(gang: Gang, snapshot: Snapshot, except: (podKey: string) => boolean): number {
  let count = 0;
  for (const [key, { status }] of gang.members)
    if (!except(key) && (snapshot.placed(key) !== undefined || status?.phase === 'Succeeded')) count++;
  return count;
}
