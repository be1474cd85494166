/** The peer: each pod against each node by the same rules, counts of other pods kept up but nothing else remembered. */
import { demandOf } from '../../src/scheduler/demand.ts';
import { Fit } from '../../src/scheduler/fit.ts';
import { Guard } from '../../src/scheduler/neighbours.ts';
import { Nominees } from '../../src/scheduler/nominees.ts';
import type { WaitingPod } from '../../src/scheduler/plan.ts';
import { defaultPolicy } from '../../src/scheduler/scores.ts';
import type { Snapshot } from '../../src/scheduler/snapshot.ts';
import { suitableNodes } from '../../src/scheduler/suitable.ts';
import { Welcome } from '../../src/scheduler/welcome.ts';

/** Of one owner. */
export function scan(snapshot: Snapshot, waiting: readonly WaitingPod[]): number {
  const [first] = waiting;
  if (first === undefined) return 0;
  const demand = demandOf(first.pod);
  const scorer = defaultPolicy.scorerOf(first.pod);
  const scoring = scorer.begin(demand, snapshot, first.pod);
  const { rows, fixed } = suitableNodes(demand, snapshot, scorer, scoring);
  const fit = new Fit(snapshot, demand, new Guard(snapshot, demand), new Nominees(snapshot));
  const welcome = new Welcome(snapshot, demand, snapshot.seekers.attraction(demand, snapshot));
  let bound = 0;
  for (const { key, pod } of waiting) {
    fit.begin(pod);
    const possible = [...rows.keys()].filter((at) => fit.reasons(rows[at] as number).length === 0);
    const welcomes = welcome.isIndifferent
      ? undefined
      : welcome.scores(possible.map((at) => rows[at] as number));
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (const at of possible) {
      const row = rows[at] as number;
      let score = scoring.score(row, fixed[at] as number);
      if (scoring.zones !== undefined) score += scoring.zones.score(scoring.zones.of(row));
      const around = welcomes?.(row);
      if (around !== undefined)
        score += scoring.around.spread * around.spread + scoring.around.pods * around.pods;
      if (score <= most) continue;
      most = score;
      best = row;
    }
    if (best < 0) continue;
    snapshot.addPod(key, pod, snapshot.facts(best)?.name ?? '');
    fit.placed(best);
    scoring.zones?.placed(best);
    welcome.placed(best);
    bound++;
  }
  return bound;
}
