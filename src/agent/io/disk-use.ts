/** How much folders take on disk: by du(1), which counts in the kernel's pace and not in ours. */
import { execFile } from 'node:child_process';

/** Bytes by path. What is not there, or goes meanwhile, is left out. */
export function diskUse(paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (paths.length === 0) return Promise.resolve(new Map());
  return new Promise((resolve) => {
    // -x: a volume that is mounted below is not of this disk. Fails when something has gone; what it has printed counts all the same.
    execFile('du', ['-skx', '--', ...paths], { maxBuffer: 1 << 24 }, (_error, stdout) => {
      const found = new Map<string, number>();
      for (const line of stdout.split('\n')) {
        const tab = line.indexOf('\t');
        if (tab > 0) found.set(line.slice(tab + 1), Number(line.slice(0, tab)) * 1024);
      }
      resolve(found);
    });
  });
}
