/**
 * Capacity: nobody was given what is not there, and nothing was given twice: resources and pods of nodes, host ports, devices, volumes for one pod alone. Pure.
 * Source: Kubernetes: node allocatable, host ports, ReadWriteOncePod, structured device allocation.
 */
import type { Node, Pod } from '../api/index.ts';
import { addTo, amountOf, amountsIn, amountText } from './amounts.ts';
import { gpuFindings, sharesResource } from './gpus.ts';
import { type Finding, isPlaced, listOf, nodeName, podName, type View } from './view.ts';

/** Names shown of many. */
const shownMax = 5;

export function capacityFindings(view: View): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [name, pods] of view.podsOn) findings.push(...nodeFindings(view, name, pods));
  findings.push(...deviceFindings(view), ...exclusiveVolumeFindings(view));
  return findings;
}

/** Of one node alone. */
export function nodeFindings(view: View, name: string, pods: readonly Pod[]): readonly Finding[] {
  const node = view.nodes.get(name);
  if (node === undefined)
    return [
      {
        rule: 'capacity/node-exists',
        severity: 'drift',
        objects: [nodeName(name), ...pods.slice(0, shownMax).map(podName)],
        numbers: { pods: pods.length },
        message: `${pods.length} pods are on node ${name}, which is not there`,
      },
    ];
  return [
    ...overcommitOf(view, node, name, pods),
    ...gpuFindings(view, node, pods),
    ...portClashesOn(name, pods),
  ];
}

function overcommitOf(view: View, node: Node, name: string, pods: readonly Pod[]): readonly Finding[] {
  const findings: Finding[] = [];
  const has = amountsIn(node.status?.allocatable ?? node.status?.capacity);
  const taken = new Map<string, bigint>();
  for (const pod of pods) addTo(taken, ofNode(pod, view.taken(pod)));
  taken.delete(sharesResource);
  taken.set('pods', BigInt(pods.length) * (amountOf(1) ?? 0n));
  for (const [resource, amount] of taken) {
    const most = has.get(resource) ?? defaultsOf(node, resource);
    if (most === undefined || amount <= most || amount === 0n) continue;
    const [asked, there] = [amountText(resource, amount), amountText(resource, most)];
    const largest = [...pods]
      .filter((pod) => resource === 'pods' || (view.taken(pod).get(resource) ?? 0n) > 0n)
      .sort((a, b) => Number((view.taken(b).get(resource) ?? 0n) - (view.taken(a).get(resource) ?? 0n)));
    findings.push({
      rule: resource === 'pods' ? 'capacity/pods' : 'capacity/resources',
      severity: 'violation',
      objects: [nodeName(name), ...largest.slice(0, shownMax).map(podName)],
      numbers: { resource, taken: asked, allocatable: there, over: amountText(resource, amount - most) },
      message: `node ${name} has ${there} of ${resource}, its ${pods.length} pods take ${asked}`,
    });
  }
  return findings;
}

/** Without extended resources that devices stand in for. */
function ofNode({ status }: Pod, taken: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
  const mappings = status?.extendedResourceClaimStatus?.requestMappings ?? [];
  if (mappings.length === 0) return taken;
  const own = new Map(taken);
  for (const { resourceName } of mappings) own.delete(resourceName);
  return own;
}

/** What a node that does not say it can give. Nothing of devices; of its disk nobody knows, and a node that has not reported yet has pods all the same. */
function defaultsOf(node: Node, resource: string): bigint | undefined {
  if (resource === 'ephemeral-storage' || node.status?.allocatable === undefined) return undefined;
  return resource === 'pods' ? amountOf(110) : 0n;
}

interface TakenPort {
  readonly pod: Pod;
  readonly address: string;
}

function portClashesOn(name: string, pods: readonly Pod[]): readonly Finding[] {
  const takers = new Map<string, TakenPort[]>();
  for (const pod of pods) {
    const lasting = (pod.spec?.initContainers ?? []).filter((one) => one.restartPolicy === 'Always');
    for (const { ports = [] } of [...(pod.spec?.containers ?? []), ...lasting])
      for (const { hostPort, containerPort, protocol = 'TCP', hostIP = '' } of ports) {
        const port = hostPort ?? (pod.spec?.hostNetwork === true ? containerPort : 0);
        const address = hostIP === '' || hostIP === '::' ? '0.0.0.0' : hostIP;
        if (port > 0) listOf(takers, `${protocol} ${port}`).push({ pod, address });
      }
  }
  const findings: Finding[] = [];
  for (const [port, taken] of takers)
    for (let at = 1; at < taken.length; at++) {
      const later = taken[at] as TakenPort;
      const first = taken
        .slice(0, at)
        .find(
          ({ pod, address }) =>
            pod !== later.pod &&
            (address === later.address || address === '0.0.0.0' || later.address === '0.0.0.0'),
        );
      if (first === undefined) continue;
      findings.push({
        rule: 'capacity/host-ports',
        severity: 'violation',
        objects: [nodeName(name), podName(first.pod), podName(later.pod)],
        numbers: { port, address: later.address },
        message: `host port ${port} of node ${name} is given to ${podName(first.pod)} and to ${podName(later.pod)}`,
      });
    }
  return findings;
}

