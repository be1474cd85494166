/**
 * One resource as it is served: its kind, the form it is stored in, its keys. Pure.
 *
 * A kind that is only another face of a stored kind (events.k8s.io Event) shares the other's keys and bytes; faces are put on when read.
 */
import {
  apiVersionOf,
  type Draft,
  draftOf,
  groupResourceOf,
  type Kind,
  type KindRegistry,
  type KubeObject,
  type Message,
  messageOf,
} from '../api/index.ts';
import { assert } from '../lib/index.ts';
import type { Stored } from '../store/index.ts';

export type DraftObject = Draft<KubeObject> & Record<string, unknown>;

export class Resource {
  readonly kind: Kind;
  /** The kind whose form is stored: itself for nearly all. */
  readonly stored: Kind;
  readonly apiVersion: string;
  readonly groupResource: string;
  /** `pods/`: every key starts with it. */
  readonly prefix: string;
  readonly message: Message;
  readonly #faces = new WeakMap<Stored, { readonly object: KubeObject; readonly bytes: Buffer }>();

  constructor(kind: Kind, registry: KindRegistry) {
    const { storedAs } = kind;
    const stored =
      storedAs === undefined ? kind : registry.byKind(storedAs.group, storedAs.version, storedAs.kind);
    assert(stored !== undefined, `kind ${kind.kind} is stored as a kind that is there`);
    this.kind = kind;
    this.stored = stored;
    this.apiVersion = apiVersionOf(kind.group, kind.version);
    this.groupResource = groupResourceOf(kind.group, kind.resource);
    this.prefix = `${groupResourceOf(stored.group, stored.resource)}/`;
    this.message = messageOf(kind.message);
  }

  /** Where errors say what was meant. */
  get ref(): { readonly group: string; readonly resource: string } {
    return this.kind;
  }

  key(namespace: string, name: string): string {
    return this.kind.namespaced ? `${this.prefix}${namespace}/${name}` : `${this.prefix}${name}`;
  }

  /** What lists and watches of a namespace ('' for all) start with. */
  prefixOf(namespace: string): string {
    return this.kind.namespaced && namespace !== '' ? `${this.prefix}${namespace}/` : this.prefix;
  }

  /** The object as this resource shows it. Shared: never change it. */
  objectOf(stored: Stored): KubeObject {
    if (this.kind.storedAs === undefined) return stored.object() as KubeObject;
    return this.#face(stored).object;
  }

  /** Its JSON. Shared. */
  bytesOf(stored: Stored): Buffer {
    return this.kind.storedAs === undefined ? stored.bytes : this.#face(stored).bytes;
  }

  /** A private copy to be changed. */
  draftOf(stored: Stored): DraftObject {
    return draftOf(this.objectOf(stored)) as DraftObject;
  }

  /** The form to be stored of an object of this resource. */
  toStored(draft: DraftObject): DraftObject {
    const { storedAs } = this.kind;
    return storedAs === undefined ? draft : (storedAs.toStored(draft) as DraftObject);
  }

  #face(stored: Stored): { readonly object: KubeObject; readonly bytes: Buffer } {
    let face = this.#faces.get(stored);
    if (face === undefined) {
      const object =
        this.kind.storedAs?.fromStored(stored.object() as KubeObject) ?? (stored.object() as KubeObject);
      face = { object, bytes: Buffer.from(JSON.stringify(object)) };
      this.#faces.set(stored, face);
    }
    return face;
  }
}

/** Every resource of a registry, made once. */
export class Resources {
  readonly registry: KindRegistry;
  readonly #byPath = new Map<string, Resource>();

  constructor(registry: KindRegistry) {
    this.registry = registry;
    for (const kind of registry.kinds)
      this.#byPath.set(`${kind.group}/${kind.version}/${kind.resource}`, new Resource(kind, registry));
  }

  find(group: string, version: string, resource: string): Resource | undefined {
    return this.#byPath.get(`${group}/${version}/${resource}`);
  }

  /** Of the core group, version v1. */
  core(resource: string): Resource {
    const found = this.find('', 'v1', resource);
    assert(found !== undefined, `resource ${resource} is served`);
    return found;
  }

  all(): Iterable<Resource> {
    return this.#byPath.values();
  }
}
