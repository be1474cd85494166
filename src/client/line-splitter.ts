/**
 * Lines out of a stream of chunks that are cut anywhere. Pure. Works on bytes, so that no character is ever cut in two.
 * Invariant: every line is given once, whole and in order; what follows the last newline is kept for the next chunk.
 */

const newline = 0x0a;

export class LineSplitter {
  readonly #onLine: (line: string) => void;
  /** The beginning of a line, in pieces: a long line in many chunks is put together only once. */
  #pieces: Buffer[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#give(chunk.subarray(from, end));
      from = end + 1;
    }
    if (from < chunk.length) this.#pieces.push(from === 0 ? chunk : chunk.subarray(from));
  }

  /** The stream has ended: what is left is a line, too. */
  end(): void {
    if (this.#pieces.length > 0) this.#give(Buffer.alloc(0));
  }

  #give(rest: Buffer): void {
    const line = this.#pieces.length === 0 ? rest : Buffer.concat([...this.#pieces, rest]);
    this.#pieces = [];
    const text = line.toString('utf8').trim();
    if (text !== '') this.#onLine(text);
  }
}
