/**
 * Runs the project's tests: `node tools/test.ts [--only=types,lint,unit,end-to-end] [FILE …]`.
 *
 *   types ─▶ lint ─▶ unit tests (beside the code) ─▶ end to end (scenarios/, on real parts)
 *
 * Everything counts into the one closing line. Unit files run two at a time, end-to-end files one by one: they share the machine.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import report from './test-reporter.ts';

const options = process.argv.slice(2).filter((word) => word.startsWith('--'));
const named = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const only = options
  .find((word) => word.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const wants = (part: string): boolean =>
  only === undefined ? named.length === 0 || part === 'files' : only.includes(part);

let passed = 0;
let failed = 0;
let skipped = 0;

if (wants('types')) check('types', 'node_modules/.bin/tsc', ['--noEmit']);
if (wants('lint')) check('lint', 'node_modules/.bin/biome', ['check', '--max-diagnostics=50', '.']);
if (named.length > 0) await tests(named, 1);
else {
  const isEndToEnd = (file: string): boolean => file.startsWith('scenarios/');
  const all = globSync([
    'src/**/*.test.ts',
    'tools/**/*.test.ts',
    'bench/**/*.test.ts',
    'examples/**/*.test.ts',
    'scenarios/**/*.test.ts',
  ]).sort();
  if (wants('unit'))
    await tests(
      all.filter((file) => !isEndToEnd(file)),
      2,
    );
  if (wants('end-to-end')) await tests(all.filter(isEndToEnd), 1);
}
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function check(name: string, command: string, words: readonly string[]): void {
  const startedMs = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  if (status === 0) {
    passed++;
    console.log(`✔ ${name}  ${seconds} s`);
  } else {
    failed++;
    console.log(`✖ ${name}  ${seconds} s\n${stdout}${stderr}${error === undefined ? '' : error.message}`);
  }
}

async function tests(files: readonly string[], concurrency: number): Promise<void> {
  if (files.length === 0) return;
  const source = run({
    files: [...files],
    concurrency,
    timeout: 600_000,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  for await (const line of Readable.from(report(source as unknown as Parameters<typeof report>[0]))) {
    const counts = /^\n(\d+) passed, (\d+) failed, (\d+) skipped\n$/.exec(String(line));
    if (counts === null) process.stdout.write(String(line));
    else {
      passed += Number(counts[1]);
      failed += Number(counts[2]);
      skipped += Number(counts[3]);
    }
  }
}
