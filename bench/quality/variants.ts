/** Traces that ask for other things than the recorded one, drawn anew from it: as many pods, other parts of them. */
import type { Random } from '../../src/lib/index.ts';
import type { TraceNode, TracePod } from './trace.ts';

const gpusOf = ({ gpus, milli }: TracePod): number => (gpus * milli) / 1000;

/** `part` of all GPUs that are asked is asked by the pods that `is` selects. */
export function withPart(
  pods: readonly TracePod[],
  is: (pod: TracePod) => boolean,
  part: number,
  random: Random,
): readonly TracePod[] {
  let inside = 0;
  let outside = 0;
  for (const pod of pods)
    if (is(pod)) inside += gpusOf(pod);
    else outside += gpusOf(pod);
  const all = inside + outside;
  const weightOf = (pod: TracePod): number =>
    pod.gpus === 0 ? 1 / all : is(pod) ? part / inside : (1 - part) / outside;
  const sums: number[] = [];
  let sum = 0;
  for (const pod of pods) {
    sum += weightOf(pod);
    sums.push(sum);
  }
  return pods.map(() => {
    const drawn = random.float() * sum;
    let [low, high] = [0, sums.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return pods[low] as TracePod;
  });
}

export const severalGpus = ({ gpus }: TracePod): boolean => gpus > 1;
export const sharesGpu = ({ gpus, milli }: TracePod): boolean => gpus === 1 && milli < 1000;

/** `part` of the pods that ask for GPUs name one or two models: a model as often as there are GPUs of it, and only such as some node of it can have the pod. */
export function withModels(
  pods: readonly TracePod[],
  nodes: readonly TraceNode[],
  part: number,
  random: Random,
): readonly TracePod[] {
  const gpuNodes = nodes.filter(({ gpus }) => gpus > 0);
  const all = gpuNodes.reduce((sum, { gpus }) => sum + gpus, 0);
  const draw = (): string => {
    let left = random.float() * all;
    for (const { gpus, model } of gpuNodes) {
      left -= gpus;
      if (left < 0) return model;
    }
    return gpuNodes[0]?.model ?? '';
  };
  return pods.map((pod) => {
    if (pod.gpus === 0 || random.float() >= part) return pod;
    for (let tries = 0; tries < 50; tries++) {
      const models = random.float() < 0.3 ? [...new Set([draw(), draw()])] : [draw()];
      const isPossible = gpuNodes.some(
        (node) =>
          models.includes(node.model) &&
          node.gpus >= pod.gpus &&
          node.cpuMilli >= pod.cpuMilli &&
          node.memoryMib >= pod.memoryMib,
      );
      if (isPossible) return { ...pod, models };
    }
    return pod;
  });
}
