/**
 * Real pipes for processes in containers. Node hands children sockets, and a socket cannot be reopened through /dev/stdout, which
 * programs in containers do. A named pipe that is unlinked once both ends are open is as good as an anonymous one.
 *
 * They are made in batches ahead of need, so that an exec does not wait for `mkfifo`.
 */
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { findProgram } from './host.ts';
import { runOk } from './spawned.ts';

const batchSize = 24;
const refillBelow = 9;

/** Ends of one pipe: `theirs` goes to the child and must be closed here after the spawn. */
export interface PipeEnds {
  readonly ours: Socket;
  readonly theirs: number;
}

export class Fifos {
  readonly #folder: string;
  #ready: string[] = [];
  #refill: Promise<void> | undefined;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async prepare(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
  }

  /** Makes sure that `count` can be taken without waiting. */
  async reserve(count: number): Promise<void> {
    while (this.#ready.length < count) await this.#fill();
    if (this.#ready.length - count < refillBelow) this.#fill().catch(() => {});
  }

  /** For the child's output. */
  forReading(): PipeEnds {
    const path = this.#take();
    const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const theirs = openSync(path, constants.O_WRONLY);
    unlinkSync(path);
    return { ours: new Socket({ fd: read, readable: true, writable: false }), theirs };
  }

  /** For the child's input. The child's end must block, so another end is held while it is opened. */
  forWriting(): PipeEnds {
    const path = this.#take();
    const both = openSync(path, constants.O_RDWR);
    const theirs = openSync(path, constants.O_RDONLY);
    const write = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(both);
    unlinkSync(path);
    return { ours: new Socket({ fd: write, readable: false, writable: true }), theirs };
  }

  #take(): string {
    const path = this.#ready.pop();
    if (path === undefined) throw new Error('assertion failed: pipes are reserved before they are taken');
    return path;
  }

  #fill(): Promise<void> {
    this.#refill ??= this.#make().finally(() => {
      this.#refill = undefined;
    });
    return this.#refill;
  }

  async #make(): Promise<void> {
    const paths = Array.from({ length: batchSize }, () => join(this.#folder, `pipe${this.#count++}`));
    await runOk('make pipes', findProgram('mkfifo') ?? 'mkfifo', ['-m', '600', ...paths]);
    this.#ready.push(...paths);
  }
}
