/**
 * One resource as it is served: its kind, the form it is stored in, its keys. Pure.
 *
 * A kind that is only another face of a stored kind (events.k8s.io Event) shares the other's keys and bytes; faces are put on when read. So do the
 * versions of a custom resource. Faces that a webhook makes have to be there before they are looked at: `prepare`, wherever it is not undefined.
 */
import {
  apiVersionOf,
  type CustomKind,
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
  /** undefined: every face can be made at once. */
  readonly prepare: ((stored: readonly Stored[]) => Promise<void>) | undefined;
  readonly #isPlain: boolean;
  readonly #faces = new WeakMap<Stored, Face>();
  /** Faces that a webhook is being asked for. */
  readonly #making = new WeakMap<Stored, Promise<void>>();
  readonly #followers = new Set<() => void>();

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
    this.message = kind.custom?.message ?? messageOf(kind.message);
    this.#isPlain = storedAs === undefined && kind.custom === undefined;
    const { custom } = kind;
    this.prepare = custom?.convert === undefined ? undefined : (list) => this.#prepareFaces(custom, list);
  }

  /** Told when the resource is served no longer, or in another form. */
  onRetire(follower: () => void): { cancel(): void } {
    this.#followers.add(follower);
    return { cancel: () => this.#followers.delete(follower) };
  }

  retire(): void {
    for (const follower of [...this.#followers]) follower();
    this.#followers.clear();
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
    return this.#isPlain ? (stored.object() as KubeObject) : this.#face(stored).object;
  }

  /** Its JSON. Shared. */
  bytesOf(stored: Stored): Buffer {
    return this.#isPlain ? stored.bytes : this.#face(stored).bytes;
  }

  /** In the version that is stored today: writing it again would change nothing. */
  isCurrent(stored: Stored): boolean {
    const { custom } = this.kind;
    return custom === undefined || (stored.object() as KubeObject).apiVersion === custom.storedVersion;
  }

  /** A private copy to be changed. */
  draftOf(stored: Stored): DraftObject {
    return draftOf(this.objectOf(stored)) as DraftObject;
  }

  /** A draft whose metadata are a private copy; its other parts may be replaced, never changed: they are shared where the stored form is this one. */
  metadataDraftOf(stored: Stored): DraftObject {
    if (!this.#isPlain) return this.draftOf(stored);
    const object = this.objectOf(stored);
    return { ...object, metadata: draftOf(object.metadata) } as DraftObject;
  }

  /** The form to be stored of an object of this resource. A promise only where a webhook makes it. */
  toStored(draft: DraftObject): DraftObject | Promise<DraftObject> {
    const { storedAs, custom } = this.kind;
    if (storedAs !== undefined) return storedAs.toStored(draft) as DraftObject;
    if (custom === undefined) return draft;
    const stored = custom.toStored(draft);
    if (stored !== undefined) return stored as DraftObject;
    assert(custom.convert !== undefined, 'what cannot be converted here is converted by a webhook');
    return custom.convert([draft], 'toStored').then(([one]) => draftOf(one) as DraftObject);
  }

  #face(stored: Stored): Face {
    let face = this.#faces.get(stored);
    if (face === undefined) {
      const plain = stored.object() as KubeObject;
      const { storedAs, custom } = this.kind;
      const object = storedAs?.fromStored(plain) ?? custom?.fromStored(plain);
      assert(object !== undefined, `a face of ${this.groupResource} was prepared`);
      face = this.#putOn(stored, object);
    }
    return face;
  }

  #putOn(stored: Stored, object: KubeObject): Face {
    const face = faceOf(stored, object);
    this.#faces.set(stored, face);
    return face;
  }

  /** However many wait for a face, the webhook is asked for it once. */
  async #prepareFaces(custom: CustomKind, list: readonly Stored[]): Promise<void> {
    const open: Stored[] = [];
    const waiting = new Set<Promise<void>>();
    for (const stored of list) {
      if (this.#faces.has(stored)) continue;
      const making = this.#making.get(stored);
      if (making !== undefined) {
        waiting.add(making);
        continue;
      }
      const object = custom.fromStored(stored.object() as KubeObject);
      if (object === undefined) open.push(stored);
      else this.#putOn(stored, object);
    }
    if (open.length > 0) {
      const making = this.#convertAll(custom, open);
      for (const stored of open) this.#making.set(stored, making);
      waiting.add(making);
    }
    await Promise.all(waiting);
  }

  async #convertAll(custom: CustomKind, list: readonly Stored[]): Promise<void> {
    assert(custom.convert !== undefined, 'what cannot be converted here is converted by a webhook');
    try {
      const plain = list.map((stored) => stored.object() as KubeObject);
      const converted = await custom.convert(plain, 'fromStored');
      list.forEach((stored, index) => {
        const object = converted[index];
        if (object !== undefined) this.#putOn(stored, object);
      });
    } finally {
      for (const stored of list) this.#making.delete(stored);
    }
  }
}

interface Face {
  readonly object: KubeObject;
  readonly bytes: Buffer;
}

function faceOf(stored: Stored, object: KubeObject): Face {
  const isSame = object === (stored.object() as KubeObject);
  let bytes: Buffer | undefined;
  return {
    object,
    get bytes() {
      bytes ??= isSame ? stored.bytes : Buffer.from(JSON.stringify(object));
      return bytes;
    },
  };
}

/** Every resource of a registry, made once for each kind. */
export class Resources {
  readonly registry: KindRegistry;
  #byPath = new Map<string, Resource>();

  constructor(registry: KindRegistry) {
    this.registry = registry;
    this.#follow();
    registry.onChange?.(() => this.#follow());
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

  /** Kinds that stay keep their resource. */
  #follow(): void {
    const before = this.#byPath;
    this.#byPath = new Map();
    for (const kind of this.registry.kinds) {
      const path = `${kind.group}/${kind.version}/${kind.resource}`;
      const known = before.get(path);
      this.#byPath.set(path, known?.kind === kind ? known : new Resource(kind, this.registry));
    }
    for (const [path, resource] of before) if (this.#byPath.get(path) !== resource) resource.retire();
  }
}
