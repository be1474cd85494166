/** Whether this machine can mount a file system that is in a file: containers often cannot. For tests. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** undefined: it can. */
export function whyNoLoops(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  const folder = mkdtempSync(join(tmpdir(), 'caelum-loop-'));
  const image = join(folder, 'image');
  const mount = join(folder, 'mount');
  const run = (program: string, ...args: readonly string[]) =>
    execFileSync(program, args, { stdio: 'ignore' });
  try {
    mkdirSync(mount);
    run('fallocate', '--length', '16M', image);
    run('mkfs.ext4', '-q', '-F', image);
    run('mount', '-t', 'ext4', '-o', 'loop', image, mount);
    run('umount', mount);
    return undefined;
  } catch (error) {
    return `cannot mount a file system of a file here: ${(error as Error).message}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
