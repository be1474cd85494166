/** Clouds with devices and pods with claims, for measuring the placement engine. */
import type { DeviceClass, DynamicResourceClaim, Pod, ResourceSlice } from '../../src/api/index.ts';
import type { WaitingPod } from '../../src/scheduler/plan.ts';
import type { Snapshot } from '../../src/scheduler/snapshot.ts';
import { cloud } from './workloads.ts';

export type Claimants = 'one' | 'two' | 'network' | 'allocated';

export const driver = 'gpu.example.com';
export const perNode = 8;

type Request = NonNullable<NonNullable<DynamicResourceClaim['spec']['devices']>['requests']>[number];

export const deviceClass: DeviceClass = {
  metadata: { name: 'gpu' },
  spec: { selectors: [{ cel: { expression: `device.driver == "${driver}"` } }] },
};

/** Eight devices on each node, of two models and two sockets; one fabric of many ports for all. */
export function deviceCloud(nodes: number): Snapshot {
  const snapshot = cloud(nodes);
  const book = snapshot.deviceClaims;
  book.setClass(deviceClass);
  book.setClass({
    metadata: { name: 'port' },
    spec: { selectors: [{ cel: { expression: `device.driver == "net.example.com"` } }] },
  });
  for (let index = 0; index < nodes; index++) book.setSlice(nodeSlice(index));
  book.setSlice({
    metadata: { name: 'fabric' },
    spec: {
      driver: 'net.example.com',
      allNodes: true,
      pool: { name: 'fabric', generation: 1, resourceSliceCount: 1 },
      devices: Array.from({ length: 128 }, (_, at) => ({ name: `port-${at}` })),
    },
  });
  return snapshot;
}

export function nodeSlice(index: number): ResourceSlice {
  const name = `n-${index}`;
  return {
    metadata: { name: `${name}-gpus` },
    spec: {
      driver,
      nodeName: name,
      pool: { name, generation: 1, resourceSliceCount: 1 },
      devices: Array.from({ length: perNode }, (_, at) => ({
        name: `gpu-${at}`,
        attributes: {
          model: { string: index % 2 === 0 ? 'a100' : 'h100' },
          uuid: { string: `${index}-${at}` },
          socket: { int: at % 2 },
        },
        capacity: { memory: { value: '80Gi' } },
      })),
    },
  };
}

const model = (name: string) => ({
  cel: { expression: `device.attributes["${driver}"].model == "${name}"` },
});
const exactly = (name: string, deviceClassName: string, selectors: readonly object[] = []): Request =>
  ({
    name,
    exactly: { deviceClassName, allocationMode: 'ExactCount', count: 1, selectors },
  }) as Request;

function specOf(kind: Claimants): DynamicResourceClaim['spec'] {
  if (kind === 'network') return { devices: { requests: [exactly('port', 'port')] } };
  if (kind !== 'two') return { devices: { requests: [exactly('gpu', 'gpu', [model('h100')])] } };
  return {
    devices: {
      requests: [exactly('a', 'gpu', [model('h100')]), exactly('b', 'gpu')],
      constraints: [{ matchAttribute: `${driver}/socket` }],
    },
  };
}

export interface Claimed {
  readonly waiting: readonly WaitingPod[];
  readonly claims: readonly DynamicResourceClaim[];
}

/** Pods of owners of 500, each with a claim of its own made from a template. */
export function claimants(kind: Claimants, count: number): Claimed {
  const waiting: WaitingPod[] = [];
  const claims: DynamicResourceClaim[] = [];
  for (let index = 0; index < count; index++) {
    const app = `${kind}-${Math.floor(index / 500)}`;
    const name = `${app}-${index}`;
    const metadata = { namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' };
    const pod = {
      metadata: {
        ...metadata,
        name,
        uid: name,
        labels: { app },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: app, uid: app, controller: true },
        ],
      },
      spec: {
        containers: [
          {
            name: 'c',
            image: 'i',
            resources: { requests: { cpu: '50m', memory: '64Mi' }, claims: [{ name: 'x' }] },
          },
        ],
        resourceClaims: [{ name: 'x', resourceClaimTemplateName: kind }],
      },
      status: { phase: 'Pending', resourceClaimStatuses: [{ name: 'x', resourceClaimName: `${name}-x` }] },
    } as unknown as Pod;
    waiting.push({ key: `default/${name}`, pod });
    const nodeName = `n-${index % 1000}`;
    claims.push({
      metadata: {
        ...metadata,
        name: `${name}-x`,
        uid: `${name}-x`,
        resourceVersion: '1',
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid: name, controller: true }],
      },
      spec: JSON.parse(JSON.stringify(specOf(kind))),
      ...(kind === 'allocated' && {
        status: {
          allocation: {
            devices: {
              results: [
                { request: 'gpu', driver, pool: nodeName, device: `gpu-${Math.floor(index / 1000)}` },
              ],
            },
            nodeSelector: {
              nodeSelectorTerms: [
                { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] },
              ],
            },
          },
        },
      }),
    });
  }
  return { waiting, claims };
}
