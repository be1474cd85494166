/**
 * A kind: everything the API server has to know to serve it. One file a kind in `kinds/`, one line in `registry.ts`.
 */
import type { CaelumError, ErrorCause } from '../lib/index.ts';
import type { Draft, KubeObject } from './object.ts';
import type { Message } from './schema/message.ts';
import type { UserInfo } from './types/authentication.v1.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** A problem with one field, worded as Kubernetes words it: `spec.replicas: Invalid value: -1: must be greater than or equal to 0`. */
export type FieldProblem = ErrorCause;

export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description: string;
  /** 0: always shown; 1: only with `-o wide`. */
  readonly priority: number;
  /** The cell. `nowMs` is for ages. */
  readonly cell: (object: never, nowMs: number) => string | number | boolean | null;
}

/** What preparing and validating may need beside the object. */
export interface KindContext {
  readonly nowMs: number;
  /** Who asks, where that is written down with the object. */
  readonly user?: UserInfo;
}

export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  /** Path of a LabelSelector object, or of a selector map; serialised to a string in Scale.status.selector. */
  readonly selector: readonly string[];
}

export interface Subresource {
  /** `status`, `scale`, `log`, `exec`, `attach`, `portforward`, `binding`, `eviction`, `token`, `finalize`, `resize`, … */
  readonly name: string;
  readonly verbs: readonly Verb[];
  /** The kind it speaks, where that is not the parent's own. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  /** Written like the object itself, of which it takes only a part. `status` needs none. */
  readonly part?: ObjectPart;
}

/** What one subresource takes of an object that is written to it (`ephemeralcontainers`, `resize`, `approval`). */
export interface ObjectPart {
  /** Of the subresource. */
  readonly name: string;
  /** Takes over into `object`, which is a copy of what is there, this part of `wanted`. */
  take(object: never, wanted: never, context: KindContext): void;
  /** Beside the kind's own `validate`, and instead of its `validateUpdate`. */
  validateUpdate(object: never, old: never): readonly FieldProblem[];
}

export interface Kind<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Plural: `pods`. */
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
  /** Its schema, by message name. */
  readonly message: string;
  /** One sentence of our own for `kubectl explain`. */
  readonly description: string;
  readonly columns: readonly Column[];
  /** Kept out of updates through the main resource, and the only thing written through `status`. */
  readonly hasStatus: boolean;
  /** Whether a change of spec raises metadata.generation (kinds with a spec and a status). */
  readonly hasGeneration: boolean;
  readonly scale?: ScalePaths;
  /** Field selectors beyond metadata.name and metadata.namespace; a missing value is ''. */
  readonly selectableFields: Readonly<Record<string, (object: T) => string>>;
  /** Name rule; default is a DNS-1123 subdomain. Returns what is wrong. */
  validateName(name: string): readonly string[];
  /** Defaults that the table does not hold, applied to every object read from a client. Idempotent. */
  applyDefaults(object: Draft<T>): void;
  /**
   * The status has no defaults but the table's, and no other default depends on it: a write of the status brings only that into full form and shares all
   * else with what was there.
   */
  readonly statusIsApart?: true;
  /** On create, after defaults: clears what clients may not set (status), sets what the server sets. */
  prepareCreate(object: Draft<T>, context: KindContext): void;
  /** On update, after defaults: carries over what clients may not change. */
  prepareUpdate(object: Draft<T>, old: T, context: KindContext): void;
  /** On a write through `status`, after defaults: what the server sets. */
  prepareStatusUpdate?(object: Draft<T>, old: T, context: KindContext): void;
  validate(object: T): readonly FieldProblem[];
  /** Rules that only new objects are held to, beside `validate`. */
  validateCreate?(object: T): readonly FieldProblem[];
  validateUpdate(object: T, old: T): readonly FieldProblem[];
  /** Validation of a write through the `status` subresource. */
  validateStatusUpdate(object: T, old: T): readonly FieldProblem[];
  /** Whoever deletes it and says nothing of its dependents leaves them behind (Job, ReplicationController). */
  readonly orphansByDefault?: boolean;
  /** Whether the change is one of what is wanted, which raises the generation. Default: the spec differs. */
  raisesGeneration?(object: T, old: T): boolean;
  /** At the moment in which an object begins to be deleted: who has to let go of it first. */
  prepareDelete?(object: Draft<T>, context: KindContext): void;
  /** What is told with every answer, where clients should move to another version. */
  readonly deprecation?: string;
  /** The last answer to a deletion is the object as it was, not a Status. */
  readonly returnsDeleted?: true;
  /** A definition of the same group and resource may take its place: it is another project's kind, which Caelum serves until that one brings its own. */
  readonly givesWay?: true;
  /** Set for kinds that come from a definition in the store. */
  readonly custom?: CustomKind;
  /** Served from the stored form of another kind (events.k8s.io Event is stored as core Event). */
  readonly storedAs?: {
    readonly group: string;
    readonly version: string;
    readonly kind: string;
    toStored(object: Draft<T>): Draft<KubeObject>;
    fromStored(object: KubeObject): T;
  };
}

/** What discovery and OpenAPI tell of a kind; those that are only posted, and never stored, have no more. */
export type ServedKind = Pick<
  Kind,
  | 'group'
  | 'version'
  | 'kind'
  | 'resource'
  | 'singular'
  | 'namespaced'
  | 'verbs'
  | 'subresources'
  | 'message'
  | 'description'
  | 'returnsDeleted'
  | 'custom'
>;

/** What distinguishes a kind that a CustomResourceDefinition brought: it is stored in one version and served in several. */
export interface CustomKind {
  /** Metadata from the table, the rest from the definition's schema. */
  readonly message: Message;
  /** Another version of the same resource stands for it where all objects are gone through. */
  readonly isAnother: boolean;
  /** The `apiVersion` of what is stored. */
  readonly storedVersion: string;
  /** Nothing more is created: the definition is being deleted. */
  readonly isEnding: () => boolean;
  /** The object as this version shows it; `stored` itself where that is the same. undefined: conversion needs a webhook, see `convert`. */
  fromStored(stored: KubeObject): KubeObject | undefined;
  /** Objects of this version in the form that is stored. undefined: conversion needs a webhook. */
  toStored(object: Draft<KubeObject>): Draft<KubeObject> | undefined;
  /** What `fromStored` and `toStored` cannot do by themselves; undefined: there is nothing that they cannot. Throws `internal` with the webhook's reason. */
  convert?(
    objects: readonly KubeObject[],
    direction: 'fromStored' | 'toStored',
  ): Promise<readonly KubeObject[]>;
  readonly openApi: CustomSchemaDocument;
}

/** Its part of the OpenAPI documents. */
export interface CustomSchemaDocument {
  /** `com.example.stable.v1.CronTab`. */
  readonly name: string;
  readonly listName: string;
  readonly listKind: string;
  /** With `$ref`s for metadata by the name that `refTo` gives. */
  schema(
    dialect: 'v2' | 'v3',
    metadata: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>>;
}

export interface KindRegistry {
  readonly kinds: readonly Kind[];
  byKind(group: string, version: string, kind: string): Kind | undefined;
  /** By plural resource name. */
  byResource(group: string, version: string, resource: string): Kind | undefined;
  /** Told after kinds came or went. Absent: they never do. */
  onChange?(handler: () => void): { cancel(): void };
}

export type Rejection = CaelumError;
