/**
 * Turns an image layer's tar into one that any extractor may unpack into an empty folder: nothing in it can lead out, and what
 * OCI says with file names (whiteouts) is said as overlayfs wants it.
 *
 *   layer tar ──▶ TarReader ──▶ LayerFilter ──▶ tar of plain names ──▶ system tar -x
 *
 * The folder starts empty, so the only symbolic links in it are those of this archive: the filter knows them all, and writes names
 * whose parents are real folders. Hence the extractor never follows a link, whatever the archive holds.
 *
 *   `.wh.NAME`      ──▶ character device 0:0 at NAME      (overlayfs: NAME of the layers below is gone)
 *   `.wh..wh..opq`  ──▶ trusted.overlay.opaque=y          (overlayfs: nothing of the layers below shows through)
 *
 * Source: OCI image-spec layer.md; kernel Documentation/filesystems/overlayfs.rst.
 */
import { damaged, encodeHeader, endOfArchive, paddingOf, plainHeader, sealed } from './tar-header.ts';
import { type TarEntry, TarReader } from './tar-reader.ts';

const whiteout = '.wh.';
const opaqueKey = 'SCHILY.xattr.trusted.overlay.opaque';
const linksMax = 40;

type Seen = { readonly kind: 'directory'; opaque: boolean; entry: TarEntry | undefined } | Link | Other;
interface Link {
  readonly kind: 'link';
  readonly target: string;
}
interface Other {
  readonly kind: 'other' | 'whiteout';
}

export class LayerFilter {
  readonly #reader = new TarReader();
  readonly #seen = new Map<string, Seen>();
  #output: Buffer[] = [];
  #isPassing = false;
  #size = 0;

  /** What to hand to the extractor. Throws `corrupt`. */
  push(chunk: Buffer): Buffer[] {
    this.#output = [];
    for (const event of this.#reader.push(chunk)) {
      if (event.kind === 'entry') this.#entry(event.entry);
      else if (!this.#isPassing) continue;
      else if (event.kind === 'data') this.#output.push(event.bytes);
      else this.#output.push(Buffer.alloc(paddingOf(this.#size)));
    }
    return this.#output;
  }

  finish(): Buffer[] {
    this.#reader.finish();
    return [endOfArchive];
  }

  #entry(entry: TarEntry): void {
    this.#isPassing = false;
    const parts = cleaned(entry.path);
    if (parts.length === 0) {
      // The root folder itself: its mode and owner count.
      if (entry.type === '5') this.#directory('.', entry);
      return;
    }
    const base = parts.at(-1) as string;
    if (parts.some((part, at) => part.startsWith('.wh..wh.') && (at < parts.length - 1 || part !== opaque)))
      return; // aufs' own bookkeeping
    const parent = this.#real(parts.slice(0, -1), entry.path);
    if (base === opaque) this.#markOpaque(parent);
    else if (base.startsWith(whiteout)) this.#remove(parent, base.slice(whiteout.length), entry.path);
    else this.#pass(join(parent, base), entry);
  }

