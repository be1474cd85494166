/**
 * Deals each flow a hand of queues. Two flows rarely hold the same hand, so that a flood in one leaves every other some queue that is free. Pure.
 * Source: Kubernetes, "priority and fairness" (shuffle sharding); the dealing is ours.
 */

/** `size` different numbers below `deck`, the same for the same text. */
export function handOf(text: string, deck: number, size: number): readonly number[] {
  let state = hashOf(text);
  const hand: number[] = [];
  for (let left = deck; hand.length < Math.min(size, deck); left--) {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    let card = ((mixed ^ (mixed >>> 14)) >>> 0) % left;
    // The card-th of those that are not dealt yet.
    for (const dealt of [...hand].sort((a, b) => a - b)) if (card >= dealt) card++;
    hand.push(card);
  }
  return hand;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}
