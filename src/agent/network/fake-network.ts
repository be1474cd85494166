/**
 * A pod network in memory, for the simulator and unit tests: addresses from the range, connections answered by a listener table.
 */
import { CaelumError } from '../../lib/index.ts';
import type { FoundAttachment, HostPort, PodAttachment, PodNetwork } from './network.ts';
import { addressesOf, type Range } from './range.ts';

export interface FakePodNetworkOptions {
  /** `10.44.0.0/24`. */
  readonly podCidr: string;
  /** Opens a connection to a pod's port; by default every connection is refused. */
  readonly connect?: (attachment: PodAttachment, port: number) => Promise<import('node:net').Socket>;
  /** Between reserving an address and making the rest. When it never resolves, a half-made attachment is left: the agent died. */
  readonly pause?: () => Promise<void>;
}

export interface FakePodNetwork extends PodNetwork {
  /** Host ports as given to `attach`, by pod uid. */
  readonly hostPorts: ReadonlyMap<string, readonly HostPort[]>;
  /** By pod uid. */
  readonly attachments: ReadonlyMap<string, FoundAttachment>;
  /** The machine is started anew: reservations are on its disk, namespaces are gone. */
  powerCut(): void;
}

export function createFakePodNetwork(options: FakePodNetworkOptions): FakePodNetwork {
  const range: Range = addressesOf(options.podCidr);
  const attachments = new Map<string, FoundAttachment>();
  const hostPorts = new Map<string, readonly HostPort[]>();
  const taken = new Set<number>();
  /** Round the range, as the real one: an address rests before it is another's. */
  let next: number | undefined;
  const reserve = (podUid: string): FoundAttachment => {
    const address = range.firstFree(taken, next);
    if (address === undefined)
      throw new CaelumError(
        'unavailable',
        `Cannot attach pod "${podUid}": no free address in ${options.podCidr}`,
      );
    taken.add(address.number);
    next = address.number + 1;
    return {
      podUid,
      namespacePath: `/run/netns/fake-${podUid}`,
      addresses: [address.text],
      interfaceName: 'eth0',
      isWhole: false,
    };
  };
  return {
    hostPorts,
    async prepare() {},
    attachments,
    async attach(podUid, ports) {
      hostPorts.set(podUid, ports);
      const existing = attachments.get(podUid);
      if (existing?.isWhole === true) return bare(existing);
      const made = existing ?? reserve(podUid);
      attachments.set(podUid, made);
      await options.pause?.();
      const whole = { ...made, isWhole: true };
      attachments.set(podUid, whole);
      return bare(whole);
    },
    async detach(podUid) {
      const attachment = attachments.get(podUid);
      for (const text of attachment?.addresses ?? []) taken.delete(range.numberOf(text));
      attachments.delete(podUid);
      hostPorts.delete(podUid);
    },
    async list() {
      return [...attachments.values()];
    },
    async connect(podUid, port) {
      const attachment = attachments.get(podUid);
      if (attachment === undefined)
        throw new CaelumError('notFound', `Cannot connect to pod "${podUid}": it has no network`);
      if (options.connect !== undefined) return options.connect(attachment, port);
      throw new CaelumError(
        'unavailable',
        `Cannot connect to pod "${podUid}" port ${port}: connection refused`,
      );
    },
    powerCut() {
      for (const [podUid, found] of attachments) attachments.set(podUid, { ...found, isWhole: false });
    },
    async destroy() {
      attachments.clear();
      hostPorts.clear();
      taken.clear();
    },
  };
}

const bare = ({ isWhole: _isWhole, ...attachment }: FoundAttachment): PodAttachment => attachment;
