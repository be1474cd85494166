/**
 * Which version of a group comes first: released before beta before alpha, the newer before the older, other names last, in the order of the alphabet.
 * Source: Kubernetes' documentation of custom resource versions (version priority).
 */
const pattern = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/;
const ranks: Readonly<Record<string, number>> = { alpha: 0, beta: 1 };

/** For sorting: negative where `a` comes before `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [pattern.exec(a), pattern.exec(b)];
  if (left === null || right === null) {
    if (left !== right) return left === null ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const rank = (found: RegExpExecArray): number => ranks[found[2] ?? ''] ?? 2;
  return (
    rank(right) - rank(left) ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}