/** A device is one claim's alone, unless it is shared in portions, which together are no more than it has; and it is on the node of the claim's pods. */
function deviceFindings(view: View): readonly Finding[] {
  const { deviceClaims = [], deviceSlices = [] } = view.allocation;
  const findings: Finding[] = [];
  const holders = new Map<string, string[]>();
  const portions = new Map<string, Map<string, bigint>>();
  const pods = new Map(view.living.map((pod) => [pod.metadata.uid ?? '', pod]));
  const nodeOfDevice = new Map<string, string>();
  const capacities = new Map<string, Map<string, bigint>>();
  for (const { spec } of deviceSlices)
    for (const device of spec.devices ?? []) {
      const key = `${spec.driver}/${spec.pool.name}/${device.name}`;
      const at = device.nodeName ?? spec.nodeName;
      if (at !== undefined) nodeOfDevice.set(key, at);
      const capacity = Object.entries(device.capacity ?? {}).map(
        ([name, { value }]) => [name, amountOf(value) ?? 0n] as const,
      );
      capacities.set(key, new Map(capacity));
    }
  for (const { metadata, status } of deviceClaims) {
    const claim = `resourceclaim/${metadata.namespace}/${metadata.name}`;
    for (const one of status?.allocation?.devices?.results ?? []) {
      if (one.adminAccess === true) continue;
      const key = `${one.driver}/${one.pool}/${one.device}`;
      const isPortion = one.shareID !== undefined;
      if (isPortion) {
        const sum = portions.get(key) ?? new Map<string, bigint>();
        addTo(sum, amountsIn(one.consumedCapacity));
        portions.set(key, sum);
      }
      // Portions share; whoever has all of it, and one who has a portion, do not.
      listOf(holders, key).push(isPortion ? `${claim} (a portion)` : claim);
      for (const { resource, uid = '' } of status?.reservedFor ?? []) {
        const at = resource === 'pods' ? pods.get(uid)?.spec?.nodeName : undefined;
        const home = nodeOfDevice.get(key);
        if (at === undefined || at === '' || home === undefined || at === home) continue;
        findings.push({
          rule: 'capacity/devices',
          severity: 'violation',
          objects: [claim, nodeName(at), nodeName(home)],
          numbers: { device: key },
          message: `${claim} has device ${key} of node ${home}; its pod is on node ${at}`,
        });
      }
    }
  }
  for (const [device, claims] of holders) {
    const whole = claims.filter((one) => !one.endsWith('(a portion)'));
    if (whole.length === 0 || claims.length === 1) continue;
    findings.push({
      rule: 'capacity/devices',
      severity: 'violation',
      objects: claims,
      numbers: { device, holders: claims.length },
      message: `device ${device} is given to ${claims.length} claims: ${claims.join(', ')}`,
    });
  }
  for (const [device, sum] of portions)
    for (const [name, amount] of sum) {
      const most = capacities.get(device)?.get(name);
      if (most === undefined || amount <= most) continue;
      findings.push({
        rule: 'capacity/devices',
        severity: 'violation',
        objects: holders.get(device) ?? [],
        numbers: {
          device,
          resource: name,
          taken: amountText(name, amount),
          capacity: amountText(name, most),
        },
        message: `device ${device} has ${amountText(name, most)} of ${name}, ${amountText(name, amount)} are given`,
      });
    }
  return findings;
}

function exclusiveVolumeFindings(view: View): readonly Finding[] {
  const exclusive = new Set(
    (view.allocation.claims ?? [])
      .filter(({ spec }) => spec?.accessModes?.includes('ReadWriteOncePod') === true)
      .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
  );
  if (exclusive.size === 0) return [];
  const users = new Map<string, Pod[]>();
  for (const pod of view.living.filter(isPlaced))
    for (const { persistentVolumeClaim } of pod.spec?.volumes ?? []) {
      const key = `${pod.metadata.namespace}/${persistentVolumeClaim?.claimName}`;
      if (exclusive.has(key)) listOf(users, key).push(pod);
    }
  return [...users]
    .filter(([, pods]) => pods.length > 1)
    .map(([key, pods]) => ({
      rule: 'capacity/volume-exclusive',
      severity: 'violation',
      objects: [`persistentvolumeclaim/${key}`, ...pods.map(podName)],
      numbers: { pods: pods.length },
      message: `claim ${key} is for one pod alone (ReadWriteOncePod), ${pods.length} have it`,
    }));
}
