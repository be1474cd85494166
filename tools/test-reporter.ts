/**
 * How tests are told: a line for each file, failures in full, and at the end the plain line `N passed, N failed, N skipped`.
 * Skipped tests are named with their reason, so that no skip goes unnoticed.
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

interface FileCount {
  passed: number;
  failed: number;
  skipped: number;
  durationMs: number;
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, FileCount>();
  const skips: string[] = [];
  const failures: string[] = [];
  const countOf = (file: string | undefined): FileCount => {
    const name = file === undefined ? '(unknown)' : relative(process.cwd(), file);
    const found = files.get(name) ?? { passed: 0, failed: 0, skipped: 0, durationMs: 0 };
    files.set(name, found);
    return found;
  };
  /** File of the last failure: what its test has to say (a seed, how to replay) follows it. */
  let failedIn: string | undefined;
  for await (const event of source) {
    if (event.type === 'test:pass') {
      const { data } = event;
      failedIn = undefined;
      if (data.nesting === 0 && !isFileEntry(data.name, data.file))
        countOf(data.file).durationMs += data.details.duration_ms;
      // A suite only groups; a file's own entry repeats its tests.
      if (data.details.type === 'suite' || isFileEntry(data.name, data.file)) continue;
      const count = countOf(data.file);
      if (data.skip !== undefined && data.skip !== false) {
        count.skipped++;
        skips.push(`${data.name}: ${data.skip === true ? 'no reason given' : data.skip}`);
      } else {
        count.passed++;
      }
    } else if (event.type === 'test:fail') {
      const { data } = event;
      const error = data.details.error as Error & { failureType?: string; cause?: unknown };
      if (error.failureType === 'subtestsFailed') continue;
      countOf(data.file).failed++;
      failedIn = data.file;
      const cause =
        error.cause instanceof Error
          ? (error.cause.stack ?? error.cause.message)
          : String(error.cause ?? error.message);
      const text = `✖ ${data.file === undefined ? '' : `${relative(process.cwd(), data.file)}:${data.line ?? 0}  `}${data.name}\n${indent(cause)}\n`;
      failures.push(text);
      yield text;
    } else if (event.type === 'test:diagnostic' && failedIn !== undefined && event.data.file === failedIn) {
      const text = `    ${event.data.message}\n`;
      failures.push(text);
      yield text;
    } else if (event.type === 'test:stderr' && process.env['CAELUM_TEST_OUTPUT'] !== undefined) {
      yield event.data.message;
    }
  }
  yield '\n';
  for (const [name, count] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const parts = [`${count.passed} passed`];
    if (count.failed > 0) parts.push(`${count.failed} failed`);
    if (count.skipped > 0) parts.push(`${count.skipped} skipped`);
    yield `${count.failed > 0 ? '✖' : '✔'} ${name}  ${parts.join(', ')}  ${(count.durationMs / 1000).toFixed(1)} s\n`;
  }
  if (skips.length > 0) yield `\nskipped:\n${skips.map((skip) => `  ${skip}\n`).join('')}`;
  if (failures.length > 0) yield `\nfailed:\n${failures.join('')}`;
  const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
    [...files.values()].reduce((total, count) => total + count[key], 0);
  yield `\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped\n`;
}

function isFileEntry(name: string, file: string | undefined): boolean {
  return file !== undefined && name.endsWith('.ts') && file.endsWith(name.replace(/^.*\//, ''));
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
