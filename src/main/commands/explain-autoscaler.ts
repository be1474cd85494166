/** How `caelum explain hpa NAME` tells what an autoscaler decided of late. Pure. */
import type { DecisionRecord } from '../../controllers/index.ts';

export function autoscalerLines(decisions: readonly DecisionRecord[]): readonly string[] {
  if (decisions.length === 0) return [];
  return ['', 'Decisions (the newest last):', ...decisions.flatMap(decisionLines)];
}

function decisionLines({ at, until, current, recommended, desired, because, ...grounds }: DecisionRecord) {
  const { bounds, pods, metrics, readings, recent } = grounds;
  const time = at === until ? clockOf(at) : `${clockOf(at)} to ${clockOf(until)}`;
  const change = desired === current ? `stays at ${current}` : `${current} → ${desired}`;
  const asked = recommended === null ? '' : `; the metrics ask for ${recommended}`;
  const lines = [
    `  ${time}  ${change}${because === '' ? '' : `: ${because}`}`,
    `    ${pods} pods, between ${bounds.min} and ${bounds.max}${asked}`,
  ];
  readings.forEach((reading, index) => {
    const text =
      'failed' in reading
        ? reading.failed
        : 'value' in reading
          ? String(reading.value / 1000)
          : Object.entries(reading.pods)
              .map(([name, milli]) => `${name} ${milli / 1000}`)
              .join(', ');
    lines.push(`    ${metrics[index] ?? `metric ${index + 1}`}`, `      ${text}`);
  });
  if (recent.some((replicas) => replicas !== recommended))
    lines.push(`    recommended before: ${recent.slice(-10).join(', ')}`);
  return lines;
}

const clockOf = (time: string): string => time.slice(11, 19);
