/**
 * What the claims of a pod ask of nodes, those of volumes and those of devices together. Pure.
 *
 *   pod ─▶ Claiming: no node will do │ the nodes that gates let through, the same for all pods of one shape │ a few nodes │ to be asked node by node
 */
import type { Pod } from '../api/index.ts';
import type { ClaimAsk } from './claims/claim-book.ts';
import type { DeviceGate } from './claims/device-gate.ts';
import type { Demand } from './demand.ts';
import type { Few, Gate } from './engine/gate.ts';
import type { Prepared } from './fit.ts';
import type { Snapshot } from './snapshot.ts';
import type { VolumeAsk } from './volume-book.ts';

const noGates: readonly Gate[] = [];
const nothing: Prepared = {};

export class Claiming {
  readonly #snapshot: Snapshot;
  readonly #volumes: VolumeAsk | undefined;
  readonly #devices: ClaimAsk | undefined;
  #deviceGate: DeviceGate | undefined;
  /** Why no node will do. */
  readonly unresolved: string | undefined;
  /** The only nodes that come into question, where they are few. */
  readonly few: Few | undefined;
  /** Equal for pods that the same gates are for. */
  readonly shape: string;

  constructor(snapshot: Snapshot, demand: Demand, pod: Pod) {
    this.#snapshot = snapshot;
    const volumes = demand.hasClaims ? snapshot.volumes.ask(pod, snapshot.claimUsers) : undefined;
    const devices = demand.hasDeviceClaims ? snapshot.deviceClaims.ask(pod) : undefined;
    this.#volumes = volumes;
    this.#devices = devices;
    this.unresolved = volumes?.unresolved ?? devices?.unresolved;
    const isOpen = this.unresolved === undefined;
    const ofDevices = devices?.shape ?? '';
    // On a board that knows of devices it would not be told who is refused for what.
    this.few = isOpen && ofDevices === '' ? volumes?.few(snapshot) : undefined;
    const ofVolumes = isOpen && this.few === undefined ? (volumes?.shape ?? '') : '';
    this.shape = `${ofVolumes}\n\n${ofDevices}`;
  }

  /** No board is of use to it. */
  get isOdd(): boolean {
    return this.#volumes?.isOdd === true;
  }

  /** It is not known of all nodes what they say. */
  get isUnclear(): boolean {
    return this.#deviceGate?.isUnclear === true;
  }

  /** As of now. */
  gates(): readonly Gate[] {
    const { few } = this;
    const ofVolumes = few === undefined ? this.#volumes?.gate(this.#snapshot) : undefined;
    this.#deviceGate = this.#devices?.gate(this.#snapshot);
    if (ofVolumes === undefined) return this.#deviceGate === undefined ? noGates : [this.#deviceGate];
    return this.#deviceGate === undefined ? [ofVolumes] : [ofVolumes, this.#deviceGate];
  }

  /** What has to be carried out before the pod is bound there, and is assumed from now on. `like`: whose gates have let it through. */
  decide(podKey: string, row: number, like: Claiming): Prepared {
    const { volumes: book, deviceClaims } = this.#snapshot;
    const facts = this.#snapshot.facts(row);
    if (facts === undefined) return nothing;
    const volumes = this.#volumes?.decide(facts);
    const devices = this.#devices?.decide(facts, like.#deviceGate?.answer(row));
    if (volumes !== undefined) book.assume(podKey, volumes);
    if (devices !== undefined) deviceClaims.assume(podKey, devices);
    return { ...(volumes && { volumes }), ...(devices && { deviceClaims: devices }) };
  }
}
