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
  #isUsed = false;

  /** `decoded`: what parsing `bytes` would give, where that is known. */
  constructor(key: string, revision: number, bytes: Buffer, id: number, decoded?: unknown) {
    this.key = key;
    this.revision = revision;
    this.bytes = bytes;
    this.id = id;
    this.#decoded = decoded;
  }

  object(): unknown {
    this.#isUsed = true;
    this.#decoded ??= JSON.parse(this.bytes.toString('utf8'));
    return this.#decoded;
  }

  /** Frees a decoded form that was only offered: nobody who was told of the version has asked for it. */
  forgetUnused(): void {
    if (!this.#isUsed) this.#decoded = undefined;
  }

  /** Frees the decoded form of a superseded version. Who holds it keeps it. */
  forget(): void {
    this.#decoded = undefined;
  }
}
