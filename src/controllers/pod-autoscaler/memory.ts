/**
 * What is kept in mind of one autoscaler: what was recommended and changed of late. Pure; times are of a clock that does not jump, so that a wrong clock on the
 * wall neither takes pods away nor keeps them.
 */
import type { HorizontalPodAutoscalerSpec } from '../../api/index.ts';
import { forgotten, type History } from './limits.ts';

export class AutoscalerMemory {
  history: History = { recommendations: [], changes: [] };
  #isBegun = false;

  /** A restart shall not take away at once what was recommended before it. */
  begin(replicas: number, atMs: number): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.history = { ...this.history, recommendations: [{ atMs, replicas }] };
  }

  /** undefined: the metrics could not tell. */
  recommended(spec: HorizontalPodAutoscalerSpec, replicas: number | undefined, atMs: number): void {
    const { recommendations, changes } = forgotten(this.history, spec, atMs);
    const next = replicas === undefined ? recommendations : [...recommendations, { atMs, replicas }];
    this.history = { recommendations: next, changes };
  }

  /** Only rules ask for it. */
  changed({ behavior }: HorizontalPodAutoscalerSpec, change: number, atMs: number): void {
    if (behavior === undefined) return;
    this.history = { ...this.history, changes: [...this.history.changes, { atMs, change }] };
  }
}
