/**
 * Folders of this node that outlive pods: made when a pod first mounts them, erased when their volume is released.
 *
 *   <data>/volumes/HANDLE            the folder, or where it is kept that holds no more than it was made for (`bounded-folder.ts`)
 *   <data>/volumes/.erased/HANDLE/…  what is being erased: moved here whole first, so that nobody sees a half
 *   <data>/pods/UID/claims/NAME      which folder the pod's volume NAME is; goes with the pod's own folder, after its containers
 *   <data>/pods/UID/claims/NAME.own  it has been given to the pod's group
 *
 * Invariants: a folder that a pod's folder names is not erased; only folders right below `volumes`, called as ours are, are ever made or erased; a folder
 * that was made before is never made again.
 */
import { lstat, mkdir, open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../../api/index.ts';
import { CaelumError } from '../../../lib/index.ts';
import type { VolumeSize } from '../../pods/disk.ts';
import type { VolumeContent } from '../volume-content.ts';
import { closeBounded, openBounded, sync } from './bounded-folder.ts';
import { eraseFolder, giveToGroup } from './safe-tree.ts';

export type ClaimContent = Extract<VolumeContent, { kind: 'volume' | 'local' }>;

const handlePattern = /^pvc-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const erasedFolder = '.erased';

export class ClaimVolumes {
  readonly #volumes: string;
  readonly #pods: string;
  /** By handle: what is being done to it. */
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #sizes = new Map<string, VolumeSize>();

  constructor(dataDirectory: string) {
    this.#volumes = join(dataDirectory, 'volumes');
    this.#pods = join(dataDirectory, 'pods');
  }

  /** Answers where it is. Throws with what `FailedMount` tells after the volume's name. */
  async setUp(pod: Pod, name: string, content: ClaimContent): Promise<string> {
    const uid = pod.metadata.uid ?? '';
    const marks = join(this.#pods, uid, 'claims');
    await mkdir(marks, { recursive: true });
    const path =
      content.kind === 'local'
        ? await this.#localPath(content.path)
        : await this.#folder(content, marks, name);
    const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
    const isOwn = join(marks, `${name}.own`);
    if (fsGroup === undefined || content.readOnly || (await isThere(isOwn))) return path;
    if ((await lstat(path)).isDirectory())
      await giveToGroup(path, fsGroup, fsGroupChangePolicy === 'OnRootMismatch');
    await writeFile(isOwn, '');
    return path;
  }

  /** Of a volume that is held to its size, since it was last set up. */
  sizeOf(handle: string): VolumeSize | undefined {
    return this.#sizes.get(handle);
  }

  /** Everything of a released volume. Throws `unavailable` while a pod has it, and while something is mounted in it. */
  async erase(handle: string): Promise<void> {
    checkHandle(handle);
    await this.#inTurn(handle, () => this.#erase(handle));
  }

  async #erase(handle: string): Promise<void> {
    this.#sizes.delete(handle);
    const user = await this.#userOf(handle);
    if (user !== undefined)
      throw new CaelumError('unavailable', `Cannot erase volume "${handle}": pod ${user} still has it`);
    const erased = join(this.#volumes, erasedFolder, handle);
    const path = join(this.#volumes, handle);
    if (await isThere(path)) {
      await closeBounded(path);
      // What an earlier try has left.
      await eraseFolder(erased);
      await mkdir(erased, { recursive: true, mode: 0o700 });
      await rename(path, join(erased, '0')).catch((error: unknown) => {
        throw new CaelumError('unavailable', `Cannot erase volume "${handle}"`, { cause: error });
      });
    }
    await eraseFolder(erased);
  }

  /** Finishes what was being erased when we were killed. */
  async sweep(): Promise<void> {
    const erased = join(this.#volumes, erasedFolder);
    for (const name of await readdir(erased).catch(() => [])) await eraseFolder(join(erased, name));
  }

  async #folder(content: ClaimContent & { kind: 'volume' }, marks: string, name: string): Promise<string> {
    const { handle, sizeBytes, isMade } = content;
    checkHandle(handle);
    // Before it is looked for: from now on it is not erased.
    await writeFile(join(marks, name), handle);
    return await this.#inTurn(handle, async () => {
      const path = await this.#place(content);
      if (sizeBytes === undefined) return path;
      const bounded = await openBounded(path, sizeBytes, isMade);
      this.#sizes.set(handle, bounded);
      return bounded.path;
    });
  }

  /** One after the other: pods of one claim may come at once. */
  #inTurn<T>(handle: string, act: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(handle) ?? Promise.resolve()).then(act, act);
    this.#turns.set(handle, turn);
    const leave = (): void => {
      if (this.#turns.get(handle) === turn) this.#turns.delete(handle);
    };
    turn.then(leave, leave);
    return turn;
  }

  async #place({ handle, isMade, sizeBytes }: ClaimContent & { kind: 'volume' }): Promise<string> {
    const path = join(this.#volumes, handle);
    const found = await lstat(path).catch(() => undefined);
    if (found?.isDirectory() === true) return path;
    if (found !== undefined) throw new CaelumError('invalid', `${path} is not a directory`);
    if (isMade)
      throw new CaelumError('invalid', `its folder ${path} is not there any more: what was on it is lost`);
    await mkdir(this.#volumes, { recursive: true, mode: 0o711 });
    await mkdir(path);
    const folder = await open(path);
    try {
      await folder.chmod(sizeBytes === undefined ? 0o777 : 0o711);
    } finally {
      await folder.close();
    }
    await sync(this.#volumes);
    return path;
  }

  async #localPath(path: string): Promise<string> {
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) throw new CaelumError('invalid', `path "${path}" does not exist`);
    return path;
  }

  async #userOf(handle: string): Promise<string | undefined> {
    for (const uid of await readdir(this.#pods).catch(() => [])) {
      const marks = join(this.#pods, uid, 'claims');
      for (const name of await readdir(marks).catch(() => []))
        if ((await readFile(join(marks, name), 'utf8').catch(() => '')) === handle) return uid;
    }
    return undefined;
  }
}

function checkHandle(handle: string): void {
  if (!handlePattern.test(handle))
    throw new CaelumError('invalid', `"${handle}" is no volume of this node: it would be called pvc-<uid>`);
}

const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
