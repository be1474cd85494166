/**
 * Loads over days, one figure a minute: recorded ones of a production cluster (where the data is), and made ones with days, weekends, noise and bursts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { SeededRandom } from '../../src/lib/index.ts';

export interface Load {
  readonly name: string;
  /** Each minute of whole days. */
  readonly perMinute: Float64Array;
}

const minutesOfDay = 1440;
const recorded = new URL('../../../shared/data/scheduling/openb_pod_list_default.csv', import.meta.url);
/** Days in which the recording is whole. */
const [firstDay, lastDay] = [117, 147];

/** undefined: the recording is not here. */
export function recordedLoads(): readonly Load[] | undefined {
  if (!existsSync(recorded)) return undefined;
  const [head = '', ...lines] = readFileSync(recorded, 'utf8').trim().split('\n');
  const columns = head.split(',');
  const at = (name: string): number => columns.indexOf(name);
  const tasks = lines.map((line) => {
    const cells = line.split(',');
    const createdS = Number(cells[at('creation_time')]);
    return {
      createdS,
      deletedS: Number(cells[at('deletion_time')] || Number.POSITIVE_INFINITY),
      cores: Number(cells[at('cpu_milli')]) / 1000,
    };
  });
  const minutes = (lastDay - firstDay) * minutesOfDay;
  const startS = firstDay * 86_400;
  const arrivals = new Float64Array(minutes);
  const cores = new Float64Array(minutes);
  for (const { createdS, deletedS, cores: each } of tasks) {
    const from = Math.floor((createdS - startS) / 60);
    if (from >= 0 && from < minutes) arrivals[from] = (arrivals[from] ?? 0) + 1;
    if (deletedS - createdS > 6 * 3600) continue;
    const to = Math.min(minutes, Math.ceil((deletedS - startS) / 60));
    for (let minute = Math.max(0, from); minute < to; minute++) cores[minute] = (cores[minute] ?? 0) + each;
  }
  return [
    { name: 'recorded: tasks submitted', perMinute: smoothed(arrivals, 60) },
    { name: 'recorded: cores of short tasks', perMinute: smoothed(cores, 10) },
  ];
}

/** The mean of so many minutes up to each. */
function smoothed(values: Float64Array, width: number): Float64Array {
  let sum = 0;
  return values.map((value, index) => {
    sum += value - (index >= width ? (values[index - width] ?? 0) : 0);
    return Math.max(0, sum) / Math.min(index + 1, width);
  });
}

/** Office hours with a peak in the evening, quieter weekends, days that differ, noise that lasts, bursts that nobody sees coming. */
export function madeLoad(seed: number, kind: 'steep' | 'smooth' | 'no season'): Load {
  const random = new SeededRandom(`load ${seed}`);
  const days = 14;
  const perMinute = new Float64Array(days * minutesOfDay);
  let drift = 0;
  let burst = 0;
  let walk = 1;
  const shift = (random.float() - 0.5) * 4;
  for (let day = 0; day < days; day++) {
    const weekend = day % 7 >= 5 ? 0.65 : 1;
    const size = weekend * (0.92 + random.float() * 0.16);
    for (let minute = 0; minute < minutesOfDay; minute++) {
      const hour = minute / 60 + shift;
      drift = drift * 0.995 + (random.float() - 0.5) * 0.012;
      burst = Math.max(burst * 0.97, random.integer(minutesOfDay) === 0 ? 0.3 + random.float() * 0.4 : 0);
      walk = Math.min(3, Math.max(0.3, walk * (1 + (random.float() - 0.5) * 0.02)));
      const value = kind === 'no season' ? walk : dayOf(hour, kind === 'steep' ? 1 : 3) * size;
      perMinute[day * minutesOfDay + minute] = Math.max(0.02, value * (1 + drift) * (1 + burst));
    }
  }
  return { name: `made: ${kind}`, perMinute };
}

/** Up in the morning, within `width` hours or so; down at night. */
function dayOf(hour: number, width: number): number {
  const rise = (at: number): number => 1 / (1 + Math.exp(((at - hour) * 4) / width));
  return 0.15 + 0.85 * (rise(8) - rise(21)) + 0.25 * Math.exp(-((hour - 19) ** 2) / 3);
}
