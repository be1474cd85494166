/**
 * Keeps this node's object and lease: registered at the start, the lease renewed every 10 s, the status written when it changed (or
 * somebody else has changed it) and at least every 5 min.
 *
 * Owns the labels and status that an agent owns; leaves everything else of the Node (taints, other labels) alone.
 */
import type { Lease, Node, NodeCondition } from '../../api/index.ts';
import type { Client, EventRecorder } from '../../client/index.ts';
import { type Clock, formatMicroTime, isError, type Log, type Timer } from '../../lib/index.ts';
import { leasesRef, nodeLeaseNamespace, nodesRef } from '../objects.ts';
import {
  type ImageEntry,
  type MachineFacts,
  type NodePressure,
  type NodeSettings,
  nodeConditions,
  nodeLabels,
  nodeObject,
  nodeStatus,
} from './node-object.ts';

export interface NodeKeeperOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly settings: NodeSettings;
  readonly facts: MachineFacts;
  readonly pressure: () => NodePressure;
  /** Why the node takes no pods just now; undefined: it does. */
  readonly notReady?: () => string | undefined;
  readonly images: () => Promise<readonly ImageEntry[]>;
}

const renewIntervalMs = 10_000;
const retryMs = 2_000;
const refreshMs = 300_000;
const leaseSeconds = 40;
const imagesMax = 50;

export class NodeKeeper {
  readonly #options: NodeKeeperOptions;
  #timer: Timer | undefined;
  #stopped = false;
  #conditions: readonly NodeCondition[] = [];
  #writtenText = '';
  #writtenMs = 0;

  constructor(options: NodeKeeperOptions) {
    this.#options = options;
  }

  /** Registers; resolves when the node is Ready. */
  async start(): Promise<void> {
    await this.#register();
    await Promise.all([this.#writeStatus(), this.#renew()]);
    const { name } = this.#options.settings;
    this.#options.events.record({
      about: { apiVersion: 'v1', kind: 'Node', name, uid: name },
      type: 'Normal',
      reason: 'Starting',
      message: 'Starting kubelet.',
    });
    this.#schedule(renewIntervalMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Something that others act on has changed: it is said now. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#writtenText === '' || this.#stopped) return;
    await this.#writeStatus().catch((error: unknown) => {
      this.#options.log.warn('cannot write the node status', { error });
    });
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(delayMs, () => void this.#beat());
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    let delayMs = renewIntervalMs;
    try {
      await this.#renew();
      await this.#look();
      await this.#writeStatus();
    } catch (error) {
      if (isError(error, 'notFound')) await this.#register().catch(() => {});
      this.#options.log.warn('cannot renew the node', { error });
      delayMs = retryMs;
    }
    this.#schedule(delayMs);
  }

  /** The node controller says Unknown of a node that it has not heard of: then what we wrote is not there any more. */
  async #look(): Promise<void> {
    const node = await this.#options.client.get<Node>(nodesRef, undefined, this.#options.settings.name);
    const found = node.status?.conditions ?? [];
    const isOurs = this.#conditions.every(
      ({ type, status }) => found.find((condition) => condition.type === type)?.status === status,
    );
    if (isOurs) return;
    this.#writtenText = '';
    // Times of transition are the controller's.
    this.#conditions = found;
  }

  async #register(): Promise<void> {
    const { client, settings, facts } = this.#options;
    this.#writtenText = '';
    try {
      await client.create<Node>(nodesRef, nodeObject(settings, facts));
    } catch (error) {
      if (!isError(error, 'alreadyExists')) throw error;
      const node = await client.get<Node>(nodesRef, undefined, settings.name);
      this.#conditions = node.status?.conditions ?? [];
      const labels = nodeLabels(settings, facts);
      const stale = Object.entries(labels).some(([key, value]) => node.metadata.labels?.[key] !== value);
      if (stale) await client.patch(nodesRef, undefined, settings.name, 'merge', { metadata: { labels } });
    }
  }

  async #writeStatus(): Promise<void> {
    const { client, clock, settings, facts, log } = this.#options;
    const nowMs = clock.nowMs();
    const images = await this.#options.images();
    const pressure = this.#options.pressure();
    const notReady = settings.notReady ?? this.#options.notReady?.();
    const conditions = nodeConditions(this.#conditions, pressure, notReady, nowMs);
    const status = nodeStatus(settings, facts, conditions, images.slice(0, imagesMax));
    const text = JSON.stringify({
      ...status,
      conditions: conditions.map(({ type, status: is }) => [type, is]),
    });
    const due = clock.monotonicMs() - this.#writtenMs >= refreshMs;
    if (text === this.#writtenText && !due) return;
    await client.patch(
      nodesRef,
      undefined,
      settings.name,
      'strategic',
      { status },
      { subresource: 'status' },
    );
    if (this.#writtenText !== '' && !due) log.info('node status changed');
    this.#conditions = conditions;
    this.#writtenText = text;
    this.#writtenMs = clock.monotonicMs();
  }

  async #renew(): Promise<void> {
    const { client, clock, settings } = this.#options;
    const { name } = settings;
    const renewTime = formatMicroTime(clock.nowMs());
    const patch = { spec: { holderIdentity: name, renewTime } };
    try {
      await client.patch(leasesRef, nodeLeaseNamespace, name, 'merge', patch);
    } catch (error) {
      if (!isError(error, 'notFound')) throw error;
      const lease: Lease = {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace: nodeLeaseNamespace },
        spec: { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime },
      };
      await client.create(leasesRef, lease).catch((cause: unknown) => {
        if (!isError(cause, 'alreadyExists')) throw cause;
      });
    }
  }
}
