/**
 * Counts of requests, under Kubernetes' names. Pure: durations are given.
 *
 * A meter is what requests of one kind are counted with; it is found once and kept. Labels are bounded: verbs are known, resources are those that are served.
 * Source: Kubernetes, "metrics reference" (apiserver_*).
 */
import type { Cell, HistogramCell, HistogramFamily, Metrics, NumberFamily } from '../lib/index.ts';
import type { Attributes } from './access/rules.ts';
import type { FlowControl } from './flow/flow-control.ts';
import type { Resource } from './resource.ts';

const durationBounds = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const requestLabels = [
  'verb',
  'dry_run',
  'group',
  'version',
  'resource',
  'subresource',
  'scope',
  'component',
];

/** Counts requests of one kind. */
export class RequestMeter {
  readonly #labels: readonly string[];
  readonly #totals: NumberFamily;
  #durations: HistogramCell | undefined;
  readonly #byCode = new Map<number, Cell>();
  readonly #durationsOf: HistogramFamily;
  readonly #running: NumberFamily;

  constructor(
    labels: readonly string[],
    families: {
      readonly totals: NumberFamily;
      readonly durations: HistogramFamily;
      readonly running: NumberFamily;
    },
  ) {
    this.#labels = labels;
    this.#totals = families.totals;
    this.#durationsOf = families.durations;
    this.#running = families.running;
  }

  count(code: number, seconds: number | undefined): void {
    let cell = this.#byCode.get(code);
    if (cell === undefined) {
      cell = this.#totals.with(...this.#labels, String(code));
      this.#byCode.set(code, cell);
    }
    cell.value++;
    if (seconds === undefined) return;
    this.#durations ??= this.#durationsOf.with(...this.#labels);
    this.#durations.observe(seconds);
  }

  /** Under way: of what lasts. */
  get running(): Cell {
    return this.#running.with(...this.#labels.filter((_, index) => index !== 1));
  }
}

const verbs: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  apply: 'APPLY',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  connect: 'CONNECT',
  post: 'POST',
  put: 'PUT',
  head: 'HEAD',
  options: 'OPTIONS',
};

export class RequestMetrics {
  readonly #families;
  readonly #meters = new Map<string, RequestMeter>();
  readonly #gets = new WeakMap<Resource, RequestMeter>();
  /** Of requests for objects themselves. */
  readonly #common = new WeakMap<Resource, Map<string, RequestMeter>>();
  readonly #watchEvents: NumberFamily;
  readonly #inFlight: { readonly mutating: Cell; readonly reading: Cell };
  /** Requests that nothing is known of: refused before they were read. */
  readonly unknown: RequestMeter;
  readonly terminated: NumberFamily;

  constructor(metrics: Metrics) {
    const totals = metrics.counter({
      name: 'apiserver_request_total',
      help: 'Requests answered, by what they asked for and the HTTP status of the answer.',
      labels: [...requestLabels, 'code'],
      seriesMax: 20_000,
    });
    const durations = metrics.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Seconds from the arrival of a request to its answer.',
      labels: requestLabels,
      bounds: durationBounds,
    });
    const running = metrics.gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches, logs and streams that are open.',
      labels: requestLabels.filter((one) => one !== 'dry_run'),
    });
    this.#families = { totals, durations, running };
    const inFlight = metrics.gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests being served, without those that last.',
      labels: ['request_kind'],
    });
    this.#inFlight = { mutating: inFlight.with('mutating'), reading: inFlight.with('readOnly') };
    this.#watchEvents = metrics.counter({
      name: 'apiserver_watch_events_total',
      help: 'Events sent to watchers.',
      labels: ['group', 'version', 'resource'],
    });
    this.terminated = metrics.counter({
      name: 'apiserver_request_terminations_total',
      help: 'Requests that were given up by the server.',
      labels: ['code'],
    });
    this.unknown = this.#meter('', '', '', '', '', 'other', '');
  }

  /** GET of one object. */
  get(resource: Resource): RequestMeter {
    let meter = this.#gets.get(resource);
    if (meter === undefined) {
      const { group, version, resource: name } = resource.kind;
      meter = this.#meter('GET', group, version, name, '', 'resource', '');
      this.#gets.set(resource, meter);
    }
    return meter;
  }

  /** `resource`: where it is one that is served. */
  of(asked: Attributes, resource: Resource | undefined, dryRun: boolean): RequestMeter {
    const verb = verbs[asked.verb] ?? 'OTHER';
    if (asked.kind === 'path' || resource === undefined)
      return this.#meter(verb, '', '', '', asked.kind === 'path' ? topOf(asked.path) : '', '', '');
    const isCommon = asked.subresource === '' && !dryRun;
    const scope =
      asked.name !== '' || asked.verb === 'create'
        ? 'resource'
        : asked.namespace !== ''
          ? 'namespace'
          : 'cluster';
    if (!isCommon) return this.#ofServed(asked, resource, scope, dryRun);
    let common = this.#common.get(resource);
    if (common === undefined) {
      common = new Map();
      this.#common.set(resource, common);
    }
    const key = verb + scope;
    let meter = common.get(key);
    if (meter === undefined) {
      meter = this.#ofServed(asked, resource, scope, dryRun);
      common.set(key, meter);
    }
    return meter;
  }

  #ofServed(
    asked: Extract<Attributes, { kind: 'resource' }>,
    resource: Resource,
    scope: string,
    dryRun: boolean,
  ): RequestMeter {
    const verb = verbs[asked.verb] ?? 'OTHER';
    const { group, version, resource: name, subresources } = resource.kind;
    const subresource = subresources.some((one) => one.name === asked.subresource) ? asked.subresource : '';
    return this.#meter(verb, group, version, name, subresource, scope, dryRun ? 'All' : '');
  }

  #meter(
    verb: string,
    group: string,
    version: string,
    resource: string,
    subresource: string,
    scope: string,
    dryRun: string,
  ): RequestMeter {
    const key = `${verb}|${group}|${version}|${resource}|${subresource}|${scope}|${dryRun}`;
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      const labels = [verb, dryRun, group, version, resource, subresource, scope, 'apiserver'];
      meter = new RequestMeter(labels, this.#families);
      this.#meters.set(key, meter);
    }
    return meter;
  }

  inFlight(mutating: boolean): Cell {
    return mutating ? this.#inFlight.mutating : this.#inFlight.reading;
  }

  watchEvents({ kind }: Resource): Cell {
    return this.#watchEvents.with(kind.group, kind.version, kind.resource);
  }
}

