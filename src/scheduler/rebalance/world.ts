/** Reads the rest of the world that moves are planned on: what nodes and pods do not say themselves, and only where it can matter. */
import {
  claimsOf,
  type KubeObject,
  type Namespace,
  type Node,
  namespaces,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type PodDisruptionBudget,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  type SchedulingProfile,
  type StorageClass,
  schedulingProfiles,
  storageClasses,
} from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import type { World } from './trial.ts';

export async function readWorld(
  client: Client,
  nodes: readonly Node[],
  pods: readonly Pod[],
  nowMs: number,
): Promise<World> {
  const all = async <T extends KubeObject>(ref: ResourceRef): Promise<readonly T[]> =>
    (await client.list<T>(ref)).items;
  const hasClaims = pods.some((pod) => claimsOf(pod).length > 0);
  const [budgets, spaces, profiles, claims, volumes, classes] = await Promise.all([
    all<PodDisruptionBudget>(podDisruptionBudgets),
    all<Namespace>(namespaces),
    all<SchedulingProfile>(schedulingProfiles),
    hasClaims ? all<PersistentVolumeClaim>(persistentVolumeClaims) : [],
    hasClaims ? all<PersistentVolume>(persistentVolumes) : [],
    hasClaims ? all<StorageClass>(storageClasses) : [],
  ]);
  return { nodes, pods, nowMs, budgets, namespaces: spaces, profiles, claims, volumes, classes };
}
