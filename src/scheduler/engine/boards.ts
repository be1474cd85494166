/**
 * The boards of a snapshot, by what is asked. Pure. Pods of several owners share one where no rule tells them apart.
 * Invariant: a board that is handed out is current.
 */
import type { Demand } from '../demand.ts';
import { suitableWithin } from '../gangs/within.ts';
import type { Scorer, Scoring } from '../scorer.ts';
import type { Snapshot } from '../snapshot.ts';
import { suitableNodes } from '../suitable.ts';
import { Board } from './board.ts';
import type { Gate } from './gate.ts';
import { ownMatches } from './rules.ts';
import type { Concerning } from './stances.ts';

/** So many rows of boards are kept, all boards of a scorer together; at least a few boards. */
const rowsMax = 2_000_000;
const boardsLeast = 8;

interface Asked {
  /** Of what room and score depend on. */
  readonly room: string;
  /** Of what a board depends on beside the pods that are there. */
  readonly key: string;
  version: number;
  spaces: number;
  concerning: Concerning;
}

interface Known {
  readonly boards: Map<string, Board>;
  /** The board used last, by what room and score depend on. */
  readonly lenders: Map<string, Board>;
  readonly asked: WeakMap<Demand, Asked>;
}

const known = new WeakMap<Snapshot, WeakMap<Scorer, Known>>();

/** `within`: no other rows come into question. `gates`: nor do those that these refuse. `isCareful`: some pods only are to come. */
export function boardFor(
  demand: Demand,
  snapshot: Snapshot,
  scorer: Scorer,
  scoring: Scoring,
  within: ReadonlySet<number> | undefined,
  gates: readonly Gate[] = [],
  isCareful = false,
): Board {
  const there = knownOf(snapshot, scorer);
  const asked = askedOf(demand, snapshot, there);
  const gated = gates.length === 0 ? '' : ` ${gates.map(({ id }) => id).join('+')}`;
  const lend = `${asked.room} ${scoring.steadyKey}${gated}`;
  const make = (): Board => {
    const suitable = suitableNodes(demand, snapshot, scorer, scoring);
    const some = within === undefined ? suitable : suitableWithin(suitable, within);
    const lender = there.lenders.get(lend);
    return new Board(snapshot, demand, scoring, some, asked.concerning.stances, lender, gates, isCareful);
  };
  if (scoring.steadyKey === undefined || within !== undefined) return make();
  const key = `${asked.key} ${scoring.steadyKey} ${asked.concerning.key}${gated}${isCareful ? ' careful' : ''}`;
  const { boards } = there;
  let board = boards.get(key);
  if (board?.isCurrent === true) board.serve(demand, scoring);
  else board = make();
  // The one used last is forgotten last.
  there.lenders.set(lend, board);
  boards.delete(key);
  boards.set(key, board);
  const most = Math.max(boardsLeast, Math.floor(rowsMax / Math.max(1, snapshot.rows)));
  for (const [oldest, one] of boards) {
    if (boards.size <= most) break;
    boards.delete(oldest);
    for (const [of, lender] of there.lenders) if (lender === one) there.lenders.delete(of);
  }
  return board;
}

function knownOf(snapshot: Snapshot, scorer: Scorer): Known {
  let scorers = known.get(snapshot);
  if (scorers === undefined) {
    scorers = new WeakMap();
    known.set(snapshot, scorers);
  }
  let there = scorers.get(scorer);
  if (there === undefined) {
    there = { boards: new Map(), lenders: new Map(), asked: new WeakMap() };
    scorers.set(scorer, there);
  }
  return there;
}

function askedOf(demand: Demand, snapshot: Snapshot, { asked }: Known): Asked {
  const { stances } = snapshot.table;
  const { affinity, namespace, labels } = demand;
  let one = asked.get(demand);
  const isOld =
    one !== undefined && (one.version !== stances.version || one.spaces !== snapshot.spacesVersion);
  if (one !== undefined && !isOld) return one;
  // What it says itself counts from the first one on that is placed.
  if (affinity?.podAffinity !== undefined || affinity?.podAntiAffinity !== undefined)
    stances.intern(namespace, affinity);
  const concerning = stances.concerning(namespace, labels, snapshot.namespaceLabels);
  const now = { version: stances.version, spaces: snapshot.spacesVersion, concerning };
  if (one === undefined) {
    const room = roomOf(demand);
    one = { room, key: room + lookOf(demand, snapshot), ...now };
  } else Object.assign(one, now);
  asked.set(demand, one);
  return one;
}

function roomOf(demand: Demand): string {
  const { cpuMilli, memoryBytes, ephemeralBytes, cpuUnaskedMilli, memoryUnaskedBytes, extended } = demand;
  const { spread, hostPorts, gpus, owner, nodesKey } = demand;
  const amounts = [cpuMilli, memoryBytes, ephemeralBytes, cpuUnaskedMilli, memoryUnaskedBytes, ...extended];
  const keys = spread.map(({ topologyKey, whenUnsatisfiable }) => [topologyKey, whenUnsatisfiable]);
  return JSON.stringify([nodesKey, amounts, gpus, hostPorts, owner !== '', keys]);
}

/** Of those that look at other pods. */
function lookOf(demand: Demand, snapshot: Snapshot): string {
  const { namespace, spread, affinity } = demand;
  const { podAffinity, podAntiAffinity } = affinity ?? {};
  if (spread.length === 0 && podAffinity === undefined && podAntiAffinity === undefined) return '';
  return JSON.stringify([namespace, spread, podAffinity, podAntiAffinity, ownMatches(demand, snapshot)]);
}
