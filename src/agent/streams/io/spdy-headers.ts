/**
 * SPDY's header compression: one zlib stream each way for the life of a connection, so blocks must be taken in the order in which they came.
 */
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';
import { spdyDictionary } from '../spdy-frame.ts';

const dictionary = spdyDictionary();
/** More than any real header block; a zip bomb stops here. */
const blockLengthMax = 1 << 16;

export class HeaderCodec {
  readonly #inflate: Inflate = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH });
  readonly #deflate: Deflate = createDeflate({ dictionary });
  #lastRead: Promise<unknown> = Promise.resolve();
  #lastWrite: Promise<unknown> = Promise.resolve();

  decompress(block: Buffer): Promise<Buffer> {
    const next = this.#lastRead.then(() => pass(this.#inflate, block));
    this.#lastRead = next.catch(() => {});
    return next;
  }

  compress(block: Buffer): Promise<Buffer> {
    const next = this.#lastWrite.then(() => pass(this.#deflate, block));
    this.#lastWrite = next.catch(() => {});
    return next;
  }

  close(): void {
    this.#inflate.destroy();
    this.#deflate.destroy();
  }
}

function pass(codec: Inflate | Deflate, block: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const done = (error?: Error): void => {
      codec.off('data', onData);
      codec.off('error', done);
      if (error === undefined) resolve(Buffer.concat(parts));
      else reject(error);
    };
    const onData = (part: Buffer): void => {
      parts.push(part);
      length += part.length;
      if (length > blockLengthMax) done(new Error('header block too large'));
    };
    codec.on('data', onData);
    codec.on('error', done);
    codec.write(block);
    codec.flush(constants.Z_SYNC_FLUSH, () => done());
  });
}
