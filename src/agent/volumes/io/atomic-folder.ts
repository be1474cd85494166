/**
 * A folder of files that all change at once: readers see the old set or the new one, never a mixture.
 *
 *   volume/key → ..data/key      volume/..data → ..2026_01_02_03_04_05.abc123      (the link is replaced by a rename)
 *
 * As the kubelet lays ConfigMap and Secret volumes out: programs that watch `..data` work.
 */
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileEntry } from '../volume-content.ts';

export class AtomicFolder {
  readonly #path: string;
  readonly #groupId: number | undefined;
  #written = '';
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, groupId: number | undefined) {
    this.#path = path;
    this.#groupId = groupId;
  }

  /** Makes the folder hold exactly these files. Calls are carried out one after the other; without a change nothing is written. */
  write(files: readonly FileEntry[]): Promise<void> {
    const next = this.#last.then(() => this.#write(files));
    this.#last = next.catch(() => {});
    return next;
  }

  async #write(files: readonly FileEntry[]): Promise<void> {
    const fingerprint = JSON.stringify(
      files.map((file) => [file.path, file.mode, file.ownerId, Buffer.from(file.data).toString('base64')]),
    );
    if (fingerprint === this.#written) return;
    await mkdir(this.#path, { recursive: true, mode: 0o755 });
    const stamp = new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '_');
    const fresh = await mkdtemp(join(this.#path, `..${stamp}.`));
    await chmod(fresh, 0o755);
    for (const file of files) await this.#writeFile(join(fresh, file.path), file);
    await this.#own(fresh, 0o755);
    const link = join(this.#path, '..data');
    const old = await readlink(link).catch(() => undefined);
    const beside = join(this.#path, '..data_tmp');
    await rm(beside, { force: true });
    await symlink(fresh.slice(this.#path.length + 1), beside);
    await rename(beside, link);
    await this.#linkEntries(files);
    if (old !== undefined) await rm(join(this.#path, old), { recursive: true, force: true });
    this.#written = fingerprint;
  }

  /** One link a top-level name; those of names that are gone are removed. */
  async #linkEntries(files: readonly FileEntry[]): Promise<void> {
    const wanted = new Set(files.map((file) => file.path.split('/')[0] ?? ''));
    const present = await readdir(this.#path);
    for (const name of present)
      if (!name.startsWith('..') && !wanted.has(name)) await rm(join(this.#path, name), { force: true });
    for (const name of wanted)
      if (!present.includes(name)) await symlink(join('..data', name), join(this.#path, name));
    if (this.#groupId !== undefined) await this.#own(this.#path, 0o755);
  }

  async #writeFile(path: string, file: FileEntry): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(path, file.data);
    // The group of the pod may always read.
    const mode = this.#groupId === undefined ? file.mode : file.mode | 0o440;
    await chmod(path, mode);
    if (this.#groupId !== undefined || file.ownerId !== undefined)
      await chown(path, file.ownerId ?? -1, this.#groupId ?? -1);
  }

  async #own(path: string, mode: number): Promise<void> {
    if (this.#groupId === undefined) return;
    await chown(path, -1, this.#groupId);
    await chmod(path, mode | 0o2050);
  }
}
