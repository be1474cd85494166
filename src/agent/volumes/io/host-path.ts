/** A hostPath volume's type check, as Kubernetes words it. Makes what the type allows to be made. */
import { mkdir, open, stat } from 'node:fs/promises';
import { CaelumError } from '../../../lib/index.ts';

export async function ensureHostPath(path: string, type: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const refuse = (what: string): CaelumError =>
    new CaelumError('invalid', `hostPath type check failed: ${path} is not ${what}`);
  switch (type) {
    case '':
      // The container runtime makes a missing source as a folder.
      if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
      return;
    case 'DirectoryOrCreate':
      if (found === undefined) await mkdir(path, { recursive: true, mode: 0o755 });
      else if (!found.isDirectory()) throw refuse('a directory');
      return;
    case 'Directory':
      if (found?.isDirectory() !== true) throw refuse('a directory');
      return;
    case 'FileOrCreate':
      if (found === undefined) await (await open(path, 'a', 0o644)).close();
      else if (!found.isFile()) throw refuse('a file');
      return;
    case 'File':
      if (found?.isFile() !== true) throw refuse('a file');
      return;
    case 'Socket':
      if (found?.isSocket() !== true) throw refuse('a socket file');
      return;
    case 'CharDevice':
      if (found?.isCharacterDevice() !== true) throw refuse('a character device');
      return;
    case 'BlockDevice':
      if (found?.isBlockDevice() !== true) throw refuse('a block device');
      return;
    default:
      throw new CaelumError('invalid', `hostPath type check failed: unknown type ${type}`);
  }
}
