/** What is asked of an object through a subresource that is no part of it: admission sees what was sent there (Binding, Eviction, TokenRequest). */
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';

export interface At {
  readonly resource: Resource;
  readonly request: WriteRequest;
  readonly name: string;
  readonly subresource: string;
  /** Default: CREATE. */
  readonly operation?: 'CREATE' | 'CONNECT';
}

/** `work` gets `sent` as admission leaves it. */
export async function admitAt<T>(
  context: ApiContext,
  { resource, request, name, subresource, operation = 'CREATE' }: At,
  sent: DraftObject,
  work: (admitted: DraftObject) => T | Promise<T>,
): Promise<T> {
  const passage = context.admission.begin(request, {
    operation,
    resource,
    subresource,
    name,
    object: sent,
    oldObject: undefined,
  });
  if (passage === undefined) return work(sent);
  let isDone = false;
  try {
    const mutating = passage.mutate();
    if (mutating !== undefined) await mutating;
    const admitted = passage.object ?? sent;
    const validating = passage.validate(admitted);
    if (validating !== undefined) await validating;
    const answer = await work(admitted);
    isDone = !request.dryRun;
    return answer;
  } finally {
    passage.settle(isDone);
  }
}
