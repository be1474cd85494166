/** A planted fault: one change of one product file, which some property must notice. */
export interface Mutant {
  /** `room/what`. */
  readonly name: string;
  /** Below `src/`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** What goes wrong with it. */
  readonly sentence: string;
  /** Of `directed.ts`: plans that are tried first. */
  readonly directed?: string;
  /** Set where nothing can notice it: why not. It is kept to show that the guard behind it holds, and is not counted. */
  readonly harmless?: string;
}
