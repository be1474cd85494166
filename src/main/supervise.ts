/** Starting a cloud's supervisor: first for `caelum up`, again when it has died. */
import { mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { CaelumError, type Log } from '../lib/index.ts';
import { writeDurably } from '../lib/io/durable-file.ts';
import { ensurePki } from '../security/index.ts';
import { claimNetwork, machineAddress, networkOfSlot } from './cloud-network.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { Layout } from './layout.ts';
import type { Running } from './running.ts';
import { agentNames, apiNames, apiUrl, readSettings, type Settings, writeSettings } from './settings.ts';
import { liveProcess, readState } from './state.ts';
import { holdCloud, Supervisor, type SupervisorEvents, stopProcesses } from './supervisor.ts';

export interface UpOptions {
  readonly apiPort: number;
  readonly apiHost: string | undefined;
  readonly nodeName: string | undefined;
  readonly hollow: number;
  readonly agent: boolean;
}

/** Brings up a cloud; the supervisor runs in this process. Throws `alreadyExists` when it runs already. */
export async function startSupervisor(
  layout: Layout,
  options: UpOptions,
  events: SupervisorEvents,
): Promise<Supervisor & Running> {
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
  // Left over from a supervisor that was killed; their settings may be others.
  const before = readState(layout);
  await stopProcesses(
    (['node-agent', 'control-plane'] as const).flatMap((name) => liveProcess(before, name) ?? []),
  );
  const network = options.agent ? claimNetwork(layout) : networkOfSlot(0);
  const settings: Settings = {
    apiPort: options.apiPort,
    apiHost: options.apiHost ?? '0.0.0.0',
    nodeName: options.nodeName ?? nodeNameFrom(hostname()),
    nodeAddress: machineAddress() ?? (options.agent ? network.bridgeAddress : '127.0.0.1'),
    network,
    hollow: options.hollow,
    agent: options.agent,
  };
  writeSettings(layout, settings);
  const pki = await ensurePki({
    directory: layout.pki,
    nodeName: settings.nodeName,
    names: apiNames(settings),
    agentNames: agentNames(settings),
    nowMs: Date.now(),
  });
  writeDurably(layout.kubeconfig, kubeconfigText(apiUrl(settings), pki), 0o600);
  const supervisor = new Supervisor(layout, settings, events);
  supervisor.start();
  return supervisor;
}

/** Takes over from a supervisor that died. */
export async function resumeSupervisor(layout: Layout, log: Log): Promise<Running> {
  const held = await holdCloud(layout);
  if (held === undefined)
    throw new CaelumError(
      'alreadyExists',
      `Cannot supervise cloud "${layout.data}": another supervisor does`,
    );
  const supervisor = new Supervisor(layout, readSettings(layout), {
    onFailed: (name, message) => log.error('a process cannot start', { name, reason: message.message }),
    onRestart: (name, delayMs) => log.warn('a process has ended: starting it again', { name, delayMs }),
  });
  supervisor.start();
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
