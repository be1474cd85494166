/**
 * How fast nodes may be called lost for good (their pods evicted), zone by zone. As Kubernetes' node life cycle controller. Pure: time is passed in.
 *
 *   few of a zone are lost        one node in ten seconds
 *   most of a large zone          one in a hundred seconds: perhaps it is we who do not hear
 *   most of a small zone          none
 *   all of a zone                 one in ten seconds: it is gone, others take over
 *   all of all zones              none, and taints are taken back: it is we who are cut off
 *
 * Invariant: in no zone are more nodes let go in any time than its pace allows; those who wait get their turn in order.
 */
import type { Node } from '../../api/index.ts';

export type ZoneState = 'normal' | 'partial' | 'full';

const perSecond = 0.1;
const secondaryPerSecond = 0.01;
/** With more nodes than this a zone is large. */
const largeSize = 50;
const unhealthyShare = 0.55;
/** So many are no disruption, whatever their share. */
const fewNodes = 2;

export function zoneState(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'full';
  return notReady > fewNodes && notReady / (ready + notReady) >= unhealthyShare ? 'partial' : 'normal';
}

/** 0: nobody. */
export function nodesPerSecond(state: ZoneState, size: number): number {
  if (state !== 'partial') return perSecond;
  return size > largeSize ? secondaryPerSecond : 0;
}

export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const region =
    labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? '';
  const zone =
    labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? '';
  return `${region}/${zone}`;
}

/** Whether it is a node's turn: now, after so many ms, or when its zone is better. */
export type Turn = 'now' | 'later' | number;

interface Zone {
  readonly ready: Set<string>;
  readonly lost: Set<string>;
  state: ZoneState;
  grantedAtMs: number;
  /** In the order in which they came. */
  readonly waiting: Set<string>;
}

export class ZoneBook {
  readonly #zones = new Map<string, Zone>();
  readonly #zoneOf = new Map<string, string>();
  /** Who has had its turn, for as long as it is lost. */
  readonly #granted = new Set<string>();
  #readyCount = 0;

  get isAnyReady(): boolean {
    return this.#readyCount > 0;
  }

  names(): Iterable<string> {
    return this.#zoneOf.keys();
  }

  /** Takes note of a node (`isReady` undefined: it is gone) and says whose turn has to be asked for again. */
  note(name: string, zoneName: string, isReady: boolean | undefined): readonly string[] {
    const before = this.#zoneOf.get(name);
    const touched = new Set<Zone>();
    if (before !== undefined) {
      const zone = this.#zone(before);
      if (zone.ready.delete(name)) this.#readyCount--;
      zone.lost.delete(name);
      if (isReady !== false || before !== zoneName) zone.waiting.delete(name);
      touched.add(zone);
      this.#zoneOf.delete(name);
    }
    if (isReady !== false) this.#granted.delete(name);
    if (isReady !== undefined) {
      const zone = this.#zone(zoneName);
      (isReady ? zone.ready : zone.lost).add(name);
      if (isReady) this.#readyCount++;
      touched.add(zone);
      this.#zoneOf.set(name, zoneName);
    }
    // Cut off: nobody is let go, and whoever was waits anew when somebody is heard again.
    if (this.#readyCount === 0) {
      this.#granted.clear();
      for (const zone of this.#zones.values()) zone.waiting.clear();
    }
    const again: string[] = [];
    for (const zone of touched) {
      const state = zoneState(zone.ready.size, zone.lost.size);
      if (state !== zone.state) again.push(...zone.waiting);
      zone.state = state;
    }
    return again;
  }

  /** Asked for a lost node that is to be let go. Once granted it stays so until the node is heard of. */
  turn(name: string, nowMs: number): Turn {
    const zone = this.#zones.get(this.#zoneOf.get(name) ?? '');
    if (zone === undefined || this.#granted.has(name)) return 'now';
    zone.waiting.add(name);
    const rate = nodesPerSecond(zone.state, zone.ready.size + zone.lost.size);
    if (rate === 0) return 'later';
    const intervalMs = 1000 / rate;
    const dueMs = zone.grantedAtMs + intervalMs * (1 + [...zone.waiting].indexOf(name));
    if (dueMs > nowMs) return dueMs - nowMs;
    zone.waiting.delete(name);
    zone.grantedAtMs = nowMs;
    this.#granted.add(name);
    return 'now';
  }

  #zone(name: string): Zone {
    let zone = this.#zones.get(name);
    if (zone === undefined) {
      zone = {
        ready: new Set(),
        lost: new Set(),
        state: 'normal',
        grantedAtMs: Number.NEGATIVE_INFINITY,
        waiting: new Set(),
      };
      this.#zones.set(name, zone);
    }
    return zone;
  }
}
