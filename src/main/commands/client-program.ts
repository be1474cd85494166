/**
 * `caelum kubectl …` and `caelum helm …`: the real programs, spoken to this cloud. The one that came with the checkout, else the one on the PATH.
 *
 * Everything behind the name is theirs, but for `--data DIR` in the first place.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CaelumError } from '../../lib/index.ts';
import { dataDirectoryOf, layoutOf } from '../layout.ts';

type Program = 'kubectl' | 'helm';

/** The program's own exit code. */
export async function runClientProgram(name: Program, words: readonly string[]): Promise<number> {
  const own = ownWords(words);
  const { kubeconfig, data } = layoutOf(dataDirectoryOf(own.data));
  if (!existsSync(kubeconfig))
    throw new CaelumError(
      'notFound',
      `Cannot find a cloud in "${data}": start one with: caelum up --data ${data}`,
    );
  const { clientBinary } = await import('../../../tools/kubectl.ts');
  const path = clientBinary(name) ?? name;
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  const child = spawn(path, own.rest, { env, stdio: 'inherit' });
  // Ctrl-C goes to both: theirs is the answer.
  const wait = (): void => {};
  process.on('SIGINT', wait);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', (cause) => reject(missing(name, cause)));
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
    });
  } finally {
    process.off('SIGINT', wait);
  }
}

function ownWords(words: readonly string[]): { readonly data: string | undefined; readonly rest: string[] } {
  const [first = '', second] = words;
  if (first.startsWith('--data=')) return { data: first.slice('--data='.length), rest: words.slice(1) };
  if (first !== '--data') return { data: undefined, rest: [...words] };
  if (second === undefined)
    throw new CaelumError('usage', 'Cannot use --data without a directory: write --data DIR.');
  return { data: second, rest: words.slice(2) };
}

function missing(name: Program, cause: Error): CaelumError {
  return new CaelumError(
    'unavailable',
    `Cannot run ${name}: it comes with the development dependencies (npm install, x64 only), or put one of your own on the PATH.`,
    { cause },
  );
}
