/**
 * Who has to make room, and what is said of it. Pure; ranked and worded as the kubelet does.
 *
 * First those that use more than they asked for, then the less important, then those that use most beyond what they asked for.
 */
import { nanoText, type Pod, podLimits, podRequests, quantityValue } from '../../api/index.ts';
import type { Threshold } from '../node/node-config.ts';
import { amountOf, type MachineReading, observed, type Scarce, scarceOf } from './thresholds.ts';

/** What a pod uses; a part that was not measured counts as nothing. */
export interface PodUse {
  readonly memoryBytes: number;
  readonly pids: number;
  /** Of volumes on disk, by name. */
  readonly volumes: ReadonlyMap<string, number>;
  readonly containers: ReadonlyMap<string, ContainerUse>;
}

export interface ContainerUse {
  readonly memoryBytes: number;
  /** What it has written into its root. */
  readonly rootBytes: number;
  readonly logBytes: number;
}

export interface Candidate {
  readonly pod: Pod;
  readonly use: PodUse;
}

const criticalPriority = 2_000_000_000;

/** Pods without which the node would be none: of files on this machine, and those of the highest priorities. */
export function isCritical({ metadata, spec }: Pod): boolean {
  const { annotations = {} } = metadata;
  const source = annotations['kubernetes.io/config.source'];
  if (source !== undefined && source !== 'api') return true;
  return (
    annotations['kubernetes.io/config.mirror'] !== undefined || (spec?.priority ?? 0) >= criticalPriority
  );
}

export const diskBytes = ({ volumes, containers }: PodUse): number =>
  [...volumes.values()].reduce((sum, bytes) => sum + bytes, 0) +
  [...containers.values()].reduce((sum, { rootBytes, logBytes }) => sum + rootBytes + logBytes, 0);

function usedOf(use: PodUse, scarce: Scarce): number {
  return scarce === 'memory' ? use.memoryBytes : scarce === 'pids' ? use.pids : diskBytes(use);
}

function askedOf(pod: Pod, scarce: Scarce): number {
  if (scarce === 'pids' || scarce === 'inodes' || pod.spec === undefined) return 0;
  return quantityValue(podRequests(pod.spec)[scarce]) ?? 0;
}

/** Who goes first. */
export function rank(candidates: readonly Candidate[], scarce: Scarce): readonly Candidate[] {
  const of = ({ pod, use }: Candidate): readonly number[] => {
    const beyond = usedOf(use, scarce) - askedOf(pod, scarce);
    // Processes are asked for by nobody.
    const exceeds = scarce === 'pids' ? 0 : beyond > 0 ? 0 : 1;
    return [exceeds, pod.spec?.priority ?? 0, -beyond];
  };
  return candidates.toSorted((a, b) => {
    const [first, second] = [of(a), of(b)];
    for (let index = 0; index < first.length; index++) {
      const difference = (first[index] ?? 0) - (second[index] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

/** In the form that Kubernetes gives such amounts: `69412Ki`. */
export const binaryText = (amount: number): string =>
  nanoText(BigInt(Math.round(amount)) * 10n ** 9n, 'binary');

export function evictionMessage(
  { pod, use }: Candidate,
  threshold: Threshold,
  reading: MachineReading,
): string {
  const scarce = scarceOf(threshold.signal);
  const amount = observed(reading, threshold.signal);
  let text = `The node was low on resource: ${scarce}. `;
  if (amount !== undefined) {
    const limit = binaryText(amountOf(threshold.value, amount.capacity));
    text += `Threshold quantity: ${limit}, available: ${binaryText(amount.available)}. `;
  }
  if (scarce !== 'memory' && scarce !== 'ephemeral-storage') return text;
  for (const { name, resources } of pod.spec?.containers ?? []) {
    const own = use.containers.get(name);
    if (own === undefined) continue;
    const used = scarce === 'memory' ? own.memoryBytes : own.rootBytes + own.logBytes;
    const asked = resources?.requests?.[scarce] ?? '0';
    if (used > (quantityValue(asked) ?? 0))
      text += `Container ${name} was using ${binaryText(used)}, request is ${asked}, has larger consumption of ${scarce}. `;
  }
  return text;
}

/** Does anything of the pod limit what it may have on disk? Only then is it measured. */
export function limitsDisk({ spec }: Pod): boolean {
  return (
    (spec?.volumes ?? []).some(
      ({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium !== 'Memory',
    ) ||
    spec?.resources?.limits?.['ephemeral-storage'] !== undefined ||
    [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(
      ({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined,
    )
  );
}

/** Which of its own limits a pod has broken; undefined: none. */
export function brokenLimit({ spec }: Pod, use: PodUse): string | undefined {
  for (const { name, emptyDir } of spec?.volumes ?? []) {
    const limit = quantityValue(emptyDir?.sizeLimit) ?? 0;
    const used = use.volumes.get(name);
    if (emptyDir?.sizeLimit !== undefined && limit > 0 && used !== undefined && used > limit)
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${emptyDir.sizeLimit}". `;
  }
  const limits = spec === undefined ? undefined : podDiskLimit(spec);
  if (limits !== undefined && diskBytes(use) > limits.bytes)
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${limits.text}. `;
  for (const { name, resources } of spec?.containers ?? []) {
    const text = resources?.limits?.['ephemeral-storage'];
    const own = use.containers.get(name);
    if (text === undefined || own === undefined) continue;
    if (own.rootBytes + own.logBytes > (quantityValue(text) ?? 0))
      return `Container ${name} exceeded its local ephemeral storage limit "${text}". `;
  }
  return undefined;
}

function podDiskLimit(
  spec: NonNullable<Pod['spec']>,
): { readonly bytes: number; readonly text: string } | undefined {
  const text = podLimits(spec)['ephemeral-storage'];
  const bytes = quantityValue(text);
  return text === undefined || bytes === undefined || bytes === 0 ? undefined : { bytes, text };
}
