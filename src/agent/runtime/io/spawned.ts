/**
 * Runs a program to its end. For the few programs that the runtime and the network need; output is small and kept whole.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { CaelumError } from '../../../lib/index.ts';

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SpawnedOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Resolves whatever the exit code; throws `unavailable` when the program cannot be started. A signal counts as 128 + its number. */
export function run(
  program: string,
  args: readonly string[],
  options: SpawnedOptions = {},
): Promise<Finished> {
  const settings: SpawnOptions = {
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(options.env === undefined ? {} : { env: options.env }),
  };
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, settings);
    const parts: { out: Buffer[]; err: Buffer[] } = { out: [], err: [] };
    child.stdout?.on('data', (part: Buffer) => parts.out.push(part));
    child.stderr?.on('data', (part: Buffer) => parts.err.push(part));
    child.on('error', (cause) =>
      reject(new CaelumError('unavailable', `Cannot run "${program}": it could not be started`, { cause })),
    );
    child.on('close', (code) =>
      resolve({
        exitCode: code ?? 137,
        stdout: Buffer.concat(parts.out).toString(),
        stderr: Buffer.concat(parts.err).toString(),
      }),
    );
    if (options.input !== undefined) {
      child.stdin?.on('error', () => {});
      child.stdin?.end(options.input);
    }
  });
}

/** As `run`, but throws `internal` with the program's own words when it fails. `what` reads `Cannot <what>: …`. */
export async function runOk(
  what: string,
  program: string,
  args: readonly string[],
  options: SpawnedOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(program, args, options);
  if (exitCode === 0) return stdout;
  const words =
    stderr.trim() === '' ? `exit code ${exitCode}` : stderr.trim().split('\n').slice(-3).join('; ');
  throw new CaelumError('internal', `Cannot ${what}: ${words}`);
}
