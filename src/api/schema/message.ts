/**
 * The shape of a kind, as data. Validation, defaulting, pruning, merging, OpenAPI and protobuf all read these.
 *
 * Messages are named `<group>.<version>.<Name>` with the short group: `core.v1.Pod`, `apps.v1.DeploymentSpec`,
 * `meta.v1.ObjectMeta`, `events.v1.Event`. They are parsed lazily from the compact tables in `tables/`.
 */
import type { Shape as OwnershipShape } from '../apply/shape.ts';
import type { Json } from '../object.ts';

export type ScalarType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bool'
  | 'bytes' // base64 in JSON
  | 'quantity' // string in JSON (numbers are accepted and kept as written by the API server: canonicalised to string)
  | 'intOrString'
  | 'time' // RFC 3339, seconds
  | 'microTime'
  | 'json' // any JSON: RawExtension, JSON, FieldsV1
  | 'duration';

export type FieldType =
  | { readonly kind: 'scalar'; readonly scalar: ScalarType }
  | { readonly kind: 'message'; readonly message: string };

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** A list of `type`. Together with `map`: a map from string to lists of `type`. */
  readonly repeated: boolean;
  /** A map from string to `type`. */
  readonly map: boolean;
  readonly required: boolean;
  /** Protobuf field number; 0 when the field is not in the protobuf message. */
  readonly number: number;
  /** Numbers of the wire messages around it, outermost first, where JSON flattens what protobuf nests (Volume.volumeSource). */
  readonly nestedIn?: readonly number[];
  /** On the wire the list is a message of its own (`items = 1`), not a repeated field. Maps of lists are always so. */
  readonly boxed?: boolean;
  /** A scalar whose zero value means something else than its absence (a pointer in Go). */
  readonly nullable?: boolean;
  /** Structural merge (server-side apply): how a list or map is owned. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  readonly atomicMap?: boolean;
  /** Strategic merge patch. */
  readonly patchStrategies?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
  readonly default?: Json;
  readonly enum?: readonly string[];
}

export interface Message {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** It has `apiVersion` and `kind`: it can stand at the root of a document. */
  readonly isKind: boolean;
  /** In JSON it is the value of one of its fields, told apart by JSON type (JSONSchemaPropsOrBool). */
  readonly isUnion: boolean;
  /** Owned as a whole in structural merges. */
  readonly isAtomic: boolean;
  /** Of a custom resource: what its own schema says of all but `apiVersion`, `kind` and `metadata`, the only fields that the message names. */
  readonly foreign?: ForeignShape;
}

/** A shape that no table tells. */
export interface ForeignShape {
  /** Takes away, in place, what the schema does not know, and answers the paths of that. */
  prune(document: Record<string, unknown>): readonly string[];
  readonly ownership: OwnershipShape;
}
