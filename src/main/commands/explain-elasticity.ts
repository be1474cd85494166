/** How `caelum explain elasticity NAME` tells what a policy decided of late. Pure. */
import type { ElasticityDecision } from '../../controllers/index.ts';

export function elasticityLines(decisions: readonly ElasticityDecision[]): readonly string[] {
  if (decisions.length === 0) return [];
  return ['', 'Decisions (the newest last):', ...decisions.flatMap(decisionLines)];
}

function decisionLines(decision: ElasticityDecision): readonly string[] {
  const { at, until, current, wished, desired, because, heldBack, bounds, pods } = decision;
  const time = at === until ? clockOf(at) : `${clockOf(at)} to ${clockOf(until)}`;
  const change = desired === current ? `stays at ${current}` : `${current} → ${desired}`;
  const wish = wished === null || wished === desired ? '' : `; ${wished} were wanted`;
  const lines = [
    `  ${time}  ${change}${because === '' ? '' : `: ${because}`}`,
    `    ${pods} pods, between ${bounds.min} and ${bounds.max}${wish}${heldBack === null ? '' : `; ${heldBack}`}`,
  ];
  const { demand, perReplica, forecast, triggers } = decision;
  if (demand !== null && perReplica !== null)
    lines.push(`    demand ${amount(demand)}, of which a replica carries ${amount(perReplica)}`);
  if (forecast !== null)
    lines.push(
      `    forecast for the next ${forecast.horizonSeconds} s: at most ${amount(forecast.demand)} (${forecast.method})`,
    );
  for (const { name, value, holds, heldSeconds, missing } of triggers)
    lines.push(
      `    trigger ${name}: ${value === null ? 'unknown' : amount(value)}${holds ? `, holds for ${heldSeconds} s` : ''}${missing === undefined ? '' : `, ${missing}`}`,
    );
  return lines;
}

const amount = (milli: number): string => String(Math.round(milli) / 1000);

const clockOf = (time: string): string => time.slice(11, 19);
