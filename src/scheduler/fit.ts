/**
 * Whether nodes take a pod that looks at other pods, host ports or volumes, while pods come and go. Pure.
 * Invariant: after each `placed` and `changed` the counts are those of the snapshot.
 */
import { claimsOf, type Pod } from '../api/index.ts';
import { type ClaimAsk, type ClaimDecision, claimRefusals, mayHoldDevices } from './claims/claim-book.ts';
import type { Demand } from './demand.ts';
import { hasRoom, portsRefusal, refusals, roomRefusals } from './filters.ts';
import { around, Guard, type Neighbours } from './neighbours.ts';
import type { Nominees } from './nominees.ts';
import type { Check } from './preemption.ts';
import type { Snapshot } from './snapshot.ts';
import { type VolumeAsk, type VolumeDecision, volumeRefusals } from './volume-book.ts';

/** What stays so, whoever leaves a node; everything else may change when pods go. */
export const unresolvable: ReadonlySet<string> = new Set([
  refusals.spreadLabel,
  refusals.podAffinity,
  claimRefusals.elsewhere,
  claimRefusals.tooLong,
  ...Object.values(volumeRefusals).filter(
    (one) => one !== volumeRefusals.exclusive && one !== volumeRefusals.limit,
  ),
]);

const none: readonly string[] = [];

/** What a pod needs on its node beside room. */
export interface Prepared {
  readonly volumes?: VolumeDecision;
  readonly deviceClaims?: ClaimDecision;
}

const nothing: Prepared = {};

export class Fit implements Check {
  readonly neighbours: Neighbours;
  readonly #snapshot: Snapshot;
  readonly #demand: Demand;
  /** Without nominated pods: nobody may count on their coming. */
  readonly #bare: Neighbours | undefined;
  #guard: Guard;
  #pod: Pod | undefined;
  #ask: VolumeAsk | undefined;
  #devices: ClaimAsk | undefined;

  constructor(snapshot: Snapshot, demand: Demand, guard: Guard, nominees: Nominees) {
    this.#snapshot = snapshot;
    this.#demand = demand;
    this.#guard = guard;
    this.neighbours = around(snapshot, demand);
    this.#bare = nominees.isEmpty ? undefined : nominees.without(() => around(snapshot, demand));
  }

  /** Which of the pods that ask the same is meant from now on: they may have claims of their own. Answers why no node will do, where that is so. */
  begin(pod: Pod): string | undefined {
    this.#pod = pod;
    this.#ask = this.#demand.hasClaims
      ? this.#snapshot.volumes.ask(pod, this.#snapshot.claimUsers)
      : undefined;
    this.#devices = this.#demand.hasDeviceClaims ? this.#snapshot.deviceClaims.ask(pod) : undefined;
    return this.#ask?.unresolved ?? this.#devices?.unresolved;
  }

  /** Why a row is refused; empty: it is not. */
  reasons(row: number): readonly string[] {
    const ask = this.#ask;
    const ports = portsRefusal(this.#demand, this.#snapshot, row);
    let lacking = hasRoom(this.#demand, this.#snapshot, row)
      ? none
      : roomRefusals(this.#demand, this.#snapshot, row);
    const devices = this.#devices;
    const facts = ask === undefined && devices === undefined ? undefined : this.#snapshot.facts(row);
    if (ask !== undefined && facts !== undefined && ports === undefined && lacking.length === 0)
      lacking = ask.refusals(facts, () => this.#snapshot.podsOn(row));
    // Of devices it is known as a rule, and boards ask in the same order.
    if (devices !== undefined && facts !== undefined && ports === undefined && lacking.length === 0)
      lacking = devices.refusals(facts);
    if (ports === undefined && lacking.length > 0) return lacking;
    const reason =
      ports ??
      this.neighbours.refusal(row) ??
      (this.#guard.refuses(row) ? refusals.existingAntiAffinity : undefined) ??
      this.#bare?.refusal(row);
    return reason === undefined ? none : [reason];
  }

  /** What has to be carried out before the pod is bound there, and is assumed from now on. The node was not refused. */
  decide(key: string, row: number): Prepared {
    const facts = this.#snapshot.facts(row);
    if (facts === undefined || (this.#ask === undefined && this.#devices === undefined)) return nothing;
    const volumes = this.#ask?.decide(facts);
    const devices = this.#devices?.decide(facts);
    if (volumes !== undefined) this.#snapshot.volumes.assume(key, volumes);
    if (devices !== undefined) this.#snapshot.deviceClaims.assume(key, devices);
    return {
      ...(volumes === undefined ? {} : { volumes }),
      ...(devices === undefined ? {} : { deviceClaims: devices }),
    };
  }

  /** Whether the row would do if nobody had any of its devices. */
  mayEver(row: number): boolean {
    const facts = this.#snapshot.facts(row);
    return this.#devices === undefined || (facts !== undefined && this.#devices.mayEver(facts));
  }

  /** Devices that those had who have gone are about to be given back, and it would do then. */
  comesFree(row: number): boolean {
    const devices = this.#devices;
    const facts = devices === undefined ? undefined : this.#snapshot.facts(row);
    if (devices === undefined || facts === undefined || devices.unresolved !== undefined) return false;
    return this.#snapshot.deviceClaims.comesFree(
      devices,
      facts,
      (podKey, uid) => this.#snapshot.placed(podKey)?.pod.metadata.uid === uid,
    );
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
    if (this.#devices !== undefined && mayHoldDevices(pod))
      this.#snapshot.deviceClaims.setAway(pod, sign < 0);
    if (pod.spec?.affinity?.podAntiAffinity !== undefined)
      this.#guard = new Guard(this.#snapshot, this.#demand);
    if (this.#ask !== undefined && this.#pod !== undefined && claimsOf(pod).length > 0) this.begin(this.#pod);
  }
}
