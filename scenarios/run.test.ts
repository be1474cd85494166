/** Carries out every `*.scenario` of this folder on a cloud of its own, with real kubectl. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { installedKubectls, runs } from '../tools/kubectl.ts';
import {
  type CloudUnderTest,
  home,
  logsOf,
  prepareCloud,
  startPrepared,
  whyNoKubectl,
  whyNotReal,
} from './cloud-under-test.ts';
import { mismatch, parseScenario, type Step } from './scenario.ts';

const folder = join(home, 'scenarios');
const named = process.env['CAELUM_SCENARIO'];
const rewrite = process.env['CAELUM_REWRITE'] !== undefined;

for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith('.scenario') || (named !== undefined && !file.startsWith(named))) continue;
  const path = join(folder, file);
  const scenario = parseScenario(readFileSync(path, 'utf8'));
  const wanted = scenario.settings['cloud'] ?? 'none';
  const skip = whyNoKubectl() ?? (wanted === 'real' ? whyNotReal() : undefined) ?? false;
  play(file, undefined, skip);
  if (scenario.settings['kubectl'] === 'any' && !rewrite)
    for (const { version, path: kubectl } of pick(installedKubectls()))
      play(`${file} with kubectl ${version}`, kubectl, skip);

  function play(name: string, kubectl: string | undefined, why: string | false): void {
    describe(name, { skip: why }, () => {
      let cloud: CloudUnderTest;
      before(async () => {
        cloud = await prepareCloud(kubectl === undefined ? {} : { kubectl });
        if (wanted.startsWith('hollow')) await startPrepared(cloud, '--hollow', wanted.split(' ')[1] ?? '1');
        else if (wanted === 'real') await startPrepared(cloud);
      });
      after(() => cloud?.remove());
      const printed: string[] = [];
      scenario.steps.forEach((step, index) => {
        test(`${step.command.split('\n')[0]} (line ${step.line})`, async () => {
          printed[index] = await carryOut(cloud, step);
        });
      });
      if (rewrite)
        after(() => writeFileSync(path, rewritten(readFileSync(path, 'utf8'), scenario.steps, printed)));
    });
  }
}

/** The oldest and the newest of what is installed that runs: more would only take time. */
function pick(
  all: readonly { version: string; path: string }[],
): readonly { version: string; path: string }[] {
  const good = all.filter((one) => runs(one.path));
  return good.length <= 2 ? good : [good[0], good.at(-1)].flatMap((one) => one ?? []);
}

async function carryOut(cloud: CloudUnderTest, step: Step): Promise<string> {
  const deadlineMs = performance.now() + step.patienceMs;
  for (;;) {
    const result = await cloud.shell(`exec 2>&1\n${step.command}`);
    const problem = rewrite ? undefined : mismatch(step.expect, result.stdout);
    const wrongCode = step.mustFail ? result.code === 0 : result.code !== 0;
    if (rewrite && wrongCode && performance.now() > deadlineMs)
      return `${result.stdout}(exit code ${result.code})`;
    if (problem === undefined && !wrongCode) return result.stdout;
    if (performance.now() > deadlineMs)
      assert.fail(
        `${wrongCode ? `exit code ${result.code}` : problem}\n--- printed\n${result.stdout}${result.stderr}\n${logsOf(cloud)}`,
      );
    await new Promise((done) => setTimeout(done, 100));
  }
}

function rewritten(text: string, steps: readonly Step[], printed: readonly string[]): string {
  const lines = text.split('\n');
  const out: string[] = [];
  let skipping = false;
  lines.forEach((line, index) => {
    const step = steps.findIndex((one) => one.line === index + 1);
    if (step >= 0) {
      out.push(line, (printed[step] ?? '').trimEnd());
      skipping = true;
    } else if (line.startsWith('#') || line === '') {
      skipping = false;
      out.push(line);
    } else if (!skipping) out.push(line);
  });
  return out.join('\n');
}
