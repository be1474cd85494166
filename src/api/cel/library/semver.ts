/** Kubernetes' semantic versions. Source: semver.org 2.0.0; normalising as kubernetes' library does: no `v`, missing parts are 0, no leading zeros. */
import { type Definition, through } from '../function.ts';
import { Fault, Opaque } from '../value.ts';

interface Version {
  readonly parts: readonly [number, number, number];
  readonly pre: readonly string[];
}
type Semver = Opaque<Version>;

const shape =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;

function parse(text: string): Version | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, pre] = match;
  return {
    parts: [Number(major), Number(minor), Number(patch)],
    pre: pre === undefined ? [] : pre.split('.'),
  };
}

function normalized(text: string): string {
  const [, core = '', rest = ''] = /^v?([^-+]*)(.*)$/s.exec(text) ?? [];
  const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  if (parts.length > 3 || rest === undefined) return text;
  while (parts.length < 3) parts.push('0');
  return parts.join('.') + rest;
}

/** Throws a fault for what is none. */
export function versionOf(text: string, isLoose = false): Semver {
  const version = parse(isLoose ? normalized(text) : text);
  if (version === undefined) throw new Fault(`${text}: no semantic version`);
  return new Opaque('kubernetes.Semver', version, `${version.parts.join('.')}-${version.pre.join('.')}`);
}

function compare({ value: a }: Semver, { value: b }: Semver): number {
  for (const index of [0, 1, 2] as const) {
    const difference = a.parts[index] - b.parts[index];
    if (difference !== 0) return Math.sign(difference);
  }
  if (a.pre.length === 0 || b.pre.length === 0) return Math.sign(b.pre.length - a.pre.length);
  for (let index = 0; index < Math.min(a.pre.length, b.pre.length); index++) {
    const order = compareIdentifiers(a.pre[index] ?? '', b.pre[index] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(a.pre.length - b.pre.length);
}

/** Numbers before words. */
function compareIdentifiers(a: string, b: string): number {
  const [isA, isB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isA && isB) return Math.sign(Number(a) - Number(b));
  if (isA !== isB) return isA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

const first = { cost: through };

export const semverFunctions: readonly Definition[] = [
  ['semver(string): semver', (text: string) => versionOf(text), first],
  ['semver(string, bool): semver', versionOf, first],
  ['isSemver(string): bool', (text: string) => parse(text) !== undefined, first],
  [
    'isSemver(string, bool): bool',
    (text: string, isLoose: boolean) => parse(isLoose ? normalized(text) : text) !== undefined,
    first,
  ],
  ['semver . major(): int', ({ value }: Semver) => value.parts[0]],
  ['semver . minor(): int', ({ value }: Semver) => value.parts[1]],
  ['semver . patch(): int', ({ value }: Semver) => value.parts[2]],
  ['semver . isLessThan(semver): bool', (a: Semver, b: Semver) => compare(a, b) < 0],
  ['semver . isGreaterThan(semver): bool', (a: Semver, b: Semver) => compare(a, b) > 0],
  ['semver . compareTo(semver): int', compare],
];
