/**
 * Where the image store keeps things, and how several processes share it without a daemon.
 *
 *   blobs/sha256/HEX      whole and verified, or absent
 *   layers/HEX            a layer unpacked, by diff id; made beside and renamed. A cache of its blob.
 *   layers/HEX.boot       not known to be on disk yet: after a reboot such a layer is unpacked again
 *   names/NAME.json       one name of one image; replaced by rename
 *   roots/KEY/            one container's root: image.json, upper, work, merged
 *   ingest/               what is being fetched (resumed) or made (dropped when its process is gone)
 *   locks/                who uses the store now
 *
 * Invariant: whoever relies on blobs or layers that no name or root holds yet, does so inside `shared`; collection of garbage runs
 * inside `exclusive`, alone. Each writes its own lock before it looks for the other's, so at least one of two sees the other.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CaelumError, type Clock } from '../../../lib/index.ts';

export class ImageDirectory {
  readonly path: string;
  readonly #clock: Clock;
  readonly #own: string;
  #count = 0;

  constructor(path: string, clock: Clock) {
    this.path = path;
    this.#clock = clock;
    for (const folder of ['blobs/sha256', 'layers', 'names', 'roots', 'ingest', 'locks'])
      mkdirSync(join(path, folder), { recursive: true, mode: 0o711 });
    this.#own = `${process.pid}-${startedTicks(process.pid) ?? 0}`;
    this.dropLeftovers();
  }

  blob(digest: string): string {
    return join(this.path, 'blobs/sha256', hexOf(digest));
  }

  layer(diffId: string): string {
    return join(this.path, 'layers', hexOf(diffId));
  }

  name(name: string): string {
    return join(this.path, 'names', `${fileName(name)}.json`);
  }

  root(key: string): string {
    return join(this.path, 'roots', fileName(key));
  }

  /** A path for something in the making, removed if this process dies before it is done. */
  scratch(what: string): string {
    return join(this.path, 'ingest', `${what}.${this.#own}-${this.#count++}`);
  }

  partial(digest: string): string {
    return join(this.path, 'ingest', `${hexOf(digest)}.partial`);
  }

  /** Runs `action` while no garbage is collected. */
  async shared<T>(action: () => Promise<T>): Promise<T> {
    const lock = join(this.path, 'locks', `use-${this.#own}-${this.#count++}`);
    for (let turn = 0; ; turn++) {
      writeFileSync(lock, '');
      if (!this.#holders('collect-').length) break;
      unlinkSync(lock);
      if (turn > 3000) throw new CaelumError('timeout', 'Cannot use the image store: it is being cleaned up');
      await this.#clock.sleep(10);
    }
    try {
      return await action();
    } finally {
      rmSync(lock, { force: true });
    }
  }

  /** Runs `action` alone; false, without running it, when others use the store now. */
  exclusive(action: () => void): boolean {
    const lock = join(this.path, 'locks', `collect-${this.#own}-${this.#count++}`);
    writeFileSync(lock, '');
    try {
      if (this.#holders('collect-').length > 1 || this.#holders('use-').length > 0) return false;
      action();
      return true;
    } finally {
      rmSync(lock, { force: true });
    }
  }

  /** Runs `action` while no other process (nor call) holds the lock `name`; waits for it. */
  async alone<T>(name: string, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const lock = join(this.path, 'locks', name);
    for (;;) {
      signal?.throwIfAborted();
      try {
        writeFileSync(lock, this.#own, { flag: 'wx' });
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readOr(lock, '');
      // An empty lock is one that is just being written: leave its writer a moment.
      const isStale = holder === '' ? ageMs(lock) > 5000 : !isAlive(holder);
      if (isStale) rmSync(lock, { force: true });
      else await this.#clock.sleep(25, signal);
    }
    try {
      return await action();
    } finally {
      rmSync(lock, { force: true });
    }
  }

  /** Removes what processes that are gone left half made. Partial blobs stay: they are resumed. */
  dropLeftovers(): void {
    for (const folder of ['ingest', 'locks'])
      for (const entry of readdirSync(join(this.path, folder))) {
        const owner = /(\d+-\d+)-\d+$/.exec(entry)?.[1];
        if (owner !== undefined && !isAlive(owner))
          rmSync(join(this.path, folder, entry), { recursive: true, force: true });
      }
  }

  #holders(prefix: string): string[] {
    const folder = join(this.path, 'locks');
    return readdirSync(folder).filter((entry) => {
      if (!entry.startsWith(prefix)) return false;
      const owner = /(\d+-\d+)-\d+$/.exec(entry)?.[1] ?? '';
      if (isAlive(owner)) return true;
      rmSync(join(folder, entry), { force: true });
      return false;
    });
  }
}

/** `podUid/name/0` → `podUid%2Fname%2F0`: reversible, and harmless in mount options. */
export function fileName(name: string): string {
  const encoded = encodeURIComponent(name);
  if (encoded.length > 240 || /^\.{0,2}$/.test(encoded))
    throw new CaelumError('badRequest', `Cannot keep "${name}": it is empty or too long`);
  return encoded;
}

function hexOf(digest: string): string {
  const hex = digest.slice(digest.indexOf(':') + 1);
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new CaelumError('badRequest', `Cannot use digest "${digest}"`);
  return hex;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** A process is named by its id and the moment it started: ids are used again. */
function isAlive(owner: string): boolean {
  const [pid, ticks] = owner.split('-');
  return pid !== undefined && startedTicks(Number(pid)) === Number(ticks);
}

function startedTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
