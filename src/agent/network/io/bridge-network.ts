/**
 * The pod network of one node: bridge, veth, network namespaces, by `ip -batch`; masquerade and host ports by `nft`.
 *
 *   pod eth0 ══ veth ── bridge (gateway address) ── host's routes ── outside
 *
 * No CNI plugins: the bridge plugin does the same commands with two more processes and a lock, at three times the cost.
 *
 * One small file a pod under `stateDirectory/pods` reserves its address before anything is made. The files need not reach the disk:
 * when the machine dies, so do the namespaces. MAC addresses are made from IP addresses, so that a neighbour's cache stays true
 * when an address is used again; addresses are handed out round the range.
 * Invariant: an address is in at most one file. Everything made carries the bridge's name, and nothing else is ever removed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { CaelumError, type Log } from '../../../lib/index.ts';
import { run, runOk } from '../../runtime/io/spawned.ts';
import type { FoundAttachment, HostPort, PodAttachment, PodNetwork } from '../network.ts';
import { addressesOf, type Range } from '../range.ts';
import { pairsMax, tableText } from '../rules.ts';

export interface PodNetworkOptions {
  readonly stateDirectory: string;
  /** At most 15 characters; also the prefix of the namespaces' names. */
  readonly bridgeName: string;
  /** `10.44.0.0/24`. */
  readonly podCidr: string;
  /** nftables table of family ip, ours alone. */
  readonly table: string;
  readonly log: Log;
  /** Ranges that pods reach without masquerade: the pods of other nodes. */
  readonly direct?: readonly string[];
}

interface Entry {
  readonly podUid: string;
  readonly address: string;
  readonly ports: readonly HostPort[];
  /** False while it is being made. */
  readonly ready: boolean;
}

const interfaceName = 'eth0';
const namespaceFolder = '/run/netns';
const connectTimeoutMs = 5000;

export function createPodNetwork(options: PodNetworkOptions): PodNetwork {
  if (process.getuid?.() !== 0) throw new CaelumError('unavailable', 'Cannot make a pod network: not root');
  if (!/^[A-Za-z][\w-]{0,14}$/.test(options.bridgeName))
    throw new CaelumError(
      'badRequest',
      `Cannot make bridge "${options.bridgeName}": not a name of at most 15 characters`,
    );
  return new BridgeNetwork(options);
}

class BridgeNetwork implements PodNetwork {
  readonly #options: PodNetworkOptions;
  readonly #range: Range;
  readonly #folder: string;
  readonly #entries = new Map<string, Entry>();
  readonly #taken = new Set<number>();
  readonly #works = new Map<string, Promise<unknown>>();
  #next: number | undefined;
  #prepared: Promise<void> | undefined;
  /** nft transactions one after the other. */
  #rules: Promise<void> = Promise.resolve();

