/** What the scheduler's strategies go by beside objects: what nodes use, of whoever serves metrics.k8s.io; scores that the embedding program has given. */
import { quantityMilli, quantityValue } from '../api/index.ts';
import type { MetricsApis } from '../controllers/index.ts';
import {
  connectionsKey,
  type NodeUsage,
  type NodeUse,
  type ProfileSources,
  responseKey,
  type ScoreFunction,
} from '../scheduler/index.ts';

export type CustomScores = Readonly<Record<string, ScoreFunction>>;

export function schedulerSources(metrics: MetricsApis, scores: CustomScores = {}): ProfileSources {
  return { scores, nodeUsage: () => readNodeUsage(metrics) };
}

interface NodeMetrics {
  readonly metadata?: { readonly name?: string };
  readonly usage?: Readonly<Record<string, string>>;
}

const question = { namespace: '', resource: 'nodes', name: '', subresource: '', parameters: {} };

/** Undefined: nobody tells. Rejects with what the server says. */
async function readNodeUsage(metrics: MetricsApis): Promise<NodeUsage | undefined> {
  const answer = await metrics.ask('metrics.k8s.io', ['v1beta1'], question);
  const items = (answer as { readonly items?: readonly NodeMetrics[] } | undefined)?.items;
  if (!Array.isArray(items)) return undefined;
  const usage = new Map<string, NodeUse>();
  for (const { metadata, usage: used } of items as readonly NodeMetrics[]) {
    const cpuMilli = quantityMilli(used?.['cpu']);
    const memoryBytes = quantityValue(used?.['memory']);
    if (metadata?.name === undefined || cpuMilli === undefined || memoryBytes === undefined) continue;
    // Only our own metrics tell these; of another server's, annotations of nodes do.
    const connections = quantityMilli(used?.[connectionsKey]);
    const responseMilli = quantityMilli(used?.[responseKey]);
    usage.set(metadata.name, {
      cpuMilli,
      memoryBytes,
      ...(connections === undefined ? {} : { connections: connections / 1000 }),
      ...(responseMilli === undefined ? {} : { responseMs: responseMilli / 1000 }),
    });
  }
  return usage;
}
