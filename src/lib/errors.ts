/**
 * The one error class of the house. Operating errors are values of it; programmer errors are assertions.
 *
 * Codes are transport-free; `apiserver/` alone maps them to HTTP and Status objects, `cli/` to exit codes.
 * Message grammar: `Cannot bind pod "web-1" to node "b": 200m cpu free, 500m asked`. Errors that Kubernetes clients match on
 * are worded as Kubernetes words them (see `api/errors.ts`). The cause is chained, never pasted into the message.
 */

export type ErrorCode =
  | 'badRequest' // the request itself makes no sense (400)
  | 'unauthorized' // who are you (401)
  | 'forbidden' // you may not (403)
  | 'notFound' // (404)
  | 'methodNotAllowed' // (405)
  | 'notAcceptable' // (406)
  | 'alreadyExists' // (409)
  | 'conflict' // the object changed meanwhile (409)
  | 'expired' // that revision is compacted (410)
  | 'tooLarge' // (413)
  | 'unsupportedMediaType' // (415)
  | 'invalid' // the object breaks a rule of its kind; `causes` says which (422)
  | 'tooManyRequests' // (429)
  | 'internal' // our own fault (500)
  | 'storageFull' // the disk under the store is full; nothing was written (507)
  | 'unavailable' // try again (503)
  | 'timeout' // (504)
  | 'corrupt' // stored data is damaged
  | 'usage'; // wrong command line; exit code 2

/** One thing wrong with one field, as in Status.details.causes. `reason` is Kubernetes' cause type, e.g. FieldValueRequired. */
export interface ErrorCause {
  readonly reason: string;
  readonly message: string;
  readonly field: string;
}

export interface ErrorDetails {
  readonly group?: string;
  /** Resource (plural) or kind, as Kubernetes puts it into `status.details.kind`. */
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly causes?: readonly ErrorCause[];
  readonly retryAfterSeconds?: number;
  /** A token with which a list that is too old can be continued, as things are now. */
  readonly continue?: string;
  /** What somebody else answered in our place (a webhook's refusal): passed on with its own number and reason. */
  readonly said?: { readonly code: number; readonly reason?: string; readonly details?: unknown };
}

export class CaelumError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: ErrorDetails } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CaelumError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** True when `error` is ours and has one of `codes` (any code when none is given). */
export function isError(error: unknown, ...codes: readonly ErrorCode[]): error is CaelumError {
  return error instanceof CaelumError && (codes.length === 0 || codes.includes(error.code));
}

/** The message of anything thrown, with its chain of causes: `a: b: c`. For logs and for people, never for clients of the API. */
export function explainError(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && at !== null && parts.length < 8; ) {
    if (at instanceof Error) {
      parts.push(at.message);
      at = at.cause;
    } else {
      parts.push(String(at));
      break;
    }
  }
  return parts.join(': ');
}

/** Programmer errors crash. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}

/** For the `default` of a switch over a union: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new Error(`assertion failed: unexpected ${JSON.stringify(value)}`);
}
