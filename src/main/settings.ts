/** What was asked for at start. Written once by `up`, read by every process of the cloud, so that any of them can be restarted alone. */
import { mkdirSync, readFileSync } from 'node:fs';
import type { AdmissionPlugins } from '../apiserver/index.ts';
import { CaelumError } from '../lib/index.ts';
import { writeDurably } from '../lib/io/durable-file.ts';
import type { AccessFiles } from './access-files.ts';
import type { CloudNetwork } from './cloud-network.ts';
import type { Layout } from './layout.ts';

export interface Settings {
  readonly apiPort: number;
  readonly apiHost: string;
  readonly nodeName: string;
  /** As other machines reach this one. */
  readonly nodeAddress: string;
  readonly network: CloudNetwork;
  /** Simulated nodes; 0: none. */
  readonly hollow: number;
  /** Does this machine run pods itself? */
  readonly agent: boolean;
  readonly audit?: AuditSettings;
  /** Who else's word counts. */
  readonly access?: AccessFiles;
  readonly admission?: AdmissionPlugins;
  /** A KubeletConfiguration, for what this machine's node does under pressure and allows. */
  readonly node?: unknown;
  /** How long all pods have to end when the machine goes down; absent: they are left alone. */
  readonly shutdownMs?: number;
}

/** What is kept of requests. The policy as it was when the cloud was started, so that a restarted process keeps to it. */
export interface AuditSettings {
  readonly policy: unknown;
  readonly file: string;
  /** What cannot be audited is refused. */
  readonly strict: boolean;
}

export const clusterDomain = 'cluster.local';

export function writeSettings(layout: Layout, settings: Settings): void {
  mkdirSync(layout.logs, { recursive: true });
  writeDurably(layout.settings, `${JSON.stringify(settings, undefined, 2)}\n`, 0o644);
}

export function readSettings(layout: Layout): Settings {
  try {
    return JSON.parse(readFileSync(layout.settings, 'utf8')) as Settings;
  } catch (cause) {
    throw new CaelumError(
      'notFound',
      `Cannot find a cloud in "${layout.data}": start one with: caelum up --data ${layout.data}`,
      { cause },
    );
  }
}

/** Addresses and names under which the API server is reached; its certificate holds them. */
export function apiNames(settings: Settings): readonly string[] {
  return [
    ...new Set([
      '127.0.0.1',
      '::1',
      'localhost',
      settings.nodeName,
      settings.nodeAddress,
      settings.network.apiAddress,
      settings.network.bridgeAddress,
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      `kubernetes.default.svc.${clusterDomain}`,
    ]),
  ];
}

/** The same for the node agent's own server. */
export function agentNames(settings: Settings): readonly string[] {
  return [...new Set(['127.0.0.1', 'localhost', settings.nodeName, settings.nodeAddress])];
}

/** The API as this machine's own processes and users reach it. */
export function apiUrl(settings: Pick<Settings, 'apiPort'>): string {
  return `https://127.0.0.1:${settings.apiPort}`;
}
