/**
 * The end of a namespace: its pods are deleted, then everything else in it, and when nothing is left, the namespace is finalized. Pure.
 * Pods come first, so that none runs on without the policies and secrets around it (KEP-5080).
 *
 * Invariant: finalized only on a picture taken from the API itself after creation in the namespace was forbidden.
 */
import type { KubeObject, Namespace, NamespaceCondition } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { namespacesRef, type Resource } from '../resources.ts';
import { deletion, type Failure, type Step, statusSteps, type Write } from '../step.ts';

export interface Observed {
  readonly namespace: Namespace;
  /** What is in it, by resource; at most a page of each. */
  readonly contents: readonly { readonly resource: Resource; readonly objects: readonly KubeObject[] }[];
}

/** How soon to look again while things are still ending. */
const againMs = 1000;

/** What is to go now. */
function turn(contents: Observed['contents']): Observed['contents'] {
  const pods = contents.filter(
    ({ resource, objects }) => resource.group === '' && resource.resource === 'pods' && objects.length > 0,
  );
  return pods.length > 0 ? pods : contents;
}

export function plan({ namespace, contents }: Observed): readonly Step[] {
  if (namespace.metadata.deletionTimestamp === undefined) return [];
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
  if (contents.some(({ objects }) => objects.length > 0)) {
    const again: Step = { kind: 'again', afterMs: againMs };
    return writes.length === 0 ? [again] : [{ kind: 'together', writes }, again];
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

export function conclude(
  { namespace, contents }: Observed,
  { nowMs }: { readonly nowMs: number },
  failure: Failure | undefined,
): readonly Step[] {
  if (namespace.metadata.deletionTimestamp === undefined) return [];
  const remaining = turn(contents).filter(({ objects }) => objects.length > 0);
  // Nothing left: it has just been finalized.
  if (remaining.length === 0) return [];
  const held = new Map<string, number>();
  for (const { objects } of remaining)
    for (const { metadata } of objects)
      for (const finalizer of metadata.finalizers ?? []) held.set(finalizer, (held.get(finalizer) ?? 0) + 1);
  const what = remaining.map(({ resource, objects }) => {
    const name = resource.group === '' ? `${resource.resource}.` : `${resource.resource}.${resource.group}`;
    return `${name} has ${objects.length} resource instances`;
  });
  const holding = [...held].sort().map(([name, count]) => `${name} in ${count} resource instances`);
  const conditions: readonly (readonly [string, boolean, string, string])[] = [
    [
      'NamespaceDeletionDiscoveryFailure',
      false,
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    failure === undefined
      ? [
          'NamespaceDeletionContentFailure',
          false,
          'ContentDeleted',
          'All content successfully deleted, may be waiting on finalization',
        ]
      : ['NamespaceDeletionContentFailure', true, 'ContentDeletionFailed', failure.message],
    [
      'NamespaceContentRemaining',
      true,
      'SomeResourcesRemain',
      `Some resources are remaining: ${what.join(', ')}`,
    ],
    holding.length === 0
      ? [
          'NamespaceFinalizersRemaining',
          false,
          'ContentHasNoFinalizers',
          'All content-preserving finalizers finished',
        ]
      : [
          'NamespaceFinalizersRemaining',
          true,
          'SomeFinalizersRemain',
          `Some content in the namespace has finalizers remaining: ${holding.join(', ')}`,
        ],
  ];
  const present = namespace.status?.conditions ?? [];
  const wanted = conditions.map(([type, isTrue, reason, message]): NamespaceCondition => {
    const status = isTrue ? 'True' : 'False';
    const before = present.find((condition) => condition.type === type);
    const isSameStatus = before?.status === status;
    const lastTransitionTime = (isSameStatus ? before.lastTransitionTime : undefined) ?? formatTime(nowMs);
    return { type, status, lastTransitionTime, reason, message };
  });
  return statusSteps(namespacesRef, namespace, { phase: 'Terminating', conditions: wanted });
}
