/**
 * One-value types as Kubernetes reads and writes them: what is accepted, and the canonical form in which it is kept.
 *
 * Each `canonical…` returns the canonical text, or a `Refusal` in the words of the Go decoder. The common case, a value that is
 * canonical already, is recognised without allocating. Sources: k8s.io/apimachinery/pkg/apis/meta/v1/time.go, encoding/base64.
 */
import { canonicalQuantity as canonicalQuantityText } from './quantity-text.ts';

export interface Refusal {
  readonly refusal: string;
}

const timePattern =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** RFC 3339 → UTC in whole seconds. */
export function canonicalTime(text: string): string | Refusal {
  // Many things bear the same time.
  if (text === lastCanonical) return text;
  const match = timePattern.exec(text);
  if (match === null || Number.isNaN(Date.parse(text))) return refuseTime(text, '2006-01-02T15:04:05Z07:00');
  if (text.length === 20) {
    lastCanonical = text;
    return text;
  }
  return `${new Date(Date.parse(text)).toISOString().slice(0, 19)}Z`;
}

let lastCanonical = '';

/** RFC 3339 → UTC in microseconds. */
export function canonicalMicroTime(text: string): string | Refusal {
  const match = timePattern.exec(text);
  if (match === null || Number.isNaN(Date.parse(text))) {
    return refuseTime(text, '2006-01-02T15:04:05.000000Z07:00');
  }
  if (text.length === 27 && text.endsWith('Z')) return text;
  const micros = (match[5] ?? '.').slice(1, 7).padEnd(6, '0');
  return `${new Date(Date.parse(text)).toISOString().slice(0, 19)}.${micros}Z`;
}

function refuseTime(text: string, layout: string): Refusal {
  const rest = /^\d{4}/.test(text) ? text.slice(4) : text;
  const wanted = rest === text ? '2006' : '-';
  return {
    refusal: `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(wanted)}`,
  };
}

const base64Pattern = /^[A-Za-z0-9+/]*={0,2}$/;

/** Standard base64, padded. Line breaks are dropped, as Go's decoder does. */
export function canonicalBase64(text: string): string | Refusal {
  if (text.length % 4 === 0 && base64Pattern.test(text)) return text;
  const compact = text.replace(/[\r\n]/g, '');
  if (compact.length % 4 === 0 && base64Pattern.test(compact)) return compact;
  const bad = compact.search(/[^A-Za-z0-9+/]/);
  const at = bad < 0 ? compact.length - (compact.length % 4) : bad;
  return { refusal: `illegal base64 data at input byte ${at}` };
}

/** Quantities repeat (`100m`, `128Mi`), so what was read is remembered; bounded. */
const knownQuantities = new Map<string, string>();
const knownQuantitiesMax = 2048;

export function canonicalQuantity(value: string | number): string | Refusal {
  const text = typeof value === 'number' ? String(value) : value;
  const known = knownQuantities.get(text);
  if (known !== undefined) return known;
  const canonical = canonicalQuantityText(text.trim());
  if (typeof canonical === 'string' && text.length <= 24) {
    if (knownQuantities.size >= knownQuantitiesMax) knownQuantities.clear();
    knownQuantities.set(text, canonical);
  }
  return canonical;
}

const durationUnits: readonly (readonly [string, bigint])[] = [
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['ns', 1n],
];

/** Go's duration text (`1m30s`, `500ms`) in nanoseconds; undefined when it is none. */
export function durationNanoseconds(text: string): bigint | undefined {
  const match = /^([+-]?)((?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+|0)$/.exec(text);
  if (match === null) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of (match[2] ?? '').matchAll(
    /(\d+)(?:\.(\d+))?(h|ms|m|s|us|µs|ns)/g,
  )) {
    const size = durationUnits.find(([name]) => name === unit)?.[1] ?? 0n;
    total += BigInt(whole) * size;
    if (fraction !== '') total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  return match[1] === '-' ? -total : total;
}

/** The inverse, as Go's Duration.String writes it: `1m30s`, `1.5s`, `0s`. */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const total = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (total < 1_000_000_000n) {
    const [unit, size] =
      total < 1_000n
        ? (['ns', 1n] as const)
        : total < 1_000_000n
          ? (['µs', 1_000n] as const)
          : (['ms', 1_000_000n] as const);
    return sign + decimal(total, size) + unit;
  }
  const hours = total / 3_600_000_000_000n;
  const minutes = (total / 60_000_000_000n) % 60n;
  const seconds = `${decimal(total % 60_000_000_000n, 1_000_000_000n)}s`;
  if (hours > 0n) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${sign}${minutes}m${seconds}` : sign + seconds;
}

function decimal(value: bigint, unit: bigint): string {
  const fraction = (value % unit)
    .toString()
    .padStart(unit.toString().length - 1, '0')
    .replace(/0+$/, '');
  return fraction === '' ? String(value / unit) : `${value / unit}.${fraction}`;
}
