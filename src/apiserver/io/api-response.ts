/**
 * An answer of ours: bears the request's id and its flow, is counted when it ends, and is in the audit log before it is sent.
 * What comes after the answer was given in its place (a time-out) is dropped.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Cell } from '../../lib/index.ts';
import type { AuditTrail } from '../audit/trail.ts';
import type { Flow } from '../flow/flow-control.ts';
import type { Identity } from '../identity.ts';
import type { RequestMeter } from '../request-metrics.ts';

/** Clients may name a request; what they say is shown in logs. */
const idPattern = /^[\w.-]{1,64}$/;

export class ApiResponse extends ServerResponse<IncomingMessage> {
  readonly startedMs = performance.now();
  meter: RequestMeter | undefined = undefined;
  flow: Flow | undefined = undefined;
  audit: AuditTrail | undefined = undefined;
  /** Who connected, where somebody else is spoken for. */
  caller: Identity | undefined = undefined;
  /** Of a watch: counts what it sends. */
  sentEvents: Cell | undefined = undefined;
  /** A watch, a log: not counted by its duration, and audited when it begins. */
  isLong = false;
  /** Answered by the time limit: what the work says later is not for the client. */
  isGivenUp = false;
  /** The audit log takes no lines, and the policy is strict: this is answered instead. */
  onUnaudited: ((response: ApiResponse) => void) | undefined = undefined;
  /** For the end of an audited or a long request. */
  nowMs: () => number = () => 0;
  #id: string | undefined;
  #isCounted = false;
  #plain: Buffer | undefined;
  #contentType = '';
  /** What `writeHead` was given, while it waits. */
  #head: readonly unknown[] | undefined;

  get auditId(): string {
    if (this.#id === undefined) {
      const said = this.req.headers['audit-id'];
      this.#id = typeof said === 'string' && idPattern.test(said) ? said : randomUUID();
    }
    return this.#id;
  }

  /** The quickest answer: JSON that is there, to a request that is neither audited nor long. */
  sendPlain(
    bytes: Buffer,
    [schema = '', schemaUid = '', level = '', levelUid = '']: readonly string[],
  ): void {
    super.writeHead(200, [
      'Content-Type',
      'application/json',
      'Content-Length',
      String(bytes.length),
      'Cache-Control',
      'no-cache, private',
      'Audit-Id',
      this.auditId,
      schema,
      schemaUid,
      level,
      levelUid,
    ]);
    super.end(bytes);
    this.#count();
  }

  /** An answer that is audited is held back, head and all, until its line is written. */
  override writeHead(code: number, ...rest: unknown[]): this {
    if (this.isGivenUp) return this;
    const headers = rest.at(-1);
    if (Array.isArray(headers)) {
      headers.push('Audit-Id', this.auditId);
      if (this.flow !== undefined) headers.push(...this.flow.headers);
      if (headers[0] === 'Content-Type') this.#contentType = String(headers[1]);
    } else {
      this.setHeader('Audit-Id', this.auditId);
      const [schema, schemaUid = '', level = '', levelUid = ''] = this.flow?.headers ?? [];
      if (schema !== undefined) {
        this.setHeader(schema, schemaUid);
        this.setHeader(level, levelUid);
      }
    }
    if (this.audit === undefined || this.headersSent) return super.writeHead(code, ...(rest as [never]));
    this.statusCode = code;
    if (this.isLong) {
      this.audit.started(this.nowMs(), { code, contentType: '', bytes: undefined });
      return super.writeHead(code, ...(rest as [never]));
    }
    this.#head = rest;
    return this;
  }

  #sendHead(): void {
    const rest = this.#head;
    this.#head = undefined;
    if (rest !== undefined) super.writeHead(this.statusCode, ...(rest as [never]));
  }

  override write(...args: unknown[]): boolean {
    if (this.isGivenUp) return true;
    this.#sendHead();
    return super.write(...(args as [never]));
  }

  override flushHeaders(): void {
    if (this.isGivenUp) return;
    this.#sendHead();
    super.flushHeaders();
  }

  override end(...args: unknown[]): this {
    if (this.isGivenUp) return this;
    if (this.audit !== undefined && !this.#isCounted) {
      const [bytes] = args;
      const isWhole = typeof bytes === 'string' || Buffer.isBuffer(bytes);
      const isWritten = this.audit.complete(this.nowMs(), {
        code: this.statusCode,
        contentType: this.#contentType,
        bytes: isWhole && !this.isLong ? (this.#plain ?? bytes) : undefined,
      });
      this.audit = undefined;
      if (!isWritten && this.onUnaudited !== undefined && !this.headersSent) {
        this.#head = undefined;
        this.onUnaudited(this);
        return this;
      }
    }
    this.#sendHead();
    super.end(...(args as [never]));
    this.#count();
    return this;
  }

  /** What is sent compressed, for the audit log. */
  notePlain(bytes: Buffer): void {
    if (this.audit !== undefined) this.#plain = bytes;
  }

  /** The client has gone, or is gone from: nothing more is sent. */
  abandon(): void {
    if (this.#isCounted) return;
    this.audit?.complete(this.nowMs(), { code: this.statusCode, contentType: '', bytes: undefined });
    this.audit = undefined;
    this.#count();
  }

  #count(): void {
    if (this.#isCounted) return;
    this.#isCounted = true;
    this.meter?.count(this.statusCode, this.isLong ? undefined : (performance.now() - this.startedMs) / 1000);
  }
}

export function asApiResponse(response: ServerResponse): ApiResponse | undefined {
  return response instanceof ApiResponse ? response : undefined;
}
