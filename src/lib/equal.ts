/** Are two JSON values the same? Order of keys does not count; a key whose value is undefined counts as absent. Pure. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!sameJson(a[i], b[i])) return false;
    return true;
  }
  if (Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  let more = 0;
  for (const key in left) {
    const one = left[key];
    const other = right[key];
    if (one !== other && !sameJson(one, other)) return false;
    if (one !== undefined) more++;
  }
  // What is on the left is on the right: whether that has more is a matter of counting.
  for (const _ in right) more--;
  if (more < 0) for (const key in right) if (right[key] === undefined) more++;
  return more === 0;
}
