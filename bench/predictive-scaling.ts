/**
 * Elasticity policies that look ahead, against those that do not and against a horizontal autoscaler: recorded and made loads, replayed through the
 * controllers' own cores. Counted is what users feel (time in which the load was more than the ready pods carry) and what is paid (pods beyond those needed).
 */
import { type Benchmark, costFigure, type Figure, median } from './benchmark.ts';
import { type Load, madeLoad, recordedLoads } from './elasticity/loads.ts';
import { type Outcome, replay, type Scaler } from './elasticity/replay.ts';

const scalers: readonly Scaler[] = ['predictive', 'reactive', 'autoscaler'];
const startsMs = [60_000, 180_000];
const seeds = [1, 2, 3];
const bufferPercent = 10;

type Row = Readonly<Record<Scaler, Outcome>>;

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`.padStart(9);

function rowOf(load: Load, startMs: number): Row {
  const [predictive, reactive, autoscaler] = scalers.map((scaler) =>
    replay(load, scaler, { startMs, bufferPercent }),
  ) as [Outcome, Outcome, Outcome];
  return { predictive, reactive, autoscaler };
}

function medians(rows: readonly Row[], scaler: Scaler): Outcome {
  const of = (name: keyof Outcome): number => median(rows.map((row) => row[scaler][name]));
  return {
    violations: of('violations'),
    unserved: of('unserved'),
    surplus: of('surplus'),
    changes: of('changes'),
    predicting: of('predicting'),
  };
}

export const bench: Benchmark = {
  description: 'capacity by forecast against capacity by what is: time short of pods, pods too many',
  seconds: 120,
  async run(say) {
    const recordings = recordedLoads();
    if (recordings === undefined) say('the recorded loads are not here: made ones alone');
    const made = (['steep', 'no season'] as const).map((kind) => seeds.map((seed) => madeLoad(seed, kind)));
    const groups = [...(recordings ?? []).map((load) => [load]), ...made];
    const figures: Figure[] = [];
    say(
      'load, start of a pod               scaler       short of pods   unserved    surplus  changes  predicting',
    );
    const all: Row[] = [];
    for (const loads of groups)
      for (const startMs of startsMs) {
        const rows = loads.map((load) => rowOf(load, startMs));
        all.push(...rows);
        const name = `${loads[0]?.name ?? ''}, ${startMs / 1000} s`;
        for (const scaler of scalers) {
          const { violations, unserved, surplus, changes, predicting } = medians(rows, scaler);
          say(
            `${name.padEnd(42)}${scaler.padEnd(12)}${percent(violations).padStart(14)}${percent(unserved).padStart(11)}${percent(surplus).padStart(11)}${String(changes).padStart(9)}${percent(predicting).padStart(12)}`,
          );
        }
        for (const [what, key] of [
          ['short of pods', 'violations'],
          ['surplus', 'surplus'],
        ] as const)
          figures.push(
            costFigure(
              `${name}: ${what}`,
              '%',
              rows.map(({ predictive }) => predictive[key] * 100),
              { name: 'reactive', runs: rows.map(({ reactive }) => reactive[key] * 100) },
            ),
          );
      }
    for (const [what, key] of [
      ['short of pods', 'violations'],
      ['surplus', 'surplus'],
    ] as const)
      figures.push({
        ...costFigure(
          `all loads: ${what}`,
          '%',
          all.map(({ predictive }) => predictive[key] * 100),
          { name: 'reactive', runs: all.map(({ reactive }) => reactive[key] * 100) },
        ),
        goal: 'ratio > 1',
      });
    return figures;
  },
};
