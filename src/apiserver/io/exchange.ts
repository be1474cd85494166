/** One request that names a resource, and what it says of itself: in which form it wants its answer, who makes the change and how strictly it is read. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequest, type IncludeObject, invalid } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { FieldValidation } from '../decode.ts';
import type { Identity } from '../identity.ts';
import { negotiate } from '../media.ts';
import type { Query, ResourceRoute } from '../router.ts';
import type { Aggregator } from './aggregator.ts';
import { addWarning, type Wanted } from './answers.ts';
import { auditOf } from './audited.ts';
import type { Authenticator } from './authenticator.ts';
import { isForPeople } from './for-people.ts';

export interface Exchange {
  readonly context: ApiContext;
  readonly route: ResourceRoute;
  readonly query: Query;
  readonly identity: Identity;
  readonly http: IncomingMessage;
  readonly response: ServerResponse;
  readonly identifyToken: Authenticator['identifyToken'];
  /** Who serves what we do not. */
  readonly others?: Aggregator | undefined;
}

const fieldManagerLengthMax = 128;

export const notAllowed = (): CaelumError =>
  new CaelumError('methodNotAllowed', 'the server does not allow this method on the requested resource');
export const noSuchPath = (): CaelumError =>
  new CaelumError('notFound', 'the server could not find the requested resource');

export function includeObjectOf(query: Query): IncludeObject {
  const text = query.text('includeObject') ?? 'Metadata';
  if (text !== 'Metadata' && text !== 'Object' && text !== 'None')
    throw badRequest(
      `includeObject: Unsupported value: ${JSON.stringify(text)}: supported values: "Metadata", "None", "Object"`,
    );
  return text;
}

export function wantedOf({ context, query, http }: Exchange): Wanted {
  return {
    form: negotiate(http.headers.accept),
    nowMs: context.clock.nowMs(),
    includeObject: includeObjectOf(query),
    pretty: isForPeople(http),
  };
}

export function writeRequest({ identity, route, query, http, response }: Exchange): WriteRequest {
  const dryRun = query.all('dryRun');
  checkDryRun(http.method, dryRun);
  if ((query.text('fieldManager')?.length ?? 0) > fieldManagerLengthMax)
    throw badOption(http.method, 'fieldManager', {
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${fieldManagerLengthMax} bytes`,
    });
  return {
    identity,
    namespace: route.namespace,
    dryRun: dryRun.length > 0,
    fieldValidation: validationOf(query, http.method),
    manager: managerOf(identity, query.text('fieldManager'), http.headers['user-agent']),
    fieldManager: query.text('fieldManager'),
    warn: warner(response),
    ...annotator(auditOf(http)),
  };
}

function annotator(audit: AuditTrail | undefined): Pick<WriteRequest, 'annotate'> {
  return audit === undefined ? {} : { annotate: (key, value) => audit.annotate(key, value) };
}

/** Of all warnings of one answer: headers are limited. */
const warningsLengthMax = 4096;
/** Of those that would be too many. */
const cutWarningLength = 256;

/** Each warning is said once; what would be too long is cut, and left out where that is too long still. */
function warner(response: ServerResponse): (text: string) => void {
  let said: Set<string> | undefined;
  let length = 0;
  return (text) => {
    said ??= new Set();
    if (text === '' || said.has(text)) return;
    said.add(text);
    const shown = length + text.length <= warningsLengthMax ? text : text.slice(0, cutWarningLength);
    if (length + shown.length > warningsLengthMax) return;
    length += shown.length;
    addWarning(response, shown);
  };
}

/** Who owns what this request writes: as it says, or its program's name. Our own agents own nothing of their own accord. */
function managerOf(
  identity: Identity,
  said: string | undefined,
  agent: string | undefined,
): string | undefined {
  if (said !== undefined && said !== '') return said;
  if (identity.groups.includes('system:nodes')) return undefined;
  const program = (agent ?? '').split('/', 1)[0]?.slice(0, fieldManagerLengthMax) ?? '';
  return program === '' ? 'unknown' : program;
}

export function validationOf(query: Query, method?: string): FieldValidation {
  const text = query.text('fieldValidation') ?? 'Warn';
  if (text !== 'Strict' && text !== 'Warn' && text !== 'Ignore')
    throw badOption(method, 'fieldValidation', {
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(text)}: supported values: "Ignore", "Strict", "Warn"`,
    });
  return text;
}

const optionKinds: Readonly<Record<string, string>> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
};

/** A parameter that is not as it may be: 422, of the options of this verb. */
export function badOption(
  method: string | undefined,
  field: string,
  cause: { readonly reason: string; readonly message: string },
): CaelumError {
  const kind = optionKinds[method ?? ''] ?? 'CreateOptions';
  return invalid({ group: 'meta.k8s.io', kind }, '', [{ ...cause, field }]);
}

export function checkDryRun(method: string | undefined, dryRun: readonly unknown[]): void {
  if (dryRun.some((one) => one !== 'All'))
    throw badOption(method, 'dryRun', {
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`,
    });
}
