/**
 * Images: making host.local/busybox in an empty store, and a container's root. Floors: copying the program; mount(8) of a tmpfs.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openImageStore } from '../src/agent/images/index.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const runs = 7;

export const bench: Benchmark = {
  description: 'Images: host.local/busybox from nothing, and the root of one container',
  seconds: 4,
  unavailable() {
    if (process.getuid?.() !== 0) return 'needs root';
    return existsSync('/bin/busybox') ? undefined : 'needs busybox';
  },
  async run() {
    const made: number[] = [];
    const copied: number[] = [];
    const mounted: number[] = [];
    const plain: number[] = [];
    const timed = async (into: number[], action: () => unknown): Promise<void> => {
      const startedMs = performance.now();
      await action();
      into.push(performance.now() - startedMs);
    };
    for (let run = 0; run < runs; run++) {
      const folder = mkdtempSync(join(tmpdir(), 'caelum-bench-images-'));
      const store = openImageStore({ directory: join(folder, 'store'), clock: realClock, log: silentLog });
      try {
        await timed(made, () => store.pull('host.local/busybox'));
        await timed(copied, () => execFileSync('cp', ['/bin/busybox', join(folder, 'copy')]));
        const image = await store.find('host.local/busybox');
        if (image === undefined) throw new Error('the image is gone');
        await timed(mounted, () => store.mountRoot(image, 'bench/root/0'));
        const target = join(folder, 'plain');
        mkdirSync(target);
        await timed(plain, () => execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', target]));
        execFileSync('umount', [target]);
      } finally {
        await store.unmountRoot('bench/root/0');
        await store.close();
        rmSync(folder, { recursive: true, force: true });
      }
    }
    return [
      {
        ...costFigure('host.local/busybox, first time', 'ms', made, {
          name: 'cp of the program',
          runs: copied,
        }),
        goal: '≤ 100 ms',
      },
      costFigure('root of a container', 'ms', mounted, { name: 'mount of a tmpfs', runs: plain }),
    ];
  },
};
