/**
 * A folder that holds no more than it was made for: an ext4 of its own, in a file whose blocks are all taken from the disk at once, so that it holds no less either.
 *
 *   PLACE/image        the file         PLACE/mount/data  the folder that pods see (a file system's own top has lost+found)
 *   PLACE/mount        mounted here     PLACE/size        what it has been grown to
 *
 * Each step may be stopped anywhere and is found again: an image has its name when it is whole, `size` is written when it has grown. It stays mounted until it is
 * erased. Invariants: an image that is there is never made anew; nothing but the kernel touches an image that has a loop device.
 */
import { lstat, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CaelumError, explainError } from '../../../lib/index.ts';
import { writeDurably } from '../../../lib/io/durable-file.ts';
import { runProgram } from '../../images/io/process.ts';

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

export interface Bounded {
  /** The folder for pods. */
  readonly path: string;
  /** Less than was asked for where it could not grow: `problem` says why. */
  readonly sizeBytes: number;
  readonly problem?: string;
}

/** `isMade`: it has been used before. Throws with what `FailedMount` tells. Not twice at once for one place. */
export async function openBounded(place: string, sizeBytes: number, isMade: boolean): Promise<Bounded> {
  const image = join(place, 'image');
  if (!(await isThere(image))) {
    if (isMade) throw new CaelumError('invalid', `${image} is not there any more: what was on it is lost`);
    await makeImage(place, image, sizeBytes);
  }
  await mkdir(join(place, 'mount'), { recursive: true, mode: 0o711 });
  let problem: unknown;
  if ((await grownTo(place)) < sizeBytes)
    await grow(place, sizeBytes).catch((error: unknown) => {
      problem = error;
    });
  await mountImage(place);
  const path = await dataFolder(place);
  if (problem === undefined) return { path, sizeBytes };
  return { path, sizeBytes: await grownTo(place), problem: explainError(problem) };
}

async function dataFolder(place: string): Promise<string> {
  const path = join(place, 'mount', 'data');
  if (await isThere(path)) return path;
  await mkdir(path);
  const folder = await open(path);
  try {
    await folder.chmod(0o777);
    await folder.sync();
  } finally {
    await folder.close();
  }
  return path;
}

/** Before it is erased. Throws `unavailable` while somebody uses it. */
export async function closeBounded(place: string): Promise<void> {
  while (await isMounted(place)) {
    await runProgram('umount', [join(place, 'mount')]).catch((cause: unknown) => {
      throw new CaelumError('unavailable', `Cannot unmount "${join(place, 'mount')}"`, { cause });
    });
  }
}

async function makeImage(place: string, image: string, sizeBytes: number): Promise<void> {
  const half = `${image}.new`;
  await rm(half, { force: true });
  await (await open(half, 'wx', 0o600)).close();
  try {
    await run('fallocate', ['--length', String(sizeBytes), half]);
    // No blocks kept back for root, and none given back to the disk.
    await run('mkfs.ext4', ['-q', '-F', '-m', '0', '-E', 'nodiscard', half]);
  } catch (error) {
    await rm(half, { force: true });
    throw error;
  }
  await sync(half);
  await rename(half, image);
  await sync(place);
  writeDurably(join(place, 'size'), String(sizeBytes), 0o600);
}

async function mountImage(place: string): Promise<void> {
  if (await isMounted(place)) return;
  // Where the file has a loop device already it is taken: one file never has two.
  await run('mount', ['-t', 'ext4', '-o', 'loop', join(place, 'image'), join(place, 'mount')]);
}

/** As it is mounted; where that may not be (it wants CAP_SYS_RESOURCE) while nobody uses it. */
async function grow(place: string, sizeBytes: number): Promise<void> {
  const image = join(place, 'image');
  await run('fallocate', ['--length', String(sizeBytes), image]);
  try {
    await mountImage(place);
    const device = await deviceAt(join(place, 'mount'));
    await run('losetup', ['--set-capacity', device]);
    await run('resize2fs', [device]);
  } catch (error) {
    await closeBounded(place);
    // Containers have it still, though it is not mounted here any more.
    if (!(await isUnused(image))) throw error;
    await run('e2fsck', ['-f', '-p', image]);
    await run('resize2fs', [image]);
  }
  writeDurably(join(place, 'size'), String(sizeBytes), 0o600);
}

const unusedTries = 60;
const unusedAgainMs = 50;

/** No device shows it: the kernel gives it back a moment after its last user has gone. */
async function isUnused(image: string): Promise<boolean> {
  for (let tries = 0; tries < unusedTries; tries++) {
    if ((await runProgram('losetup', ['--associated', image])).trim() === '') return true;
    await sleep(unusedAgainMs);
  }
  return false;
}

const grownTo = async (place: string): Promise<number> =>
  Number(await readFile(join(place, 'size'), 'utf8').catch(() => '0')) || 0;

async function isMounted(place: string): Promise<boolean> {
  const inside = await stat(join(place, 'mount')).catch(() => undefined);
  return inside !== undefined && inside.dev !== (await stat(place)).dev;
}

/** As the kernel has it: the last that was mounted there. */
async function deviceAt(mount: string): Promise<string> {
  const { dev } = await stat(mount);
  // As glibc packs them.
  const numbers = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  const source = lines
    .find((line) => line.split(' ')[2] === numbers)
    ?.split(' - ')[1]
    ?.split(' ')[1];
  if (source?.startsWith('/dev/loop') !== true)
    throw new CaelumError('internal', `Cannot find the loop device that is mounted at "${mount}"`);
  return source;
}

async function run(program: string, args: readonly string[]): Promise<void> {
  await runProgram(program, args).catch((cause: unknown) => {
    throw new CaelumError('unavailable', 'this node cannot hold it to its size', { cause });
  });
}

/** What was written to a file, or made in a folder, is there after a power cut too. */
export async function sync(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