  constructor(options: PodNetworkOptions) {
    this.#options = options;
    this.#range = addressesOf(options.podCidr);
    this.#folder = join(options.stateDirectory, 'pods');
  }

  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #prepare(): Promise<void> {
    await this.#load();
    await this.#makeBridge();
    await Promise.all([this.#applyRules(), this.#setForwarding()]);
  }

  async #load(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#folder)) {
      const entry = name.endsWith('.json') ? await readEntry(join(this.#folder, name)) : undefined;
      if (entry === undefined || !this.#range.contains(entry.address)) {
        await rm(join(this.#folder, name), { force: true });
        continue;
      }
      this.#entries.set(entry.podUid, entry);
      const number = this.#range.numberOf(entry.address);
      this.#taken.add(number);
      this.#next = Math.max(this.#next ?? 0, number + 1);
    }
  }

  async #makeBridge(): Promise<void> {
    const { bridgeName } = this.#options;
    const { gateway, prefixLength } = this.#range;
    const isThere = existsSync(`/sys/class/net/${bridgeName}`);
    // A fixed hardware address: otherwise it follows the lowest of the ports, and neighbours lose the gateway.
    const make = isThere ? [] : [`link add ${bridgeName} address ${hardwareAddress(gateway)} type bridge`];
    const lines = [
      ...make,
      `addr replace ${gateway}/${prefixLength} dev ${bridgeName}`,
      `link set ${bridgeName} up`,
    ];
    await ipBatch(`make bridge "${bridgeName}"`, lines);
  }

  async #setForwarding(): Promise<void> {
    const { bridgeName, log } = this.#options;
    const filter = '/proc/sys/net/bridge/bridge-nf-call-iptables';
    if (!existsSync(filter)) await run('modprobe', ['br_netfilter']).catch(() => undefined);
    await setSysctl('/proc/sys/net/ipv4/ip_forward', '1');
    // Host ports on the loopback address leave by the bridge; the loopback chain drops what comes back that way uncalled.
    await setSysctl(`/proc/sys/net/ipv4/conf/${bridgeName}/route_localnet`, '1');
    // Without it, answers between pods of one bridge pass below connection tracking, and virtual IPs break.
    if (existsSync(filter)) await setSysctl(filter, '1');
    else log.warn('br_netfilter is not there: virtual IPs will not work between pods of this node');
  }

  #applyRules(): Promise<void> {
    const { table, bridgeName, direct = [] } = this.#options;
    const next = this.#rules.then(async () => {
      const entries = [...this.#entries.values()];
      const ports = entries.flatMap(({ address, ports }) => ports.map((port) => ({ address, port })));
      const input = { table, bridgeName, range: this.#range, direct, ports };
      const text = tableText(
        input,
        entries.map(({ address }) => address),
      );
      await runOk(`load table "${table}"`, 'nft', ['-f', '-'], { input: text });
    });
    this.#rules = next.catch(() => {});
    return next;
  }

  attach(podUid: string, ports: readonly HostPort[]): Promise<PodAttachment> {
    return this.#oneAtATime(podUid, () => this.#attach(podUid, ports));
  }

  async #attach(podUid: string, ports: readonly HostPort[]): Promise<PodAttachment> {
    await this.prepare();
    const existing = this.#entries.get(podUid);
    if (existing?.ready === true && this.#isThere(podUid)) return this.#attachment(existing);
    this.#checkPorts(podUid, ports);
    const entry = existing ?? this.#reserve(podUid, ports);
    this.#entries.set(podUid, entry);
    try {
      if (existing !== undefined) await this.#removeParts(podUid);
      await this.#write(entry);
      await this.#makeParts(entry);
      const isNewPair = this.#range.size > pairsMax;
      if (entry.ports.length > 0 || isNewPair) await this.#applyRules();
      const ready = { ...entry, ready: true };
      await this.#write(ready);
      this.#entries.set(podUid, ready);
      return this.#attachment(ready);
    } catch (error) {
      await this.#detach(podUid).catch(() => {});
      throw error;
    }
  }

