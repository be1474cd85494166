/**
 * Pods that claim devices, in the placement engine alone: 5,000 nodes of eight devices each. By processor time of the thread, from the pods as the informer
 * has them to steps with the devices of each claim. Peer in the same run: each pod against each node, nothing remembered but what selectors say of devices.
 */
import type { DynamicResourceClaim } from '../src/api/index.ts';
import { allocate, stepsMax } from '../src/scheduler/claims/allocator.ts';
import { formOf, Selections } from '../src/scheduler/claims/claim-form.ts';
import { DeviceLedger } from '../src/scheduler/claims/device-ledger.ts';
import { DevicePools } from '../src/scheduler/claims/device-pools.ts';
import { demandOf } from '../src/scheduler/demand.ts';
import { hasRoom } from '../src/scheduler/filters.ts';
import { defaultPolicy } from '../src/scheduler/scores.ts';
import { type Benchmark, type Figure, rateFigure } from './benchmark.ts';
import { type Claimants, claimants, deviceClass, deviceCloud, nodeSlice } from './scheduler/claimants.ts';
import { planAll, rate } from './scheduler/measure.ts';
import { cloud } from './scheduler/workloads.ts';

const nodes = 5000;
const rounds = 3;
const goal = 5000;

function placed(kind: Claimants, count: number): number {
  const snapshot = deviceCloud(nodes);
  const { waiting, claims } = claimants(kind, count);
  for (const one of claims) snapshot.deviceClaims.setClaim(one);
  let bound = 0;
  const result = rate(count, () => {
    bound = planAll(snapshot, waiting);
  });
  if (bound !== count) throw new Error(`${kind}: only ${bound} of ${count} pods were placed`);
  return result;
}

function scanned(kind: Claimants, count: number): number {
  const snapshot = cloud(nodes);
  const pools = new DevicePools();
  for (let index = 0; index < nodes; index++) pools.setSlice(nodeSlice(index));
  const { waiting, claims } = claimants(kind, count);
  const [ledger, selections] = [new DeviceLedger(), new Selections()];
  const scorer = defaultPolicy.scorerOf(waiting[0]?.pod as never);
  return rate(count, () => {
    for (const [at, { key, pod }] of waiting.entries()) {
      const demand = demandOf(pod);
      const scoring = scorer.begin(demand, snapshot, pod);
      const form = formOf(claims[at] as DynamicResourceClaim, () => deviceClass);
      if (typeof form === 'string') throw new Error(form);
      let best = -1;
      let most = Number.NEGATIVE_INFINITY;
      for (let row = 0; row < snapshot.rows; row++) {
        const facts = snapshot.facts(row);
        if (facts === undefined || !hasRoom(demand, snapshot, row)) continue;
        const answer = allocate([form], pools.of(facts), ledger, selections, { steps: stepsMax });
        if (answer.kind !== 'picked') continue;
        const score = scoring.score(row, 0);
        if (score <= most) continue;
        most = score;
        best = row;
      }
      const facts = snapshot.facts(best);
      if (facts === undefined) continue;
      const answer = allocate([form], pools.of(facts), ledger, selections, { steps: stepsMax });
      if (answer.kind === 'picked')
        for (const { form: request, one } of answer.picks.flat())
          ledger.add(
            {
              devices: {
                results: [
                  { request: request.name, driver: one.driver, pool: one.pool, device: one.device.name },
                ],
              },
            },
            1,
          );
      snapshot.addPod(key, pod, facts.name);
    }
  });
}

const kinds: readonly {
  readonly kind: Claimants;
  readonly name: string;
  readonly count: number;
  readonly goal?: number;
}[] = [
  { kind: 'one', name: 'one device of a class, by a selector', count: 15_000, goal },
  { kind: 'two', name: 'two devices of one socket', count: 8_000, goal: goal / 2 },
  { kind: 'network', name: 'a device that all nodes reach', count: 128 },
  { kind: 'allocated', name: 'with devices already, each elsewhere', count: 1_000 },
];

export const bench: Benchmark = {
  description: 'the placement engine alone: pods with claims of devices',
  seconds: 60,
  async run(say) {
    const figures: Figure[] = [];
    for (const { kind, name, count, goal: least } of kinds) {
      const runs = Array.from({ length: rounds + 1 }, () => placed(kind, count)).slice(1);
      const isScanned = kind === 'one' || kind === 'two';
      const peer = isScanned ? { name: 'each pod against each node', runs: [scanned(kind, 20)] } : undefined;
      const figure = rateFigure(`pods with a claim: ${name}, ${nodes} nodes`, '1/s', runs, peer);
      figures.push(least === undefined ? figure : { ...figure, goal: `≥ ${least.toLocaleString('en')}/s` });
      say(`${figure.name}: ${Math.round(figure.value)}/s`);
    }
    return figures;
  },
};
