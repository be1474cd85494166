/**
 * Compiled seccomp filters. Compiling a profile takes crun 20 ms, as much as all the rest of a start, and the same few profiles come
 * again and again. crun leaves the compiled filter beside its state, and takes one, base64, by the annotation
 * `run.oci.seccomp_bpf_data` in place of the profile (crun(1)).
 *
 * Kept in memory and in files named by a hash of profile, runtime version, kernel and architecture. Invariant: a file is a whole filter: written
 * beside, then renamed, and its length is a multiple of an instruction's.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { arch, release } from 'node:os';
import { join } from 'node:path';
import type { OciConfig } from '../oci.ts';

const annotation = 'run.oci.seccomp_bpf_data';
const instructionBytes = 8;

export class SeccompCache {
  readonly #folder: string;
  readonly #version: string;
  readonly #compiled = new Map<string, string>();

  /** `version` of the runtime that compiles. */
  constructor(root: string, version: string) {
    this.#folder = join(root, 'seccomp');
    this.#version = version;
  }

  /** The same configuration with its filter compiled, if that was seen before. */
  async apply(config: OciConfig): Promise<OciConfig> {
    const key = this.#keyOf(config);
    if (key === undefined) return config;
    const data = this.#compiled.get(key) ?? (await this.#read(key));
    if (data === undefined) return config;
    this.#compiled.set(key, data);
    return { ...config, annotations: { ...config.annotations, [annotation]: data } };
  }

  /** Keeps what the runtime compiled for `config`, which it left in `stateFolder`. Never fails: it only saves time. */
  async learn(config: OciConfig, stateFolder: string): Promise<void> {
    const key = this.#keyOf(config);
    if (key === undefined || this.#compiled.has(key)) return;
    const filter = await readFile(join(stateFolder, 'seccomp.bpf')).catch(() => undefined);
    if (filter === undefined || !isWhole(filter)) return;
    this.#compiled.set(key, filter.toString('base64'));
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      const path = join(this.#folder, key);
      await writeFile(`${path}.new`, filter, { mode: 0o600 });
      await rename(`${path}.new`, path);
    } catch {
      // Memory has it.
    }
  }

  async #read(key: string): Promise<string | undefined> {
    const filter = await readFile(join(this.#folder, key)).catch(() => undefined);
    return filter === undefined || !isWhole(filter) ? undefined : filter.toString('base64');
  }

  #keyOf(config: OciConfig): string | undefined {
    const { seccomp } = config.linux;
    if (seccomp === undefined || annotation in config.annotations) return undefined;
    const facts = [this.#version, release(), arch(), JSON.stringify(seccomp)];
    return createHash('sha256').update(facts.join('\n')).digest('hex');
  }
}

function isWhole(filter: Buffer): boolean {
  return filter.length > 0 && filter.length % instructionBytes === 0;
}
