/**
 * The address ranges of one cloud on one machine. Each cloud has a slot; the slot says its ranges, its bridge and its tables, so that several
 * clouds live side by side. A slot once taken stays with its data directory.
 *
 * Claims lie in /run/caelum/slots: they tell other clouds, also stopped ones, until the machine is restarted; a claim whose data directory is gone is void.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { CaelumError } from '../lib/index.ts';
import { readIfThere, writeDurably } from '../lib/io/durable-file.ts';
import { defaultDataDirectory, type Layout } from './layout.ts';

export interface CloudNetwork {
  readonly slot: number;
  readonly podCidr: string;
  readonly serviceCidr: string;
  /** The node's end of the pod bridge; DNS answers there. */
  readonly bridgeAddress: string;
  readonly bridgeName: string;
  readonly podTable: string;
  readonly serviceTable: string;
  /** Virtual IPs of the API server and of DNS. */
  readonly apiAddress: string;
  readonly dnsAddress: string;
}

const slots = 60;
const claimsDirectory = '/run/caelum/slots';

export function networkOfSlot(slot: number): CloudNetwork {
  const pods = 130 + 2 * slot;
  return {
    slot,
    podCidr: `10.${pods}.0.0/16`,
    serviceCidr: `10.${pods + 1}.0.0/16`,
    bridgeAddress: `10.${pods}.0.1`,
    bridgeName: `caelum${slot}`,
    podTable: `caelum-${slot}-pods`,
    serviceTable: `caelum-${slot}-services`,
    apiAddress: `10.${pods + 1}.0.1`,
    dnsAddress: `10.${pods + 1}.0.10`,
  };
}

/** The network of this cloud: the one it had, or a free slot. Throws `unavailable` when its ranges are in use by another. */
export function claimNetwork(layout: Layout): CloudNetwork {
  const kept = readIfThere(layout.network);
  if (kept !== undefined) {
    const { slot } = JSON.parse(kept) as { slot: number };
    if (!claim(slot, layout)) {
      throw new CaelumError(
        'unavailable',
        `Cannot use the address ranges of cloud "${layout.data}": cloud "${holderOf(slot)}" took them meanwhile; stop that one with: caelum down --data ${holderOf(slot)} --purge`,
      );
    }
    return networkOfSlot(slot);
  }
  const first =
    layout.data === defaultDataDirectory ? 0 : 1 + (Number.parseInt(layout.id.slice(0, 6), 16) % (slots - 1));
  for (let step = 0; step < slots; step++) {
    const slot = (first + step) % slots;
    if (isRangeTaken(slot)) continue;
    // Written before it is claimed: a claim counts only while its cloud says the same.
    writeDurably(layout.network, `${JSON.stringify({ slot })}\n`, 0o644);
    if (claim(slot, layout)) return networkOfSlot(slot);
  }
  rmSync(layout.network, { force: true });
  throw new CaelumError(
    'unavailable',
    `Cannot find a free address range for cloud "${layout.data}": all of 10.130.0.0 to 10.249.0.0 are in use on this machine`,
  );
}

/** The network that this cloud had and that nobody has taken since; undefined: it has none. */
export function keptNetwork(layout: Layout): CloudNetwork | undefined {
  const kept = readIfThere(layout.network);
  if (kept === undefined) return undefined;
  const { slot } = JSON.parse(kept) as { slot: number };
  return holderOf(slot) === layout.data ? networkOfSlot(slot) : undefined;
}

/** Whether another cloud has this cloud's addresses by now, which happens when the machine was restarted: bridge and rules of those names are that one's. */
export function isTakenByAnother(layout: Layout, slot: number): boolean {
  const holder = holderOf(slot);
  return holder !== undefined && holder !== layout.data && slotKeptBy(holder) === slot;
}

/** Gives the slot back: after `down --purge`. */
export function releaseNetwork(layout: Layout): void {
  let names: string[];
  try {
    names = readdirSync(claimsDirectory);
  } catch {
    return;
  }
  for (const name of names)
    if (holderOf(Number(name)) === layout.data) rmSync(join(claimsDirectory, name), { force: true });
}

function holderOf(slot: number): string | undefined {
  return readIfThere(join(claimsDirectory, String(slot)))?.trim();
}

function claim(slot: number, layout: Layout): boolean {
  mkdirSync(claimsDirectory, { recursive: true, mode: 0o755 });
  const file = join(claimsDirectory, String(slot));
  const beside = join(claimsDirectory, `.${process.pid}`);
  writeFileSync(beside, `${layout.data}\n`, { mode: 0o644 });
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        linkSync(beside, file);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = holderOf(slot);
      if (holder === layout.data) return true;
      if (holder !== undefined && slotKeptBy(holder) === slot) return false;
      // Void: the cloud that claimed it is gone or has another slot.
      rmSync(file, { force: true });
    }
    return false;
  } finally {
    rmSync(beside, { force: true });
  }
}

function slotKeptBy(dataDirectory: string): number | undefined {
  const file = join(dataDirectory, 'network.json');
  if (!existsSync(file)) return undefined;
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { slot: number }).slot;
  } catch {
    return undefined;
  }
}

/** Does the host already use addresses of this slot, on an interface or by a route? */
function isRangeTaken(slot: number): boolean {
  const seconds = [130 + 2 * slot, 131 + 2 * slot];
  for (const addresses of Object.values(networkInterfaces()))
    for (const { address } of addresses ?? [])
      if (seconds.some((second) => address.startsWith(`10.${second}.`))) return true;
  const routes = readIfThere('/proc/net/route') ?? '';
  for (const line of routes.split('\n').slice(1)) {
    const [, destination, , , , , , mask] = line.split('\t');
    if (destination === undefined || mask === undefined || mask === '00000000') continue;
    const network = reverseBytes(Number.parseInt(destination, 16));
    const bits = reverseBytes(Number.parseInt(mask, 16));
    for (const second of seconds) {
      const ours = ((10 << 24) | (second << 16)) >>> 0;
      const common = (bits & 0xffff0000) >>> 0;
      if ((ours & common) >>> 0 === (network & common) >>> 0) return true;
    }
  }
  return false;
}

/** The kernel prints addresses in the machine's byte order. */
function reverseBytes(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

/** This machine's own address, as other machines reach it; undefined when it has none. */
export function machineAddress(): string | undefined {
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    if (/^(caelum|veth|docker|br-|cni|lo$)/.test(name)) continue;
    for (const { family, address, internal } of addresses ?? [])
      if (family === 'IPv4' && !internal) return address;
  }
  return undefined;
}
