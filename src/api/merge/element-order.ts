/**
 * The order of a merged list: what the patch names stands in the patch's order; what only the server has keeps its place
 * relative to the elements that both know.
 */
import { isObject, isSame, own } from './json.ts';

/** Orders `merged`. `wanted` holds elements (or their keys) in the order of the patch, `before` the list as it was. */
export function orderElements(
  merged: readonly unknown[],
  wanted: readonly unknown[],
  before: readonly unknown[],
  key: string | undefined,
): unknown[] {
  const identity = (item: unknown): unknown => (key !== undefined && isObject(item) ? own(item, key) : item);
  const position = (list: readonly unknown[], item: unknown): number => {
    const id = identity(item);
    return list.findIndex((other) => isSame(identity(other), id));
  };
  const rankWanted = merged.map((item) => position(wanted, item));
  const ours = merged
    .map((item, index) => ({ item, rank: rankWanted[index] ?? -1 }))
    .filter(({ rank }) => rank >= 0)
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
  const servers = merged
    .filter((_item, index) => (rankWanted[index] ?? -1) < 0)
    .map((item) => ({ item, rank: position(before, item) }))
    .sort((a, b) => a.rank - b.rank);

  // Merge the two sequences: a server's element goes first where it stood before the patch's next element.
  const ordered: unknown[] = [];
  let next = 0;
  for (const item of ours) {
    const rank = position(before, item);
    for (let server = servers[next]; server !== undefined; server = servers[next]) {
      if (!(rank >= 0 && server.rank >= 0 && server.rank < rank)) break;
      ordered.push(server.item);
      next++;
    }
    ordered.push(item);
  }
  for (const { item } of servers.slice(next)) ordered.push(item);
  return ordered;
}
