/**
 * A name for a content: 128 bits of four mixed FNV-1a lanes, in hexadecimal. For caches and ETags, not against adversaries.
 */
export function contentHash(text: string): string {
  const lanes = [0x811c9dc5, 0x050c5d1f, 0x9e3779b9, 0x85ebca6b];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    for (let lane = 0; lane < 4; lane++) {
      lanes[lane] = Math.imul((lanes[lane] ?? 0) ^ (code + lane * 0x9e37), 0x01000193);
    }
  }
  return lanes
    .map((lane) => {
      let mixed = lane ^ (lane >>> 16);
      mixed = Math.imul(mixed, 0x7feb352d);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
      return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, '0');
    })
    .join('')
    .toUpperCase();
}
