/**
 * Lines of CRI log files: `2026-01-02T03:04:05.678901234Z stdout F text`. Pure.
 *
 * `F` ends a line, `P` is a part of one that goes on. Works on bytes: output may be any text.
 */
const space = 0x20;
const partial = 0x50;

export interface LineFilter {
  readonly timestamps: boolean;
  readonly sinceMs: number | undefined;
  readonly stream: 'Stdout' | 'Stderr' | undefined;
}

/** Turns raw lines into output, one after the other; remembers whether a line is under way. */
export class CriLines {
  readonly #filter: LineFilter;
  #midLine = false;
  #recent: boolean;

  constructor(filter: LineFilter) {
    this.#filter = filter;
    this.#recent = filter.sinceMs === undefined;
  }

  /** The pieces to send for one raw line (without its newline); none where it is filtered out or no log line. */
  convert(line: Buffer): readonly Buffer[] {
    const timeEnd = line.indexOf(space);
    const streamEnd = line.indexOf(space, timeEnd + 1);
    const tagEnd = line.indexOf(space, streamEnd + 1);
    if (timeEnd < 0 || streamEnd < 0) return [];
    const isPartial = line[streamEnd + 1] === partial;
    const text = tagEnd < 0 ? line.subarray(line.length) : line.subarray(tagEnd + 1);
    const { stream, timestamps, sinceMs } = this.#filter;
    if (stream !== undefined && line.toString('latin1', timeEnd + 1, streamEnd) !== stream.toLowerCase())
      return [];
    if (!this.#recent) {
      if (Date.parse(line.toString('latin1', 0, timeEnd)) < (sinceMs ?? 0)) return [];
      // Time only goes on within a log.
      this.#recent = true;
    }
    const pieces: Buffer[] = [];
    if (timestamps && !this.#midLine)
      pieces.push(Buffer.from(`${line.toString('latin1', 0, timeEnd).replace('+00:00', 'Z')} `));
    pieces.push(text);
    if (!isPartial) pieces.push(newline);
    this.#midLine = isPartial;
    return pieces;
  }
}

const newline = Buffer.from('\n');
