/** Users who share a node by queues. */
import { type KubeObject, namespaces, nodes, type Pod, pods, queues } from '../api/index.ts';
import { isError } from '../lib/index.ts';
import { nodeName, type TenantAction } from './plan.ts';
import { orThere } from './user-placement.ts';
import type { World } from './world.ts';

const key = 'sim.caelum.dev/tenants';
const prefix = 'scheduling.caelum.dev/';
const tenantName = (tenant: number): string => `tenant-${tenant}`;

export async function carryOutTenants(world: World, action: TenantAction): Promise<void> {
  switch (action.kind) {
    case 'tenants':
      return share(world, action);
    case 'tenantPods':
      return fill(world, action);
    case 'limitTenant':
      await world.user.patch(queues, undefined, tenantName(action.tenant), 'merge', {
        spec: {
          max: action.maxMilli === 0 ? null : { cpu: `${action.maxMilli}m` },
          mayBorrow: action.mayBorrow,
        },
      });
      return;
    case 'dropTenantPods':
      for (const { metadata } of world.truth.objects<Pod>('pods').values())
        if (metadata.labels?.['batch'] === String(action.number))
          await world.user.delete(pods, metadata.namespace, metadata.name ?? '');
  }
}

async function share(
  { user }: World,
  { node, guaranteedMilli }: TenantAction & { kind: 'tenants' },
): Promise<void> {
  await user.patch(nodes, undefined, nodeName(node), 'strategic', {
    metadata: { labels: { [key]: 'yes' } },
    spec: { taints: [{ key, value: 'yes', effect: 'NoExecute' }] },
  });
  for (const [tenant, milli] of guaranteedMilli.entries()) {
    const name = tenantName(tenant);
    await orThere(
      user.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as KubeObject),
    );
    const spec = { namespaces: [name], weight: 1 + tenant, min: { cpu: `${milli}m` } };
    const queue = {
      apiVersion: 'scheduling.caelum.dev/v1',
      kind: 'Queue',
      metadata: { name },
      spec,
    } as KubeObject;
    try {
      await user.create(queues, queue);
    } catch (error) {
      if (!isError(error, 'alreadyExists')) throw error;
      await user.patch(queues, undefined, name, 'merge', { spec });
    }
  }
}

async function fill({ user }: World, action: TenantAction & { kind: 'tenantPods' }): Promise<void> {
  const { tenant, number, cpuMilli, gang } = action;
  const name = `batch-${number}`;
  for (let i = 0; i < action.pods; i++)
    await orThere(
      user.create(pods, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: `${name}-${i}`,
          namespace: tenantName(tenant),
          labels: { batch: String(number), ...(gang === undefined ? {} : { [`${prefix}pod-group`]: name }) },
          ...(gang === undefined ? {} : { annotations: { [`${prefix}pod-group-min-count`]: String(gang) } }),
        },
        spec: {
          nodeSelector: { [key]: 'yes' },
          tolerations: [{ key, operator: 'Exists' }],
          containers: [
            {
              name: 'main',
              image: 'image:0',
              resources: { requests: { cpu: `${cpuMilli}m`, memory: '16Mi' } },
            },
          ],
        },
      } as KubeObject),
    );
}
