/** What a bench's server is filled with, and how it is kept moving: pods on nodes as a rollout leaves them, and changes of their status. */
import type { KubeObject } from '../../src/api/index.ts';
import type { Client, ResourceRef } from '../../src/client/index.ts';
import type { Store } from '../../src/store/index.ts';

export const podsRef: ResourceRef = { group: '', version: 'v1', resource: 'pods', namespaced: true };
const nodesRef: ResourceRef = { group: '', version: 'v1', resource: 'nodes', namespaced: false };

export interface World {
  readonly pods: number;
  readonly nodes: number;
}

export const nodeName = (number: number): string => `node-${number}`;
const podName = (number: number): string => `web-7d9f8b6c5-${number.toString(36).padStart(5, '0')}`;

/** A running pod of a Deployment, about as large as they are. */
function pod(number: number, node: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(number),
      namespace: 'default',
      labels: { app: 'web', 'pod-template-hash': '7d9f8b6c5' },
    },
    spec: {
      nodeName: node,
      containers: [
        {
          name: 'web',
          image: 'registry.example.org/team/web:1.2.3',
          ports: [{ containerPort: 8080, name: 'http' }],
          env: [
            { name: 'MODE', value: 'production' },
            { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          ],
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
          readinessProbe: { httpGet: { path: '/ready', port: 8080 } },
        },
      ],
    },
  };
}

const inGroups = async (count: number, make: (number: number) => Promise<unknown>): Promise<void> => {
  const group = 500;
  for (let from = 0; from < count; from += group)
    await Promise.all(Array.from({ length: Math.min(group, count - from) }, (_, at) => make(from + at)));
};

export async function fill(client: Client, { pods, nodes }: World): Promise<void> {
  await inGroups(nodes, (number) =>
    client.create(nodesRef, { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName(number) } }),
  );
  await inGroups(pods, (number) =>
    client.create(podsRef, pod(number, nodeName(number % Math.max(1, nodes))) as KubeObject),
  );
}

/** Bytes that a pod takes in memory, all told, and those of its JSON. */
export async function weigh(
  client: Client,
  store: Store,
  pods: number,
): Promise<{ bytes: number; json: number }> {
  const inUse = async (): Promise<number> => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = { bytes: await inUse(), json: store.stats().bytes };
  await fill(client, { pods, nodes: 1 });
  // What history holds of them is bounded, and not theirs.
  store.compact(store.revision());
  return {
    bytes: ((await inUse()) - before.bytes) / pods,
    json: (store.stats().bytes - before.json) / pods,
  };
}

/** Milliseconds since the epoch, finely: comparable between processes of a machine. */
export const finely = (): number => performance.timeOrigin + performance.now();

/** Changes one pod after the other, `perSecond` of them, each bearing when it was sent. Answers how to stop, and how many there were. */
export function stir(client: Client, world: World, perSecond: number): () => number {
  let done = 0;
  let number = 0;
  const startMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond);
    for (; number < due; number++) {
      const patch = {
        status: {
          phase: 'Running',
          message: `sent=${finely()}`,
          conditions: [{ type: 'Ready', status: number % 2 === 0 ? 'True' : 'False' }],
        },
      };
      // Nodes in turn, so that changes are spread over those who watch.
      const name = podName((number * 7919) % world.pods);
      client.patch(podsRef, 'default', name, 'merge', patch, { subresource: 'status' }).then(
        () => done++,
        () => {},
      );
    }
  }, 5);
  return () => {
    clearInterval(timer);
    return done;
  };
}
