/** Starting a cloud's supervisor: first for `caelum up`, again when it has died. */
import { mkdirSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import type { AdmissionPlugins } from '../apiserver/index.ts';
import { CaelumError, type Log } from '../lib/index.ts';
import { writeDurably } from '../lib/io/durable-file.ts';
import type { AccessFiles } from './access-files.ts';
import { claimNetwork, machineAddress, networkOfSlot } from './cloud-network.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Layout } from './layout.ts';
import { processesOf } from './process-list.ts';
import type { Running } from './running.ts';
import { agentNames, apiNames, apiUrl, readSettings, type Settings, writeSettings } from './settings.ts';
import { readState } from './state.ts';
import { holdCloud, Supervisor, type SupervisorEvents, stopProcesses } from './supervisor.ts';

export interface UpOptions {
  readonly apiPort: number;
  readonly apiHost: string | undefined;
  readonly nodeName: string | undefined;
  readonly hollow: number;
  readonly agent: boolean;
  readonly access?: AccessFiles;
  readonly admission?: AdmissionPlugins;
  readonly node?: unknown;
  readonly shutdownMs?: number;
  readonly audit?: { readonly policy: unknown; readonly file: string | undefined; readonly strict: boolean };
}

/**
 * Makes everything ready for a supervisor: network ranges, settings, certificates, kubeconfig. What was left running by a killed one is stopped.
 * Throws `alreadyExists` when the cloud runs already. Answers how to let go of the cloud's name.
 */
export async function prepareCloud(layout: Layout, options: UpOptions): Promise<Server> {
  mkdirSync(layout.data, { recursive: true, mode: 0o711 });
  const held = await holdCloud(layout);
  if (held === undefined) {
    const running = readState(layout);
    throw new CaelumError(
      'alreadyExists',
      `Cannot start cloud "${layout.data}": it runs already${running === undefined ? '' : ` at ${running.apiUrl}`}; stop it with: caelum down --data ${layout.data}`,
    );
  }
  rmSync(layout.stopping, { force: true });
  rmSync(layout.goingDown, { force: true });
  // Left over from a supervisor that was killed; their settings may be others.
  await stopProcesses(processesOf(layout).filter(({ name }) => name !== 'supervisor'));
  const network = options.agent ? claimNetwork(layout) : networkOfSlot(0);
  const settings: Settings = {
    apiPort: options.apiPort,
    apiHost: options.apiHost ?? '0.0.0.0',
    nodeName: options.nodeName ?? nodeNameFrom(hostname()),
    nodeAddress: machineAddress() ?? (options.agent ? network.bridgeAddress : '127.0.0.1'),
    network,
    hollow: options.hollow,
    agent: options.agent,
    ...(options.access === undefined ? {} : { access: options.access }),
    ...(options.admission === undefined ? {} : { admission: options.admission }),
    ...(options.node === undefined ? {} : { node: options.node }),
    ...(options.shutdownMs === undefined ? {} : { shutdownMs: options.shutdownMs }),
    ...(options.audit === undefined
      ? {}
      : { audit: { ...options.audit, file: options.audit.file ?? layout.auditLog } }),
  };
  writeSettings(layout, settings);
  // A supervisor that only takes over has no need of it.
  const { ensurePki } = await import('../security/index.ts');
  const pki = await ensurePki({
    directory: layout.pki,
    nodeName: settings.nodeName,
    names: apiNames(settings),
    agentNames: agentNames(settings),
    nowMs: Date.now(),
  });
  writeDurably(layout.kubeconfig, kubeconfigText(apiUrl(settings), pki), 0o600);
  return held;
}

/** Supervises in this process. `prepareCloud` comes first and its hold on the name goes on. */
export function startSupervisor(layout: Layout, events: SupervisorEvents): Supervisor & Running {
  const supervisor = new Supervisor(layout, readSettings(layout), events);
  supervisor.start();
  return supervisor;
}

/**
 * The process of a supervisor that is not the terminal's: the first of a detached cloud (`first`: it tells whether the cloud became ready), or the one that
 * takes over from a supervisor that died.
 */
export async function runSupervisor(layout: Layout, log: Log, first: boolean): Promise<Running> {
  const held = await holdCloud(layout);
  if (held === undefined)
    throw new CaelumError(
      'alreadyExists',
      `Cannot supervise cloud "${layout.data}": another supervisor does`,
    );
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const supervisor = startSupervisor(layout, {
    onFailed: (name, message) => {
      log.error('a process cannot start', { name, reason: message.message });
      failed.reject(new CaelumError(message.code as CaelumError['code'], message.message));
    },
    onRestart: (name, delayMs) => log.warn('a process has ended: starting it again', { name, delayMs }),
  });
  if (!first) return supervisor;
  try {
    await Promise.race([supervisor.ready, failed.promise]);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
  return supervisor;
}

/** A host's name as a node's name: a DNS-1123 subdomain. */
export function nodeNameFrom(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    .slice(0, 63);
  return name === '' ? 'node' : name;
}
