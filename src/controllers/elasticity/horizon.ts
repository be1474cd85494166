/** How far ahead a policy has to look: as long as a new pod takes to carry load. Pure. */
import type { ElasticityPolicySpec, Pod } from '../../api/index.ts';
import { readySinceMs } from '../pod-state.ts';
import { durationMs } from './triggers.ts';

/** Until the next look, and until figures show what is. */
const reactionMs = 45_000;
const startDefaultMs = 60_000;
const [horizonMsMin, horizonMsMax] = [60_000, 900_000];

export function horizonOf({ prediction }: ElasticityPolicySpec, pods: readonly Pod[]): number {
  if (prediction?.horizon !== undefined) return durationMs(prediction.horizon);
  const wanted = (startMs(pods) ?? startDefaultMs) + reactionMs;
  return Math.min(Math.max(wanted, horizonMsMin), horizonMsMax);
}

/** How long four of five pods took at most to be ready. */
export function startMs(pods: readonly Pod[]): number | undefined {
  const taken: number[] = [];
  for (const pod of pods) {
    const createdMs = Date.parse(pod.metadata.creationTimestamp ?? '');
    const readyMs = readySinceMs(pod);
    if (readyMs === undefined || Number.isNaN(createdMs)) continue;
    // One that was not ready for a while later on tells nothing of starts.
    const passedMs = readyMs - createdMs;
    if (passedMs >= 0 && passedMs <= horizonMsMax) taken.push(passedMs);
  }
  taken.sort((a, b) => a - b);
  return taken[Math.ceil(taken.length * 0.8) - 1];
}
