/**
 * PEM texts and the outermost form of what they hold. Pure: no signature is checked here, whoever signs does that.
 * Source: RFC 7468; X.690 for lengths.
 */
export interface PemBlock {
  readonly type: string;
  readonly hasHeaders: boolean;
  readonly bytes: Buffer;
}

const block = /-----BEGIN ([^-\n]+)-----\r?\n([\s\S]*?)-----END \1-----/g;

/** Every block, in order; what stands between them is passed over. */
export function pemBlocks(text: string): readonly PemBlock[] {
  return [...text.matchAll(block)].map(([, type = '', body = '']) => ({
    type,
    hasHeaders: body.includes(':'),
    bytes: Buffer.from(body.replace(/^.*:.*$/gm, ''), 'base64'),
  }));
}

const sequence = 0x30;
const bitString = 0x03;

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/** A certificate or a request for one: something to be signed, an algorithm, a signature, and nothing more. */
export function isSigned(bytes: Buffer): boolean {
  const outer = elementAt(bytes, 0, bytes.length);
  if (outer?.tag !== sequence || outer.end !== bytes.length) return false;
  const tags: number[] = [];
  for (let at = outer.start; at < outer.end; ) {
    const inner = elementAt(bytes, at, outer.end);
    if (inner === undefined) return false;
    tags.push(inner.tag);
    at = inner.end;
  }
  return tags.length === 3 && tags[0] === sequence && tags[1] === sequence && tags[2] === bitString;
}

/** undefined: there is none, or it is longer than what holds it. */
function elementAt(bytes: Buffer, at: number, limit: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || at + 2 > limit) return undefined;
  const extra = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + extra;
  if (first === 0x80 || extra > 4 || start > limit) return undefined;
  const length = extra === 0 ? first : bytes.readUIntBE(at + 2, extra);
  return start + length > limit ? undefined : { tag, start, end: start + length };
}
