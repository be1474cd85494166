/** What an operation answers: a stored object, one that is not stored (a dry run, a review), or a Status. */
import type { KubeObject } from '../../api/index.ts';
import type { Stored } from '../../store/index.ts';
import type { Resource } from '../resource.ts';
import type { StatusObject } from '../status.ts';

export type Answer =
  | {
      readonly kind: 'stored';
      readonly resource: Resource;
      readonly stored: Stored;
      readonly created: boolean;
    }
  | { readonly kind: 'object'; readonly object: KubeObject; readonly created: boolean }
  | { readonly kind: 'status'; readonly status: StatusObject };

export function objectOf(answer: Answer): unknown {
  switch (answer.kind) {
    case 'stored':
      return answer.resource.objectOf(answer.stored);
    case 'object':
      return answer.object;
    default:
      return answer.status;
  }
}

export function bytesOf(answer: Answer): Buffer {
  return answer.kind === 'stored'
    ? answer.resource.bytesOf(answer.stored)
    : Buffer.from(JSON.stringify(objectOf(answer)));
}
