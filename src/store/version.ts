/** One version of one object, shared by the index, history, readers and watchers. */
import type { Stored } from './store.ts';

export class Version implements Stored {
  readonly key: string;
  readonly revision: number;
  readonly bytes: Buffer;
  /** Names the key in the durable layer: the same for all versions of a key until it is deleted. */
  readonly id: number;
  /** The durable layer's checksum of this version; 0 until it has made one. */
  sum = 0;
  #decoded: unknown;

  constructor(key: string, revision: number, bytes: Buffer, id: number) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
    this.id = id;
  }

  object(): unknown {
    this.#decoded ??= JSON.parse(this.bytes.toString('utf8'));
    return this.#decoded;
  }

  /** Frees the decoded form of a superseded version. Who holds it keeps it. */
  forget(): void {
    this.#decoded = undefined;
  }
}