  #pass(path: string, entry: TarEntry): void {
    switch (entry.type) {
      case '5':
        this.#makeParents(path);
        this.#directory(path, entry);
        return;
      case '1': {
        const linkPath = this.#real(cleaned(entry.linkPath), entry.path, false);
        const target = this.#seen.get(linkPath);
        if (target === undefined || target.kind === 'directory' || target.kind === 'whiteout')
          throw damaged(
            `"${entry.path}" is a hard link to "${entry.linkPath}", which is no file of this layer`,
          );
        this.#makeParents(path);
        if (path === linkPath) return;
        this.#see(path, target);
        this.#output.push(encodeHeader({ ...entry, path, linkPath, size: 0 }));
        return;
      }
      case '2':
        this.#makeParents(path);
        this.#see(path, { kind: 'link', target: entry.linkPath });
        this.#output.push(encodeHeader({ ...entry, path, size: 0 }, kept(entry, path)));
        return;
      case '3':
        if (entry.major === 0 && entry.minor === 0) {
          this.#remove(parentOf(path), baseOf(path), entry.path);
          return;
        }
        break;
      case '0':
      case '4':
      case '6':
      case 'S':
        break;
      default:
        return; // volume labels, multi-volume pieces, vendor extensions: not part of a file system
    }
    this.#makeParents(path);
    this.#see(path, { kind: 'other' });
    this.#isPassing = true;
    this.#size = entry.size;
    if (entry.type === 'S') this.#output.push(sparseHeader(entry, path));
    else this.#output.push(encodeHeader({ ...entry, path }, kept(entry, path)));
  }

  #directory(path: string, entry: TarEntry | undefined): void {
    const before = this.#seen.get(path);
    const isOpaque = (before?.kind === 'directory' && before.opaque) || before?.kind === 'whiteout';
    this.#see(path, { kind: 'directory', opaque: isOpaque, entry });
    this.#writeDirectory(path, entry, isOpaque);
  }

  #writeDirectory(path: string, entry: TarEntry | undefined, isOpaque: boolean): void {
    const header = plainHeader({ mode: 0o755, type: '5', ...pick(entry), path: `${path}/` });
    const pax = entry === undefined ? new Map<string, string>() : kept(entry, path);
    if (isOpaque) pax.set(opaqueKey, 'y');
    this.#output.push(encodeHeader(header, pax));
  }

  #markOpaque(path: string): void {
    if (path !== '.') this.#makeParents(join(path, 'x'));
    const directory = this.#seen.get(path);
    const entry = directory?.kind === 'directory' ? directory.entry : undefined;
    this.#see(path, { kind: 'directory', opaque: true, entry });
    this.#writeDirectory(path, entry, true);
  }

  #remove(parent: string, name: string, from: string): void {
    if (name === '' || name === '.' || name === '..') throw damaged(`"${from}" removes no name`);
    const path = join(parent, name);
    const before = this.#seen.get(path);
    // A whiteout speaks of the layers below, never of what this layer itself brings.
    if (before?.kind === 'directory') this.#markOpaque(path);
    if (before !== undefined) return;
    this.#makeParents(path);
    this.#see(path, { kind: 'whiteout' });
    this.#output.push(encodeHeader(plainHeader({ path, type: '3', mode: 0 })));
  }

  /** Folders that the archive takes for granted, made explicit. */
  #makeParents(path: string): void {
    const parent = parentOf(path);
    if (parent === '.') return;
    const before = this.#seen.get(parent);
    if (before?.kind === 'directory') return;
    if (before !== undefined && before.kind !== 'whiteout')
      throw damaged(`"${path}" lies in "${parent}", which is no folder`);
    this.#makeParents(parent);
    this.#directory(parent, undefined);
  }

  #see(path: string, what: Seen): void {
    const before = this.#seen.get(path);
    if (before?.kind === 'directory' && what.kind !== 'directory')
      throw damaged(`"${path}" is a folder and something else at once`);
    this.#seen.set(path, what);
  }

  /** The path with every symbolic link of its folders followed, inside the root as chroot would; `last`: the last part too. */
  #real(parts: readonly string[], from: string, last = true): string {
    const todo = [...parts].reverse();
    const done: string[] = [];
    let links = 0;
    while (todo.length > 0) {
      const part = todo.pop() as string;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        done.pop();
        continue;
      }
      const here = [...done, part].join('/');
      const what = this.#seen.get(here);
      if (what?.kind !== 'link' || (!last && todo.length === 0)) {
        done.push(part);
        continue;
      }
      if (++links > linksMax) throw damaged(`"${from}" goes through too many symbolic links`);
      if (what.target.startsWith('/')) done.length = 0;
      todo.push(...what.target.split('/').reverse());
    }
    return done.length === 0 ? '.' : done.join('/');
  }
}

const opaque = '.wh..wh..opq';
const join = (parent: string, name: string): string => (parent === '.' ? name : `${parent}/${name}`);
const parentOf = (path: string): string => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.');
const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The parts of a member's name. Throws when it leads above the root. */
function cleaned(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) throw damaged(`"${path}" leads out of the layer`);
  }
  return parts;
}

function pick(entry: TarEntry | undefined): Partial<TarEntry> {
  if (entry === undefined) return {};
  const { mode, uid, gid, mtime } = entry;
  return { mode, uid, gid, mtime };
}

/** The pax records that are passed on. Overlay's own attributes are ours alone: a layer may not redirect lookups. */
function kept(entry: TarEntry, path: string): Map<string, string> {
  const pax = new Map<string, string>();
  for (const [key, value] of entry.pax) {
    if (key === 'GNU.sparse.name') pax.set(key, path);
    else if (key.startsWith('GNU.sparse.') || key === 'mtime') pax.set(key, value);
    else if (key === 'SCHILY.xattr.security.capability') pax.set(key, value);
    else if (key.startsWith('SCHILY.xattr.user.') && !key.startsWith('SCHILY.xattr.user.overlay.'))
      pax.set(key, value);
  }
  return pax;
}

/** An old GNU sparse file keeps its blocks, under its new name. */
function sparseHeader(entry: TarEntry, path: string): Buffer {
  const raw = Buffer.from(entry.raw);
  raw.fill(0, 0, 100);
  raw.write(path.slice(0, 100), 0, 'latin1');
  sealed(raw.subarray(0, 512));
  if (path.length <= 100) return raw;
  const name = Buffer.from(`${path}\0`, 'latin1');
  const long = encodeHeader(plainHeader({ path: '././@LongLink', type: 'L', size: name.length }));
  return Buffer.concat([long, name, Buffer.alloc(paddingOf(name.length)), raw]);
}
