/**
 * The end of a namespace: its pods are deleted, then everything else in it, and when nothing is left, the namespace is finalized. Pure.
 * Pods come first, so that none runs on without the policies and secrets around it (KEP-5080).
 *
 *   all that is in it ──▶ deleted ──▶ looked at again at once ──▶ what is left then is held, and is told of ──▶ looked at again, ever more seldom
 *
 * Invariant: finalized only on a picture taken from the API itself after creation in the namespace was forbidden, and only when that picture is whole.
 */
import type { KubeObject, Namespace, NamespaceCondition, Pod } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { isFinished } from '../pod-state.ts';
import { namespacesRef, type Resource } from '../resources.ts';
import { deletion, type Failure, type Step, statusSteps, type Write } from '../step.ts';

export interface Observed {
  readonly namespace: Namespace;
  /** What is in it, by resource; of very many a part. */
  readonly contents: readonly Content[];
  /** Groups of the API, as `group/version`, that other servers serve and that do not answer: nobody knows what they have. */
  readonly unknown: readonly string[];
}

export interface Content {
  readonly resource: Resource;
  readonly objects: readonly KubeObject[];
}

/** How soon to look again: where something was deleted, and where things are ending by themselves. */
const atOnceMs = 10;
const soonestMs = 1000;
const latestMs = 15_000;

const isPods = ({ resource }: Content): boolean => resource.group === '' && resource.resource === 'pods';

/** What is to go now. */
function turn(contents: readonly Content[]): readonly Content[] {
  const pods = contents.filter((content) => isPods(content) && content.objects.length > 0);
  return pods.length > 0 ? pods : contents;
}

export function plan(
  { namespace, contents, unknown }: Observed,
  { nowMs }: { readonly nowMs: number },
): readonly Step[] {
  const { deletionTimestamp } = namespace.metadata;
  if (deletionTimestamp === undefined) return [];
  const writes: Write[] = [];
  for (const { resource, objects } of turn(contents))
    for (const object of objects)
      if (object.metadata.deletionTimestamp === undefined)
        writes.push(
          deletion(resource, object, {
            options: { propagationPolicy: 'Background' },
            accept: ['notFound', 'conflict', 'methodNotAllowed'],
          }),
        );
  if (writes.length > 0)
    return [
      { kind: 'together', writes },
      { kind: 'again', afterMs: atOnceMs },
    ];
  if (contents.some(({ objects }) => objects.length > 0) || unknown.length > 0) {
    const ageMs = nowMs - Date.parse(deletionTimestamp);
    return [{ kind: 'again', afterMs: Math.min(latestMs, Math.max(soonestMs, ageMs / 10)) }];
  }
  const finalizers = namespace.spec?.finalizers ?? [];
  if (!finalizers.includes('kubernetes')) return [];
  const { resourceVersion: _, ...metadata } = namespace.metadata;
  const object: Namespace = {
    ...namespace,
    metadata,
    spec: { ...namespace.spec, finalizers: finalizers.filter((name) => name !== 'kubernetes') },
  };
  return [{ kind: 'update', ref: namespacesRef, object, subresource: 'finalize', accept: ['notFound'] }];
}

/** It does not go as soon as it is deleted. */
function stays(content: Content, object: KubeObject): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp !== undefined || finalizers.length > 0) return true;
  return isPods(content) && Boolean((object as Pod).spec?.nodeName) && !isFinished(object as Pod);
}

export function conclude(
  { namespace, contents, unknown }: Observed,
  { nowMs }: { readonly nowMs: number },
  failure: Failure | undefined,
): readonly Step[] {
  if (namespace.metadata.deletionTimestamp === undefined) return [];
  const held = turn(contents)
    .map((content) => ({
      resource: content.resource,
      objects: content.objects.filter((object) => stays(content, object)),
    }))
    .filter(({ objects }) => objects.length > 0);
  const isEmpty = contents.every(({ objects }) => objects.length === 0);
  const isCalm = failure === undefined && unknown.length === 0 && held.length === 0;
  // All of it goes at once, or it has just been finalized: in a moment there is another picture, or no namespace.
  if (isCalm && (!isEmpty || !heldByOthers(namespace))) return [];
  return statusSteps(namespacesRef, namespace, {
    ...namespace.status,
    phase: 'Terminating',
    conditions: withConditions(
      namespace.status?.conditions ?? [],
      conditionsOf(held, unknown, failure),
      formatTime(nowMs),
    ),
  });
}

const heldByOthers = ({ spec, metadata }: Namespace): boolean =>
  (spec?.finalizers ?? []).some((name) => name !== 'kubernetes') || (metadata.finalizers ?? []).length > 0;

interface Verdict {
  readonly type: string;
  readonly isTrue: boolean;
  readonly reason: string;
  readonly message: string;
}

/** Worded as Kubernetes words them. */
function conditionsOf(
  held: readonly Content[],
  unknown: readonly string[],
  failure: Failure | undefined,
): readonly Verdict[] {
  const say = (type: string, isTrue: boolean, reason: string, message: string): Verdict => ({
    type,
    isTrue,
    reason,
    message,
  });
  const finalizers = new Map<string, number>();
  for (const { objects } of held)
    for (const { metadata } of objects)
      for (const finalizer of metadata.finalizers ?? [])
        finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  const what = held.map(
    ({ resource, objects }) =>
      `${resource.resource}.${resource.group} has ${objects.length} resource instances`,
  );
  const holding = [...finalizers].sort().map(([name, count]) => `${name} in ${count} resource instances`);
  const stale = unknown.map((version) => `${version}: stale GroupVersion discovery: ${version}`);
  return [
    stale.length === 0
      ? say(
          'NamespaceDeletionDiscoveryFailure',
          false,
          'ResourcesDiscovered',
          'All resources successfully discovered',
        )
      : say(
          'NamespaceDeletionDiscoveryFailure',
          true,
          'DiscoveryFailed',
          `Discovery failed for some groups, ${stale.length} failing: unable to retrieve the complete list of server APIs: ${stale.join(', ')}`,
        ),
    say(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ),
    failure === undefined
      ? say(
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        )
      : say(
          'NamespaceDeletionContentFailure',
          true,
          'ContentDeletionFailed',
          `Failed to delete all resource types, 1 remaining: ${failure.message}`,
        ),
    what.length === 0
      ? say('NamespaceContentRemaining', false, 'ContentRemoved', 'All content successfully removed')
      : say(
          'NamespaceContentRemaining',
          true,
          'SomeResourcesRemain',
          `Some resources are remaining: ${what.join(', ')}`,
        ),
    holding.length === 0
      ? say(
          'NamespaceFinalizersRemaining',
          false,
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        )
      : say(
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${holding.join(', ')}`,
        ),
  ];
}

/** Conditions of others stay as they are. */
function withConditions(
  present: readonly NamespaceCondition[],
  verdicts: readonly Verdict[],
  now: string,
): readonly NamespaceCondition[] {
  const ours = verdicts.map(({ type, isTrue, reason, message }): NamespaceCondition => {
    const status = isTrue ? 'True' : 'False';
    const before = present.find((condition) => condition.type === type);
    const lastTransitionTime = (before?.status === status ? before.lastTransitionTime : undefined) ?? now;
    return { type, status, lastTransitionTime, reason, message };
  });
  const others = present.filter(({ type }) => !verdicts.some((verdict) => verdict.type === type));
  return [...others, ...ours];
}
