/**
 * Objects as a Table: what `kubectl get` prints. Pure; ages are reckoned from the time that is given.
 * Source: the Table of meta.k8s.io/v1.
 */
import type { Column, Kind } from './kind.ts';
import type { KubeObject } from './object.ts';

export type IncludeObject = 'Metadata' | 'Object' | 'None';

export interface TableView {
  readonly nowMs: number;
  readonly includeObject: IncludeObject;
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly (string | number | boolean | null)[];
  /** Absent when no object was asked for. */
  readonly object?: object;
}

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: 'meta.k8s.io/v1';
  readonly metadata: {
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly columnDefinitions: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

/** Of what is printed nothing but the columns is asked. */
type Printed = Pick<Kind, 'columns'>;

export function renderTable(kind: Printed, objects: readonly KubeObject[], view: TableView): Table {
  const { resourceVersion, continue: token, remainingItemCount } = view;
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(token !== undefined && token !== '' && { continue: token }),
      ...(remainingItemCount !== undefined && { remainingItemCount }),
    },
    columnDefinitions: columnDefinitions(kind),
    rows: objects.map((object) => rowOf(kind, object, view)),
  };
}

const definitions = new WeakMap<Printed, readonly TableColumn[]>();

function columnDefinitions(kind: Printed): readonly TableColumn[] {
  let columns = definitions.get(kind);
  if (columns === undefined) {
    columns = kind.columns.map(({ name, type, format = '', description, priority }) => ({
      name,
      type,
      format,
      description,
      priority,
    }));
    definitions.set(kind, columns);
  }
  return columns;
}

function rowOf(kind: Printed, object: KubeObject, view: TableView): TableRow {
  const cells = kind.columns.map((column: Column) => column.cell(object as never, view.nowMs));
  if (view.includeObject === 'None') return { cells };
  if (view.includeObject === 'Object') return { cells, object };
  return {
    cells,
    object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
  };
}
