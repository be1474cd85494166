/**
 * Groups of the API whose objects are made when somebody asks, and never stored: figures of nodes and pods, and other metrics.
 *
 *   who asks, may he, in which form ── API server ──▶ ComputedRequest ──▶ ComputedApi ──▶ object or list ── API server ──▶ JSON, table, protobuf
 *
 * Whoever makes them hands one of these to the API server. Another server that an APIService names for the same group and version goes before.
 */
import type { Column, ServedKind } from './kind.ts';
import type { KubeObject } from './object.ts';

/** As discovery lists it. */
export interface ComputedResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
}

export interface ComputedRequest {
  readonly verb: 'get' | 'list' | 'create';
  /** '' for all, and for what is in none. */
  readonly namespace: string;
  readonly resource: string;
  /** '' for the collection. */
  readonly name: string;
  readonly subresource: string;
  /** undefined: it was not given. */
  parameter(name: string): string | undefined;
  /** Of a creation: parsed JSON or YAML, or the text of any other media type. */
  readonly body?: unknown;
}

export type ComputedAnswer =
  | { readonly kind: 'object'; readonly object: KubeObject; readonly columns?: readonly Column[] }
  /** `items` carry no kind of their own in a list but where they have one. */
  | {
      readonly kind: 'list';
      readonly listKind: string;
      readonly items: readonly object[];
      readonly columns?: readonly Column[];
    };

/** No APIService stands for it: in Kubernetes others bring these groups, and their charts make that object themselves. */
export interface ComputedApi {
  readonly group: string;
  readonly version: string;
  /** What OpenAPI tells of it. */
  readonly kinds: readonly ServedKind[];
  resources(): readonly ComputedResource[];
  /** Told after `resources` has changed. Absent: it never does. */
  onChange?(handler: () => void): void;
  /** Rejects with CaelumErrors: `notFound`, `badRequest`, `methodNotAllowed`, `unavailable`. */
  answer(asked: ComputedRequest): Promise<ComputedAnswer>;
}

/** Those of one API server, by group and version. Added before anybody is served. */
export class ComputedApis {
  readonly #byVersion = new Map<string, ComputedApi>();

  add(...apis: readonly ComputedApi[]): void {
    for (const one of apis) this.#byVersion.set(`${one.group}/${one.version}`, one);
  }

  get all(): readonly ComputedApi[] {
    return [...this.#byVersion.values()];
  }

  find(group: string, version: string): ComputedApi | undefined {
    return this.#byVersion.size === 0 ? undefined : this.#byVersion.get(`${group}/${version}`);
  }
}
