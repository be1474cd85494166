/**
 * What every request passes before it is served and when it is over: the audit policy, flow control, the time limit, the counts.
 *
 *   who, what ─▶ audited? ─▶ seats (or a queue, or 429) ─▶ work, at most so long (or 504) ─▶ seats back, counted
 *
 * Owns tickets, queues and time limits of requests. A request for which there are seats waits for nothing. What our own parts ask in this process does not come here.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest } from '../../api/index.ts';
import { CaelumError, type Metrics, type Timer } from '../../lib/index.ts';
import type { Attributes } from '../access/rules.ts';
import type { AuditPolicy } from '../audit/policy.ts';
import { AuditTrail } from '../audit/trail.ts';
import type { ApiContext } from '../context.ts';
import { type Flow, FlowControl, type Ticket, type Waiting } from '../flow/flow-control.ts';
import { followFlows } from '../flow/keeper.ts';
import { seatsOfList } from '../flow/work-estimate.ts';
import type { Identity } from '../identity.ts';
import { exportFlows, RequestMetrics } from '../request-metrics.ts';
import type { Resource } from '../resource.ts';
import type { Query } from '../router.ts';
import type { ApiResponse } from './api-response.ts';
import type { AuditFile } from './audit-file.ts';
import { noteAudit } from './audited.ts';

export interface AuditOptions {
  readonly policy: AuditPolicy;
  readonly file: AuditFile;
  /** What cannot be audited is refused. */
  readonly strict: boolean;
}

export interface DeskOptions {
  readonly context: ApiContext;
  readonly metrics: Metrics;
  readonly audit?: AuditOptions;
  /** How many requests of one seat are served at once. */
  readonly seats?: number;
}

/** The longest that a request may take, and what it gets when it does not say. */
const timeMsMax = 60_000;
const sweepMs = 1000;
const mutating: ReadonlySet<string> = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

interface Limited {
  readonly untilMs: number;
  readonly expire: () => void;
}

export class Desk {
  readonly counts: RequestMetrics;
  readonly flows: FlowControl;
  readonly #context: ApiContext;
  readonly #audit: AuditOptions | undefined;
  readonly #following: { stop(): void };
  /** In order: nearly all have the same limit. */
  readonly #limited = new Set<Limited>();
  #sweeping: Timer | undefined;

  constructor({ context, metrics, audit, seats }: DeskOptions) {
    this.#context = context;
    this.#audit = audit;
    this.counts = new RequestMetrics(metrics);
    this.flows = new FlowControl({ clock: context.clock, ...(seats === undefined ? {} : { seats }) });
    this.#following = followFlows(context, (schemas, levels) => this.flows.configure(schemas, levels));
    exportFlows(metrics, this.flows);
    if (audit !== undefined) exportAudit(metrics, audit.file);
  }

  get isAuditing(): boolean {
    return this.#audit !== undefined;
  }

  stop(): void {
    this.#following.stop();
    this.#sweeping?.cancel();
  }

  /** The quick path, answered before anything else is done. undefined: not for this one. */
  pass(response: ApiResponse, identity: Identity, asked: Attributes, resource: Resource): Flow | undefined {
    const flow = this.flows.flowOf(identity, asked);
    if (!flow.level.exempt) return undefined;
    flow.counts.dispatched++;
    response.meter = this.counts.get(resource);
    return flow;
  }

