/** What is free of a node, tried out without touching the snapshot. Pure. */
import type { Amounts, Demand } from '../demand.ts';
import { refusals } from '../filters.ts';
import type { Snapshot } from '../snapshot.ts';

export class Room {
  readonly #snapshot: Snapshot;
  readonly #demand: Demand;
  readonly #asked: readonly (readonly [string, number])[];
  readonly #extended: number[];
  #pods = 0;
  #cpu = 0;
  #memory = 0;
  #ephemeral = 0;

  constructor(snapshot: Snapshot, demand: Demand) {
    this.#snapshot = snapshot;
    this.#demand = demand;
    this.#asked = [...demand.extended];
    this.#extended = this.#asked.map(() => 0);
  }

  begin(row: number): void {
    const snapshot = this.#snapshot;
    this.#pods = snapshot.podsFree[row] as number;
    this.#cpu = snapshot.cpuFree[row] as number;
    this.#memory = snapshot.memoryFree[row] as number;
    this.#ephemeral = snapshot.ephemeralFree[row] as number;
    for (const [at, [resource]] of this.#asked.entries())
      this.#extended[at] = snapshot.extendedFree(row, resource);
  }

  /** A pod has gone. */
  give(amounts: Amounts): void {
    this.#change(amounts, 1);
  }

  take(amounts: Amounts): void {
    this.#change(amounts, -1);
  }

  get fits(): boolean {
    const { cpuMilli, memoryBytes, ephemeralBytes } = this.#demand;
    if (this.#pods < 1) return false;
    if (cpuMilli > 0 && cpuMilli > this.#cpu) return false;
    if (memoryBytes > 0 && memoryBytes > this.#memory) return false;
    if (ephemeralBytes > 0 && ephemeralBytes > this.#ephemeral) return false;
    return this.#asked.every(([, amount], at) => amount <= (this.#extended[at] as number));
  }

  /** Every resource that lacks, as `roomRefusals` words it. */
  lacking(): readonly string[] {
    const { cpuMilli, memoryBytes, ephemeralBytes } = this.#demand;
    const lacking: string[] = [];
    if (this.#pods < 1) lacking.push(refusals.tooManyPods);
    if (cpuMilli > 0 && cpuMilli > this.#cpu) lacking.push('Insufficient cpu');
    if (memoryBytes > 0 && memoryBytes > this.#memory) lacking.push('Insufficient memory');
    if (ephemeralBytes > 0 && ephemeralBytes > this.#ephemeral)
      lacking.push('Insufficient ephemeral-storage');
    for (const [at, [resource, amount]] of this.#asked.entries())
      if (amount > (this.#extended[at] as number)) lacking.push(`Insufficient ${resource}`);
    return lacking;
  }

  #change(amounts: Amounts, sign: 1 | -1): void {
    this.#pods += sign;
    this.#cpu += sign * amounts.cpuMilli;
    this.#memory += sign * amounts.memoryBytes;
    this.#ephemeral += sign * amounts.ephemeralBytes;
    for (const [at, [resource]] of this.#asked.entries())
      this.#extended[at] = (this.#extended[at] as number) + sign * (amounts.extended.get(resource) ?? 0);
  }
}
