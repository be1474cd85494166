/** Pods that preempted others and wait for their room: by key, and by node. Pure. */
import type { Nomination } from './snapshot.ts';

type ByKey = ReadonlyMap<string, Nomination>;

const nobody: ByKey = new Map();

export class Nominations extends Map<string, Nomination> {
  readonly #onNode = new Map<string, Map<string, Nomination>>();

  /** Those who are to have it. */
  on(nodeName: string): ByKey {
    return this.#onNode.get(nodeName) ?? nobody;
  }

  override set(key: string, nomination: Nomination): this {
    const { nodeName } = nomination;
    if (this.get(key)?.nodeName !== nodeName) this.#leave(key);
    const there = this.#onNode.get(nodeName);
    if (there === undefined) this.#onNode.set(nodeName, new Map([[key, nomination]]));
    else there.set(key, nomination);
    return super.set(key, nomination);
  }

  override delete(key: string): boolean {
    this.#leave(key);
    return super.delete(key);
  }

  override clear(): void {
    this.#onNode.clear();
    super.clear();
  }

  #leave(key: string): void {
    const nodeName = this.get(key)?.nodeName;
    if (nodeName === undefined) return;
    const there = this.#onNode.get(nodeName);
    if (there?.delete(key) === true && there.size === 0) this.#onNode.delete(nodeName);
  }
}
