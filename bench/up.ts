/** From `caelum up --detach` to ready, on a machine where everything is installed. Floor: starting Node with nothing to do, three times over, as the cloud has three processes. */
import { spawnSync } from 'node:child_process';
import { prepareCloud, whyNotReal } from '../scenarios/cloud-under-test.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const rounds = 7;

export const bench: Benchmark = {
  description: 'seconds from "caelum up --detach" to ready, first and later starts',
  seconds: 40,
  unavailable: whyNotReal,
  async run(say) {
    const first: number[] = [];
    const later: number[] = [];
    const floor: number[] = [];
    const cloud = await prepareCloud();
    try {
      for (let round = 0; round < rounds; round++) {
        const again = round > 0;
        const startedMs = performance.now();
        const up = await cloud.caelum('up', '--detach', '--no-install', '--api-port', String(cloud.port));
        const tookMs = performance.now() - startedMs;
        if (up.code !== 0) throw new Error(up.stderr);
        (again ? later : first).push(tookMs / 1000);
        say(`${again ? 'later' : 'first'} start: ${(tookMs / 1000).toFixed(2)} s  (${up.stdout.trim()})`);
        const down = await cloud.caelum('down');
        if (down.code !== 0) throw new Error(down.stderr);
        const nodeMs = performance.now();
        for (let i = 0; i < 3; i++) spawnSync(process.execPath, ['-e', '0']);
        floor.push((performance.now() - nodeMs) / 1000);
      }
    } finally {
      await cloud.remove();
    }
    const peer = { name: 'node -e 0, three times', runs: floor };
    return [
      { ...costFigure('up to ready, later starts', 's', later, peer), goal: '≤ 1.5' },
      costFigure('up to ready, first start (makes certificates)', 's', first, peer),
    ];
  },
};
