/**
 * One writable root a container: an overlay of the image's layers with a folder of its own on top.
 *
 *   roots/KEY/image.json   the layers that this root holds on to
 *   roots/KEY/upper,work   what the container writes
 *   roots/KEY/merged       where it is mounted
 *
 * Paths are given to the kernel relative to roots/KEY, so that many layers fit into the page that mount options may fill; where even
 * that is too long, through short links. The mount is `volatile`: what a container wrote into its root does not outlive a crash of
 * the machine in any case, so nothing is synced for it.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import { diskUse } from '../../io/disk-use.ts';
import type { Image } from '../images.ts';
import type { ImageDirectory } from './directory.ts';
import { runProgram } from './process.ts';

/** The kernel takes one page of options; some is left for the rest of them. */
const optionBytesMax = 3900;

interface RootRecord {
  readonly imageId: string;
  /** Diff ids, lowest first. */
  readonly layers: readonly string[];
}

export class OverlayRoots {
  readonly #directory: ImageDirectory;
  readonly #mounting = new Map<string, Promise<string>>();

  constructor(directory: ImageDirectory) {
    this.#directory = directory;
  }

  mount(image: Image, key: string): Promise<string> {
    const running = this.#mounting.get(key);
    if (running !== undefined) return running;
    const mount = this.#mount(image, key).finally(() => this.#mounting.delete(key));
    this.#mounting.set(key, mount);
    return mount;
  }

  async #mount(image: Image, key: string): Promise<string> {
    const root = this.#directory.root(key);
    const merged = join(root, 'merged');
    if (isMounted(root, merged)) return merged;
    const layers = image.layers.map((path) => `sha256:${basename(path)}`);
    // The kernel keeps its mark of a volatile mount in `work`: after a crash it must go, or the mount is refused.
    rmSync(join(root, 'work'), { recursive: true, force: true });
    for (const folder of ['upper', 'work', 'merged'])
      mkdirSync(join(root, folder), { recursive: true, mode: 0o755 });
    const record: RootRecord = { imageId: image.id, layers };
    // No sync: a root that a power failure takes away has no container left either.
    writeFileSync(join(root, 'image.json.new'), JSON.stringify(record));
    renameSync(join(root, 'image.json.new'), join(root, 'image.json'));
    for (const path of image.layers)
      if (!existsSync(path))
        throw new CaelumError(
          'corrupt',
          `Cannot mount image "${image.names[0] ?? image.id}": a layer of it is gone; pull it again`,
        );
    const lower = lowerDirectories(root, image.layers);
    const mount = (extra: string): Promise<string> =>
      runProgram(
        'mount',
        [
          '-i',
          '-t',
          'overlay',
          'overlay',
          '-o',
          `lowerdir=${lower},upperdir=upper,workdir=work${extra}`,
          'merged',
        ],
        // Newer mount(8) passes options one by one, each of at most 256 bytes: ask for the older call.
        { directory: root, environment: { LIBMOUNT_FORCE_MOUNT2: 'always' } },
      );
    try {
      await mount(',volatile').catch(() => mount(''));
    } catch (cause) {
      throw new CaelumError(
        'internal',
        `Cannot mount image "${image.names[0] ?? image.id}" as root "${key}"`,
        { cause },
      );
    }
    return merged;
  }

  async unmount(key: string): Promise<void> {
    await this.#mounting.get(key)?.catch(() => undefined);
    const root = this.#directory.root(key);
    if (!existsSync(root)) return;
    const merged = join(root, 'merged');
    // Whoever mounted it twice finds it unmounted twice.
    for (let turn = 0; turn < 8 && isMounted(root, merged); turn++)
      await runProgram('umount', ['-l', '-i', merged]).catch((error: unknown) => {
        if (isMounted(root, merged)) throw error;
      });
    await rm(root, { recursive: true, force: true, maxRetries: 3 });
  }

  list(): string[] {
    return readdirSync(join(this.#directory.path, 'roots')).map(decodeURIComponent);
  }

  async bytes(key: string): Promise<number> {
    const upper = join(this.#directory.root(key), 'upper');
    return (await diskUse([upper])).get(upper) ?? 0;
  }

  /** Diff ids of the layers that roots hold on to. */
  layersInUse(): Set<string> {
    const layers = new Set<string>();
    for (const key of this.list()) {
      try {
        const text = readFileSync(join(this.#directory.root(key), 'image.json'), 'utf8');
        for (const layer of (JSON.parse(text) as RootRecord).layers) layers.add(layer);
      } catch {
        // Just being made, or just being removed.
      }
    }
    return layers;
  }
}

/** Another device than its parent: something is mounted there. */
function isMounted(root: string, merged: string): boolean {
  try {
    return statSync(merged).dev !== statSync(root).dev;
  } catch {
    return false;
  }
}

/** overlayfs wants the topmost first. */
function lowerDirectories(root: string, layers: readonly string[]): string {
  if (layers.length === 0) {
    mkdirSync(join(root, 'empty'), { recursive: true });
    return 'empty';
  }
  const relative = layers.map((path) => `../../layers/${basename(path)}`).reverse();
  const text = relative.join(':');
  if (text.length <= optionBytesMax) return text;
  const links = join(root, 'l');
  rmSync(links, { recursive: true, force: true });
  mkdirSync(links);
  return relative
    .map((target, at) => {
      symlinkSync(`../${target}`, join(links, String(at)));
      return `l/${at}`;
    })
    .join(':');
}