  /** Begins the account of a request. Throws where it has to be audited and cannot. */
  open(
    response: ApiResponse,
    identity: Identity | undefined,
    asked: Attributes,
    resource: Resource | undefined,
    isLong: boolean,
    dryRun = false,
  ): void {
    response.isLong = isLong;
    const meter = this.counts.of(asked, resource, dryRun);
    response.meter = meter;
    if (this.#audit !== undefined) this.#beginAudit(response, identity, asked);
    if (!isLong) return;
    if (asked.verb === 'watch' && resource !== undefined)
      response.sentEvents = this.counts.watchEvents(resource);
    meter.running.value++;
    response.once('close', () => {
      meter.running.value--;
      response.abandon();
    });
  }

  /** A connection that is taken over (exec, attach, portforward). Answers what to call when that is allowed, or refused. Throws where it has to be audited and cannot. */
  openStream(
    request: IncomingMessage,
    socket: Duplex,
    identity: Identity,
    asked: Attributes,
    resource: Resource | undefined,
  ): (code: number) => void {
    const meter = this.counts.of(asked, resource, false);
    const nowMs = (): number => this.#context.clock.nowMs();
    const trail = this.#trail(request, randomUUID(), identity, identity, asked);
    if (trail !== undefined) noteAudit(request, trail);
    meter.running.value++;
    let code = 0;
    socket.once('close', () => {
      meter.running.value--;
      trail?.complete(nowMs(), { code, contentType: '', bytes: undefined });
    });
    return (said) => {
      code = said;
      meter.count(said, undefined);
      if (said === 101) trail?.started(nowMs(), { code, contentType: '', bytes: undefined });
    };
  }

  /** Throws where the log takes no lines and has to. */
  #trail(
    request: IncomingMessage,
    id: string,
    caller: Identity | undefined,
    identity: Identity | undefined,
    asked: Attributes,
  ): AuditTrail | undefined {
    if (this.#audit === undefined) return undefined;
    const { policy, file, strict } = this.#audit;
    const verdict = policy.verdict(identity, asked);
    if (verdict === undefined) return undefined;
    const trail = new AuditTrail(
      verdict,
      {
        id,
        uri: request.url ?? '/',
        asked,
        caller,
        identity,
        sourceIps: [request.socket.remoteAddress ?? ''],
        userAgent: request.headers['user-agent'],
        receivedMs: this.#context.clock.nowMs(),
      },
      file,
    );
    const isWritten = trail.received();
    if (strict && (!isWritten || !file.isWhole)) throw notAudited();
    return trail;
  }

  #beginAudit(response: ApiResponse, identity: Identity | undefined, asked: Attributes): void {
    const { req } = response;
    const caller = response.caller ?? identity;
    const trail = this.#trail(req, response.auditId, caller, identity, asked);
    if (trail === undefined) return;
    response.nowMs = () => this.#context.clock.nowMs();
    response.audit = trail;
    noteAudit(req, trail);
    // Long ones are over when their connection is.
    if (!response.isLong) response.once('close', () => response.abandon());
    if (this.#audit?.strict === true)
      response.onUnaudited = (answer) => {
        const body = JSON.stringify({
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: notAudited().message,
          reason: 'InternalError',
          code: 500,
        });
        answer.writeHead(500, [
          'Content-Type',
          'application/json',
          'Content-Length',
          String(Buffer.byteLength(body)),
        ]);
        answer.end(body);
      };
  }

  /** Seats for a request: at once, or in its turn. Throws, or rejects, `tooManyRequests`. */
  seat(
    response: ApiResponse,
    identity: Identity,
    asked: Attributes,
    resource: Resource | undefined,
    query: Query | undefined,
  ): Ticket | Promise<Ticket> {
    const flow = this.flows.flowOf(identity, asked);
    response.flow = flow;
    const seats = flow.level.exempt ? 1 : this.#width(flow, asked, resource, query);
    const entered = this.flows.enter(flow, identity, asked, seats);
    return entered.kind === 'ticket' ? entered : waitFor(entered, response);
  }

  #width(
    flow: ReturnType<FlowControl['flowOf']>,
    asked: Attributes,
    resource: Resource | undefined,
    query: Query | undefined,
  ): number {
    if (asked.kind !== 'resource' || resource === undefined || query === undefined || asked.name !== '')
      return 1;
    const isList = asked.verb === 'list' || asked.verb === 'deletecollection';
    const isStreamed = asked.verb === 'watch' && query.flag('sendInitialEvents') === true;
    if (!isList && !isStreamed) return 1;
    const { store } = this.#context;
    const { keys, bytes } = store.stats();
    const { remaining } = store.list(resource.prefixOf(asked.namespace), { limit: 0 });
    return seatsOfList({
      objects: remaining,
      bytes: keys === 0 ? 0 : bytes / keys,
      limit: isList ? query.limit() : undefined,
      seatsMax: this.flows.widest(flow),
    });
  }

  /** Counts a request among those being served, and bounds its time. Answers what to call when it is over. */
  serve(
    response: ApiResponse,
    verb: string,
    limitMs: number,
    giveUp: (error: CaelumError) => void,
  ): () => void {
    const inFlight = this.counts.inFlight(mutating.has(verb));
    inFlight.value++;
    const { clock } = this.#context;
    const expire = (): void => {
      if (response.writableEnded) return;
      // Begun, and not taken in time: all that can be said is that it is not whole.
      if (response.headersSent) {
        response.destroy();
        return;
      }
      this.counts.terminated.with('504').value++;
      giveUp(timedOut());
      response.isGivenUp = true;
    };
    let limited: Limited | undefined;
    let timer: Timer | undefined;
    if (limitMs < timeMsMax) timer = clock.after(limitMs, expire);
    else {
      limited = { untilMs: clock.monotonicMs() + timeMsMax, expire };
      this.#limited.add(limited);
      this.#sweeping ??= clock.after(sweepMs, () => this.#sweep());
    }
    return () => {
      inFlight.value--;
      timer?.cancel();
      if (limited !== undefined) this.#limited.delete(limited);
    };
  }

  /** One timer for all that have the usual limit. */
  #sweep(): void {
    const nowMs = this.#context.clock.monotonicMs();
    for (const one of this.#limited) {
      if (one.untilMs > nowMs) break;
      this.#limited.delete(one);
      one.expire();
    }
    this.#sweeping =
      this.#limited.size === 0 ? undefined : this.#context.clock.after(sweepMs, () => this.#sweep());
  }
}

async function waitFor(waiting: Waiting, response: ApiResponse): Promise<Ticket> {
  const onClose = (): void => waiting.cancel();
  response.once('close', onClose);
  try {
    return await waiting.ticket;
  } finally {
    response.off('close', onClose);
  }
}

/** `timeout=5s`, as Go writes durations. Throws `badRequest`. */
export function timeLimitOf(query: Query): number {
  const text = query.text('timeout');
  if (text === undefined) return timeMsMax;
  const ms = durationMs(text);
  if (ms === undefined)
    throw badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`,
    );
  return ms === 0 ? timeMsMax : Math.min(ms, timeMsMax);
}

const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration as Go reads it: `1m30s`, `0`. undefined: it is none. */
function durationMs(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!/^\+?(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))*$/.test(text))
    return undefined;
  let sum = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * (units[unit] ?? 0);
  return sum;
}

const timedOut = (): CaelumError =>
  new CaelumError('timeout', 'Timeout: request did not complete within the allotted timeout');

const notAudited = (): CaelumError =>
  new CaelumError(
    'internal',
    'Internal error occurred: the audit log cannot be written; the request may have been carried out',
  );

function exportAudit(metrics: Metrics, { counts }: AuditFile): void {
  metrics.collect(
    'counter',
    { name: 'apiserver_audit_event_total', help: 'Lines written to the audit log.', labels: ['plugin'] },
    () => [[['log'], counts.written]],
  );
  metrics.collect(
    'counter',
    {
      name: 'apiserver_audit_error_total',
      help: 'Lines that could not be written to the audit log at once.',
      labels: ['plugin'],
    },
    () => [[['log'], counts.failed]],
  );
}
