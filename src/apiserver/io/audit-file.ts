/**
 * The audit log: lines in a file that is changed for a new one when it has become long.
 *
 *   audit.log ─▶ audit-2026-01-02T03-04-05.678.log ─▶ … ─▶ gone
 *
 * A line is written by one call, to the end of the file, and is with the kernel when `write` returns: the process may be killed at any moment. (Not with the
 * disk: a machine that loses power may lose the last lines.) A line that cannot be written is not forgotten as long as it is among the last 8 MB: it goes first when
 * there is room again. A half line, left by a full disk or a crash, is ended before the next.
 * Not in two processes at once.
 */
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Log } from '../../lib/index.ts';
import type { AuditSink } from '../audit/trail.ts';

export interface AuditFileOptions {
  readonly path: string;
  /** Default: 100 MB. */
  readonly bytesMax?: number;
  /** Old files that are kept. Default: 10. */
  readonly backupsMax?: number;
  /** 0: for ever. */
  readonly ageDaysMax?: number;
  readonly nowMs: () => number;
  readonly log: Log;
  /** For tests: writes like writeSync. */
  readonly writeBytes?: (file: number, bytes: Buffer) => number;
}

const backlogBytesMax = 8 * 1024 * 1024;

export class AuditFile implements AuditSink {
  readonly #options: AuditFileOptions;
  readonly #bytesMax: number;
  readonly #writeBytes: (file: number, bytes: Buffer) => number;
  #file: number | undefined;
  #size = 0;
  /** What could not be written, oldest first. */
  #backlog: Buffer[] = [];
  #backlogBytes = 0;
  /** The file ends in half a line. */
  #isTorn = false;
  /** Lines that are lost, and calls that failed. */
  readonly counts = { written: 0, failed: 0, lost: 0 };

  constructor(options: AuditFileOptions) {
    this.#options = options;
    this.#bytesMax = options.bytesMax ?? 100 * 1024 * 1024;
    this.#writeBytes = options.writeBytes ?? ((file, bytes) => writeSync(file, bytes));
    mkdirSync(dirname(options.path), { recursive: true, mode: 0o700 });
    this.#open();
  }

  /** Is everything written that was to be? Tries again. */
  get isWhole(): boolean {
    return this.#drain();
  }

  write(line: string): boolean {
    const bytes = Buffer.from(line);
    if (this.#drain() && this.#append(bytes)) return true;
    this.counts.failed++;
    this.#backlog.push(bytes);
    this.#backlogBytes += bytes.length;
    while (this.#backlogBytes > backlogBytesMax) {
      this.#backlogBytes -= this.#backlog.shift()?.length ?? 0;
      this.counts.lost++;
    }
    return false;
  }

  close(): void {
    this.#drain();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #drain(): boolean {
    while (this.#backlog.length > 0) {
      const [first] = this.#backlog as [Buffer];
      if (!this.#append(first)) return false;
      this.#backlog.shift();
      this.#backlogBytes -= first.length;
    }
    return true;
  }

  #append(bytes: Buffer): boolean {
    try {
      if (this.#size > 0 && this.#size + bytes.length > this.#bytesMax) this.#rotate();
      const file = this.#file ?? this.#open();
      const whole = this.#isTorn ? Buffer.concat([newline, bytes]) : bytes;
      const count = this.#writeBytes(file, whole);
      this.#size += count;
      if (count < whole.length) {
        this.#isTorn = count > 0 || this.#isTorn;
        throw new Error('the disk took only a part of a line');
      }
      this.#isTorn = false;
      this.counts.written++;
      return true;
    } catch (error) {
      if (this.#backlog.length === 0)
        this.#options.log.error('the audit log cannot be written', { file: this.#options.path, error });
      return false;
    }
  }

  #open(): number {
    const file = openSync(this.#options.path, 'a+', 0o600);
    this.#file = file;
    this.#size = fstatSync(file).size;
    const last = Buffer.alloc(1);
    this.#isTorn =
      this.#size > 0 && readSync(file, last, 0, 1, this.#size - 1) === 1 && last[0] !== newline[0];
    return file;
  }

  #rotate(): void {
    const { path, nowMs } = this.#options;
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    const time = new Date(nowMs()).toISOString().replace(/:/g, '-').slice(0, 23);
    let target = `${stem(path)}-${time}.log`;
    for (let again = 1; this.#backups().includes(basename(target)); again++)
      target = `${stem(path)}-${time}.${again}.log`;
    renameSync(path, target);
    this.#open();
    this.#forgetOld();
  }

  #backups(): readonly string[] {
    const start = `${basename(stem(this.#options.path))}-`;
    return readdirSync(dirname(this.#options.path))
      .filter((name) => name.startsWith(start) && /\d{4}-\d\d-\d\dT[\d.-]+\.log$/.test(name))
      .sort();
  }

  #forgetOld(): void {
    const { path, backupsMax = 10, ageDaysMax = 0, nowMs } = this.#options;
    const backups = this.#backups();
    const oldest =
      ageDaysMax === 0 ? '' : new Date(nowMs() - ageDaysMax * 86_400_000).toISOString().replace(/:/g, '-');
    backups.forEach((name, index) => {
      const time = name.slice(basename(stem(path)).length + 1);
      if (index < backups.length - backupsMax || time < oldest)
        rmSync(join(dirname(path), name), { force: true });
    });
  }
}

const newline = Buffer.from('\n');
const stem = (path: string): string => path.replace(/\.log$/, '');
