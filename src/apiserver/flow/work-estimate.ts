/**
 * How many seats a request takes: one, but for lists, and watches that begin with what is there. Pure.
 * Source: k8s.io/apiserver/pkg/util/flowcontrol/request (list work estimator), as behaviour: what is read from memory counts by its bytes, up to a megabyte.
 */

const bytesPerSeat = 100_000;
const bytesMax = 1_000_000;

export interface ListEstimate {
  /** Stored below the prefix. */
  readonly objects: number;
  /** Of an object, on average. */
  readonly bytes: number;
  readonly limit: number | undefined;
  readonly seatsMax: number;
}

export function seatsOfList({ objects, bytes, limit, seatsMax }: ListEstimate): number {
  const loaded = limit !== undefined && limit > 0 ? Math.min(limit, objects) : objects;
  const seats = Math.ceil(Math.min(loaded * bytes, bytesMax) / bytesPerSeat);
  return Math.max(1, Math.min(seats, seatsMax));
}
