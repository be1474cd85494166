/**
 * What `fieldValidation=Strict|Warn` tells beyond decoding: unknown fields (found by `checkShape`) and fields given twice,
 * which only the text shows. Worded as the API server words them.
 */

/** As many as the API server tells at once. */
const told = 100;

/** `strict decoding error: unknown field "spec.foo", duplicate field "spec.replicas"`, or undefined when there is nothing to tell. */
export function strictDecodingError(
  unknown: readonly string[],
  duplicates: readonly string[],
): string | undefined {
  const lines = strictDecodingWarnings(unknown, duplicates);
  return lines.length === 0 ? undefined : `strict decoding error: ${lines.join(', ')}`;
}

/** The same, one by one, as warnings are sent. */
export function strictDecodingWarnings(unknown: readonly string[], duplicates: readonly string[]): string[] {
  const lines = [
    ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
  ];
  return [...new Set(lines)].slice(0, told);
}

interface Level {
  /** Names seen in this object; undefined in a list. */
  readonly seen: Set<string> | undefined;
  /** The name, or the index, at which the scanner is. */
  at: string | number;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Paths of fields that stand twice in one object: `spec.replicas`, `spec.containers[0].image`. Each once, in order.
 * The text must be valid JSON: it is scanned, not checked.
 */
export function findDuplicateFields(jsonText: string): string[] {
  const found = new Set<string>();
  const levels: Level[] = [];
  let expectsName = false;
  for (let i = 0; i < jsonText.length; i++) {
    const code = jsonText.charCodeAt(i);
    if (code === quote) {
      const end = endOfString(jsonText, i);
      const level = levels.at(-1);
      if (expectsName && level?.seen !== undefined) {
        const name = JSON.parse(jsonText.slice(i, end)) as string;
        level.at = name;
        if (level.seen.has(name)) found.add(spell(levels));
        level.seen.add(name);
        expectsName = false;
      }
      i = end - 1;
    } else if (code === 0x7b /* { */) {
      levels.push({ seen: new Set(), at: '' });
      expectsName = true;
    } else if (code === 0x5b /* [ */) {
      levels.push({ seen: undefined, at: 0 });
    } else if (code === 0x7d || code === 0x5d /* } ] */) {
      levels.pop();
      expectsName = false;
    } else if (code === 0x2c /* , */) {
      const level = levels.at(-1);
      if (level === undefined) continue;
      if (typeof level.at === 'number') level.at++;
      else expectsName = true;
    }
  }
  return [...found];
}

/** The index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; ; ) {
    const end = text.indexOf('"', i);
    if (end < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return end + 1;
    i = end + 1;
  }
}

function spell(levels: readonly Level[]): string {
  let text = '';
  for (const { at } of levels) {
    text += typeof at === 'number' ? `[${at}]` : text === '' ? at : `.${at}`;
  }
  return text;
}
