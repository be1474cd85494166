/** Keeps container logs small: a file that has grown beyond 10 MiB is set aside and the monitor told to begin a new one; five are kept. */
import { rename, rm, stat } from 'node:fs/promises';
import { type Clock, isError, type Log, type Timer } from '../../../lib/index.ts';
import type { Runtime } from '../../runtime/index.ts';
import { rotatedFiles } from './log-reader.ts';

export interface LogFile {
  readonly containerId: string;
  readonly path: string;
}

export interface LogRotationOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly runtime: Runtime;
  /** Logs of running containers. */
  readonly files: () => Iterable<LogFile>;
  readonly bytesMax?: number;
  readonly filesMax?: number;
  readonly intervalMs?: number;
}

export class LogRotation {
  readonly #options: LogRotationOptions;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: LogRotationOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(this.#options.intervalMs ?? 10_000, () => {
      void this.rotate().finally(() => this.start());
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Looks at each file once. Never rejects. */
  async rotate(): Promise<void> {
    for (const file of this.#options.files()) {
      try {
        const { size } = await stat(file.path);
        if (size > (this.#options.bytesMax ?? 10 * 2 ** 20)) await this.#rotateOne(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !isError(error, 'notFound', 'conflict'))
          this.#options.log.warn('cannot rotate log', { path: file.path, error });
      }
    }
  }

  async #rotateOne(file: LogFile): Promise<void> {
    const stamp = new Date(this.#options.clock.nowMs())
      .toISOString()
      .slice(0, 19)
      .replace(/[-:]/g, '')
      .replace('T', '-');
    await rename(file.path, `${file.path}.${stamp}`);
    await this.#options.runtime.reopenLog(file.containerId);
    const older = await rotatedFiles(file.path);
    const surplus = older.slice(0, Math.max(0, older.length - (this.#options.filesMax ?? 5) + 1));
    for (const path of surplus) await rm(path, { force: true });
  }
}
