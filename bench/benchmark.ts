/**
 * What a benchmark is. One file a figure in this folder, each exporting `bench`; `./caelum bench [NAME]` finds them by file name.
 *
 * A figure is measured against a peer or a floor in the same run, in turns, so that the ratio holds on a noisy machine.
 */

import type { Plot } from './plot.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, measured in the same run. undefined where nothing comparable is installed. */
  readonly peer: { readonly name: string; readonly value: number } | undefined;
  /** > 1: we are better. For times peer/ours, for rates ours/peer. */
  readonly ratio: number | undefined;
  /** Each single measurement of ours. */
  readonly runs: readonly number[];
  /** The target that we hold ourselves to, for the reader. */
  readonly goal?: string;
}

/** How far a benchmark is. */
export interface Progress {
  /** So many steps are to be done. */
  begin(steps: number): void;
  /** The next one. */
  step(what: string): void;
  say(line: string): void;
}

export interface Benchmark {
  /** One sentence. */
  readonly description: string;
  /** Rough seconds that it takes. */
  readonly seconds: number;
  /** What it needs beyond Node; a reason to skip, or undefined when it can run. */
  unavailable?(): string | undefined;
  /** `say` tells what has been found; `progress` also what is being done. */
  run(say: (line: string) => void, progress: Progress): Promise<readonly Figure[]>;
  /** What the last run has to show beside figures. */
  plots?(): readonly Plot[];
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Nearest-rank quantile, `q` in [0, 1]. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number;
}

/** A rate (per second, more is better) from runs of ours and of the peer. */
export function rateFigure(
  name: string,
  unit: string,
  runs: readonly number[],
  peer?: { name: string; runs: readonly number[] },
): Figure {
  const value = median(runs);
  const peerValue = peer === undefined ? undefined : median(peer.runs);
  return {
    name,
    value,
    unit,
    peer: peer === undefined || peerValue === undefined ? undefined : { name: peer.name, value: peerValue },
    ratio: peerValue === undefined ? undefined : value / peerValue,
    runs,
  };
}

/** A cost (time, bytes: less is better) from runs of ours and of the peer. */
export function costFigure(
  name: string,
  unit: string,
  runs: readonly number[],
  peer?: { name: string; runs: readonly number[] },
): Figure {
  const figure = rateFigure(name, unit, runs, peer);
  return { ...figure, ratio: figure.ratio === undefined ? undefined : 1 / figure.ratio };
}
