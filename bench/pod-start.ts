/**
 * From `create` of a Pod with a local image to its status Running, through the API over HTTPS.
 * Peers, where installed: `podman run` of the same program; always: the bare runtime on a prepared bundle is measured by `runtime-start`.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { startCloud, whyNotReal } from '../scenarios/cloud-under-test.ts';
import type { Pod } from '../src/api/index.ts';
import { createHttpClient, readKubeconfig } from '../src/client/index.ts';
import { findProgram } from '../src/main/system-parts.ts';
import { type Benchmark, costFigure, type Figure, quantile } from './benchmark.ts';

const rounds = 30;
const pods = { group: '', version: 'v1', resource: 'pods', namespaced: true };

export const bench: Benchmark = {
  description: 'milliseconds from creating a pod to Running, local image',
  seconds: 40,
  unavailable: whyNotReal,
  async run(say) {
    const cloud = await startCloud();
    try {
      const client = createHttpClient(readKubeconfig(readFileSync(`${cloud.data}/kubeconfig`, 'utf8')));
      const runs: number[] = [];
      for (let round = -2; round < rounds; round++) {
        const name = `start-${round + 2}`;
        const { promise, resolve } = Promise.withResolvers<number>();
        const list = await client.list<Pod>(pods, {
          namespace: 'default',
          fieldSelector: `metadata.name=${name}`,
        });
        const watch = client.watch<Pod>(
          pods,
          {
            namespace: 'default',
            fieldSelector: `metadata.name=${name}`,
            resourceVersion: list.resourceVersion,
          },
          {
            onEvent: (event) => {
              if (event.type !== 'BOOKMARK' && event.object.status?.phase === 'Running')
                resolve(performance.now());
            },
            onEnd: () => {},
          },
        );
        const startedMs = performance.now();
        await client.create<Pod>(pods, {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name, namespace: 'default' },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [{ name: 'c', image: 'host.local/busybox', command: ['sleep', '1000'] }],
          },
        } as Pod);
        const tookMs = (await promise) - startedMs;
        watch.cancel();
        // The first ones make the image and warm the code.
        if (round >= 0) runs.push(tookMs);
        await client.delete(pods, 'default', name, { gracePeriodSeconds: 0 });
      }
      say(`p50 ${quantile(runs, 0.5).toFixed(0)} ms, p99 ${quantile(runs, 0.99).toFixed(0)} ms`);
      const figures: Figure[] = [
        { ...costFigure('pod create to Running, p50', 'ms', runs, podman(say)), goal: '≤ 150' },
      ];
      return figures;
    } finally {
      await cloud.remove();
    }
  },
};

function podman(say: (line: string) => void): { name: string; runs: readonly number[] } | undefined {
  const program = findProgram('podman');
  const busybox = findProgram('busybox');
  if (program === undefined || busybox === undefined) return undefined;
  const made = spawnSync(
    'sh',
    ['-c', `tar -C / -c .${busybox} | ${program} import -q - caelum-bench-busybox`],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) {
    say(`podman cannot be measured: ${made.stderr.trim().split('\n').at(-1) ?? ''}`);
    return undefined;
  }
  const runs: number[] = [];
  for (let round = -1; round < 10; round++) {
    const startedMs = performance.now();
    const done = spawnSync(
      program,
      ['run', '--rm', '--network=none', '--cgroups=disabled', 'caelum-bench-busybox', busybox, 'true'],
      { encoding: 'utf8' },
    );
    if (done.status !== 0) {
      say(`podman cannot be measured: ${done.stderr.trim().split('\n').at(-1) ?? ''}`);
      return undefined;
    }
    if (round >= 0) runs.push(performance.now() - startedMs);
  }
  return { name: 'podman run --rm --network=none', runs };
}
