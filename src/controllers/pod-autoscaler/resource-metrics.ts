/**
 * Figures by the API's own metrics (metrics.k8s.io), for autoscalers. What the cloud does not serve says so, in the words that Kubernetes has for it.
 */
import { type KubeObject, quantityMilli } from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import type { MetricsSource, PodSamples, Sample } from './readings.ts';

interface PodMetrics extends KubeObject {
  readonly timestamp?: string;
  /** `30s`. */
  readonly window?: string;
  readonly containers?: readonly {
    readonly name: string;
    readonly usage?: Readonly<Record<string, string>>;
  }[];
}

const podMetricsRef: ResourceRef = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  resource: 'pods',
  namespaced: true,
};

const noneServed = async (api: string): Promise<never> => {
  throw new Error(`unable to fetch metrics from ${api} metrics API: no such API is served`);
};

export function createResourceMetrics(client: Client): MetricsSource {
  return {
    async resource(resource, namespace, labelSelector, container) {
      const samples = await listSamples(client, namespace, labelSelector, resource, container);
      if (samples.size === 0) throw new Error('no metrics returned from resource metrics API');
      return samples;
    },
    pods: () => noneServed('custom'),
    object: () => noneServed('custom'),
    external: () => noneServed('external'),
  };
}

async function listSamples(
  client: Client,
  namespace: string,
  labelSelector: string,
  resource: string,
  container: string | undefined,
): Promise<PodSamples> {
  const samples = new Map<string, Sample>();
  let items: readonly PodMetrics[];
  try {
    ({ items } = await client.list<PodMetrics>(podMetricsRef, { namespace, labelSelector }));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`unable to fetch metrics from resource metrics API: ${why}`, { cause: error });
  }
  for (const { metadata, timestamp = '', window = '', containers = [] } of items) {
    const milli = sumOf(containers, resource, container);
    if (milli === undefined) continue;
    const windowMs = (Number.parseFloat(window) || 0) * 1000;
    samples.set(metadata.name ?? '', { milli, atMs: Date.parse(timestamp) || 0, windowMs });
  }
  return samples;
}

/** A pod of which one container is not told of has no figure. */
function sumOf(
  containers: NonNullable<PodMetrics['containers']>,
  resource: string,
  container: string | undefined,
): number | undefined {
  let sum: number | undefined;
  for (const { name, usage } of containers) {
    if (container !== undefined && name !== container) continue;
    const milli = quantityMilli(usage?.[resource]);
    if (milli === undefined) return undefined;
    sum = (sum ?? 0) + milli;
  }
  return sum;
}
