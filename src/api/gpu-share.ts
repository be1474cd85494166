/**
 * GPUs in thousandths, as pods ask for them by annotation: what queues and quotas count. Pure.
 * What such an ask means on nodes is the scheduler's (`devices/gpu-ask.ts`).
 */
import type { Pod } from './types/core.v1.ts';

/** The annotation, and the resource that says the same. */
export const gpuMilliKey = 'scheduling.caelum.dev/gpu-milli';
export const gpuCountKey = 'scheduling.caelum.dev/gpu-count';
export const wholeMilli = 1000;
/** More than any machine has. */
export const gpuCountMax = 64;

/** A whole number from 1 on. undefined: it is none, or too large. */
export function gpuNumber(text: string, max: number): number | undefined {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : undefined;
}

/** Thousandths that the annotations of a pod ask for in all. 0: they do not, or not in a way that makes sense. */
export function annotatedGpuMilli({ metadata }: Pod): number {
  const milliText = metadata.annotations?.[gpuMilliKey];
  const countText = metadata.annotations?.[gpuCountKey];
  if (milliText === undefined && countText === undefined) return 0;
  const milli = milliText === undefined ? wholeMilli : gpuNumber(milliText, wholeMilli);
  const count = countText === undefined ? 1 : gpuNumber(countText, gpuCountMax);
  return milli === undefined || count === undefined ? 0 : milli * count;
}
