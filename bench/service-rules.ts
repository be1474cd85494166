/**
 * Virtual IPs: how long the kernel's rules take from objects to loaded, for a thousand Services at once and for one changed endpoint.
 * In a network namespace of its own. Floor: nft itself, loading one element.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { EndpointSlice, Service } from '../src/api/index.ts';
import { createFakeClient, createInformers } from '../src/client/index.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { realRandom } from '../src/lib/io/real-random.ts';
import { endpointSliceRef, serviceRef, startServiceRules } from '../src/services/index.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const count = 1000;

export const bench: Benchmark = {
  description: 'Virtual IPs: loading 1,000 Services, and one changed endpoint among them',
  seconds: 6,
  unavailable() {
    if (process.getuid?.() !== 0) return 'needs root';
    return existsSync('/usr/sbin/nft') ? undefined : 'needs nft';
  },
  async run(say) {
    const namespace = `cbench${process.pid}`;
    execFileSync('ip', ['netns', 'add', namespace]);
    const client = createFakeClient({ clock: realClock });
    const informers = createInformers({ client, clock: realClock, log: silentLog, random: realRandom });
    const whole: number[] = [];
    const one: number[] = [];
    const floor: number[] = [];
    try {
      for (let at = 0; at < count; at++) {
        client.seed(serviceRef, service(at));
        client.seed(endpointSliceRef, slice(at, 1));
      }
      const options = {
        informers,
        clock: realClock,
        log: silentLog,
        nodeName: 'n1',
        table: `${namespace}-services`,
        podCidr: '10.1.0.0/16',
        namespacePath: `/run/netns/${namespace}`,
      };
      await informers.informer<Service>(serviceRef).whenSynced();
      await informers.informer<EndpointSlice>(endpointSliceRef).whenSynced();
      for (let run = 0; run < 5; run++) {
        const startedMs = performance.now();
        const rules = startServiceRules(options);
        await rules.settled();
        whole.push(performance.now() - startedMs);
        for (let change = 0; change < 5; change++) {
          const changed = new Promise<void>((resolve) => {
            const subscription = informers.informer(endpointSliceRef).onChange((event) => {
              if (event.kind !== 'updated') return;
              subscription.cancel();
              resolve();
            });
          });
          client.seed(endpointSliceRef, slice(run, 2 + change));
          await changed;
          const changedMs = performance.now();
          await rules.settled();
          one.push(performance.now() - changedMs);
          const floorMs = performance.now();
          execFileSync('nsenter', [`--net=/run/netns/${namespace}`, 'nft', 'add', 'table', 'ip', 'floor']);
          floor.push(performance.now() - floorMs);
        }
        await rules.stop();
        say(`run ${run + 1}: all ${whole.at(-1)?.toFixed(0)} ms, one ${one.at(-1)?.toFixed(1)} ms`);
      }
    } finally {
      informers.stop();
      execFileSync('ip', ['netns', 'del', namespace]);
    }
    return [
      {
        ...costFigure('service rules, one endpoint', 'ms', one, { name: 'nft add table', runs: floor }),
        goal: '≤ 50 ms',
      },
      costFigure('service rules, 1,000 services', 'ms', whole),
    ];
  },
};

function service(at: number): Service {
  return {
    metadata: { name: `service-${at}`, namespace: 'default' },
    spec: {
      type: 'ClusterIP',
      clusterIP: `10.96.${at >> 8}.${at & 255}`,
      ports: [{ port: 80, protocol: 'TCP' }],
    },
  };
}

function slice(at: number, last: number): EndpointSlice {
  return {
    metadata: {
      name: `service-${at}-x`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': `service-${at}` },
    },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [0, last].map((host) => ({
      addresses: [`10.1.${at >> 2}.${((at & 3) << 6) + host}`],
      conditions: { ready: true },
    })),
  };
}
