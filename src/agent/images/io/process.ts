/** Runs a program of the system to its end. */
import { spawn } from 'node:child_process';
import { CaelumError } from '../../../lib/index.ts';

/** Resolves with stdout; throws `internal` with the program's words when it fails. `feed` writes its stdin. */
export function runProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly directory?: string;
    readonly feed?: (stdin: NodeJS.WritableStream) => Promise<void>;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.directory,
      env: { ...process.env, LC_ALL: 'C', ...options.environment },
      stdio: [options.feed === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let output = '';
    let complaint = '';
    let feedError: unknown;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < 4096) complaint += text;
    });
    child.on('error', (cause) =>
      reject(new CaelumError('unavailable', `Cannot run "${command}": is it installed?`, { cause })),
    );
    const fed =
      options.feed === undefined || child.stdin === null
        ? Promise.resolve()
        : options.feed(child.stdin).catch((error: unknown) => {
            feedError = error;
            child.kill('SIGKILL');
          });
    child.on('close', (code, signal) => {
      void fed.then(() => {
        // A program that died first breaks the pipe: its own words matter more than EPIPE.
        const isPipe = (feedError as NodeJS.ErrnoException | undefined)?.code === 'EPIPE';
        if (feedError !== undefined && !(isPipe && complaint !== '')) reject(feedError as Error);
        else if (code === 0) resolve(output);
        else
          reject(
            new CaelumError(
              'internal',
              `Cannot run "${command}": ${complaint.trim().split('\n').slice(-3).join('; ') || (signal ?? `exit ${code}`)}`,
            ),
          );
      });
    });
  });
}
