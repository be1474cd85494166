/**
 * What a data file says of itself, and whether its rows add up to that: the guard against reading a damaged file, or half of one.
 */
import { crc32 } from 'node:zlib';
import { CaelumError } from '../../lib/index.ts';
import { checksumOf, type PackedRow } from './packing.ts';

export interface FileState {
  readonly revision: number;
  /** Nothing before this revision can be watched from. */
  readonly compacted: number;
  readonly keys: number;
  /** The checksums of all rows, combined by exclusive or. */
  readonly fingerprint: number;
  /** The highest row number ever given. */
  readonly lastId: number;
  /** Closed in good order: no revision after `revision` was ever given. */
  readonly clean: boolean;
}

export const emptyState: FileState = {
  revision: 1,
  compacted: 1,
  keys: 0,
  fingerprint: 0,
  lastId: 0,
  clean: true,
};

/** Told all rows of a file in turn. Throws `corrupt` at the first that is damaged, or at the end when some are missing or too many. */
export class FileCheck {
  readonly #file: string;
  readonly #state: FileState;
  #keys = 0;
  #fingerprint = 0;

  constructor(file: string, state: FileState) {
    this.#file = file;
    this.#state = state;
  }

  row({ id, revision, sum, key, value }: PackedRow): void {
    if (sum !== checksumOf(id, revision, key, value) || revision > this.#state.revision)
      throw damagedFile(this.#file, `row ${id} ("${key}") does not match its checksum`);
    this.#keys++;
    this.#fingerprint ^= sum;
  }

  end(): void {
    const { keys, fingerprint } = this.#state;
    if (this.#keys !== keys || this.#fingerprint >>> 0 !== fingerprint)
      throw damagedFile(
        this.#file,
        `${this.#keys} objects were found, ${keys} are recorded, or not the same ones`,
      );
  }
}

/** Burnt revisions of a run that ended badly are skipped: more than could have been given out since the last commit. */
const revisionJump = 1_000_000;

/** The state with which a file is taken into use: marked so, and past all revisions that a killed process may have given out. */
export function claimedState(found: FileState): FileState {
  const revision = found.clean ? found.revision : found.revision + revisionJump;
  return { ...found, revision, compacted: Math.max(found.compacted, found.revision), clean: false };
}

export function stateSum({ revision, compacted, keys, fingerprint, lastId, clean }: FileState): number {
  return crc32([revision, compacted, keys, fingerprint, lastId, clean].join(' '));
}

export function damagedFile(file: string, damage: string): CaelumError {
  return new CaelumError('corrupt', `Cannot open store "${file}": ${damage}; ${wayOut}`);
}

export const wayOut =
  'the file is damaged: restore the last snapshot with `caelum snapshot restore FILE` (the damaged file is kept beside it)';
