/**
 * What a condition costs: compiled once, evaluated over a Deployment of three containers. The floor is the same condition written in JavaScript, in turns in
 * the same run; the ratio says how near the floor we are (1: an expression costs what code does).
 */
import { cel } from '../src/api/index.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const object = {
  metadata: { name: 'web', labels: { app: 'web' } },
  spec: {
    replicas: 3,
    template: {
      spec: { containers: [0, 1, 2].map((n) => ({ name: `c${n}`, image: `registry.example/app:${n}` })) },
    },
  },
};
const source =
  'object.spec.replicas <= 5 && object.spec.template.spec.containers.all(c, c.image.startsWith("registry.example/"))';
const plain = ({ spec }: typeof object): boolean =>
  spec.replicas <= 5 &&
  spec.template.spec.containers.every(({ image }) => image.startsWith('registry.example/'));

const rounds = 7;
const callsPerRound = 100_000;
const compilesPerRound = 2_000;

function microseconds(calls: number, action: () => void): number {
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) action();
  return process.cpuUsage(before).user / calls;
}

export const bench: Benchmark = {
  description: 'a condition in CEL over a Deployment, beside the same condition in JavaScript',
  seconds: 5,
  async run(say) {
    const environment = { variables: { object: cel.dyn }, result: cel.bool };
    const { program } = cel.compile(source, environment);
    if (program === undefined) throw new Error('the condition compiles');
    const [ours, floor, compiling]: [number[], number[], number[]] = [[], [], []];
    let held = 0;
    for (let round = -1; round < rounds; round++) {
      const evaluated = microseconds(callsPerRound, () => {
        if (program.evaluate({ object }, { costLimit: cel.callCostMax }).value === true) held++;
      });
      const bare = microseconds(callsPerRound, () => {
        if (plain(object)) held++;
      });
      const compiled = microseconds(compilesPerRound, () => cel.compile(source, environment));
      say(
        `${evaluated.toFixed(2)} µs; in JavaScript ${bare.toFixed(3)} µs; compiled in ${compiled.toFixed(1)} µs`,
      );
      if (round < 0) continue;
      ours.push(evaluated);
      floor.push(bare);
      compiling.push(compiled);
    }
    if (held !== 2 * (rounds + 1) * callsPerRound) throw new Error('the condition holds');
    return [
      {
        ...costFigure('CEL condition', 'µs', ours, { name: 'the same in JavaScript', runs: floor }),
        goal: '≤ 3 µs',
      },
      costFigure('CEL compile', 'µs', compiling),
    ];
  },
};
