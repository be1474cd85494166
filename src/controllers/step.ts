/**
 * What a controller's plan consists of: writes, events, and when to look again. Data only; `shell.ts` carries it out.
 */
import type { KubeObject } from '../api/index.ts';
import type { DeleteOptions, EventDraft, PatchType, ResourceRef } from '../client/index.ts';
import { type ErrorCode, sameJson } from '../lib/index.ts';

interface Outcome {
  /** Recorded when done; `{name}` in its message becomes the object's name. */
  readonly done?: EventDraft;
  /** Recorded when it fails; `{name}` and `{error}` are filled in. */
  readonly failed?: EventDraft;
  /** Errors that are tried again without an event. */
  readonly untold?: readonly ErrorCode[];
  /** Errors that mean there is nothing to do any more. */
  readonly accept?: readonly ErrorCode[];
}

export interface Adopter {
  readonly ref: ResourceRef;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
}

export type Write =
  /** Without a name but with a generateName, the name is made up. */
  | (Outcome & {
      readonly kind: 'create';
      readonly ref: ResourceRef;
      readonly object: KubeObject;
      /** Asked for at the API first, once for what is made together: nothing is made for an owner that is going or gone. */
      readonly adopter?: Adopter;
    })
  /** The object carries the resourceVersion that it is based on. */
  | (Outcome & {
      readonly kind: 'update';
      readonly ref: ResourceRef;
      readonly object: KubeObject;
      readonly subresource?: string;
    })
  | (Outcome & {
      readonly kind: 'patch';
      readonly ref: ResourceRef;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly type: PatchType;
      readonly patch: unknown;
      readonly subresource?: string;
      /** Asked for at the API first: an owner that is going or gone adopts nothing, whatever the copy says. */
      readonly adopter?: Adopter;
    })
  /** To a subresource that takes an object of its own (`eviction`). What comes of it is not waited for. */
  | (Outcome & {
      readonly kind: 'post';
      readonly ref: ResourceRef;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly subresource: string;
      readonly object: KubeObject;
    })
  /** Of this very object: `uid` is a precondition. Gone already is done. */
  | (Outcome & {
      readonly kind: 'delete';
      readonly ref: ResourceRef;
      readonly namespace: string | undefined;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion?: string;
      readonly options?: Omit<DeleteOptions, 'preconditions'>;
    });

export type Step =
  | Write
  /** In no order; `slowStart`: 1, then 2, then 4, … at a time while all goes well, so that a doomed batch fails once, not a thousand times. */
  | { readonly kind: 'together'; readonly writes: readonly Write[]; readonly slowStart?: boolean }
  | { readonly kind: 'event'; readonly event: EventDraft }
  | { readonly kind: 'again'; readonly afterMs: number };

/** The first write that failed, for plans that tell of it in a status. */
export interface Failure {
  readonly write: Write['kind'];
  readonly message: string;
  /** The copy was a moment old: nothing was written. */
  readonly isConflict?: boolean;
}

/** What a plan may know beside what was observed. */
export interface PlanContext {
  readonly nowMs: number;
}

/** Deletes just this object. */
export function deletion(
  ref: ResourceRef,
  object: KubeObject,
  more: Outcome & { readonly options?: Omit<DeleteOptions, 'preconditions'> } = {},
): Write {
  const { namespace, name = '', uid = '' } = object.metadata;
  return { kind: 'delete', ref, namespace, name, uid, ...more };
}

/**
 * Writes an object's status, or nothing where it is as wanted. A patch: a change of the spec meanwhile is no conflict, since the
 * status says which generation it speaks of.
 */
export function statusSteps(
  ref: ResourceRef,
  object: KubeObject & { readonly status?: object },
  wanted: object,
): readonly Write[] {
  const present = (object.status ?? {}) as Readonly<Record<string, unknown>>;
  const next = wanted as Readonly<Record<string, unknown>>;
  const changes: Record<string, unknown> = {};
  for (const name of Object.keys(next))
    if (!sameJson(present[name], next[name])) changes[name] = next[name] ?? null;
  for (const name of Object.keys(present))
    if (!(name in next) && present[name] !== undefined) changes[name] = null;
  if (Object.keys(changes).length === 0) return [];
  const { namespace, name = '', uid } = object.metadata;
  const patch = { metadata: { uid }, status: changes };
  return [
    {
      kind: 'patch',
      ref,
      namespace,
      name,
      type: 'merge',
      patch,
      subresource: 'status',
      accept: ['notFound'],
    },
  ];
}
