/**
 * Errors as Status objects: the one place where codes meet HTTP. Pure.
 * Source: k8s.io/apimachinery/pkg/api/errors, meta/v1 StatusReason.
 */
import { type CaelumError, type ErrorCode, isError } from '../lib/index.ts';

const byCode: Readonly<Record<ErrorCode, readonly [http: number, reason: string]>> = {
  badRequest: [400, 'BadRequest'],
  unauthorized: [401, 'Unauthorized'],
  forbidden: [403, 'Forbidden'],
  notFound: [404, 'NotFound'],
  methodNotAllowed: [405, 'MethodNotAllowed'],
  notAcceptable: [406, 'NotAcceptable'],
  alreadyExists: [409, 'AlreadyExists'],
  conflict: [409, 'Conflict'],
  expired: [410, 'Expired'],
  tooLarge: [413, 'RequestEntityTooLarge'],
  unsupportedMediaType: [415, 'UnsupportedMediaType'],
  invalid: [422, 'Invalid'],
  tooManyRequests: [429, 'TooManyRequests'],
  internal: [500, 'InternalError'],
  unavailable: [503, 'ServiceUnavailable'],
  timeout: [504, 'Timeout'],
  storageFull: [507, 'InsufficientStorage'],
  corrupt: [500, 'InternalError'],
  usage: [400, 'BadRequest'],
};

export interface StatusObject {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: unknown;
  readonly code?: number;
}

/** The HTTP status of an error; what is not ours is our fault (500). */
export function httpStatusOf(error: unknown): number {
  return isError(error) ? (error.details.said?.code ?? byCode[error.code][0]) : 500;
}

export function statusOf(error: unknown): StatusObject {
  if (!isError(error)) {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      // What went wrong inside is for the log.
      message: 'Internal error occurred: the request failed for a reason inside the server; see its log',
      reason: 'InternalError',
      code: 500,
    };
  }
  const { said } = error.details;
  if (said !== undefined)
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: error.message,
      ...(said.reason === undefined || said.reason === '' ? {} : { reason: said.reason }),
      ...(said.details === undefined ? {} : { details: said.details }),
      code: said.code,
    };
  const [code, reason] = byCode[error.code];
  const details = detailsOf(error);
  const { continue: token } = error.details;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: token === undefined ? {} : { continue: token },
    status: 'Failure',
    message: error.message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  };
}

function detailsOf(error: CaelumError): unknown {
  const { group, kind, name, uid, causes, retryAfterSeconds } = error.details;
  const details = {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(group === undefined || group === '' ? {} : { group }),
    ...(kind === undefined ? {} : { kind }),
    ...(uid === undefined ? {} : { uid }),
    ...(causes === undefined || causes.length === 0
      ? {}
      : { causes: causes.map(({ field, ...cause }) => (field === '' ? cause : { ...cause, field })) }),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
  return Object.keys(details).length === 0 ? undefined : details;
}

/** The answer to a delete that is complete. */
export function deletedStatus(
  of: { readonly group: string; readonly resource: string },
  name: string,
  uid: string | undefined,
): StatusObject {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: {
      name,
      ...(of.group === '' ? {} : { group: of.group }),
      kind: of.resource,
      ...(uid === undefined ? {} : { uid }),
    },
  };
}
