/**
 * Parts of volumes (`subPath`): found, or made, step by step within the volume, and bound to a place of ours, so that what a container gets is what was
 * looked at. By its path alone another container could put a link to anywhere there in between.
 *
 *   <data>/subpaths/UID/CONTAINER/ATTEMPT/NUMBER ◀── bind mount ── the very folder or file
 *
 * Invariant: below `subpaths` nothing is ever removed with what is in it: what would be removed could be somebody's volume.
 */
import { execFile } from 'node:child_process';
import { constants, readFileSync } from 'node:fs';
import {
  chmod,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readlink,
  rmdir,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CaelumError } from '../../../lib/index.ts';
import { at, codeOf, pathOnly } from './safe-tree.ts';

const execute = promisify(execFile);
const linksMax = 40;

export interface SubPathPlace {
  readonly podUid: string;
  readonly container: string;
  readonly attempt: number;
  /** Of the mount, among those of the container. */
  readonly number: number;
}

export class SubPaths {
  readonly #root: string;
  readonly #canMount: boolean;

  constructor(dataDirectory: string, canMount: boolean) {
    this.#root = join(dataDirectory, 'subpaths');
    this.#canMount = canMount;
  }

  /** Pods that have something here. */
  async pods(): Promise<readonly string[]> {
    return readdir(this.#root).catch(() => []);
  }

  /** What is to be mounted for `subPath` of the volume at `base`. Throws why not, as `CreateContainerConfigError` tells it. */
  async place(place: SubPathPlace, base: string, subPath: string, volumeName: string): Promise<string> {
    if (subPath.startsWith('/'))
      throw new CaelumError('invalid', `error SubPath \`${subPath}\` must not be an absolute path`);
    if (subPath.split('/').includes('..'))
      throw new CaelumError('invalid', `unable to provision SubPath \`${subPath}\`: must not contain '..'`);
    let found: FileHandle;
    try {
      found = await openWithin(base, subPath);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CaelumError('invalid', `failed to prepare subPath for volumeMount "${volumeName}": ${why}`);
    }
    try {
      if (!this.#canMount) return await readlink(`/proc/self/fd/${found.fd}`);
      return await this.#bind(place, found);
    } finally {
      await found.close();
    }
  }

  /** Those of earlier attempts of a container. */
  async clear(podUid: string, container: string): Promise<void> {
    await removeEmpty(join(this.#root, podUid, container), 2);
  }

  async tearDown(podUid: string): Promise<void> {
    await removeEmpty(join(this.#root, podUid), 3);
  }

  async #bind({ podUid, container, attempt, number }: SubPathPlace, found: FileHandle): Promise<string> {
    const target = join(this.#root, podUid, container, String(attempt), String(number));
    await mkdir(dirname(target), { recursive: true, mode: 0o711 });
    await unmount(target);
    if ((await found.stat()).isDirectory()) await mkdir(target).catch(unlessThere);
    else await writeFile(target, '', { flag: 'a' });
    // As it is given: found out anew, it would be a path again.
    await execute('mount', ['--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${found.fd}`, target]);
    return target;
  }
}

const unlessThere = (error: unknown): void => {
  if (codeOf(error) !== 'EEXIST') throw error;
};

/** The folder or file `subPath` names within `base`. Folders that are missing are made, as open as `base` is. Links count as long as they stay within. */
async function openWithin(base: string, subPath: string): Promise<FileHandle> {
  const folders = [await open(base, constants.O_RDONLY | constants.O_DIRECTORY)];
  const leaves = new CaelumError('invalid', `"${subPath}" leaves the volume`);
  try {
    const mode = ((await folders[0]?.stat())?.mode ?? 0) & 0o2777;
    const left = subPath.split('/').reverse();
    for (let links = 0; left.length > 0; ) {
      const name = left.pop() ?? '';
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (folders.length === 1) throw leaves;
        await folders.pop()?.close();
        continue;
      }
      const folder = folders.at(-1) as FileHandle;
      const found = await openOrMake(folder, name, mode);
      const stat = await found.stat();
      if (stat.isSymbolicLink()) {
        await found.close();
        const target = await readlink(at(folder, name));
        if (target.startsWith('/')) throw leaves;
        if (++links > linksMax) throw new CaelumError('invalid', `"${subPath}" has too many links`);
        left.push(...target.split('/').reverse());
        continue;
      }
      folders.push(found);
      if (!stat.isDirectory() && left.some((one) => one !== '' && one !== '.'))
        throw new CaelumError('invalid', `"${name}" in "${subPath}" is not a directory`);
    }
    return folders.pop() as FileHandle;
  } finally {
    for (const one of folders) await one.close();
  }
}

async function openOrMake(folder: FileHandle, name: string, mode: number): Promise<FileHandle> {
  try {
    return await open(at(folder, name), pathOnly);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  await mkdir(at(folder, name)).catch(unlessThere);
  const made = await open(at(folder, name), pathOnly);
  if ((await made.stat()).isDirectory()) await chmod(`/proc/self/fd/${made.fd}`, mode);
  return made;
}

/** Unmounts what is at the bottom of a tree of folders of ours, and removes the tree, of which nothing but its own places may be there. */
async function removeEmpty(path: string, depth: number): Promise<void> {
  const names = await readdir(path, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (names === undefined) return;
  for (const entry of names) {
    const one = join(path, entry.name);
    if (depth > 1) await removeEmpty(one, depth - 1);
    else {
      await unmount(one);
      await (entry.isDirectory() ? rmdir(one) : unlink(one));
    }
  }
  await rmdir(path);
}

async function unmount(path: string): Promise<void> {
  while (isMount(path)) await execute('umount', [path]).catch(() => execute('umount', ['-l', path]));
}

function isMount(path: string): boolean {
  const escaped = path.replaceAll(
    /[\\ \t\n]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[4] === escaped);
}
