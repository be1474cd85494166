/**
 * How deep YAML may be, looked at before it is parsed: a parser that goes down step by step would end at the bottom of its stack, or in time that grows with the
 * square of the depth. Pure.
 */

/** Deeper than anything that can be stored. */
const depthMax = 1000;

/** Brackets that are open at once, and marks of lists and keys on one line: those that nest. Counts some, in texts, that do not. */
export function isTooDeep(text: string): boolean {
  let open = 0;
  let marks = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) open++;
    else if ((code === 0x5d || code === 0x7d) && open > 0) open--;
    else if (code === 0x0a) marks = 0;
    else if (isMark(code) && text.charCodeAt(at + 1) === 0x20) marks++;
    if (open > depthMax || (open === 0 && marks > depthMax)) return true;
  }
  return false;
}

/** `-`, `?` */
const isMark = (code: number): boolean => code === 0x2d || code === 0x3f;
