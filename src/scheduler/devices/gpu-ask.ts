/**
 * What a pod asks of GPUs: a share of one in thousandths, or whole ones, and of which models. Pure.
 *
 *   annotations gpu-milli, gpu-count, gpu-models ┐
 *   resource scheduling.caelum.dev/gpu-milli ────┼─▶ GpuAsk
 *   resource nvidia.com/gpu, amd.com/gpu ────────┘
 *
 * Invariant: an ask is for `count` different GPUs, each with `milli` thousandths to give; all of one node.
 */
import {
  gpuCountKey,
  gpuCountMax,
  gpuMilliKey,
  gpuNumber,
  type Pod,
  quantityValue,
  wholeMilli,
} from '../../api/index.ts';

export { gpuCountKey, gpuMilliKey, wholeMilli };
export const gpuModelsKey = 'scheduling.caelum.dev/gpu-models';
/** Written with the binding: which GPUs of the node the pod has, `0` or `0,1`. */
export const gpuDevicesKey = 'scheduling.caelum.dev/gpu-devices';

/** What device plugins call whole GPUs. */
export const gpuResources: readonly string[] = ['nvidia.com/gpu', 'amd.com/gpu'];

export interface GpuAsk {
  readonly count: number;
  /** Of each: 1 to 1000. */
  readonly milli: number;
  /** Any of these; empty: any at all. */
  readonly models: readonly string[];
  /** The device plugin's resource that it names; empty: it names none. */
  readonly resource: string;
}

/** It cannot be met on any node, whatever is free there. */
export interface WrongAsk {
  readonly wrong: string;
}

/** undefined: it needs no GPU. `extended`: what its containers ask of extended resources together. */
export function gpuAskOf(
  { metadata }: Pod,
  extended: ReadonlyMap<string, number>,
): GpuAsk | WrongAsk | undefined {
  const { annotations } = metadata;
  if (annotations === undefined && extended.size === 0) return undefined;
  return read(annotations ?? nothing, extended);
}

/** Shares are the ledger's: no node says that it has thousandths. */
export function withoutShares(extended: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  if (!extended.has(gpuMilliKey)) return extended;
  const rest = new Map(extended);
  rest.delete(gpuMilliKey);
  return rest;
}

const nothing: Readonly<Record<string, string>> = {};

function read(
  annotations: Readonly<Record<string, string>>,
  extended: ReadonlyMap<string, number>,
): GpuAsk | WrongAsk | undefined {
  const milliText = annotations[gpuMilliKey];
  const countText = annotations[gpuCountKey];
  if (extended.size === 0 && milliText === undefined && countText === undefined) return undefined;
  const resource = gpuResources.find((one) => (extended.get(one) ?? 0) > 0) ?? '';
  const whole = extended.get(resource) ?? 0;
  const shared = extended.get(gpuMilliKey) ?? 0;
  if (whole === 0 && shared === 0 && milliText === undefined && countText === undefined) return undefined;
  const models = (annotations[gpuModelsKey] ?? '').split('|').filter((one) => one !== '');
  const milli = milliText === undefined ? wholeMilli : gpuNumber(milliText, wholeMilli);
  if (milli === undefined) return wrongNumber(gpuMilliKey, milliText, wholeMilli);
  const count = countText === undefined ? 1 : gpuNumber(countText, gpuCountMax);
  if (count === undefined) return wrongNumber(gpuCountKey, countText, gpuCountMax);
  if (whole > 0) {
    const isSame = (countText === undefined || count === whole) && milli === wholeMilli && shared === 0;
    if (!isSame) return { wrong: `the pod asks for whole GPUs by ${resource} and for others besides` };
    return { count: whole, milli: wholeMilli, models, resource };
  }
  if (shared === 0) return { count, milli, models, resource: '' };
  if (milliText !== undefined || countText !== undefined)
    return { wrong: `the pod asks for GPUs by the resource ${gpuMilliKey} and by annotations` };
  if (shared <= wholeMilli) return { count: 1, milli: shared, models, resource: '' };
  if (shared % wholeMilli !== 0 || shared > gpuCountMax * wholeMilli)
    return { wrong: `${shared} thousandths are neither a share of one GPU nor whole GPUs` };
  return { count: shared / wholeMilli, milli: wholeMilli, models, resource: '' };
}

const wrongNumber = (key: string, text = '', max: number): WrongAsk => ({
  wrong: `annotation ${key}: Invalid value: ${JSON.stringify(text.slice(0, 64))}: must be an integer from 1 to ${max}`,
});

/** Which GPUs it was given, as its annotation says. undefined: it does not, or not in a way that makes sense. */
export function givenGpus({ metadata }: Pod, count: number): readonly number[] | undefined {
  const text = metadata.annotations?.[gpuDevicesKey];
  if (text === undefined || !/^\d{1,2}(,\d{1,2})*$/.test(text)) return undefined;
  const given = text.split(',').map(Number);
  return given.length === count && new Set(given).size === count ? given : undefined;
}

export const gpuCountLabel = gpuCountKey;
export const gpuModelLabel = 'scheduling.caelum.dev/gpu-model';
const productLabels = ['nvidia.com/gpu.product', 'amd.com/gpu.product-name'];

export interface NodeGpus {
  readonly count: number;
  readonly model: string;
  /** The device plugin's, where it has one; else its labels say what it has. */
  readonly resource: string;
}

/** undefined: the node has no GPUs. */
export function gpusOf(
  labels: Readonly<Record<string, string>>,
  allocatable: Readonly<Record<string, string>>,
): NodeGpus | undefined {
  const resource = gpuResources.find((one) => allocatable[one] !== undefined) ?? '';
  const labelled = labels[gpuCountLabel];
  if (resource === '' && labelled === undefined) return undefined;
  const count =
    resource === '' ? gpuNumber(labelled ?? '', gpuCountMax) : quantityValue(allocatable[resource]);
  if (count === undefined || count < 1) return undefined;
  const product = productLabels.map((one) => labels[one]).find((one) => one !== undefined);
  return { count: Math.min(gpuCountMax, count), model: labels[gpuModelLabel] ?? product ?? '', resource };
}
