/**
 * Writes docs/conformance.md: each test of Kubernetes' conformance ledger, and which test of ours covers it.
 *
 *   ledger (test data) ─┐
 *   comments in tests ──┼▶ entries with their coverage ─▶ page
 *   reasons (below) ────┘
 *
 * A test says itself what it covers, in a comment before it, with the ledger's name (without its last "[Conformance]"):
 *
 *   // conformance: [sig-auth] ServiceAccounts should update a ServiceAccount
 *   // conformance, partly (no pod runs): [sig-auth] ServiceAccounts should mount an API token into pods
 *
 * Scenarios say it in `#` comments. Run: `node tools/conformance.ts`.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { notYet } from './conformance-reasons.ts';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ledgerFile = join(home, '../shared/data/kubernetes/conformance.yaml');
export const page = join(home, 'docs/conformance.md');

/** What a test says of itself. */
export interface Claim {
  /** As in the ledger, without the last "[Conformance]". */
  readonly entry: string;
  readonly file: string;
  readonly line: number;
  /** Of the test. */
  readonly test: string;
  /** Why only a part of it. */
  readonly partly?: string;
}

export interface Entry {
  readonly name: string;
  readonly sig: string;
}

/** undefined: the ledger is not here. */
export function readLedger(): readonly Entry[] | undefined {
  if (!existsSync(ledgerFile)) return undefined;
  const rows = parse(readFileSync(ledgerFile, 'utf8')) as readonly { readonly codename: string }[];
  return rows.map(({ codename }) => ({
    name: codename.replace(/ \[Conformance\]$/, ''),
    sig: /^\[([a-z-]+)\]/.exec(codename)?.[1] ?? 'none',
  }));
}

const claimPattern = /^\s*(?:\/\/|#) conformance(?:, partly \((.*?)\))?: (\[sig-.*?)\s*$/;
const testPattern = /\b(?:test|describe)\(\s*(?:'((?:[^'\\]|\\.)*)'|`((?:[^`\\]|\\.)*)`|"((?:[^"\\]|\\.)*)")/;
const commandPattern = /^(?:\$|!|~\d+) (.*)$/;

/** What the comments of one file say; each belongs to the next test (or command of a scenario) below it. */
export function claimsOf(file: string, text: string): readonly Claim[] {
  const claims: Claim[] = [];
  const lines = text.split('\n');
  const isScenario = file.endsWith('.scenario');
  for (let at = 0; at < lines.length; at++) {
    const [, partly, entry] = claimPattern.exec(lines[at] as string) ?? [];
    if (entry === undefined) continue;
    let test = '';
    for (let below = at + 1; below < lines.length && test === ''; below++) {
      if (isScenario) test = commandPattern.exec(lines[below] as string)?.[1] ?? '';
      else {
        const found = testPattern.exec(lines.slice(below, below + 3).join('\n'));
        if (found !== null && found.index <= (lines[below] as string).length)
          test = found[1] ?? found[2] ?? found[3] ?? '';
      }
    }
    claims.push({ entry, file, line: at + 1, test, ...(partly === undefined ? {} : { partly }) });
  }
  return claims;
}

export function readClaims(): readonly Claim[] {
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
    cwd: home,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
    .split('\n')
    .filter((file) => /\.test\.ts$|\.scenario$/.test(file) && !file.startsWith('tools/'));
  return files
    .filter((file) => existsSync(join(home, file)))
    .sort()
    .flatMap((file) => claimsOf(file, readFileSync(join(home, file), 'utf8')));
}

type State = 'covered' | 'partly' | 'not yet';

interface Row {
  readonly entry: Entry;
  readonly state: State;
  readonly words: string;
}

function rowOf(entry: Entry, claims: readonly Claim[]): Row {
  const own = claims.filter((claim) => claim.entry === entry.name);
  const whole = own.filter(({ partly }) => partly === undefined);
  const link = ({ file, test }: Claim): string =>
    `[${file.slice(file.lastIndexOf('/') + 1)}](../${file}): ${test.replaceAll('|', '\\|')}`;
  if (whole.length > 0) return { entry, state: 'covered', words: whole.map(link).join('; ') };
  if (own.length > 0)
    return { entry, state: 'partly', words: own.map((one) => `${link(one)} (${one.partly})`).join('; ') };
  const [, reason] = notYet.find(([pattern]) => pattern.test(entry.name)) ?? [];
  return { entry, state: 'not yet', words: reason ?? 'no test of ours' };
}

const states: readonly State[] = ['covered', 'partly', 'not yet'];

/** The page, as text. */
export function render(ledger: readonly Entry[], claims: readonly Claim[]): string {
  const rows = ledger.map((entry) => rowOf(entry, claims));
  const sigs = [...new Set(ledger.map(({ sig }) => sig))].sort();
  const count = (of: readonly Row[]): string =>
    [...states.map((state) => of.filter((row) => row.state === state).length), of.length].join(' | ');
  const lines = [
    '# Conformance',
    '',
    "Each test of Kubernetes' conformance suite (1.36), and which test of ours covers it. Written by `node tools/conformance.ts` from comments beside the tests;",
    'a test keeps it so. *Covered*: a test of ours asks all that the description asks. *Partly*: what is missing stands in brackets. *Not yet*: why.',
    'These are our own tests; running the suite itself is another thing.',
    '',
    '| | covered | partly | not yet | all |',
    '|---|---|---|---|---|',
    ...sigs.map((sig) => `| [${sig}](#${sig}) | ${count(rows.filter((row) => row.entry.sig === sig))} |`),
    `| **all** | ${count(rows)} |`,
  ];
  for (const sig of sigs) {
    lines.push('', `## ${sig}`, '', '| test | stands | by |', '|---|---|---|');
    for (const { entry, state, words } of rows.filter((row) => row.entry.sig === sig)) {
      const name = entry.name
        .slice(sig.length + 3)
        .replaceAll('|', '\\|')
        .replaceAll('`', '');
      lines.push(`| ${name} | ${state} | ${words} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const ledger = readLedger();
  if (ledger === undefined) {
    process.stderr.write(
      'Cannot write docs/conformance.md: the ledger (conformance.yaml of the test data) is not here\n',
    );
    process.exitCode = 1;
  } else {
    const text = render(ledger, readClaims());
    writeFileSync(page, text);
    process.stdout.write(
      `${text
        .split('\n')
        .filter((line) => line.startsWith('| **all**') || line.startsWith('| [sig'))
        .join('\n')}\n`,
    );
  }
}
