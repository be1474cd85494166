/** Whatever the strategy: the engine, which does not look at every node for every pod, takes the node that looking at every node shows to be the best. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, Pod, SchedulingProfileSpec } from '../../api/index.ts';
import { strategyNames } from '../../api/index.ts';
import { SeededRandom } from '../../lib/index.ts';
import { plan } from '../plan.ts';
import { rankNodes } from '../ranked-nodes.ts';
import { Snapshot } from '../snapshot.ts';
import { Profiles } from './profiles.ts';

const [seed = '1', only] = (process.env['CAELUM_SEED'] ?? '1').split('/');
const cases = 50;

class World {
  readonly random: SeededRandom;
  readonly snapshot = new Snapshot();
  readonly profiles: Profiles;

  constructor(text: string) {
    this.random = new SeededRandom(text);
    for (let at = this.random.integer(8); at >= 0; at--) this.snapshot.setNode(this.#node(`n${at}`));
    this.profiles = new Profiles({ nowMs: () => 0, tell: () => {} });
    this.profiles.set([{ metadata: { name: 'p' }, spec: this.#spec() }]);
  }

  one<T>(of: readonly T[]): T {
    return of[this.random.integer(of.length)] as T;
  }

  #node(name: string): Node {
    const labels = {
      'kubernetes.io/hostname': name,
      'topology.kubernetes.io/zone': this.one(['a', 'b', 'c']),
      'topology.kubernetes.io/region': this.one(['eu', 'us']),
      'karpenter.sh/capacity-type': this.one(['spot', 'on-demand', 'reserved']),
    };
    const taints = this.random.integer(3) === 0 ? [{ key: 'k', effect: 'PreferNoSchedule' }] : [];
    return {
      metadata: { name, labels },
      spec: { taints },
      status: {
        allocatable: {
          cpu: this.one(['2', '4', '8']),
          memory: this.one(['4Gi', '16Gi']),
          pods: this.one(['2', '5', '50']),
        },
      },
    };
  }

  #spec(): SchedulingProfileSpec {
    const type = this.one(['LeastAllocated', 'MostAllocated', undefined]);
    const strategy = this.one(strategyNames);
    return {
      strategy,
      custom: { expression: '100.0 * free.memory / node.memory' },
      weights: { NodeAffinity: this.random.integer(5), TaintToleration: this.random.integer(5) },
      prices: [{ capacityType: 'Spot', hourly: '0.1' }, { hourly: '0.3' }],
      locations: { preferred: [{ zone: 'a' }, { region: 'eu', weight: 2 }] },
      ...(type === undefined
        ? {}
        : {
            scoringStrategy: {
              type,
              resources: [
                { name: 'cpu', weight: 3 },
                { name: 'memory', weight: 1 },
              ],
            },
          }),
    };
  }

  pod(name: string): Pod {
    const owner = this.one(['x', 'y']);
    const term = (key: string) => ({ topologyKey: key, labelSelector: { matchLabels: { app: owner } } });
    const others = this.random.integer(6);
    const affinity = {
      ...(others === 0 && {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 7, podAffinityTerm: term('kubernetes.io/hostname') },
          ],
        },
      }),
      ...(others === 1 && {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 3,
              preference: {
                matchExpressions: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['b'] }],
              },
            },
          ],
        },
      }),
    };
    const spread = {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: { app: owner } },
    };
    return {
      metadata: {
        name,
        namespace: 'd',
        uid: name,
        labels: { app: owner },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner, controller: true },
        ],
      },
      spec: {
        containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: this.one(['100m', '1']) } } }],
        ...(Object.keys(affinity).length > 0 && { affinity }),
        ...(others === 2 && { topologySpreadConstraints: [spread] }),
      },
    };
  }
}

test('plan() takes the node that rankNodes() has first, whatever the strategy', (t) => {
  for (let at = Number(only ?? 0); at < (only === undefined ? cases : Number(only) + 1); at++) {
    const world = new World(`${seed}/${at}`);
    const { snapshot, profiles } = world;
    for (let count = 0; count < 25; count++) {
      const key = `d/p${count}`;
      const pod = world.pod(`p${count}`);
      const ranked = rankNodes(snapshot, key, pod, profiles);
      const [step] = plan(snapshot, [{ key, pod }], profiles);
      const told = `CAELUM_SEED=${seed}/${at}, pod ${count}, ${ranked?.strategy}`;
      assert.ok(step !== undefined && ranked !== undefined);
      if (step.kind === 'wait') assert.equal(ranked.possibleNodes, 0, told);
      else {
        assert.equal(step.possible, ranked.possibleNodes, told);
        assert.equal(step.nodeName, ranked.nodes[0]?.node, `${told}: ${JSON.stringify(ranked.nodes)}`);
        const best = ranked.nodes[0]?.score ?? 0;
        assert.ok(Math.abs(step.score - best) < 0.01, `${told}: ${step.score} and ${best}`);
      }
    }
  }
  t.diagnostic(`CAELUM_SEED=${seed}, ${cases} clouds`);
});

test('plan() places many alike in one go as one after the other, whatever the strategy', (t) => {
  for (let at = Number(only ?? 0); at < (only === undefined ? cases : Number(only) + 1); at++) {
    const [together, alone] = [new World(`${seed}/${at}`), new World(`${seed}/${at}`)];
    const shape = together.pod('shape');
    const waiting = Array.from({ length: 30 }, (_, index) => {
      const name = `p${10 + index}`;
      return { key: `d/${name}`, pod: { ...shape, metadata: { ...shape.metadata, name, uid: name } } };
    });
    const told = (steps: ReturnType<typeof plan>): readonly string[] =>
      steps.map((step) => `${step.podKey} ${step.kind === 'bind' ? step.nodeName : 'waits'}`);
    assert.deepEqual(
      told(plan(together.snapshot, waiting, together.profiles)),
      told(waiting.flatMap((one) => plan(alone.snapshot, [one], alone.profiles))),
      `CAELUM_SEED=${seed}/${at}, ${together.profiles.scorerOf(shape).name}`,
    );
  }
  t.diagnostic(`CAELUM_SEED=${seed}, ${cases} clouds`);
});
