/** Kubernetes' addresses and ranges: `ip`, `cidr`. */
import { addressFamily, addressNumber, addressRange } from '../../validation/addresses.ts';
import { type Definition, through } from '../function.ts';
import { Fault, Opaque } from '../value.ts';

interface Address {
  readonly family: 4 | 6;
  readonly number: bigint;
}
interface Range extends Address {
  readonly bits: number;
}
type Ip = Opaque<Address>;
type Cidr = Opaque<Range>;

function parseAddress(text: string): Address | undefined {
  const family = addressFamily(text);
  const number = addressNumber(text);
  // An IPv4 address in the clothes of IPv6 is refused.
  if (family === 0 || number === undefined || (family === 6 && number >> 32n === 0xffffn)) return undefined;
  return { family, number };
}

const makeIp = (address: Address): Ip => new Opaque('net.IP', address, `${address.family}/${address.number}`);

function ipOf(text: string): Ip {
  const address = parseAddress(text);
  if (address === undefined)
    throw new Fault(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  return makeIp(address);
}

/** RFC 5952: lower case, the longest run of zeros left out. */
function addressText({ family, number }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((number >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === '0') length++;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

const isWithin = ({ value }: Ip, range: string): boolean => {
  const outer = addressRange(range);
  return (
    outer !== undefined &&
    outer.family === value.family &&
    prefix(value, outer.bits) === prefix({ family: outer.family, number: outer.first }, outer.bits)
  );
};

const width = (family: 4 | 6): number => (family === 4 ? 32 : 128);
const prefix = ({ family, number }: Address, bits: number): bigint => number >> BigInt(width(family) - bits);
const isUnspecified = ({ value }: Ip): boolean => value.number === 0n;
const isLoopback = (ip: Ip): boolean => isWithin(ip, '127.0.0.0/8') || isWithin(ip, '::1/128');
const isMulticast = (ip: Ip): boolean => isWithin(ip, '224.0.0.0/4') || isWithin(ip, 'ff00::/8');
const isLinkLocal = (ip: Ip): boolean => isWithin(ip, '169.254.0.0/16') || isWithin(ip, 'fe80::/10');

function parseRange(text: string): Range | undefined {
  const range = addressRange(text);
  const address = parseAddress(text.split('/')[0] ?? '');
  return range === undefined || address === undefined ? undefined : { ...address, bits: range.bits };
}

const makeCidr = (range: Range): Cidr => new Opaque('net.CIDR', range, rangeText(range));
const rangeText = (range: Range): string => `${addressText(range)}/${range.bits}`;

function cidrOf(text: string): Cidr {
  const range = parseRange(text);
  if (range === undefined)
    throw new Fault(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): no valid range`,
    );
  return makeCidr(range);
}

function contains({ value: range }: Cidr, { value: ip }: Ip): boolean {
  return range.family === ip.family && prefix(range, range.bits) === prefix(ip, range.bits);
}

function containsRange(outer: Cidr, inner: Cidr): boolean {
  return inner.value.bits >= outer.value.bits && contains(outer, makeIp(inner.value));
}

function masked({ value }: Cidr): Cidr {
  const free = BigInt(width(value.family) - value.bits);
  return makeCidr({ ...value, number: (value.number >> free) << free });
}

const first = { cost: through };

export const networkFunctions: readonly Definition[] = [
  ['ip(string): ip', ipOf, first],
  ['isIP(string): bool', (text: string) => parseAddress(text) !== undefined, first],
  ['ip.isCanonical(string): bool', (text: string) => addressText(ipOf(text).value) === text, first],
  ['string(ip): string', ({ value }: Ip) => addressText(value), { size: () => 39 }],
  ['ip . family(): int', ({ value }: Ip) => value.family],
  ['ip . isUnspecified(): bool', isUnspecified],
  ['ip . isLoopback(): bool', isLoopback],
  [
    'ip . isLinkLocalMulticast(): bool',
    (ip: Ip) => isWithin(ip, '224.0.0.0/24') || isWithin(ip, 'ff02::/16'),
  ],
  ['ip . isLinkLocalUnicast(): bool', isLinkLocal],
  [
    'ip . isGlobalUnicast(): bool',
    (ip: Ip) =>
      !isUnspecified(ip) &&
      !isLoopback(ip) &&
      !isMulticast(ip) &&
      !isLinkLocal(ip) &&
      !isWithin(ip, '255.255.255.255/32'),
  ],
  ['cidr(string): cidr', cidrOf, first],
  ['isCIDR(string): bool', (text: string) => parseRange(text) !== undefined, first],
  ['string(cidr): string', ({ value }: Cidr) => rangeText(value), { size: () => 43 }],
  ['cidr . containsIP(ip): bool', contains],
  ['cidr . containsIP(string): bool', (range: Cidr, text: string) => contains(range, ipOf(text))],
  ['cidr . containsCIDR(cidr): bool', containsRange],
  ['cidr . containsCIDR(string): bool', (range: Cidr, text: string) => containsRange(range, cidrOf(text))],
  ['cidr . ip(): ip', ({ value }: Cidr) => makeIp(value)],
  ['cidr . masked(): cidr', masked],
  ['cidr . prefixLength(): int', ({ value }: Cidr) => value.bits],
];
