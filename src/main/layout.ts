/** Where a cloud keeps its things, below its data directory. Nothing of ours lives elsewhere, but for claims of network ranges. */
import { join, resolve } from 'node:path';

export const defaultDataDirectory = '/var/lib/caelum';

export interface Layout {
  readonly data: string;
  /** Ten hexadecimal digits that name this cloud on this machine: cgroups, bridges, tables. */
  readonly id: string;
  readonly pki: string;
  readonly store: string;
  readonly node: string;
  readonly images: string;
  readonly logs: string;
  /** What was asked for at start, read by each process. */
  readonly settings: string;
  /** What runs now, written by the supervisor. */
  readonly state: string;
  /** Present while the cloud is being stopped: nobody restarts anything. */
  readonly stopping: string;
  /** Present while the cloud is being stopped and pods are to end in order. */
  readonly goingDown: string;
  readonly network: string;
  readonly kubeconfig: string;
  readonly consoleLog: string;
  /** Where requests are kept account of, unless `--audit-log` says otherwise. */
  readonly auditLog: string;
}

export function layoutOf(dataDirectory: string): Layout {
  const data = resolve(dataDirectory);
  const run = join(data, 'run');
  return {
    data,
    id: nameOf(data),
    pki: join(data, 'pki'),
    store: join(data, 'store.db'),
    node: join(data, 'node'),
    images: join(data, 'images'),
    logs: join(data, 'logs'),
    settings: join(run, 'settings.json'),
    state: join(run, 'state.json'),
    stopping: join(run, 'stopping'),
    goingDown: join(run, 'going-down'),
    network: join(data, 'network.json'),
    kubeconfig: join(data, 'kubeconfig'),
    consoleLog: join(data, 'logs', 'up.log'),
    auditLog: join(data, 'logs', 'audit.log'),
  };
}

/** `--data`, or CAELUM_DATA, or the default. */
export function dataDirectoryOf(option: string | undefined): string {
  return option ?? process.env['CAELUM_DATA'] ?? defaultDataDirectory;
}

/** FNV-1a of 64 bits, forty of them. Not `node:crypto`: the supervisor needs nothing else of it, and it costs ten megabytes. */
function nameOf(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, '0').slice(0, 10);
}
