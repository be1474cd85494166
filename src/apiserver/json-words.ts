/** What is wrong with a text that is no JSON, in the words of Go's decoder, which clients show. Pure. Source: Go's encoding/json, scanner.go. */

const contexts: readonly (readonly [pattern: RegExp, context: string])[] = [
  [/^(Expected property name|Expected double-quoted)/, 'looking for beginning of object key string'],
  [/^Expected ':'/, 'after object key'],
  [/^Expected ',' or '}'/, 'after object key:value pair'],
  [/^Expected ',' or ']'/, 'after array element'],
  [/^Bad control character/, 'in string literal'],
  [/^Bad Unicode/, 'in \\u hexadecimal character escape'],
  [/^Bad escaped/, 'in string escape code'],
  [/^Unexpected non-whitespace/, 'after top-level value'],
  [/^Unexpected (token|number|string)/, 'looking for beginning of value'],
  [/^(No number|Exponent part|Unterminated fractional)/, 'in numeric literal'],
];

/** `message`: of the error that JSON.parse threw over `text`. */
export function jsonErrorWords(message: string, text: string): string {
  const at = /position (\d+)/.exec(message)?.[1];
  const found = at === undefined ? /^Unexpected token '(.)'/su.exec(message)?.[1] : text.charAt(Number(at));
  const context = contexts.find(([pattern]) => pattern.test(message))?.[1];
  if (found === undefined || found === '' || context === undefined) return 'unexpected end of JSON input';
  const shown = found === "'" ? "'\\''" : found === '"' ? `'"'` : `'${JSON.stringify(found).slice(1, -1)}'`;
  return `invalid character ${shown} ${context}`;
}

const summaryMax = 30;

/** The first bytes of a body that is not understood: as they are where they look like JSON, else as hexadecimal digits. */
export function summaryOf(bytes: Buffer): string {
  if (bytes.length === 0) return '<empty>';
  const start = bytes.subarray(0, summaryMax);
  const more = bytes.length > summaryMax ? ' ...' : '';
  return `${start.toString(bytes[0] === 0x7b ? 'utf8' : 'hex')}${more}`;
}
