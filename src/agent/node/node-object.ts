/**
 * A Node object as its agent writes it: what the machine has, how it feels, where it answers. Pure.
 *
 *   MachineFacts + NodeSettings ──▶ Node (for create) and NodeStatus (for the status patch)
 */
import type { Node, NodeCondition, NodeStatus } from '../../api/index.ts';
import { formatTime } from '../../lib/index.ts';
import { kubeletVersion } from '../objects.ts';

export interface MachineFacts {
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  /** Go's names: amd64, arm64. */
  readonly architecture: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  readonly hasAppArmor?: boolean;
}

export interface NodePressure {
  readonly memory: boolean;
  readonly disk: boolean;
  readonly pids: boolean;
}

export interface Reserved {
  readonly memoryBytes: number;
  readonly ephemeralBytes: number;
}

export interface NodeSettings {
  readonly name: string;
  readonly address: string;
  readonly serverPort: number;
  readonly podsMax: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly runtimeVersion: string;
  /** What pods cannot have of it: below that the node is under pressure. */
  readonly reserved?: Reserved | undefined;
  /** Why the node cannot run pods; undefined: it can. */
  readonly notReady?: string | undefined;
}

export interface ImageEntry {
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

export function nodeLabels(
  settings: NodeSettings,
  facts: Pick<MachineFacts, 'architecture'>,
): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': facts.architecture,
    'kubernetes.io/hostname': settings.name,
    'kubernetes.io/os': 'linux',
    ...settings.labels,
  };
}

/** Names under which a RuntimeClass can ask for the node's runtime: crun and runc are the same to it. */
export const runtimeHandlers = (name: string): readonly string[] => [...new Set(['crun', 'runc', name])];

export function capacityOf(facts: MachineFacts, podsMax: number): Record<string, string> {
  return {
    cpu: String(facts.cpuCount),
    'ephemeral-storage': `${Math.floor(facts.ephemeralStorageBytes / 1024)}Ki`,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    pods: String(podsMax),
  };
}

/** What of a machine pods may have. */
export const leftOf = (facts: MachineFacts, { memoryBytes, ephemeralBytes }: Reserved): MachineFacts => ({
  ...facts,
  memoryBytes: Math.max(0, facts.memoryBytes - memoryBytes),
  ephemeralStorageBytes: Math.max(0, facts.ephemeralStorageBytes - ephemeralBytes),
});

/** The conditions, keeping the transition times of those that did not change. */
export function nodeConditions(
  previous: readonly NodeCondition[],
  pressure: NodePressure,
  notReady: string | undefined,
  nowMs: number,
): NodeCondition[] {
  const now = formatTime(nowMs);
  const make = (type: string, status: string, reason: string, message: string): NodeCondition => {
    const before = previous.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now;
    return { type, status, lastHeartbeatTime: now, lastTransitionTime, reason, message };
  };
  const pressed = (type: string, isPressed: boolean, what: string, has: string, hasNot: string) =>
    make(
      type,
      isPressed ? 'True' : 'False',
      isPressed ? has : hasNot,
      `kubelet has ${isPressed ? 'insufficient' : 'sufficient'} ${what} available`,
    );
  return [
    pressed(
      'MemoryPressure',
      pressure.memory,
      'memory',
      'KubeletHasInsufficientMemory',
      'KubeletHasSufficientMemory',
    ),
    make(
      'DiskPressure',
      pressure.disk ? 'True' : 'False',
      pressure.disk ? 'KubeletHasDiskPressure' : 'KubeletHasNoDiskPressure',
      pressure.disk ? 'kubelet has disk pressure' : 'kubelet has no disk pressure',
    ),
    pressed('PIDPressure', pressure.pids, 'PID', 'KubeletHasInsufficientPID', 'KubeletHasSufficientPID'),
    notReady === undefined
      ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      : make('Ready', 'False', 'KubeletNotReady', notReady),
  ];
}

export function nodeStatus(
  settings: NodeSettings,
  facts: MachineFacts,
  conditions: readonly NodeCondition[],
  images: readonly ImageEntry[],
): NodeStatus {
  const capacity = capacityOf(facts, settings.podsMax);
  const allocatable =
    settings.reserved === undefined
      ? capacity
      : capacityOf(leftOf(facts, settings.reserved), settings.podsMax);
  return {
    addresses: [
      { type: 'InternalIP', address: settings.address },
      { type: 'Hostname', address: settings.name },
    ],
    capacity,
    allocatable,
    conditions,
    daemonEndpoints: { kubeletEndpoint: { Port: settings.serverPort } },
    nodeInfo: {
      machineID: facts.machineId,
      systemUUID: facts.systemUuid,
      bootID: facts.bootId,
      kernelVersion: facts.kernelVersion,
      osImage: facts.osImage,
      containerRuntimeVersion: settings.runtimeVersion,
      kubeletVersion,
      kubeProxyVersion: kubeletVersion,
      operatingSystem: 'linux',
      architecture: facts.architecture,
    },
    runtimeHandlers: ['', ...runtimeHandlers(settings.runtimeVersion.split(':')[0] ?? '')].map((name) => ({
      ...(name === '' ? {} : { name }),
      features: { recursiveReadOnlyMounts: true, userNamespaces: false },
    })),
    images: images.map((image) => ({ names: image.names, sizeBytes: image.sizeBytes })),
  };
}

export function nodeObject(settings: NodeSettings, facts: MachineFacts): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: settings.name, labels: nodeLabels(settings, facts) },
    spec: {},
  };
}
