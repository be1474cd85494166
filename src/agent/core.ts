/**
 * What a node agent is, apart from the machine that it runs on: its pods, its node object and lease, its events. Pure; the agent of a
 * real machine (`io/agent.ts`) and that of a simulated one are this over different parts.
 *
 *   client, informers ──▶ PodShell ──▶ runtime, network, images, disk
 *                  ├────▶ NodeKeeper
 *                  └────▶ LocalVolumes ──▶ disk
 */
import { createEventRecorder, type EventRecorder } from '../client/index.ts';
import { NodeKeeper } from './node/node-keeper.ts';
import type { ImageEntry, MachineFacts, NodePressure } from './node/node-object.ts';
import { PodShell, type PodShellOptions } from './pods/pod-shell.ts';
import { LocalVolumes } from './volumes/local-volumes.ts';

const podsMaxDefault = 110;

export interface AgentCoreOptions extends Omit<PodShellOptions, 'events' | 'allocatable'> {
  readonly facts: MachineFacts;
  readonly pressure: () => Promise<NodePressure>;
  /** Default 110. */
  readonly podsMax?: number | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

export class AgentCore {
  readonly shell: PodShell;
  readonly #options: AgentCoreOptions;
  readonly #events: EventRecorder;
  #keeper: NodeKeeper | undefined;
  #volumes: LocalVolumes | undefined;

  constructor(options: AgentCoreOptions) {
    const { client, clock, random, log, nodeName, facts } = options;
    this.#options = options;
    this.#events = createEventRecorder({ client, clock, random, log, component: 'kubelet', host: nodeName });
    this.shell = new PodShell({
      ...options,
      events: this.#events,
      allocatable: {
        cpuMilli: facts.cpuCount * 1000,
        memoryBytes: facts.memoryBytes,
        ephemeralBytes: facts.ephemeralStorageBytes,
      },
      podsMax: options.podsMax ?? podsMaxDefault,
    });
  }

  /** Resolves when the node is registered and Ready and its pods are looked after. Its server listens at `serverPort`. */
  async start(serverPort: number): Promise<void> {
    const { client, clock, log, facts, pressure, images, nodeName, nodeAddress, runtime } = this.#options;
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
        podsMax: this.#options.podsMax ?? podsMaxDefault,
        labels: this.#options.labels ?? {},
        runtimeVersion: `${description.name}://${version}`,
      },
      pressure,
      images: async () => (await images.list()).map(imageEntry),
    });
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
    this.shell.stop();
    this.#volumes?.stop();
    this.#events.stop();
    this.#keeper?.stop();
  }
}

function imageEntry(image: {
  readonly digests: readonly string[];
  readonly names: readonly string[];
  readonly sizeBytes: number;
}): ImageEntry {
  return { names: [...image.digests, ...image.names], sizeBytes: image.sizeBytes };
}
