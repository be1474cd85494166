/**
 * Whether nodes take a pod that looks at other pods, host ports or volumes, while pods come and go. Pure.
 * Invariant: after each `placed` and `changed` the counts are those of the snapshot.
 */
import { claimsOf, type Pod } from '../api/index.ts';
import type { Demand } from './demand.ts';
import { hasRoom, portsRefusal, refusals, roomRefusals } from './filters.ts';
import { around, Guard, type Neighbours } from './neighbours.ts';
import type { Nominees } from './nominees.ts';
import type { Check } from './preemption.ts';
import type { Snapshot } from './snapshot.ts';
import { type VolumeAsk, volumeRefusals } from './volume-book.ts';

/** What stays so, whoever leaves a node; everything else may change when pods go. */
export const unresolvable: ReadonlySet<string> = new Set([
  refusals.spreadLabel,
  refusals.podAffinity,
  ...Object.values(volumeRefusals).filter((one) => one !== volumeRefusals.exclusive),
]);

const none: readonly string[] = [];

export class Fit implements Check {
  readonly neighbours: Neighbours;
  readonly #snapshot: Snapshot;
  readonly #demand: Demand;
  /** Without nominated pods: nobody may count on their coming. */
  readonly #bare: Neighbours | undefined;
  #guard: Guard;
  #pod: Pod | undefined;
  #ask: VolumeAsk | undefined;

  constructor(snapshot: Snapshot, demand: Demand, guard: Guard, nominees: Nominees) {
    this.#snapshot = snapshot;
    this.#demand = demand;
    this.#guard = guard;
    this.neighbours = around(snapshot, demand);
    this.#bare = nominees.isEmpty ? undefined : nominees.without(() => around(snapshot, demand));
  }

  /** Which of the pods that ask the same is meant from now on: they may have claims of their own. */
  begin(pod: Pod): VolumeAsk | undefined {
    this.#pod = pod;
    this.#ask = this.#demand.hasClaims
      ? this.#snapshot.volumes.ask(pod, this.#snapshot.claimUsers)
      : undefined;
    return this.#ask;
  }

  /** Why a row is refused; empty: it is not. */
  reasons(row: number): readonly string[] {
    const ask = this.#ask;
    const ports = portsRefusal(this.#demand, this.#snapshot, row);
    let lacking = hasRoom(this.#demand, this.#snapshot, row)
      ? none
      : roomRefusals(this.#demand, this.#snapshot, row);
    const facts = ask === undefined ? undefined : this.#snapshot.facts(row);
    if (ask !== undefined && facts !== undefined && ports === undefined && lacking.length === 0)
      lacking = ask.refusals(facts);
    if (ports === undefined && lacking.length > 0) return lacking;
    const reason =
      ports ??
      this.#bare?.refusal(row) ??
      this.neighbours.refusal(row) ??
      (this.#guard.refuses(row) ? refusals.existingAntiAffinity : undefined);
    return reason === undefined ? none : [reason];
  }

  /** A pod of the same demand was placed there. */
  placed(row: number): void {
    this.neighbours.placed(row);
    this.#guard.placed(row);
    this.#bare?.placed(row);
  }

  /** So is the room of one kept there from now on. */
  nominated(row: number): void {
    this.neighbours.placed(row);
    this.#guard.placed(row);
  }

  changed(pod: Pod, row: number, sign: 1 | -1): void {
    this.neighbours.changed(pod, row, sign);
    this.#bare?.changed(pod, row, sign);
    if (pod.spec?.affinity?.podAntiAffinity !== undefined)
      this.#guard = new Guard(this.#snapshot, this.#demand);
    if (this.#ask !== undefined && this.#pod !== undefined && claimsOf(pod).length > 0) this.begin(this.#pod);
  }
}
