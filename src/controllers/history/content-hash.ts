/** Short names for what templates hold: the same for the same content whenever it is computed. Pure. */

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** FNV-1a over the JSON with sorted keys, in Kubernetes' safe alphabet. `collisionCount` gives the next name where one is taken. */
export function contentHash(value: unknown, collisionCount: number): string {
  const text = sortedJson(value) + (collisionCount > 0 ? `#${collisionCount}` : '');
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return [...String(hash >>> 0)].map((digit) => alphabet[digit.charCodeAt(0) % 27]).join('');
}

function sortedJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${sortedJson(member)}`).join(',')}}`;
}
