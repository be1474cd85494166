/**
 * Errors as they come over the wire: Status objects, or plain HTTP answers, made CaelumErrors again. Pure.
 * Source of the reasons: k8s.io/apimachinery/pkg/apis/meta/v1 StatusReason.
 */
import { CaelumError, type ErrorCause, type ErrorCode, type ErrorDetails } from '../lib/index.ts';

const byReason: Readonly<Record<string, ErrorCode>> = {
  BadRequest: 'badRequest',
  Unauthorized: 'unauthorized',
  Forbidden: 'forbidden',
  NotFound: 'notFound',
  MethodNotAllowed: 'methodNotAllowed',
  NotAcceptable: 'notAcceptable',
  AlreadyExists: 'alreadyExists',
  Conflict: 'conflict',
  Expired: 'expired',
  Gone: 'expired',
  RequestEntityTooLarge: 'tooLarge',
  UnsupportedMediaType: 'unsupportedMediaType',
  Invalid: 'invalid',
  TooManyRequests: 'tooManyRequests',
  InternalError: 'internal',
  InsufficientStorage: 'storageFull',
  ServiceUnavailable: 'unavailable',
  ServerTimeout: 'timeout',
  Timeout: 'timeout',
};

const byHttp: Readonly<Record<number, ErrorCode>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  405: 'methodNotAllowed',
  406: 'notAcceptable',
  409: 'conflict',
  410: 'expired',
  413: 'tooLarge',
  415: 'unsupportedMediaType',
  422: 'invalid',
  429: 'tooManyRequests',
  500: 'internal',
  502: 'unavailable',
  503: 'unavailable',
  504: 'timeout',
  507: 'storageFull',
};

interface WireStatus {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly Partial<ErrorCause>[];
    readonly retryAfterSeconds?: number;
  };
}

/** From a parsed body, which may be anything, and the HTTP status (0: none, as within a watch). */
export function errorOfStatus(body: unknown, httpStatus: number): CaelumError {
  const status = typeof body === 'object' && body !== null ? (body as WireStatus) : {};
  const httpCode = httpStatus === 0 ? (status.code ?? 500) : httpStatus;
  const code =
    byReason[status.reason ?? ''] ?? byHttp[httpCode] ?? (httpCode < 500 ? 'badRequest' : 'internal');
  const text = typeof body === 'string' ? body.trim().slice(0, 500) : '';
  const message = status.message || text || `the server answered ${httpCode}`;
  return new CaelumError(code, message, { details: detailsOf(status) });
}

function detailsOf({ details = {} }: WireStatus): ErrorDetails {
  const { causes, ...rest } = details;
  if (causes === undefined) return rest;
  const complete = causes.map(({ reason = '', message = '', field = '' }) => ({ reason, message, field }));
  return { ...rest, causes: complete };
}
