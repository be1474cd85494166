/**
 * What would make a gang fit: how many of its pods do, what the next one lacks with those in place, and what would do for all. Pure; worked out when somebody asks,
 * and nothing of what is tried is left in the snapshot.
 *
 * Invariant: where the change is made that a way names for the next one, one more of the gang fits, as far as its pods ask alike.
 */
import { demandIn } from '../claims/extended-claims.ts';
import { domainsOf } from '../gangs/domains.ts';
import { type Gang, placedOf } from '../gangs/gang-book.ts';
import { missingNote, unknownNote } from '../gangs/notes.ts';
import { takeBack } from '../gangs/plan-gang.ts';
import { placeEach, type WaitingPod } from '../plan.ts';
import type { Policy } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';
import { hangsOnOthers, nodeWords, type Remedies, remediesOf, type Way, type Within } from './remedies.ts';

/** So many domains at most are tried. */
const domainsMax = 64;

/** Undefined: each of its pods goes by itself now. */
export function gangRemediesOf(snapshot: Snapshot, gang: Gang, policy: Policy): Remedies | undefined {
  const { rule } = gang;
  if (rule === undefined) return onlyThat(unknownNote(gang));
  const already = placedOf(gang, snapshot, () => false);
  const needs = rule.wasScheduled && already > 0 ? 0 : rule.minCount - already;
  if (needs <= 0) return undefined;
  const waiting = waitingOf(snapshot, gang);
  if (waiting.length < needs) return onlyThat(missingNote(gang, needs - waiting.length));
  const tried = placesOf(snapshot, gang).map((within) => ({
    within,
    fit: trying(snapshot, waiting, within, policy, (bound) => bound.size),
  }));
  const best = tried.reduce((most, one) => (one.fit > most.fit ? one : most));
  // It is about to be planned.
  if (best.fit >= needs) return { ways: [], nearest: [] };
  return trying(snapshot, waiting, best.within, policy, (bound) => {
    const left = waiting.filter(({ key }) => !bound.has(key));
    const next = left[0] as WaitingPod;
    const whole = wholeWays(snapshot, left, needs - bound.size, best.within);
    const gangs = {
      label: gang.label,
      needs: rule.minCount,
      fit: already + bound.size,
      next: next.key,
      whole,
    };
    const { ways, nearest } = remediesOf(snapshot, next.pod, best.within);
    // None of them goes for another.
    const isOurs = ({ kind, text }: Way): boolean =>
      kind === 'priority' || [...bound].some((key) => text.includes(key));
    return { ways: ways.filter((way) => !isOurs(way)), nearest, gang: gangs };
  });
}

const onlyThat = (text: string): Remedies => ({ ways: [{ kind: 'gang', text, nodes: [] }], nearest: [] });

function waitingOf(snapshot: Snapshot, { members }: Gang): readonly WaitingPod[] {
  return Array.from(members, ([key, pod]) => ({ key, pod })).filter(
    ({ key, pod }) => snapshot.placed(key) === undefined && pod.status?.phase !== 'Succeeded',
  );
}

/** Where it may be as a whole; undefined: anywhere. */
function placesOf(snapshot: Snapshot, gang: Gang): readonly (Within | undefined)[] {
  const key = gang.rule?.topologyKey;
  if (key === undefined) return [undefined];
  const domains = domainsOf(snapshot, gang, key, () => false).toReversed();
  if (domains.length === 0) return [{ rows: new Set(), label: key }];
  return domains.slice(0, domainsMax).map(({ rows, value }) => ({ rows, label: `${key}=${value}` }));
}

/** What is there to be said while those that fit have their places. */
function trying<T>(
  snapshot: Snapshot,
  waiting: readonly WaitingPod[],
  within: Within | undefined,
  policy: Policy,
  say: (bound: ReadonlySet<string>) => T,
): T {
  const nominations = waiting.flatMap(({ key }) => {
    const nomination = snapshot.nominations.get(key);
    return nomination === undefined ? [] : [[key, nomination] as const];
  });
  const steps = placeEach(snapshot, waiting, policy, within?.rows);
  const bound = new Set(steps.flatMap(({ kind, podKey }) => (kind === 'bind' ? [podKey] : [])));
  try {
    return say(bound);
  } finally {
    for (const key of bound) takeBack(snapshot, key);
    for (const [key, nomination] of nominations) snapshot.nominations.set(key, nomination);
  }
}

/** Of pods that all ask the same. */
function wholeWays(
  snapshot: Snapshot,
  left: readonly WaitingPod[],
  lacking: number,
  within: Within | undefined,
): readonly Way[] {
  const demands = left.map(({ pod }) => demandIn(snapshot, pod));
  const [one] = demands;
  if (one === undefined || lacking < 2) return [];
  const isAlike = demands.every(({ key }) => key === one.key);
  const isApart =
    one.hostPorts.length > 0 ||
    one.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;
  // What an affinity wants of nodes is said of the next one.
  const isChoosy = one.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;
  if (!isAlike || isApart || isChoosy || one.gpus !== undefined || hangsOnOthers(one)) return [];
  const labels = within === undefined ? [] : [within.label];
  const text = `${lacking} more nodes${nodeWords(one, 1, labels)}, or one${nodeWords(one, lacking, labels)}`;
  return [{ kind: 'node', text, nodes: [] }];
}
