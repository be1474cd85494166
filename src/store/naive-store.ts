/** The simplest thing that could be a store: a list of everything that ever happened. What the real ones are compared with. */
import type { Write } from './store.ts';

export interface Row {
  readonly key: string;
  readonly revision: number;
}

interface Happening extends Row {
  readonly kind: 'put' | 'delete';
}

export class NaiveStore {
  readonly #happenings: Happening[] = [];
  #revision: number;

  constructor(revision: number) {
    this.#revision = revision;
  }

  transact(writes: readonly Write[]): { kind: 'committed' | 'precondition'; revision: number } {
    const present = new Map(this.list('', this.#revision).map((row) => [row.key, row.revision]));
    const holds = ({ key, ifRevision }: Write): boolean =>
      ifRevision === undefined || ifRevision === (present.get(key) ?? 0);
    if (!writes.every(holds)) return { kind: 'precondition', revision: this.#revision };
    const effective = writes.filter((write) => write.kind === 'put' || present.has(write.key));
    if (effective.length > 0) this.#revision++;
    for (const { kind, key } of effective) this.#happenings.push({ kind, key, revision: this.#revision });
    return { kind: 'committed', revision: this.#revision };
  }

  list(prefix: string, revision: number): Row[] {
    const rows = new Map<string, number>();
    for (const happening of this.#happenings) {
      if (happening.revision > revision || !happening.key.startsWith(prefix)) continue;
      if (happening.kind === 'put') rows.set(happening.key, happening.revision);
      else rows.delete(happening.key);
    }
    return [...rows].map(([key, at]) => ({ key, revision: at })).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  events(prefix: string, after: number): string[] {
    return this.#happenings
      .filter(({ key, revision }) => revision > after && key.startsWith(prefix))
      .map(({ kind, key, revision }) => `${kind} ${key} ${revision}`);
  }
}
