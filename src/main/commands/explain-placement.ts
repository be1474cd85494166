/** How `caelum explain pod NAME` tells where a pod was placed, or why it waits and what would make it fit. Pure. */
import type { Explanation } from '../../scheduler/index.ts';

export function placementLines(decision: Explanation | null | undefined): readonly string[] {
  if (decision === null || decision === undefined) return [];
  const { preempted } = decision;
  const lines = ['', 'Placement:'];
  if (decision.decision === 'bound') {
    const { node, score, possibleNodes } = decision;
    lines.push(`  On node ${node}, the best of ${possibleNodes} with a score of ${score}.`);
  } else lines.push(`  ${decision.message}`);
  for (const [reason, count] of Object.entries(decision.refused).sort((a, b) => b[1] - a[1]))
    lines.push(`  ${count} refused: ${reason}`);
  if (preempted !== undefined) {
    const { node, victims, budgetViolations, candidates } = preempted;
    const against = budgetViolations === 0 ? '' : `, ${budgetViolations} of them against their budgets`;
    lines.push(
      `  For it ${victims.join(', ')} had to leave node ${node}${against}; ${candidates} nodes came into question.`,
    );
  }
  lines.push(...rankLines(decision));
  if (decision.decision === 'bound' || decision.remedies === undefined) return lines;
  const { ways, nearest, gang } = decision.remedies;
  const what =
    gang === undefined
      ? 'What would make it fit (any of these):'
      : `${gang.fit} of ${gang.needs} pods of ${gang.label} fit. What would make the next one fit, ${gang.next} (any of these):`;
  if (ways.length > 0 || gang !== undefined) lines.push('', what, ...ways.map(({ text }) => `  ${text}`));
  if (gang !== undefined && gang.whole.length > 0)
    lines.push('', 'What would make all of them fit:', ...gang.whole.map(({ text }) => `  ${text}`));
  if (nearest.length > 0)
    lines.push(
      '',
      'The nearest nodes:',
      ...nearest.map(({ node, obstacles }) => `  ${node}: ${obstacles.join('; ')}`),
    );
  return lines;
}

/** What the best nodes are worth to it now. */
function rankLines(decision: Explanation): readonly string[] {
  const ranked = decision.decision === 'bound' ? decision.ranked : undefined;
  if (ranked === undefined || ranked.nodes.length === 0) return [];
  const points = (value: number): string => String(Math.round(value * 10) / 10);
  return [
    '',
    `Now the best nodes for it (${ranked.strategy}):`,
    ...ranked.nodes.map(({ node, score, aspects }) => {
      const parts = Object.entries(aspects).map(([name, value]) => `${name} ${points(value)}`);
      return `  ${node}: ${points(score)} (${parts.join(', ')})`;
    }),
  ];
}
