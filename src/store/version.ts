/**
 * One version of one object, shared by the index, history, readers and watchers. It has bytes, or what they say, or both: each is made from the other when
 * it is first asked for.
 */
import type { Kin } from './kin.ts';
import type { Stored } from './store.ts';

/** What an object counts for while its bytes have not been made, and nothing better is known. */
const usualSize = 1024;

export class Version implements Stored {
  readonly key: string;
  readonly revision: number;
  /** Names the key in the durable layer: the same for all versions of a key until it is deleted. */
  readonly id: number;
  /** Bytes of the JSON; roughly, where these have not been made. Never changes. */
  readonly size: number;
  /** The durable layer's checksum of this version; 0 until it has made one. */
  sum = 0;
  #bytes: Buffer | undefined;
  #decoded: unknown;
  #isUsed = false;
  readonly #kin: Kin | undefined;

  /** `decoded`: what parsing `bytes` gives, where that is known. One of the two at least. `kin`: with whom it shares what it says. */
  constructor(
    key: string,
    revision: number,
    bytes: Buffer | undefined,
    id: number,
    decoded?: unknown,
    size = bytes?.length ?? usualSize,
    kin?: Kin,
  ) {
    this.key = key;
    this.revision = revision;
    this.id = id;
    this.size = size;
    this.#bytes = bytes;
    this.#decoded = decoded;
    this.#kin = kin;
  }

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(JSON.stringify(this.#decoded));
    return this.#bytes;
  }

  object(): unknown {
    this.#isUsed = true;
    if (this.#decoded === undefined) {
      const decoded: unknown = JSON.parse(this.bytes.toString('utf8'));
      this.#decoded = this.#kin?.like(this.key, decoded, this.size) ?? decoded;
    }
    return this.#decoded;
  }

  /** The decoded form, where it is at hand. */
  get decoded(): unknown {
    return this.#decoded;
  }

  /** Frees a decoded form that was only offered: nobody who was told of the version has asked for it. */
  forgetUnused(): void {
    if (!this.#isUsed) this.forget();
  }

  /** Frees the decoded form of a superseded version, where there are bytes. Who holds it keeps it. */
  forget(): void {
    if (this.#bytes !== undefined) this.#decoded = undefined;
  }
}
