/**
 * The kinds that are built in, and those that definitions have brought. Told to followers after each change; kinds that stay are the same objects.
 * A built-in kind that gives way is served no more while a definition brings its resource: the objects stay, in the same place.
 */
import { createRegistry, type Kind, type KindRegistry } from '../../api/index.ts';

export class LiveRegistry implements KindRegistry {
  readonly fixed: KindRegistry;
  /** Those that definitions have brought. */
  custom: readonly Kind[] = [];
  #all: KindRegistry;
  readonly #followers = new Set<() => void>();

  constructor(fixed: KindRegistry) {
    this.fixed = fixed;
    this.#all = fixed;
  }

  get kinds(): readonly Kind[] {
    return this.#all.kinds;
  }

  byKind(group: string, version: string, kind: string): Kind | undefined {
    return this.#all.byKind(group, version, kind);
  }

  byResource(group: string, version: string, resource: string): Kind | undefined {
    return this.#all.byResource(group, version, resource);
  }

  onChange(follower: () => void): { cancel(): void } {
    this.#followers.add(follower);
    return { cancel: () => this.#followers.delete(follower) };
  }

  /** In the order in which they are to be told. */
  setCustom(kinds: readonly Kind[]): void {
    this.custom = kinds;
    const brought = new Set(kinds.map(({ group, resource }) => `${resource}.${group}`));
    const stays = ({ givesWay, group, resource }: Kind): boolean =>
      givesWay !== true || !brought.has(`${resource}.${group}`);
    this.#all =
      kinds.length === 0 ? this.fixed : createRegistry([...this.fixed.kinds.filter(stays), ...kinds]);
    for (const follower of [...this.#followers]) follower();
  }
}
