/** How ways and obstacles are said. Pure. */
import type { Obstacle } from './obstacles.ts';

export function amountWords(resource: string, amount: number): string {
  if (resource === 'cpu') return `${amount % 1000 === 0 ? amount / 1000 : `${Math.ceil(amount)}m`} cpu`;
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return `${amount} ${resource}`;
  for (const [suffix, factor] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const)
    if (amount >= factor && amount % factor === 0) return `${amount / factor}${suffix} ${resource}`;
  return `${amount >= 2 ** 20 ? `${Math.ceil(amount / 2 ** 20)}Mi` : Math.ceil(amount)} ${resource}`;
}

export const listed = (words: readonly string[]): string =>
  words.length <= 1 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

export function nodesWords(nodes: readonly string[]): string {
  const [first = ''] = nodes;
  return nodes.length === 1 ? `node ${first}` : `${nodes.length} nodes (${first}, …)`;
}

export function obstacleText(one: Obstacle): string {
  switch (one.kind) {
    case 'name':
      return 'the pod names another node';
    case 'cordon':
      return 'it is cordoned';
    case 'taint':
      return `the taint ${one.taint.key}${one.taint.value ? `=${one.taint.value}` : ''}:${one.taint.effect} is not tolerated`;
    case 'label':
      return `it lacks the label ${one.label}`;
    case 'affinity':
      return `it is not ${one.wants}`;
    case 'room':
      return `${amountWords(one.resource, one.lacks)} too little`;
    case 'pods':
      return 'it has as many pods as it may have';
    case 'port':
      return `host port ${one.port} is taken by ${one.holder}`;
    default:
      return one.reason;
  }
}
