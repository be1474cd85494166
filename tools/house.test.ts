/**
 * The rules of the house, as tests: who may import whom, where the outside world may be touched, how large a file may be, how it is called.
 * Each failure says what to do instead.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
  cwd: home,
  encoding: 'utf8',
  maxBuffer: 1 << 26,
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(home, file)));
const sources = files.filter((file) => /^(src|tools|bench|examples)\/.*\.ts$/.test(file));
const text = (file: string): string => readFileSync(join(home, file), 'utf8');
const isGenerated = (file: string): boolean =>
  file.startsWith('src/api/tables/generated/') || file.startsWith('src/api/types/');
const isTest = (file: string): boolean =>
  /\.test\.ts$/.test(file) || /\/(contract|test-[a-z-]+)\.ts$/.test(file);

/** Which rooms a room may import. `main`, `sim`, tools and benches know every room. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  api: ['lib'],
  store: ['lib', 'api'],
  client: ['lib', 'api'],
  apiserver: ['lib', 'api', 'store', 'client'],
  controllers: ['lib', 'api', 'client'],
  scheduler: ['lib', 'api', 'client'],
  agent: ['lib', 'api', 'client'],
  services: ['lib', 'api', 'client'],
  observe: ['lib', 'api', 'client'],
  verify: ['lib', 'api', 'client'],
  security: ['lib', 'api', 'client'],
  cli: ['lib', 'api', 'client'],
};

const room = (file: string): string => /^src\/([^/]+)\//.exec(file)?.[1] ?? '';

function importsOf(file: string): string[] {
  const found: string[] = [];
  for (const match of text(file).matchAll(
    /(?:^|\n)\s*(?:import|export)[^'"`;]*?from\s+'([^']+)'|import\('([^']+)'\)|(?:^|\n)import '([^']+)'/g,
  )) {
    const specifier = match[1] ?? match[2] ?? match[3];
    if (specifier !== undefined) found.push(specifier);
  }
  return found;
}

function report(problems: readonly string[], rule: string): void {
  assert.equal(problems.length, 0, `${rule}\n  ${problems.join('\n  ')}\n`);
}

test('rooms import only the rooms below them, and only through their doors', () => {
  const problems: string[] = [];
  for (const file of sources) {
    const from = room(file);
    if (from === '' || from === 'main' || from === 'sim') continue;
    const allowed = mayImport[from];
    if (allowed === undefined) {
      problems.push(`${file}: room "${from}" is not in tools/house.test.ts: say there what it may import`);
      continue;
    }
    for (const specifier of importsOf(file)) {
      if (!specifier.startsWith('.')) continue;
      const target = relative(home, resolve(home, dirname(file), specifier));
      const to = room(target);
      if (to === from || to === '') continue;
      if (isTest(file)) continue;
      if (!allowed.includes(to))
        problems.push(
          `${file}: imports room "${to}"; let the two meet through objects, or move the shared concept to lib or api`,
        );
      else if (
        target !== `src/${to}/index.ts` &&
        !(to === 'lib' && target.startsWith('src/lib/io/') && file.includes('/io/'))
      )
        problems.push(`${file}: imports ${target}; import src/${to}/index.ts, its door`);
    }
  }
  report(problems, 'A room is entered through its door.');
});

test('time, chance and the outside world are touched only in io/ folders', () => {
  const banned: readonly (readonly [RegExp, string])[] = [
    [/from 'node:(?!stream')/, 'node: modules belong into an io/ folder; pass in what they give'],
    [/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, 'take a Clock'],
    [/\bMath\.random\(|\bcrypto\.(randomUUID|getRandomValues)\(/, 'take a Random'],
    [/(?<![.\w])(setTimeout|setInterval|setImmediate)\(/, 'take a Clock'],
    [/\bprocess\.(env|argv|exit|on|stdout|stderr|cwd|pid|kill)\b/, 'belongs into main/ or an io/ folder'],
    [/(?<![.\w])fetch\(/, 'belongs into an io/ folder'],
  ];
  const problems: string[] = [];
  for (const file of sources) {
    if (!file.startsWith('src/') || file.startsWith('src/main/') || file.includes('/io/') || isTest(file))
      continue;
    text(file)
      .split('\n')
      .forEach((line, index) => {
        if (/^\s*(\*|\/\/|\/\*)/.test(line) || /import type/.test(line)) return;
        for (const [pattern, instead] of banned)
          if (pattern.test(line)) problems.push(`${file}:${index + 1}: ${line.trim()} - ${instead}`);
      });
  }
  report(problems, 'Decide, then do: a core knows neither clock nor chance nor wire.');
});

test('a file can be held in the head', () => {
  const problems: string[] = [];
  for (const file of sources) {
    const lines = text(file).split('\n').length;
    if (!isGenerated(file) && lines > 600)
      problems.push(`${file}: ${lines} lines; 600 at most, about 300 wanted: find the second idea in it`);
  }
  report(problems, 'Files are at most 600 lines.');
});

test('files are named for the noun that they hold, in kebab-case', () => {
  const problems: string[] = [];
  for (const file of sources) {
    const name = file.split('/').at(-1) ?? '';
    if (!isGenerated(file) && !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(name))
      problems.push(`${file}: kebab-case, please`);
    if (/^(utils?|helpers?|managers?|common|misc)(-|\.)|-(utils?|helpers?|manager)\./.test(name))
      problems.push(`${file}: say what it holds`);
  }
  report(problems, 'Names say what a thing is.');
});

test('a file opens with its purpose', () => {
  const problems = sources.filter(
    (file) => file.startsWith('src/') && !/\.test\.ts$/.test(file) && !/^(#!.*\n)?\/[/*]/.test(text(file)),
  );
  report(problems, 'The first lines of a file say what it is for.');
});

test('types are strict: no any, no suppressed errors', () => {
  const problems: string[] = [];
  for (const file of sources) {
    if (file === 'tools/house.test.ts') continue;
    text(file)
      .split('\n')
      .forEach((line, index) => {
        if (/@ts-(ignore|nocheck|expect-error)|biome-ignore-all/.test(line))
          problems.push(`${file}:${index + 1}: ${line.trim()}`);
      });
  }
  report(problems, 'Mend the type rather than silence it.');
});

test('every dependency has its reason', () => {
  const manifest = JSON.parse(text('package.json')) as {
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  const reasons = text('docs/decisions/dependencies.md');
  const problems = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
    (name) => !reasons.includes(`\`${name}\``),
  );
  report(problems, 'Each dependency is a reasoned line in docs/decisions/dependencies.md.');
});

test('the lock file names no machine', () => {
  assert.doesNotMatch(text('package-lock.json'), /"resolved":\s*"(?!https:\/\/registry\.npmjs\.org\/)/);
});
