/**
 * What is kept of one request, stage by stage, as lines of JSON. Pure: time comes with each call, lines go to a sink.
 *
 *   received ─▶ (body read) ─▶ (answer begun: what lasts) ─▶ complete        each stage a line, unless the policy leaves it out
 *
 * Source: audit.k8s.io/v1 Event.
 */
import { formatMicroTime } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import { type Body, parseBody } from '../decode.ts';
import type { Identity } from '../identity.ts';
import type { Stage, Verdict } from './policy.ts';

export interface AuditSink {
  /** True once the line is with the kernel. Never throws. */
  write(line: string): boolean;
}

export interface AuditRequest {
  readonly id: string;
  readonly uri: string;
  readonly asked: Attributes;
  /** Who connected. */
  readonly caller: Identity | undefined;
  /** For whom they act: somebody else where they impersonate. */
  readonly identity: Identity | undefined;
  readonly sourceIps: readonly string[];
  readonly userAgent: string | undefined;
  readonly receivedMs: number;
}

export interface AuditAnswer {
  readonly code: number;
  readonly contentType: string;
  /** undefined: streamed. */
  readonly bytes: Buffer | string | undefined;
}

export class AuditTrail {
  readonly verdict: Verdict;
  readonly #request: AuditRequest;
  readonly #sink: AuditSink;
  #annotations: Record<string, string> | undefined;
  #body: Body | undefined;
  #isComplete = false;

  constructor(verdict: Verdict, request: AuditRequest, sink: AuditSink) {
    this.verdict = verdict;
    this.#request = request;
    this.#sink = sink;
  }

  /** What somebody on the way says about it. The first word on a key counts. */
  annotate(key: string, value: string): void {
    this.#annotations ??= {};
    this.#annotations[key] ??= value;
  }

  /** The request's body, as it came. */
  body(body: Body): void {
    if (this.verdict.level !== 'Metadata') this.#body = body;
  }

  /** False: the line could not be written. */
  received(): boolean {
    return this.#write('RequestReceived', this.#request.receivedMs, undefined);
  }

  started(nowMs: number, answer: AuditAnswer): boolean {
    return this.#write('ResponseStarted', nowMs, answer);
  }

  /** Once. */
  complete(nowMs: number, answer: AuditAnswer): boolean {
    if (this.#isComplete) return true;
    this.#isComplete = true;
    return this.#write('ResponseComplete', nowMs, answer);
  }

  #write(stage: Stage, nowMs: number, answer: AuditAnswer | undefined): boolean {
    const { verdict } = this;
    if (verdict.omitStages.has(stage)) return true;
    const { id, uri, asked, caller, identity, sourceIps, userAgent, receivedMs } = this.#request;
    const isBodied = stage === 'ResponseComplete' && verdict.level !== 'Metadata';
    const answered = answer === undefined ? undefined : parsed(answer);
    const line = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: verdict.level,
      auditID: id,
      stage,
      requestURI: uri,
      verb: asked.verb,
      user: userOf(caller ?? identity),
      ...(caller === identity || caller === undefined ? {} : { impersonatedUser: userOf(identity) }),
      sourceIPs: sourceIps,
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(asked.kind === 'resource' ? { objectRef: objectRef(asked, answered) } : {}),
      ...(answer === undefined ? {} : { responseStatus: statusOf(answer.code, answered) }),
      ...(isBodied && this.#body !== undefined ? { requestObject: this.#requestObject(this.#body) } : {}),
      ...(isBodied && verdict.level === 'RequestResponse' && answered !== undefined
        ? { responseObject: this.#shown(answered) }
        : {}),
      requestReceivedTimestamp: formatMicroTime(receivedMs),
      stageTimestamp: formatMicroTime(nowMs),
      ...(this.#annotations === undefined ? {} : { annotations: this.#annotations }),
    };
    return this.#sink.write(`${JSON.stringify(line)}\n`);
  }

  #requestObject(body: Body): unknown {
    if (body.bytes.length === 0) return undefined;
    try {
      return this.#shown(parseBody(body));
    } catch {
      // It was refused for what it is; what cannot be read is not kept.
      return undefined;
    }
  }

  /** Without managed fields where the policy leaves them out. A patch is shown as it is. */
  #shown(value: unknown): unknown {
    if (!this.verdict.omitManagedFields || typeof value !== 'object' || value === null) return value;
    const { items } = value as { items?: unknown };
    const bare = withoutManagedFields(value);
    return Array.isArray(items) ? { ...bare, items: items.map(withoutManagedFields) } : bare;
  }
}

function withoutManagedFields(value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as object;
  const { metadata } = value as { metadata?: unknown };
  if (typeof metadata !== 'object' || metadata === null || !('managedFields' in metadata)) return value;
  const { managedFields: _left, ...rest } = metadata as Record<string, unknown>;
  return { ...value, metadata: rest };
}

type Parsed = Readonly<Record<string, unknown>> | undefined;

function parsed({ bytes, contentType }: AuditAnswer): Parsed {
  if (bytes === undefined || bytes.length === 0) return undefined;
  const mediaType = (contentType.split(';', 1)[0] ?? '').trim();
  if (!/json|protobuf/.test(mediaType)) return undefined;
  try {
    const value = parseBody({
      bytes: typeof bytes === 'string' ? Buffer.from(bytes) : bytes,
      mediaType: mediaType.includes('json') ? 'application/json' : mediaType,
    });
    return typeof value === 'object' && value !== null ? (value as Parsed) : undefined;
  } catch {
    return undefined;
  }
}

function statusOf(code: number, answered: Parsed): object {
  if (answered?.['kind'] !== 'Status') return { metadata: {}, code };
  const { status, message, reason, details } = answered;
  return {
    metadata: {},
    ...(status === undefined ? {} : { status }),
    ...(message === undefined ? {} : { message }),
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

function objectRef(asked: Extract<Attributes, { kind: 'resource' }>, answered: Parsed): object {
  const made =
    asked.verb === 'create' && answered?.['kind'] !== 'Status' ? answered?.['metadata'] : undefined;
  const { name = '', uid } = (made ?? {}) as { name?: string; uid?: string };
  return {
    resource: asked.resource,
    ...(asked.namespace === '' ? {} : { namespace: asked.namespace }),
    ...(asked.name === '' && name === '' ? {} : { name: asked.name === '' ? name : asked.name }),
    ...(uid === undefined ? {} : { uid }),
    ...(asked.group === '' ? {} : { apiGroup: asked.group }),
    ...(asked.version === undefined ? {} : { apiVersion: asked.version }),
    ...(asked.subresource === '' ? {} : { subresource: asked.subresource }),
  };
}

function userOf(identity: Identity | undefined): object {
  if (identity === undefined) return {};
  const { user, uid, groups, extra } = identity;
  return {
    username: user,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}
