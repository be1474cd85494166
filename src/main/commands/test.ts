/** `caelum test`: the project's tests, on real parts where this machine has them. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isError } from '../../lib/index.ts';
import { type RunnableCommand, say } from '../command.ts';
import { ensureSystemParts } from '../system-parts.ts';

export const test: RunnableCommand = {
  name: 'test',
  summary: "Runs the project's tests: types, lint, units, and the cloud end to end.",
  words: '[FILE …]',
  wordCount: { min: 0, max: 1000 },
  options: [
    { name: 'only', value: 'PARTS', help: 'types, lint, unit, end-to-end: some of them, by comma' },
    { name: 'no-install', help: 'never install system parts: tests that need them are skipped, by name' },
  ],
  async run(given) {
    try {
      ensureSystemParts({ install: !given.flag('no-install'), say });
    } catch (error) {
      if (!isError(error, 'unavailable')) throw error;
      say(`${error.message}\nTests that need them are skipped.`);
    }
    const home = fileURLToPath(new URL('../../..', import.meta.url));
    const only = given.value('only');
    const words = [
      '--disable-warning=ExperimentalWarning',
      'tools/test.ts',
      ...(only === undefined ? [] : [`--only=${only}`]),
      ...given.words,
    ];
    const child = spawn(process.execPath, words, { cwd: home, stdio: 'inherit' });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => resolve(code ?? 1));
    });
  },
};
