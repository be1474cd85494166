/**
 * A history as lanes over time: what was up, what was broken, how nodes and deployments stood. Pure.
 *
 *   moments ─▶ timelineOf ─▶ spans and steps ─▶ html.ts
 */
import type { Deployment, Node, Pod } from '../api/index.ts';
import { momentMs, planText } from './moment-text.ts';
import type { Moment } from './run.ts';
import type { TruthEvent } from './truth.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  /** Of a closed set of the lane's: `up`, `Ready`, `active`. */
  readonly state: string;
  readonly text: string;
}

/** A value that stays until the next point. */
export type Steps = readonly (readonly [atMs: number, value: number])[];

export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
}

export interface NodeLane extends Lane {
  readonly pods: Steps;
}

export interface DeploymentLane {
  readonly name: string;
  readonly wanted: Steps;
  readonly ready: Steps;
  readonly updated: Steps;
}

export interface Mark {
  readonly atMs: number;
  readonly text: string;
}

export interface Timeline {
  readonly endMs: number;
  readonly phases: readonly Span[];
  readonly users: readonly Mark[];
  readonly processes: readonly Lane[];
  readonly faults: readonly Lane[];
  readonly nodes: readonly NodeLane[];
  readonly deployments: readonly DeploymentLane[];
}

export function timelineOf(moments: readonly Moment[], endMs: number): Timeline {
  const builder = new Builder(endMs);
  for (const moment of moments) builder.add(moment);
  return builder.timeline();
}

/** The states of one thing, one after the other. */
class Stretch {
  readonly spans: Span[] = [];
  #state: string | undefined;
  #fromMs = 0;

  /** undefined: nothing from here on. */
  change(atMs: number, state: string | undefined): void {
    if (state === this.#state) return;
    if (this.#state !== undefined && atMs > this.#fromMs)
      this.spans.push({ fromMs: this.#fromMs, toMs: atMs, state: this.#state, text: this.#state });
    this.#state = state;
    this.#fromMs = atMs;
  }
}

class Series {
  readonly points: (readonly [number, number])[] = [];

  set(atMs: number, value: number): void {
    const last = this.points.at(-1);
    if (last?.[1] === value) return;
    if (last?.[0] === atMs) this.points.pop();
    this.points.push([atMs, value]);
  }
}

class Builder {
  readonly #endMs: number;
  readonly #users: Mark[] = [];
  readonly #phases = new Stretch();
  readonly #processes = new Map<string, Stretch>();
  readonly #faults = new Map<string, Span[]>();
  /** Under way, by what the plan says of them. */
  readonly #begun = new Map<string, number[]>();
  readonly #nodes = new Map<string, { readonly state: Stretch; readonly pods: Series; count: number }>();
  /** Where a pod counts. */
  readonly #places = new Map<string, string>();
  readonly #deployments = new Map<
    string,
    { readonly wanted: Series; readonly ready: Series; readonly updated: Series }
  >();

  constructor(endMs: number) {
    this.#endMs = endMs;
    this.#phases.change(0, 'active');
  }

  add(moment: Moment): void {
    switch (moment.kind) {
      case 'phase':
        this.#phases.change(moment.atMs, moment.what);
        return;
      case 'action':
        this.#users.push({ atMs: moment.atMs, text: planText(moment.what) });
        return;
      case 'up':
      case 'down':
        entry(this.#processes, moment.what, () => new Stretch()).change(moment.atMs, moment.kind);
        return;
      case 'fault':
        entry(this.#begun, moment.what, () => []).push(moment.atMs);
        return;
      case 'mended':
        this.#mended(moment.what, momentMs(moment));
        return;
      case 'change':
        this.#change(moment.event);
        return;
    }
  }

  #mended(what: string, toMs: number): void {
    const fromMs = this.#begun.get(what)?.shift();
    if (fromMs === undefined) return;
    const { kind } = JSON.parse(what) as { readonly kind: string };
    entry(this.#faults, kind, () => []).push({ fromMs, toMs, state: 'fault', text: planText(what) });
  }

  #change(event: TruthEvent): void {
    if (event.resource === 'pods') this.#pod(event);
    else if (event.resource === 'nodes') this.#node(event);
    else if (event.resource === 'deployments.apps') this.#deployment(event);
  }

  #place(name: string) {
    return entry(this.#nodes, name, () => ({ state: new Stretch(), pods: new Series(), count: 0 }));
  }

  #pod({ kind, name, object, atMs }: TruthEvent): void {
    const { spec, status } = object as Pod;
    const isOver = kind === 'delete' || status?.phase === 'Succeeded' || status?.phase === 'Failed';
    const now = isOver ? undefined : spec?.nodeName;
    const before = this.#places.get(name);
    if (now === before) return;
    for (const [place, by] of [[before, -1] as const, [now, 1] as const]) {
      if (place === undefined) continue;
      const node = this.#place(place);
      node.count += by;
      node.pods.set(atMs, node.count);
    }
    if (now === undefined) this.#places.delete(name);
    else this.#places.set(name, now);
  }

  #node({ kind, name, object, atMs }: TruthEvent): void {
    const { spec, status } = object as Node;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
    const health = ready === 'True' ? 'Ready' : ready === 'Unknown' ? 'Unknown' : 'NotReady';
    const closed = spec?.unschedulable === true ? ', cordoned' : '';
    this.#place(name).state.change(atMs, kind === 'delete' ? undefined : `${health}${closed}`);
  }

  #deployment({ kind, name, object, atMs }: TruthEvent): void {
    const { spec, status } = object as Deployment;
    const isGone = kind === 'delete';
    const lane = entry(this.#deployments, name, () => ({
      wanted: new Series(),
      ready: new Series(),
      updated: new Series(),
    }));
    lane.wanted.set(atMs, isGone ? 0 : (spec?.replicas ?? 1));
    lane.ready.set(atMs, isGone ? 0 : (status?.readyReplicas ?? 0));
    lane.updated.set(atMs, isGone ? 0 : (status?.updatedReplicas ?? 0));
  }

  timeline(): Timeline {
    const endMs = this.#endMs;
    for (const what of this.#begun.keys())
      while ((this.#begun.get(what)?.length ?? 0) > 0) this.#mended(what, endMs);
    const closed = (stretch: Stretch): readonly Span[] => {
      stretch.change(endMs, undefined);
      return stretch.spans;
    };
    return {
      endMs,
      phases: closed(this.#phases),
      users: this.#users,
      processes: [
        ...byName([...this.#processes].map(([name, stretch]) => ({ name, spans: closed(stretch) }))),
      ].sort((a, b) => rank(a.name) - rank(b.name)),
      faults: byName([...this.#faults].map(([name, spans]) => ({ name, spans }))),
      nodes: byName(
        [...this.#nodes].map(([name, { state, pods }]) => ({
          name,
          spans: closed(state),
          pods: pods.points,
        })),
      ),
      deployments: byName(
        [...this.#deployments].map(([name, { wanted, ready, updated }]) => ({
          name,
          wanted: wanted.points,
          ready: ready.points,
          updated: updated.points,
        })),
      ),
    };
  }
}

function entry<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** The control plane first, then what runs on nodes. */
const rank = (process: string): number =>
  process.startsWith('node-') ? 1 : process.startsWith('proxy-') ? 2 : 0;

const byName = <T extends { readonly name: string }>(lanes: T[]): readonly T[] =>
  lanes.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