const tops: ReadonlySet<string> = new Set([
  '/',
  '/api',
  '/apis',
  '/healthz',
  '/livez',
  '/readyz',
  '/metrics',
  '/openapi',
  '/version',
]);

/** The first part of a path that we know. */
function topOf(path: string): string {
  const slash = path.indexOf('/', 1);
  const top = slash < 0 ? path : path.slice(0, slash);
  return tops.has(top) ? top : '';
}

/** What flow control counts, under Kubernetes' names. */
export function exportFlows(metrics: Metrics, control: FlowControl): void {
  const levelLabel = ['priority_level'];
  const flowLabels = ['priority_level', 'flow_schema'];
  const perLevel = (name: string, help: string, read: (of: { name: string } & LevelFacts) => number): void =>
    metrics.collect('gauge', { name: `apiserver_flowcontrol_${name}`, help, labels: levelLabel }, () =>
      [...control.levels()].map((level) => [[level.name], read({ name: level.name, ...level.account })]),
    );
  perLevel('nominal_limit_seats', 'Seats that are due to a priority level.', (one) => one.nominal);
  perLevel('current_limit_seats', 'Seats that it may use now.', (one) => Math.max(one.nominal, one.inUse));
  perLevel('lower_limit_seats', 'Seats that it never lends.', (one) => one.own);
  const flows = (): ReturnType<FlowControl['flows']> => control.flows();
  const nameOf = (flow: ReturnType<FlowControl['flows']>[number]): [string, string] => [
    flow.level.name,
    flow.schema.metadata.name ?? '',
  ];
  const perFlow = (
    type: 'counter' | 'gauge',
    name: string,
    help: string,
    read: (flow: ReturnType<FlowControl['flows']>[number]) => number,
  ): void =>
    metrics.collect(type, { name: `apiserver_flowcontrol_${name}`, help, labels: flowLabels }, () =>
      flows().map((flow) => [nameOf(flow), read(flow)]),
    );
  perFlow('counter', 'dispatched_requests_total', 'Requests let through.', ({ counts }) => counts.dispatched);
  perFlow('gauge', 'current_executing_requests', 'Requests being served.', ({ counts }) => counts.executing);
  perFlow('gauge', 'current_executing_seats', 'Seats in use.', ({ counts }) => counts.seats);
  perFlow('gauge', 'current_inqueue_requests', 'Requests that wait.', ({ counts }) => counts.inQueue);
  perFlow('counter', 'request_wait_duration_seconds_sum', 'Seconds waited.', ({ waits }) => waits.ms / 1000);
  perFlow(
    'counter',
    'request_wait_duration_seconds_count',
    'Requests that waited.',
    ({ waits }) => waits.count,
  );
  metrics.collect(
    'counter',
    {
      name: 'apiserver_flowcontrol_rejected_requests_total',
      help: 'Requests refused, and why.',
      labels: [...flowLabels, 'reason'],
    },
    () =>
      flows().flatMap((flow) =>
        Object.entries(flow.refused).map(([reason, count]) => [[...nameOf(flow), reason], count] as const),
      ),
  );
}

type LevelFacts = { readonly nominal: number; readonly own: number; readonly inUse: number };
