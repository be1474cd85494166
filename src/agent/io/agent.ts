/**
 * The node agent of a real machine, put together: its core (pods, node object and lease), their server, their logs' rotation.
 *
 *   AgentServer ──▶ AgentEndpoint ──▶ core.ts: PodShell, NodeKeeper ──▶ runtime, network, images, disk
 *
 * `stop` leaves every container running: the next agent finds them. `shutdown` takes them all down.
 */

import { mkdir } from 'node:fs/promises';
import type { Client, Informers } from '../../client/index.ts';
import type { Clock, Log, Random } from '../../lib/index.ts';
import { Closing } from '../../lib/index.ts';
import { AgentCore } from '../core.ts';
import type { ImageStore } from '../images/index.ts';
import type { PodNetwork } from '../network/index.ts';
import { createGauge, readMachineFacts } from '../node/io/machine.ts';
import { type NodeConfig, parseNodeConfig, shutdownMsOf } from '../node/node-config.ts';
import { createPodDisk } from '../pods/io/pod-disk.ts';
import { staticFolder } from '../pods/io/static-folder.ts';
import type { PodShell } from '../pods/pod-shell.ts';
import { createProbeRunner } from '../probes/io/probe-runner.ts';
import type { Runtime } from '../runtime/index.ts';
import { CallerAccess } from '../server/caller-access.ts';
import type { AgentEndpoint, StreamHandler } from '../server/endpoint.ts';
import { createAgentEndpoint } from '../server/io/agent-endpoint.ts';
import { type AgentServerSettings, serveAgent } from '../server/io/agent-server.ts';
import { type LogFile, LogRotation } from '../server/io/log-rotation.ts';
import { Logind } from '../shutdown/io/logind.ts';

export interface AgentOptions {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly runtime: Runtime;
  readonly network: PodNetwork;
  readonly images: ImageStore;
  readonly nodeName: string;
  readonly nodeAddress: string;
  /** Pods' volumes and logs live below it. */
  readonly dataDirectory: string;
  /** Addresses of the cloud's DNS; empty: pods use the node's. */
  readonly clusterDns: string | readonly string[];
  readonly clusterDomain: string;
  readonly server: AgentServerSettings;
  /** Where images are; default: the same place. */
  readonly imagesDirectory?: string;
  /** Default: as the kubelet's. */
  readonly config?: NodeConfig | undefined;
  readonly labels?: Readonly<Record<string, string>>;
  /** Carries exec, attach and port-forward; the agent's own by default. */
  readonly streams?: StreamHandler;
}

export interface Agent {
  /** Where its server listens. */
  readonly port: number;
  readonly endpoint: AgentEndpoint;
  /** The machine goes down: pods end, the less important first, as the node's configuration says (where it says nothing: none). Never rejects. */
  endPods(): Promise<void>;
  /** Stops watching. Containers go on. */
  stop(): Promise<void>;
  /** Stops; with `removePods` every container, sandbox, mount and namespace of this cloud goes too. */
  shutdown(options: { readonly removePods: boolean; readonly graceMs?: number }): Promise<void>;
}

/** Resolves when the node is registered and Ready and its pods are looked after. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { clock, log, runtime, network, nodeName } = options;
  const config = options.config ?? parseNodeConfig();
  const closing = new Closing();
  await mkdir(options.dataDirectory, { recursive: true });
  const [facts] = await Promise.all([readMachineFacts(options.dataDirectory), network.prepare()]);
  const disk = createPodDisk({ dataDirectory: options.dataDirectory });
  const core = new AgentCore({
    ...options,
    disk,
    facts,
    probeRunner: createProbeRunner(runtime),
    dns: { servers: [options.clusterDns].flat(), domain: options.clusterDomain },
    config,
    ...(config.staticPodPath === undefined ? {} : { staticPods: staticFolder(config.staticPodPath) }),
    gauge: createGauge(options.dataDirectory, options.imagesDirectory ?? options.dataDirectory),
  });
  const { shell } = core;
  const endpoint = createAgentEndpoint({
    shell,
    runtime,
    network,
    disk,
    nodeName,
    nowMs: () => clock.nowMs(),
  });
  try {
    const server = await serveAgent({
      ...options.server,
      endpoint,
      streams: options.streams,
      log,
      access: new CallerAccess({ client: options.client, clock, nodeName }),
    });
    closing.add('server', () => server.close());
    closing.add('core', () => core.stop());
    await core.start(server.port);
    const rotation = new LogRotation({
      clock,
      log,
      runtime,
      files: () => runningLogs(shell, disk),
      bytesMax: config.logBytesMax,
      filesMax: config.logFilesMax,
    });
    rotation.start();
    closing.add('log rotation', () => rotation.stop());
    if (config.shutdownGroups.length > 0) {
      const logind = new Logind({
        clock,
        log,
        neededMs: shutdownMsOf(config),
        onShutdown: () => core.shutdown.begin(),
        onCancelled: () => core.shutdown.cancel(),
      });
      closing.add('logind', () => logind.stop());
      await logind.start();
    }
    return {
      port: server.port,
      endpoint,
      endPods: () => core.shutdown.begin(),
      stop: async () => {
        for (const error of await closing.close()) log.warn('cannot stop cleanly', { error });
      },
      async shutdown({ removePods, graceMs = 1000 }) {
        for (const error of await closing.close()) log.warn('cannot stop cleanly', { error });
        if (!removePods) return;
        // What is being started would come after it was looked for.
        const enough = new AbortController();
        await Promise.race([shell.settled(), clock.sleep(settlesWithinMs, enough.signal)]);
        enough.abort();
        await removeEverything(options, disk, graceMs);
      },
    };
  } catch (error) {
    await closing.close();
    throw error;
  }
}

/** What does not end in this time is left to what comes after us. */
const settlesWithinMs = 15_000;

function* runningLogs(shell: PodShell, disk: ReturnType<typeof createPodDisk>): Iterable<LogFile> {
  for (const worker of shell.workers()) {
    const pod = worker.state.lastPod;
    if (pod === undefined) continue;
    for (const { id, name, attempt, state } of worker.state.containers.values())
      if (state === 'running') yield { containerId: id, path: disk.logPath(pod, name, attempt) };
  }
}

/** Containers first (each has a moment to end by itself), then what they stood on. In parallel; what fails is said and passed over. */
async function removeEverything(
  options: AgentOptions,
  disk: ReturnType<typeof createPodDisk>,
  graceMs: number,
): Promise<void> {
  const { runtime, images, network, log } = options;
  const attempt = async (what: string, tasks: readonly Promise<void>[]): Promise<void> => {
    for (const result of await Promise.allSettled(tasks))
      if (result.status === 'rejected') log.warn('cannot remove', { what, error: result.reason as unknown });
  };
  const containers = await runtime.listContainers();
  await attempt(
    'container',
    containers.map(async ({ id, state }) => {
      if (state !== 'exited') await runtime.stopContainer(id, graceMs);
      await runtime.removeContainer(id);
    }),
  );
  const [sandboxes, roots] = await Promise.all([runtime.listSandboxes(), images.listRoots()]);
  await Promise.all([
    attempt(
      'sandbox',
      sandboxes.map(({ podUid }) => runtime.removeSandbox(podUid)),
    ),
    attempt(
      'root',
      roots.map((key) => images.unmountRoot(key)),
    ),
  ]);
  await Promise.all([attempt('network', [network.destroy()]), attempt('volumes', [disk.destroy()])]);
}
