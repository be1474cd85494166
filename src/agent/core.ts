/**
 * What a node agent is, apart from the machine that it runs on: its pods, its node object and lease, its events. Pure; the agent of a
 * real machine (`io/agent.ts`) and that of a simulated one are this over different parts.
 *
 *   client, informers ──▶ PodShell ──▶ runtime, network, images, disk
 *                  ├────▶ NodeKeeper
 *                  ├────▶ LocalVolumes ──▶ disk
 *                  ├────▶ Evictor, ImageCollector ◀── gauge
 *                  └────▶ NodeShutdown ──▶ PodShell
 */
import type { ObjectReference, Pod } from '../api/index.ts';
import { createEventRecorder, type EventRecorder } from '../client/index.ts';
import { type Image, normalizeName } from './images/index.ts';
import { type NodeConfig, parseNodeConfig, type Signal } from './node/node-config.ts';
import { NodeKeeper } from './node/node-keeper.ts';
import { type ImageEntry, leftOf, type MachineFacts, type Reserved } from './node/node-object.ts';
import { PodShell, type PodShellOptions } from './pods/pod-shell.ts';
import { qosClassOf } from './pods/qos.ts';
import { appArmorRejection } from './pods/security.ts';
import { sysctlRejection } from './pods/sysctls.ts';
import { Evictor } from './pressure/evictor.ts';
import { ImageCollector } from './pressure/image-collector.ts';
import { measurePod } from './pressure/measure.ts';
import { amountOf, type MachineReading } from './pressure/thresholds.ts';
import { NodeShutdown } from './shutdown/node-shutdown.ts';
import { LocalVolumes } from './volumes/local-volumes.ts';

export interface AgentCoreOptions extends Omit<PodShellOptions, 'events' | 'allocatable' | 'admission'> {
  readonly facts: MachineFacts;
  /** How much the machine has left. */
  readonly gauge: () => Promise<MachineReading>;
  /** Default: as the kubelet's. */
  readonly config?: NodeConfig | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export class AgentCore {
  readonly shell: PodShell;
  readonly #options: AgentCoreOptions;
  readonly #events: EventRecorder;
  readonly #config: NodeConfig;
  readonly #reserved: Reserved;
  readonly #evictor: Evictor;
  /** Ends the pods when the machine goes down. */
  readonly shutdown: NodeShutdown;
  readonly #collector: ImageCollector;
  #keeper: NodeKeeper | undefined;
  #volumes: LocalVolumes | undefined;

  constructor(options: AgentCoreOptions) {
    const { client, clock, random, log, nodeName, facts } = options;
    this.#options = options;
    this.#config = options.config ?? parseNodeConfig();
    const reserved = reservedBy(this.#config, facts);
    const left = leftOf(facts, reserved);
    this.#reserved = reserved;
    this.#events = createEventRecorder({ client, clock, random, log, component: 'kubelet', host: nodeName });
    this.shell = new PodShell({
      ...options,
      events: this.#events,
      allocatable: {
        cpuMilli: left.cpuCount * 1000,
        memoryBytes: left.memoryBytes,
        ephemeralBytes: left.ephemeralStorageBytes,
      },
      podsMax: this.#config.podsMax,
      podPidsLimit: this.#config.podPidsLimit,
      seccompDefault: this.#config.seccompDefault,
      admission: (pod) =>
        this.shutdown.rejection ??
        this.#evictor.rejection(pod, qosClassOf(pod.spec) === 'BestEffort') ??
        sysctlRejection(pod, this.#config.allowedUnsafeSysctls) ??
        appArmorRejection(pod, facts.hasAppArmor === true),
    });
    const node: ObjectReference = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
    const shared = { clock, log, events: this.#events, node, config: this.#config };
    this.#collector = new ImageCollector({
      ...shared,
      images: options.images,
      disk: async () => (await options.gauge()).imageFiles.bytes,
      used: () => imagesOf(this.shell.pods()),
    });
    this.shutdown = new NodeShutdown({
      ...shared,
      groups: this.#config.shutdownGroups,
      pods: () => this.shell.unfinished(),
      end: ({ metadata }, verdict) => this.shell.evict(metadata.uid ?? '', verdict),
      isDone: (uid) => this.shell.isLaidDown(uid),
      onCondition: async () => this.#keeper?.refresh(),
    });
    this.#evictor = new Evictor({
      ...shared,
      gauge: options.gauge,
      running: () => this.shell.running(),
      measure: async (pod, withDisk) => {
        const state = this.shell.worker(pod.metadata.uid ?? '')?.state;
        return state === undefined ? undefined : measurePod(options, state, pod, withDisk);
      },
      evict: ({ metadata }, verdict) => this.shell.evict(metadata.uid ?? '', verdict),
      isEnded: (uid) => this.shell.isEnded(uid),
      collectImages: () => this.#collector.collectAll(),
      onConditions: () => void this.#keeper?.refresh(),
    });
  }

