/** Drivers that publish devices, and users who claim some for their pods: each its own, or one for all pods of a Deployment. */
import { deployments, type KubeObject, type ResourceSlice } from '../api/index.ts';
import type { ResourceRef } from '../client/index.ts';
import { isError } from '../lib/index.ts';
import { type DeviceAction, nodeName } from './plan.ts';
import type { World } from './world.ts';

const home = 'default';
export const deviceDriver = 'sim.caelum.dev';
const className = 'sim-devices';

const dra = (resource: string, namespaced: boolean): ResourceRef => ({
  group: 'resource.k8s.io',
  version: 'v1',
  resource,
  namespaced,
});
const slices = dra('resourceslices', false);
const templates = dra('resourceclaimtemplates', true);
const claims = dra('resourceclaims', true);

/** What a machine says of its devices: whatever is published can be had. */
export const deviceFile = {
  name: '/etc/cdi/sim.json',
  content: {
    kind: `${deviceDriver}/device`,
    devices: [0, 1, 2, 3].map((at) => ({ name: `device-${at}`, containerEdits: { env: [`DEVICE=${at}`] } })),
  },
};

const object = (kind: string, name: string, spec: object, namespace?: string): KubeObject =>
  ({
    apiVersion: 'resource.k8s.io/v1',
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec,
  }) as KubeObject;

export async function carryOutDevices(world: World, action: DeviceAction): Promise<void> {
  const { user } = world;
  switch (action.kind) {
    case 'devices':
      return publish(world, nodeName(action.node), action.count);
    case 'claimers':
      return deploy(world, action);
    case 'scaleClaimers':
      await user.patch(deployments, home, `claimer-${action.number}`, 'merge', {
        spec: { replicas: action.replicas },
      });
      return;
    default:
      await user.delete(deployments, home, `claimer-${action.number}`, { propagationPolicy: 'Background' });
  }
}

async function publish({ user }: World, node: string, count: number): Promise<void> {
  const spec = (generation: number) => ({
    driver: deviceDriver,
    nodeName: node,
    pool: { name: node, generation, resourceSliceCount: 1 },
    devices: Array.from({ length: count }, (_, at) => ({
      name: `device-${at}`,
      attributes: { number: { int: at }, socket: { int: at % 2 } },
    })),
  });
  try {
    const known = await user.get<ResourceSlice>(slices, undefined, `${node}-devices`);
    await user.update(slices, { ...known, spec: spec((known.spec.pool.generation ?? 0) + 1) } as KubeObject);
  } catch (error) {
    if (!isError(error, 'notFound')) throw error;
    await user.create(slices, object('ResourceSlice', `${node}-devices`, spec(1)));
  }
}

async function deploy({ user }: World, action: DeviceAction & { kind: 'claimers' }): Promise<void> {
  const name = `claimer-${action.number}`;
  const devices = {
    requests: [
      {
        name: 'some',
        exactly: { deviceClassName: className, allocationMode: 'ExactCount', count: action.devices },
      },
    ],
  };
  const selectors = [{ cel: { expression: `device.driver == "${deviceDriver}"` } }];
  await once(user.create(dra('deviceclasses', false), object('DeviceClass', className, { selectors })));
  const made = action.isShared
    ? user.create(claims, object('ResourceClaim', name, { devices }, home))
    : user.create(templates, object('ResourceClaimTemplate', name, { spec: { devices } }, home));
  await once(made);
  const entry = action.isShared ? { resourceClaimName: name } : { resourceClaimTemplateName: name };
  await user.create(deployments, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: home },
    spec: {
      replicas: action.replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          resourceClaims: [{ name: 'devices', ...entry }],
          containers: [
            {
              name: 'main',
              image: 'image:0',
              resources: { requests: { cpu: '10m', memory: '8Mi' }, claims: [{ name: 'devices' }] },
            },
          ],
        },
      },
    },
  } as KubeObject);
}

/** It may be there already. */
async function once(made: Promise<unknown>): Promise<void> {
  await made.catch((error: unknown) => {
    if (!isError(error, 'alreadyExists')) throw error;
  });
}
