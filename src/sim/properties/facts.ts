/** What properties ask of objects, in the plainest words. Written apart from the product on purpose: two opinions are better than one. */
import type {
  Deployment,
  KubeObject,
  OwnerReference,
  Pod,
  ReplicaSet,
  Taint,
  Toleration,
} from '../../api/index.ts';
import { standbyName } from '../generate-placement.ts';
import { type Fault, rebalancerName } from '../plan.ts';
import type { Checked } from '../property.ts';

export const isTerminal = (pod: Pod): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
export const isGoing = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined;
/** Users, and who moves pods on their word. */
export const isUsers = (process: string): boolean => process === 'user' || process === rebalancerName;
export const isSchedulers = (process: string): boolean => process === 'scheduler' || process === standbyName;
/** Put out for another by the scheduler. */
export const isVictim = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(
    ({ type, status, reason }) =>
      type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
  ) === true;
/** Counts for its ReplicaSet. */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && !isGoing(pod);
export const isReady = (pod: Pod): boolean =>
  pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find(({ controller }) => controller === true);

/** `namespace/name` of something in the same namespace. */
export const beside = (object: KubeObject, name: string): string => `${object.metadata.namespace}/${name}`;

export function* controlledBy<T extends KubeObject>(owner: KubeObject, among: Iterable<T>): Iterable<T> {
  for (const one of among) if (controllerOf(one)?.uid === owner.metadata.uid) yield one;
}

/** How far back a part may have looked: what it has decided on may be as old as this. */
export function sinceMs(world: Checked, graceMs = 400_000): number {
  const known = world.knownToAllMs();
  return known > 0 ? known : world.nowMs() - graceMs;
}

/** All values that `of` had on an object since then, the current one included. */
export function valuesSince<T extends KubeObject, V>(
  world: Checked,
  resource: string,
  name: string,
  of: (object: T) => V,
): readonly V[] {
  const since = sinceMs(world);
  const found: V[] = [];
  const versions = world.truth.versions(resource, name);
  for (let i = versions.length - 1; i >= 0; i--) {
    const version = versions[i];
    if (version === undefined) break;
    if (version.object !== undefined) found.push(of(version.object as T));
    if (version.atMs <= since) break;
  }
  return found;
}

export function isWhole(world: Checked, resource: string, name: string): boolean {
  const versions = world.truth.versions(resource, name);
  const oldest = versions[0];
  return oldest !== undefined && (oldest.atMs <= sinceMs(world) || versions.length < 24);
}

export interface Fences {
  readonly surge: number;
  readonly unavailable: number;
}

/** Of a rolling update. Source: k8s.io/api/apps/v1, RollingUpdateDeployment: surge is rounded up, unavailable down, and not both are 0. */
export function fencesOf({ spec }: Deployment): Fences {
  const replicas = spec?.replicas ?? 1;
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec?.strategy?.rollingUpdate ?? {};
  const part = (value: number | string, round: (x: number) => number): number =>
    typeof value === 'number' ? value : round((replicas * Number.parseFloat(value)) / 100);
  const surge = part(maxSurge, Math.ceil);
  const unavailable = part(maxUnavailable, Math.floor);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export const wanted = (object: Deployment | ReplicaSet): number => object.spec?.replicas ?? 1;

export const milli = (quantity: string | number | undefined): number => {
  const text = String(quantity ?? '0');
  const match = /^([\d.]+)(m|Ki|Mi|Gi|Ti|k|M|G)?$/.exec(text);
  if (match === null) throw new Error(`a quantity that this property cannot read: ${text}`);
  const factor = { m: 0.001, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, k: 1e3, M: 1e6, G: 1e9 };
  return Number(match[1]) * (match[2] === undefined ? 1 : factor[match[2] as keyof typeof factor]) * 1000;
};

export function requestOf(pod: Pod, resource: 'cpu' | 'memory'): number {
  return (pod.spec?.containers ?? []).reduce(
    (sum, { resources }) => sum + milli(resources?.requests?.[resource]),
    0,
  );
}

export const tolerates = (tolerations: readonly Toleration[], taint: Taint): boolean =>
  tolerations.some(
    ({ key, operator = 'Equal', value = '', effect }) =>
      (effect === undefined || effect === '' || effect === taint.effect) &&
      (key === undefined || key === '' ? operator === 'Exists' : key === taint.key) &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  );

/** Faults of single nodes, and of who only watches. */
const isOfNode = (fault: Fault): boolean =>
  'process' in fault && /^(node-|proxy-|witness)/.test(fault.process);

/** For how long nothing has been broken but nodes. 0 while something is. */
export function undisturbedMs(world: Checked): number {
  const { faults, activeMs } = world.plan;
  const nowMs = world.nowMs();
  let sinceMs = 0;
  for (const fault of faults)
    if (fault.atMs <= nowMs && !isOfNode(fault))
      sinceMs = Math.max(sinceMs, Math.min(fault.atMs + fault.forMs, activeMs));
  return Math.max(0, nowMs - sinceMs);
}

export const isNamespaceGoing = (world: Checked, object: KubeObject): boolean => {
  const namespace = world.truth.objects('namespaces').get(object.metadata.namespace ?? '');
  return namespace === undefined || isGoing(namespace);
};