  /** Resolves when the node is registered and Ready and its pods are looked after. Its server listens at `serverPort`. */
  async start(serverPort: number): Promise<void> {
    const { client, clock, log, facts, images, nodeName, nodeAddress, runtime } = this.#options;
    const description = runtime.describe();
    const version = description.version.split(',')[0]?.trim() || '0.0.0';
    this.#keeper = new NodeKeeper({
      client,
      clock,
      log,
      events: this.#events,
      facts,
      settings: {
        name: nodeName,
        address: nodeAddress,
        serverPort,
        podsMax: this.#config.podsMax,
        reserved: this.#reserved,
        labels: this.#options.labels ?? {},
        runtimeVersion: `${description.name}://${version}`,
      },
      pressure: () => this.#evictor.pressure,
      notReady: () => this.shutdown.notReady,
      images: async () => {
        const all = await images.list();
        this.#collector.note(all);
        return all.map(imageEntry);
      },
    });
    // Before the first pod is let in.
    await this.#evictor.start();
    this.#collector.start();
    // Pods do not wait for the node object, nor it for them.
    await Promise.all([this.shell.start(), this.#keeper.start()]);
    this.#eraseVolumes();
  }

  #eraseVolumes(): void {
    const { disk, log, nodeName } = this.#options;
    this.#volumes = new LocalVolumes({
      ...this.#options,
      events: this.#events,
      isOurs: (name) => name === nodeName,
      erase: (handle) => disk.eraseVolume(handle),
    });
    disk.sweepVolumes().catch((error: unknown) => {
      log.warn('cannot finish erasing volumes', { error });
    });
  }

  /** Stops acting. Containers go on. */
  stop(): void {
    this.#evictor.stop();
    this.#collector.stop();
    this.shell.stop();
    this.#volumes?.stop();
    this.#events.stop();
    this.#keeper?.stop();
  }
}

/** Pods that used the last of it would put the node under pressure, and be evicted for it. */
function reservedBy({ thresholds }: NodeConfig, facts: MachineFacts): Reserved {
  const hard = (signal: Signal, capacity: number): number => {
    const found = thresholds.find((one) => one.isHard && one.signal === signal);
    return found === undefined ? 0 : amountOf(found.value, capacity);
  };
  return {
    memoryBytes: hard('memory.available', facts.memoryBytes),
    ephemeralBytes: hard('nodefs.available', facts.ephemeralStorageBytes),
  };
}

/** Ids and whole names of the images that pods use, or have used. */
function imagesOf(pods: Iterable<Pod>): ReadonlySet<string> {
  const used = new Set<string>();
  for (const { spec, status } of pods) {
    const { containers = [], initContainers = [], ephemeralContainers = [], volumes = [] } = spec ?? {};
    const names = [
      ...[...containers, ...initContainers, ...ephemeralContainers].map(({ image }) => image ?? ''),
      ...volumes.map(({ image }) => image?.reference ?? ''),
    ];
    for (const name of names) {
      try {
        used.add(/^sha256:/.test(name) ? name : normalizeName(name));
      } catch {
        // No image has such a name.
      }
    }
    for (const { imageID } of status?.containerStatuses ?? []) used.add(imageID);
  }
  return used;
}

function imageEntry(image: Image): ImageEntry {
  return { names: [...image.digests, ...image.names], sizeBytes: image.sizeBytes };
}
