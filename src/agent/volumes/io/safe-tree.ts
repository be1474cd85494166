/**
 * Walks trees that others may change while we do, without being led out of them: every step goes from an open folder to a name in it, and no link is
 * followed. Paths of several names are never used, since a folder in their midst could become a link.
 */
import { constants } from 'node:fs';
import {
  chmod,
  chown,
  type FileHandle,
  lchown,
  open,
  opendir,
  readdir,
  rename,
  rmdir,
  unlink,
} from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';

const folderOnly = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** Linux' O_PATH: the thing itself, whatever it is, without opening it (a pipe would wait, a device might act). */
export const pathOnly = 0o10000000 | constants.O_NOFOLLOW;
const depthMax = 256;
const atOnce = 8;

export const at = (folder: FileHandle, name: string): string => `/proc/self/fd/${folder.fd}/${name}`;

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';
/** It has gone or is no folder (any more). */
const isNone = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error));

/**
 * Removes the folder `path` and what is in it, wherever it is stopped: folders within are moved beside it first, one level at a time, so that no depth is
 * too deep. `path` itself must be ours alone. Throws `unavailable` where something is mounted within.
 */
export async function eraseFolder(path: string): Promise<void> {
  const there = await readdir(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (there === undefined) return;
  let number = Math.max(0, ...there.map((name) => Number(/^\d+$/.exec(name)?.[0] ?? 0)));
  const left = [...there];
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const moved = await emptyFolder(join(path, name), () => join(path, String(++number)));
    for (const one of moved) left.push(one.slice(path.length + 1));
  }
  await rmdir(path);
}

/** Removes one folder, or whatever bears its name. Answers where the folders that were in it are now. */
async function emptyFolder(path: string, freshPath: () => string): Promise<readonly string[]> {
  let folder: FileHandle;
  try {
    folder = await open(path, folderOnly);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    if (!isNone(error)) throw error;
    await unlink(path);
    return [];
  }
  const moved: string[] = [];
  try {
    for await (const entry of await opendir(`/proc/self/fd/${folder.fd}`)) {
      if (!entry.isDirectory()) {
        await unlink(at(folder, entry.name)).catch((error: unknown) => {
          if (codeOf(error) !== 'ENOENT') throw error;
        });
        continue;
      }
      const fresh = freshPath();
      await rename(at(folder, entry.name), fresh).catch((error: unknown) => {
        if (['EBUSY', 'EXDEV'].includes(codeOf(error)))
          throw new CaelumError('unavailable', `Cannot remove "${path}": something is mounted within`);
        if (codeOf(error) !== 'ENOENT') throw error;
      });
      moved.push(fresh);
    }
  } finally {
    await folder.close();
  }
  try {
    await rmdir(path);
  } catch (error) {
    // Entries that the listing passed over while it was being emptied: once more.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
    moved.push(...(await emptyFolder(path, freshPath)));
  }
  return moved;
}

/**
 * Gives a folder and what is in it to a group, which may then read and write all of it; what is made in it later belongs to the group too. The folder
 * itself is last, so that a walk that was stopped is begun again. `onlyIfUnlike`: nothing is done where the folder itself is as wanted.
 * Source: the kubelet's fsGroup, as behaviour.
 */
export async function giveToGroup(path: string, groupId: number, onlyIfUnlike: boolean): Promise<void> {
  const root = await open(path, folderOnly);
  try {
    const { gid, mode } = await root.stat();
    if (onlyIfUnlike && gid === groupId && (mode & folderBits) === folderBits) return;
    await giveWithin(root, groupId, 0);
    await give(root, `/proc/self/fd/${root.fd}`, groupId);
  } finally {
    await root.close();
  }
}

/** Read and write; of folders also enter, and what is made within is the group's. */
const fileBits = 0o660;
const folderBits = 0o2770;

async function give(handle: FileHandle, path: string, groupId: number): Promise<void> {
  const { mode } = await handle.stat();
  const isFolder = (mode & constants.S_IFMT) === constants.S_IFDIR;
  await chown(path, -1, groupId);
  // Afterwards: a change of owner takes bits away.
  await chmod(path, (mode & 0o7777) | (isFolder ? folderBits : fileBits));
}

async function giveWithin(folder: FileHandle, groupId: number, depth: number): Promise<void> {
  if (depth > depthMax) throw new CaelumError('invalid', `folders are nested more than ${depthMax} deep`);
  const entries = await readdir(`/proc/self/fd/${folder.fd}`, { withFileTypes: true });
  let next = 0;
  const work = async (): Promise<void> => {
    for (let entry = entries[next++]; entry !== undefined; entry = entries[next++])
      await giveOne(folder, entry.name, entry.isSymbolicLink(), groupId, depth);
  };
  await Promise.all(Array.from({ length: depth === 0 ? atOnce : 1 }, work));
}

async function giveOne(
  folder: FileHandle,
  name: string,
  isLink: boolean,
  groupId: number,
  depth: number,
): Promise<void> {
  try {
    if (isLink) {
      await lchown(at(folder, name), -1, groupId);
      return;
    }
    const handle = await open(at(folder, name), pathOnly);
    try {
      const stat = await handle.stat();
      // It became one meanwhile.
      if (stat.isSymbolicLink()) return;
      if (stat.isDirectory()) {
        const within = await open(at(folder, name), folderOnly);
        try {
          await giveWithin(within, groupId, depth + 1);
        } finally {
          await within.close();
        }
      }
      await give(handle, `/proc/self/fd/${handle.fd}`, groupId);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!isNone(error)) throw error;
  }
}
