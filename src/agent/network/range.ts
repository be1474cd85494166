/**
 * IPv4 ranges: which addresses a node may hand out. Pure.
 *
 * The network address, the first address (the bridge's own, the pods' gateway) and the broadcast address are never handed out.
 */
import { CaelumError } from '../../lib/index.ts';

export interface Range {
  /** `10.44.0.1`. */
  readonly gateway: string;
  readonly prefixLength: number;
  /** `10.44.0.0/24`, with host bits cleared. */
  readonly cidr: string;
  /** How many addresses can be handed out. */
  readonly size: number;
  /** The lowest free address at or after `from` (round the range); undefined when all are taken. */
  firstFree(
    taken: ReadonlySet<number>,
    from?: number,
  ): { readonly number: number; readonly text: string } | undefined;
  contains(address: string): boolean;
  numberOf(address: string): number;
}

/** Throws `badRequest` unless `cidr` is an IPv4 range with room for at least one pod (prefix 30 or shorter). */
export function addressesOf(cidr: string): Range {
  const [addressText = '', prefixText = ''] = cidr.split('/');
  const prefixLength = Number(prefixText);
  const address = parseAddress(addressText);
  const isPrefix = /^\d{1,2}$/.test(prefixText) && prefixLength >= 8 && prefixLength <= 30;
  if (address === undefined || !isPrefix)
    throw new CaelumError(
      'badRequest',
      `Cannot use pod range "${cidr}": not an IPv4 range of prefix 8 to 30`,
    );
  const span = 2 ** (32 - prefixLength);
  const base = address - (address % span);
  const first = base + 2;
  const last = base + span - 2;
  return {
    gateway: formatAddress(base + 1),
    prefixLength,
    cidr: `${formatAddress(base)}/${prefixLength}`,
    size: last - first + 1,
    firstFree(taken, from = first) {
      const start = from < first || from > last ? first : from;
      for (let step = 0; step <= last - first; step++) {
        const number = first + ((start - first + step) % (last - first + 1));
        if (!taken.has(number)) return { number, text: formatAddress(number) };
      }
      return undefined;
    },
    contains(text) {
      const number = parseAddress(text);
      return number !== undefined && number >= base && number < base + span;
    },
    numberOf(text) {
      const number = parseAddress(text);
      if (number === undefined)
        throw new CaelumError('badRequest', `Cannot read address "${text}": not IPv4`);
      return number;
    },
  };
}

/** A dotted quad as a number; undefined when it is none. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let number = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    number = number * 256 + Number(part);
  }
  return number;
}

export function formatAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
