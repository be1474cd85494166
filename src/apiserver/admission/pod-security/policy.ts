/** What a namespace's labels ask of its pods: a level and a version each to enforce, to audit, to warn of. Pure. */
import type { ErrorCause } from '../../../lib/index.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** `minor` of Kubernetes 1.x; Infinity: the latest. */
export interface LevelVersion {
  readonly level: Level;
  readonly minor: number;
}

export interface Policy {
  readonly enforce: LevelVersion;
  readonly audit: LevelVersion;
  readonly warn: LevelVersion;
}

export interface Parsed {
  readonly policy: Policy;
  readonly problems: readonly ErrorCause[];
}

const levels: readonly string[] = ['privileged', 'baseline', 'restricted'];
const prefix = 'pod-security.kubernetes.io/';
const latest = Number.POSITIVE_INFINITY;
const open: LevelVersion = { level: 'privileged', minor: latest };
const privileged: Parsed = { policy: { enforce: open, audit: open, warn: open }, problems: [] };

/** `restricted:v1.30`. */
export const policyText = ({ level, minor }: LevelVersion): string =>
  `${level}:${minor === latest ? 'latest' : `v1.${minor}`}`;

export const samePolicy = (a: LevelVersion, b: LevelVersion): boolean =>
  a.level === b.level && a.minor === b.minor;

export const strictness = ({ level }: LevelVersion): number => levels.indexOf(level);

/** There always is a policy: a label that means nothing counts as the strictest level where it enforces, as none where it only speaks. */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): Parsed {
  if (labels === undefined) return privileged;
  const problems: ErrorCause[] = [];
  const read = (mode: string, otherwise: Level): LevelVersion => {
    const level = labels[`${prefix}${mode}`];
    const version = labels[`${prefix}${mode}-version`];
    const problem = (label: string, value: string, why: string): void => {
      problems.push({
        reason: 'FieldValueInvalid',
        field: `metadata.labels[${prefix}${label}]`,
        message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
      });
    };
    const isLevel = level === undefined || levels.includes(level);
    if (!isLevel) problem(mode, level, `must be one of ${levels.join(', ')}`);
    const minor = version === undefined || version === 'latest' ? latest : minorOf(version);
    if (minor === undefined) problem(`${mode}-version`, version ?? '', 'must be "latest" or "v1.x"');
    return {
      level: isLevel ? ((level ?? 'privileged') as Level) : otherwise,
      minor: minor ?? latest,
    };
  };
  const policy = {
    enforce: read('enforce', 'restricted'),
    audit: read('audit', 'privileged'),
    warn: read('warn', 'privileged'),
  };
  return { policy, problems };
}

function minorOf(text: string): number | undefined {
  const match = /^v1\.([0-9]|[1-9][0-9]*)$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}