  #reserve(podUid: string, ports: readonly HostPort[]): Entry {
    if (!/^[\w-]+$/.test(podUid))
      throw new CaelumError('badRequest', `Cannot attach pod "${podUid}": its uid is no name`);
    const free = this.#range.firstFree(this.#taken, this.#next);
    if (free === undefined)
      throw new CaelumError(
        'unavailable',
        `Cannot attach pod "${podUid}": no free address in ${this.#range.cidr}`,
      );
    this.#taken.add(free.number);
    this.#next = free.number + 1;
    return { podUid, address: free.text, ports, ready: false };
  }

  /** A host port leads to one pod. */
  #checkPorts(podUid: string, ports: readonly HostPort[]): void {
    const key = (port: HostPort): string => `${port.protocol} ${port.hostIp || '0.0.0.0'} ${port.hostPort}`;
    const used = new Map<string, string>();
    for (const entry of this.#entries.values())
      if (entry.podUid !== podUid) for (const port of entry.ports) used.set(key(port), entry.podUid);
    for (const port of ports) {
      const other = used.get(key(port));
      if (other !== undefined)
        throw new CaelumError(
          'conflict',
          `Cannot attach pod "${podUid}": host port ${port.hostPort} belongs to pod "${other}"`,
        );
    }
  }

  async #makeParts(entry: Entry): Promise<void> {
    const { bridgeName } = this.#options;
    const { gateway, prefixLength } = this.#range;
    const namespace = this.#namespace(entry.podUid);
    const veth = this.#veth(entry.podUid);
    const what = `attach pod "${entry.podUid}"`;
    const peer = `peer name ${interfaceName} address ${hardwareAddress(entry.address)} netns ${namespace}`;
    const outside = [
      `netns add ${namespace}`,
      `link add ${veth} type veth ${peer}`,
      `link set ${veth} up master ${bridgeName}`,
      // Hairpin: a pod reaches itself through its own virtual IP.
      `link set ${veth} type bridge_slave hairpin on`,
    ];
    const inside = [
      'link set lo up',
      `addr add ${entry.address}/${prefixLength} dev ${interfaceName}`,
      `link set ${interfaceName} up`,
      `route add default via ${gateway}`,
    ];
    // One shell for both: starting a process from Node costs more than starting it from a shell.
    const batches = [batchLine(outside), batchLine(inside, namespace)];
    await runOk(what, '/bin/sh', ['-e', '-c', batches.join('\n')]);
  }

  detach(podUid: string): Promise<void> {
    return this.#oneAtATime(podUid, async () => {
      await this.prepare();
      await this.#detach(podUid);
    });
  }

  async #detach(podUid: string): Promise<void> {
    const entry = this.#entries.get(podUid);
    if (entry === undefined) return;
    await this.#removeParts(podUid);
    // Dropped from the table before the address can be another's.
    this.#entries.delete(podUid);
    if (entry.ports.length > 0) await this.#applyRules();
    await rm(this.#file(podUid), { force: true });
    this.#taken.delete(this.#range.numberOf(entry.address));
  }

  async #removeParts(podUid: string): Promise<void> {
    const veth = this.#veth(podUid);
    const namespace = this.#namespace(podUid);
    const lines = [
      ...(existsSync(`/sys/class/net/${veth}`) ? [`link del ${veth}`] : []),
      ...(existsSync(join(namespaceFolder, namespace)) ? [`netns del ${namespace}`] : []),
    ];
    // Either may go on its own meanwhile.
    if (lines.length > 0) await run('ip', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  async list(): Promise<readonly FoundAttachment[]> {
    await this.prepare();
    return [...this.#entries.values()].map((entry) => ({
      ...this.#attachment(entry),
      isWhole: entry.ready && this.#isThere(entry.podUid),
    }));
  }

  async connect(podUid: string, port: number): Promise<Socket> {
    await this.prepare();
    const entry = this.#entries.get(podUid);
    if (entry === undefined)
      throw new CaelumError('notFound', `Cannot connect to pod "${podUid}": it has no network`);
    try {
      return await connectTo(entry.address, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED')
        throw new CaelumError('unavailable', `Cannot connect to pod "${podUid}" port ${port}`, {
          cause: error,
        });
      return connectInside(join(namespaceFolder, this.#namespace(podUid)), podUid, port);
    }
  }

  async destroy(): Promise<void> {
    const { bridgeName, table, stateDirectory } = this.#options;
    await this.#prepared?.catch(() => {});
    await Promise.allSettled(this.#works.values());
    const ports = await readdir(`/sys/class/net/${bridgeName}/brif`).catch(() => []);
    const namespaces = (await readdir(namespaceFolder).catch(() => [])).filter((name) =>
      name.startsWith(`${bridgeName}-`),
    );
    const lines = [
      ...namespaces.map((name) => `netns del ${name}`),
      ...ports.map((name) => `link del ${name}`),
      ...(existsSync(`/sys/class/net/${bridgeName}`) ? [`link del ${bridgeName}`] : []),
    ];
    if (lines.length > 0) await run('ip', ['-force', '-batch', '-'], { input: `${lines.join('\n')}\n` });
    await this.#rules;
    await run('nft', ['-f', '-'], { input: `table ip ${table}\ndelete table ip ${table}\n` });
    await rm(this.#folder, { recursive: true, force: true });
    await rm(stateDirectory, { recursive: true, force: true });
    this.#entries.clear();
    this.#taken.clear();
    this.#prepared = undefined;
    if (existsSync(`/sys/class/net/${bridgeName}`))
      throw new CaelumError('internal', `Cannot remove bridge "${bridgeName}"`);
  }

  #attachment(entry: Entry): PodAttachment {
    const namespacePath = join(namespaceFolder, this.#namespace(entry.podUid));
    return { podUid: entry.podUid, namespacePath, addresses: [entry.address], interfaceName };
  }

  #isThere(podUid: string): boolean {
    const namespace = join(namespaceFolder, this.#namespace(podUid));
    return existsSync(namespace) && existsSync(`/sys/class/net/${this.#veth(podUid)}`);
  }

  #namespace(podUid: string): string {
    return `${this.#options.bridgeName}-${podUid}`;
  }

  /** 15 characters at most. */
  #veth(podUid: string): string {
    const digest = createHash('sha256').update(`${this.#options.bridgeName}/${podUid}`).digest('hex');
    return `pod${digest.slice(0, 12)}`;
  }

  #file(podUid: string): string {
    return join(this.#folder, `${podUid}.json`);
  }

  async #write(entry: Entry): Promise<void> {
    const path = this.#file(entry.podUid);
    await writeFile(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  #oneAtATime<Value>(podUid: string, work: () => Promise<Value>): Promise<Value> {
    const before = this.#works.get(podUid) ?? Promise.resolve();
    const after = before.catch(() => {}).then(work);
    this.#works.set(podUid, after);
    const forget = (): void => {
      if (this.#works.get(podUid) === after) this.#works.delete(podUid);
    };
    after.then(forget, forget);
    return after;
  }
}

async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Entry;
  } catch {
    return undefined; // Cut off when the machine died: its namespace is gone too.
  }
}

async function ipBatch(what: string, lines: readonly string[]): Promise<void> {
  await runOk(what, 'ip', ['-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** A shell command that gives `lines` to ip, in a namespace. Names are checked before: nothing in them is for the shell. */
function batchLine(lines: readonly string[], namespace?: string): string {
  const inside = namespace === undefined ? '' : `-n ${namespace} `;
  return `ip ${inside}-batch - <<'END'\n${lines.join('\n')}\nEND`;
}

/** Locally administered, from the IP address. */
function hardwareAddress(address: string): string {
  const parts = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return ['0a', '58', ...parts].join(':');
}

async function setSysctl(path: string, value: string): Promise<void> {
  if ((await readFile(path, 'utf8')).trim() !== value) await writeFile(path, value);
}

function connectTo(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: connectTimeoutMs, allowHalfOpen: true });
    socket.once('connect', () => {
      socket.removeAllListeners();
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('timeout', () => {
      socket.destroy();
      reject(new CaelumError('timeout', `Cannot connect to ${host} port ${port}: no answer`));
    });
  });
}

/**
 * To what listens on the pod's loopback only. A process in the namespace looks whether anybody listens, says so on descriptor 4, and becomes
 * a relay for descriptor 3, which is one socket for both ways.
 */
const insideScript = `grep -qi ":$1 [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6 || exit 1
echo >&4; exec 4>&-; exec nc 127.0.0.1 "$2" <&3 >&3 3>&-`;

function connectInside(namespacePath: string, podUid: string, port: number): Promise<Socket> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const command = ['busybox', 'sh', '-c', insideScript, 'relay', hex, String(port)];
  const child = spawn('nsenter', [`--net=${namespacePath}`, ...command], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const socket = child.stdio[3] as Socket;
  const signal = child.stdio[4] as Readable;
  return new Promise((resolve, reject) => {
    const refuse = (cause?: unknown): void => {
      socket.destroy();
      reject(
        new CaelumError('unavailable', `Cannot connect to pod "${podUid}" port ${port}: connection refused`, {
          cause,
        }),
      );
    };
    child.once('error', refuse);
    child.once('exit', () => refuse());
    signal.once('data', () => {
      signal.destroy();
      socket.once('close', () => child.kill());
      resolve(socket);
    });
  });
}
