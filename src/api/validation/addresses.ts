/**
 * IP addresses, ranges of them, and ports, as texts and numbers. Pure: what `node:net` would tell, without it.
 * Source: k8s.io/apimachinery/pkg/util/validation; RFC 4291 for IPv6 texts.
 */
import { portName } from './names.ts';
import { type Problems, wrong } from './problems.ts';

/** 4, 6, or 0 for no address. */
export function addressFamily(text: string): 0 | 4 | 6 {
  if (isIPv4(text)) return 4;
  return isIPv6(text) ? 6 : 0;
}

/** Without leading zeros, which some read as octal. */
function isIPv4(text: string): boolean {
  return (
    /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text) && text.split('.').every((n) => Number(n) < 256)
  );
}

function isIPv6(text: string): boolean {
  if (!text.includes(':') || text.length > 45) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  let count = groups.length;
  if (last.includes('.')) {
    if (!isIPv4(last)) return false;
    groups.pop();
    count++;
  }
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}

export const addressWhy = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
export const rangeWhy = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

export function validateAddress(problems: Problems, field: string, text: string): void {
  if (addressFamily(text) === 0) problems.push(wrong(field, text, addressWhy));
}

/** `10.0.0.0/8`. */
export function validateRange(problems: Problems, field: string, text: string): void {
  if (addressRange(text) === undefined) problems.push(wrong(field, text, rangeWhy));
}

/** An address as one number, most significant part first. undefined: it is none. */
export function addressNumber(text: string): bigint | undefined {
  switch (addressFamily(text)) {
    case 4:
      return ipv4Number(text);
    case 6:
      return ipv6Number(text);
    default:
      return undefined;
  }
}

const ipv4Number = (text: string): bigint =>
  text.split('.').reduce((number, part) => number * 256n + BigInt(part), 0n);

function ipv6Number(text: string): bigint {
  // A dotted end is two groups.
  const plain = text.replace(/[^:]*\.[^:]*$/, (dotted) => {
    const number = ipv4Number(dotted);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [head = '', tail] = plain.split('::');
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].reduce(
    (number, group) => number * 65536n + BigInt(`0x${group}`),
    0n,
  );
}

export interface AddressRange {
  readonly family: 4 | 6;
  readonly first: bigint;
  /** How many bits all its addresses share. */
  readonly bits: number;
}

/** undefined: it is no range. Bits beyond the prefix are let fall. */
export function addressRange(text: string): AddressRange | undefined {
  const [address = '', bitsText = '', ...rest] = text.split('/');
  const family = addressFamily(address);
  const number = addressNumber(address);
  const width = family === 4 ? 32 : 128;
  const bits = Number(bitsText);
  if (family === 0 || number === undefined || rest.length > 0) return undefined;
  if (!/^(0|[1-9]\d{0,2})$/.test(bitsText) || bits > width) return undefined;
  const free = BigInt(width - bits);
  return { family, first: (number >> free) << free, bits };
}

/** Every address of `inner` is in `outer`. */
export function isWithin(inner: AddressRange, outer: AddressRange): boolean {
  if (inner.family !== outer.family || inner.bits < outer.bits) return false;
  const free = BigInt((outer.family === 4 ? 32 : 128) - outer.bits);
  return inner.first >> free === outer.first >> free;
}

/** And that has more. */
export const isStrictlyWithin = (inner: AddressRange, outer: AddressRange): boolean =>
  inner.bits > outer.bits && isWithin(inner, outer);

/** `must be between 1 and 65535, inclusive`. */
export const betweenWhy = (low: number, high: number): string =>
  `must be between ${low} and ${high}, inclusive`;

const portMax = 65535;

export function validatePort(problems: Problems, field: string, port: number): void {
  if (port < 1 || port > portMax) problems.push(wrong(field, port, betweenWhy(1, portMax)));
}

/** A port, or the name of a container's port. */
export function validatePortOrName(
  problems: Problems,
  field: string,
  port: number | string | undefined,
): void {
  if (typeof port === 'string') for (const why of portName(port)) problems.push(wrong(field, port, why));
  else validatePort(problems, field, port ?? 0);
}

/** What kube endpoints may not be: unspecified, loopback, link-local, link-local multicast. */
export function validateNonSpecialAddress(problems: Problems, field: string, text: string): void {
  const lower = text.toLowerCase();
  const is = (four: RegExp, six: RegExp): boolean => four.test(text) || six.test(lower);
  if (is(/^0\.0\.0\.0$/, /^[0:]+$/)) problems.push(wrong(field, text, `may not be unspecified (${text})`));
  if (is(/^127\./, /^(::|(0{1,4}:){7})0{0,3}1$/))
    problems.push(wrong(field, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  if (is(/^169\.254\./, /^fe[89ab][0-9a-f]:/))
    problems.push(wrong(field, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  if (is(/^224\.0\.0\./, /^ff02:/))
    problems.push(
      wrong(field, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'),
    );
}
