/**
 * GPUs: of none is more given than it has, and each pod has as many as it asks for, of a model that it names. Pure; own reading of annotations and labels.
 */
import type { Node, Pod } from '../api/index.ts';
import { type Finding, nodeName, podName, type View } from './view.ts';

const prefix = 'scheduling.caelum.dev/';
/** No node says that it has some: what a pod asks of it is a share of a GPU. */
export const sharesResource = `${prefix}gpu-milli`;
const wholeNames = ['nvidia.com/gpu', 'amd.com/gpu'];

interface Wanted {
  readonly count: number;
  readonly milli: number;
}

function wantedBy(pod: Pod, view: View): Wanted {
  const { annotations = {} } = pod.metadata;
  const taken = view.taken(pod);
  const amount = (name: string): number => Number((taken.get(name) ?? 0n) / 1_000_000_000n);
  const whole = wholeNames.map(amount).find((one) => one > 0);
  if (whole !== undefined) return { count: whole, milli: 1000 };
  const shares = amount(sharesResource);
  if (shares > 1000) return { count: shares / 1000, milli: 1000 };
  if (shares > 0) return { count: 1, milli: shares };
  const [milli, count] = [annotations[sharesResource], annotations[`${prefix}gpu-count`]];
  return { count: Number(count ?? 1), milli: Number(milli ?? 1000) };
}

/** In thousandths, however it asks for them, as amounts are told here: in thousand millionths. */
export function gpuMilliOf(pod: Pod, view: View): bigint {
  const { annotations = {} } = pod.metadata;
  const taken = view.taken(pod);
  const asks =
    [...wholeNames, sharesResource].some((name) => taken.has(name)) ||
    annotations[sharesResource] !== undefined ||
    annotations[`${prefix}gpu-count`] !== undefined;
  if (!asks) return 0n;
  const { count, milli } = wantedBy(pod, view);
  return Number.isSafeInteger(count * milli) ? BigInt(count * milli) * 1_000_000_000n : 0n;
}

function countOf({ metadata, status }: Node): number {
  const plugin = wholeNames.map((name) => status?.allocatable?.[name]).find((one) => one !== undefined);
  return Number(plugin ?? metadata.labels?.[`${prefix}gpu-count`] ?? 0);
}

export function gpuFindings(view: View, node: Node, pods: readonly Pod[]): readonly Finding[] {
  const findings: Finding[] = [];
  const given = new Map<number, { milli: number; readonly pods: Pod[] }>();
  const { name = '', labels = {} } = node.metadata;
  const model =
    labels[`${prefix}gpu-model`] ??
    labels['nvidia.com/gpu.product'] ??
    labels['amd.com/gpu.product-name'] ??
    '';
  const violation = (of: readonly Pod[], numbers: Finding['numbers'], message: string): void => {
    const objects = [nodeName(name), ...of.map(podName)];
    findings.push({ rule: 'capacity/gpus', severity: 'violation', objects, numbers, message });
  };
  for (const pod of pods) {
    const told = pod.metadata.annotations?.[`${prefix}gpu-devices`];
    if (told === undefined) continue;
    const devices = new Set(told.split(',').map(Number));
    const { count, milli } = wantedBy(pod, view);
    if (devices.size !== count)
      violation(
        [pod],
        { asked: count, given: devices.size },
        `${podName(pod)} asks for ${count} GPUs and has ${devices.size}`,
      );
    const models = (pod.metadata.annotations?.[`${prefix}gpu-models`] ?? '').split('|').filter(Boolean);
    if (models.length > 0 && !models.includes(model))
      violation(
        [pod],
        { model },
        `${podName(pod)} asks for GPUs of model ${models.join('|')} and has some of ${model || 'none'}`,
      );
    for (const device of devices) {
      const there = given.get(device) ?? { milli: 0, pods: [] };
      there.milli += milli;
      there.pods.push(pod);
      given.set(device, there);
    }
  }
  if (given.size === 0) return findings;
  const count = countOf(node);
  for (const [device, { milli, pods: holders }] of given) {
    if (milli > 1000)
      violation(
        holders,
        { gpu: device, thousandths: milli },
        `of GPU ${device} of node ${name} ${milli} thousandths are given`,
      );
    // Its plugin may have found it broken since.
    if (!(device < count))
      findings.push({
        rule: 'capacity/gpus',
        severity: 'drift',
        objects: [nodeName(name), ...holders.map(podName)],
        numbers: { gpu: device, gpus: count },
        message: `GPU ${device} is given of node ${name}, which has ${count}`,
      });
  }
  return findings;
}
