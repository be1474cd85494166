/** Which nodes a volume reaches, by their labels and names: without asking each. Pure; worked out anew when labels change. */
import { type PersistentVolume, reaches } from '../../api/index.ts';
import { anchorsOf, nameAnchor } from './anchors.ts';
import type { StorageNode } from './storage-node.ts';

/** The nodes, as the snapshot has them. */
export interface Nodes {
  readonly rows: number;
  readonly staticVersion: number;
  facts(row: number): StorageNode | undefined;
  rowOf(name: string): number | undefined;
}

const none: readonly number[] = [];

export class ReachedRows {
  /** By label, by value. */
  readonly #rows = new Map<string, Map<string, number[]>>();
  #version = -1;

  /** Undefined: it cannot be told without asking each, or more than `most`. */
  of(volume: PersistentVolume, nodes: Nodes, most = Number.POSITIVE_INFINITY): readonly number[] | undefined {
    const lists = anchorsOf(volume)?.map(([label, value]) => this.#rowsAt(label, value, nodes));
    if (lists === undefined || lists.reduce((sum, { length }) => sum + length, 0) > most) return undefined;
    const found = new Set<number>();
    for (const rows of lists)
      for (const row of rows) {
        const node = nodes.facts(row);
        if (node !== undefined && reaches(volume, node)) found.add(row);
      }
    return [...found];
  }

  #rowsAt(label: string, value: string, nodes: Nodes): readonly number[] {
    if (label === nameAnchor) {
      const row = nodes.rowOf(value);
      return row === undefined ? none : [row];
    }
    if (this.#version !== nodes.staticVersion) {
      this.#rows.clear();
      this.#version = nodes.staticVersion;
    }
    let values = this.#rows.get(label);
    if (values === undefined) {
      values = new Map();
      for (let row = 0; row < nodes.rows; row++) {
        const own = nodes.facts(row)?.labels[label];
        if (own === undefined) continue;
        const rows = values.get(own);
        if (rows === undefined) values.set(own, [row]);
        else rows.push(row);
      }
      this.#rows.set(label, values);
    }
    return values.get(value) ?? none;
  }
}
