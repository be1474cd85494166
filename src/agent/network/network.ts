/**
 * A node's pod network: a bridge, an address range, a network namespace a pod, masquerade to the outside.
 * Addresses are kept on disk, so that a restarted agent hands none out twice.
 */
export interface PodAttachment {
  readonly podUid: string;
  /** `/run/netns/NAME`. */
  readonly namespacePath: string;
  readonly addresses: readonly string[];
  readonly interfaceName: string;
}

/** As found: one whose making was cut short, or whose namespace went when the machine was restarted, is not whole. */
export interface FoundAttachment extends PodAttachment {
  readonly isWhole: boolean;
}

export interface PodNetwork {
  /** Makes the bridge, the masquerade rule and the sysctls. Idempotent. */
  prepare(): Promise<void>;
  /** Creates the namespace, veth and address. Idempotent: answers the existing attachment; one that is not whole is mended. */
  attach(podUid: string, ports: readonly HostPort[]): Promise<PodAttachment>;
  detach(podUid: string): Promise<void>;
  list(): Promise<readonly FoundAttachment[]>;
  /** Opens a TCP connection inside the pod's network namespace (port-forward, probes to localhost). */
  connect(podUid: string, port: number): Promise<import('node:net').Socket>;
  /** Removes everything this network made: namespaces, bridge, rules. */
  destroy(): Promise<void>;
}

export interface HostPort {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
}
