/**
 * Pods of this machine's own: from files, whatever the API says. The API shows a mirror of each, and has no say in them.
 *
 *   files ──▶ StaticPods ──▶ a worker each, by the uid of the file's text
 *                 └──▶ mirror pods: made where they are missing, made anew where somebody deleted them, deleted with their file
 *
 * A worker believes that its pod is an object of the API: `mirrored` puts the mirror's identity in place of the pod's own on the way out, and back. Invariant:
 * nothing that happens to a mirror ends its pod; only its file does.
 */
import type { Node, Pod } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { CaelumError, type Clock, formatTime, isError, type Log, type Timer } from '../../lib/index.ts';
import { nodesRef, podsRef } from '../objects.ts';

export interface StaticManifest {
  readonly file: string;
  /** Of its text. */
  readonly hash: string;
  /** As parsed. */
  readonly object: unknown;
}

export type StaticSource = () => Promise<readonly StaticManifest[]>;

const annotation = (name: string): string => `kubernetes.io/config.${name}`;
const mirrorAnnotation = annotation('mirror');
const checkMs = 20_000;

export const isMirror = ({ metadata }: Pod): boolean =>
  metadata.annotations?.[mirrorAnnotation] !== undefined;

/** The pod that a file asks for. Throws `invalid` saying what is wrong with it. */
export function staticPodOf({ file, hash, object }: StaticManifest, nodeName: string, nowMs: number): Pod {
  const refuse = (why: string): CaelumError =>
    new CaelumError('invalid', `Cannot run the pod of "${file}": ${why}`);
  if (typeof object !== 'object' || object === null) throw refuse('it holds no object');
  const { apiVersion, kind, metadata, spec } = object as Pod;
  if (kind !== 'Pod' || apiVersion !== 'v1')
    throw refuse(`it has to be a v1 Pod, and is a ${apiVersion} ${kind}`);
  const { name, namespace = 'default', labels, annotations } = metadata ?? {};
  if (name === undefined || !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name))
    throw refuse('it has no valid name');
  if (!Array.isArray(spec?.containers) || spec.containers.length === 0) throw refuse('it has no containers');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `${name}-${nodeName}`,
      namespace,
      uid: hash.slice(0, 32),
      ...(labels === undefined ? {} : { labels }),
      annotations: {
        ...annotations,
        [annotation('hash')]: hash.slice(0, 32),
        [annotation('seen')]: formatTime(nowMs),
        [annotation('source')]: 'file',
      },
    },
    spec: {
      ...spec,
      nodeName,
      // Whatever becomes of the node: it is not the API's to take it away.
      tolerations: [...(spec.tolerations ?? []), { operator: 'Exists', effect: 'NoExecute' }],
    },
  };
}

export interface StaticPodsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  readonly source: StaticSource;
  /** The mirror as the informer has it. */
  readonly mirror: (key: string) => Pod | undefined;
  /** A worker shall look after it, as it is now. */
  readonly onPod: (pod: Pod) => void;
}

interface Entry {
  readonly pod: Pod;
  /** Its file is gone, or has another text. */
  isLeaving: boolean;
  /** What its mirror was last like: it may have been deleted since. */
  last: Pick<Pod, 'metadata' | 'status'> | undefined;
}

const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;

export class StaticPods {
  readonly #options: StaticPodsOptions;
  /** By uid. */
  readonly #entries = new Map<string, Entry>();
  /** What was said of a file, so that it is said once. */
  readonly #complaints = new Map<string, string>();
  #nodeUid: string | undefined;
  #timer: Timer | undefined;
  #mending = Promise.resolve();
  #stopped = false;

  constructor(options: StaticPodsOptions) {
    this.#options = options;
  }

  /** Reads the files once. Workers are asked for by `begin`. */
  async load(): Promise<ReadonlySet<string>> {
    await this.#read();
    return new Set(this.#entries.keys());
  }

  begin(): void {
    for (const { pod } of this.#entries.values()) this.#tell(pod);
    this.#mend();
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** By the uid of a mirror: the uid of the pod that it shows. */
  podUidOf(mirrorUid: string): string | undefined {
    for (const [uid, { pod }] of this.#entries)
      if (this.#options.mirror(keyOf(pod))?.metadata.uid === mirrorUid) return uid;
    return undefined;
  }

  onMirror(): void {
    for (const { pod } of this.#entries.values()) this.#tell(pod);
    this.#mend();
  }

  /** Its worker has nothing left of it. */
  onForgotten(uid: string): void {
    this.#entries.delete(uid);
    void this.#turn();
  }

  #schedule(): void {
    if (!this.#stopped)
      this.#timer = this.#options.clock.after(checkMs, () => void this.#turn().then(() => this.#schedule()));
  }

  /** Never rejects. */
  async #turn(): Promise<void> {
    if (this.#stopped) return;
    try {
      const before = new Set(this.#entries.keys());
      await this.#read();
      for (const [uid, { pod, isLeaving }] of this.#entries)
        if (!before.has(uid) || isLeaving) this.#tell(pod);
      this.#mend();
    } catch (error) {
      this.#options.log.warn('cannot read the files of static pods', { error });
    }
  }

  async #read(): Promise<void> {
    const { source, nodeName, clock } = this.#options;
    const wanted = new Set<string>();
    const leaving = new Set(
      [...this.#entries.values()].filter((one) => one.isLeaving).map(({ pod }) => keyOf(pod)),
    );
    for (const manifest of await source()) {
      try {
        const pod = staticPodOf(manifest, nodeName, clock.nowMs());
        const uid = pod.metadata.uid ?? '';
        wanted.add(uid);
        this.#complaints.delete(manifest.file);
        // One of the name that is still leaving has to be gone first.
        if (!this.#entries.has(uid) && !leaving.has(keyOf(pod)))
          this.#entries.set(uid, { pod, isLeaving: false, last: undefined });
      } catch (error) {
        this.#complain(manifest.file, error);
      }
    }
    for (const [uid, entry] of this.#entries) {
      if (wanted.has(uid) || entry.isLeaving) continue;
      entry.isLeaving = true;
      // A new text of the same pod comes in when this one has gone.
      for (const other of this.#entries.values())
        if (other !== entry && keyOf(other.pod) === keyOf(entry.pod) && !other.isLeaving)
          this.#entries.delete(other.pod.metadata.uid ?? '');
    }
  }

  #complain(file: string, error: unknown): void {
    const words = String(error);
    if (this.#complaints.get(file) === words) return;
    this.#complaints.set(file, words);
    this.#options.log.warn('cannot run a static pod', { file, error });
  }

  /** The pod as its worker shall see it: what it is by its file, what was said of it by its mirror. */
  seen(uid: string): Pod | undefined {
    const entry = this.#entries.get(uid);
    if (entry === undefined) return undefined;
    const { pod, isLeaving } = entry;
    const found = this.#options.mirror(keyOf(pod));
    const hash = pod.metadata.annotations?.[annotation('hash')];
    if (found?.metadata.annotations?.[mirrorAnnotation] === hash) entry.last = found;
    const { metadata, status } = entry.last ?? {};
    const seconds = pod.spec?.terminationGracePeriodSeconds ?? 30;
    return {
      ...pod,
      metadata: {
        ...pod.metadata,
        ...(metadata?.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
        ...(metadata?.generation === undefined ? {} : { generation: metadata.generation }),
        ...(isLeaving
          ? {
              deletionTimestamp: formatTime(this.#options.clock.nowMs() + seconds * 1000),
              deletionGracePeriodSeconds: seconds,
            }
          : {}),
      },
      ...(status === undefined ? {} : { status }),
    };
  }

  #tell(pod: Pod): void {
    const seen = this.seen(pod.metadata.uid ?? '');
    if (seen !== undefined) this.#options.onPod(seen);
  }

  // ── mirrors ──

  #mend(): void {
    this.#mending = this.#mending
      .then(() => this.#mendAll())
      .catch((error: unknown) => {
        if (!this.#stopped) this.#options.log.debug('cannot mend mirror pods', { error });
      });
  }

  async #mendAll(): Promise<void> {
    if (this.#stopped) return;
    const { client, mirror } = this.#options;
    for (const { pod, isLeaving } of this.#entries.values()) {
      if (isLeaving) continue;
      const found = mirror(keyOf(pod));
      const hash = pod.metadata.annotations?.[annotation('hash')];
      if (found === undefined) {
        await client.create(podsRef, await this.#mirrorOf(pod)).catch((error: unknown) => {
          // The informer has not told us yet.
          if (!isError(error, 'alreadyExists')) throw error;
        });
      } else if (
        found.metadata.annotations?.[mirrorAnnotation] !== hash ||
        found.metadata.deletionTimestamp !== undefined
      )
        await deleteMirror(client, found);
    }
  }

  /** What nobody's file asks for: of an agent before, with other files. */
  async sweep(mirrors: Iterable<Pod>): Promise<void> {
    const wanted = new Set([...this.#entries.values()].map(({ pod }) => keyOf(pod)));
    for (const pod of mirrors)
      if (isMirror(pod) && !wanted.has(keyOf(pod))) await deleteMirror(this.#options.client, pod);
  }

  async #mirrorOf(pod: Pod): Promise<Pod> {
    const { client, nodeName } = this.#options;
    this.#nodeUid ??= (await client.get<Node>(nodesRef, undefined, nodeName)).metadata.uid;
    const { uid: _, ...metadata } = pod.metadata;
    const hash = metadata.annotations?.[annotation('hash')] ?? '';
    return {
      ...pod,
      metadata: {
        ...metadata,
        annotations: { ...metadata.annotations, [mirrorAnnotation]: hash },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: this.#nodeUid ?? '', controller: true },
        ],
      },
    };
  }

  /** The client of a worker of such a pod. */
  mirrored(client: Client): Client {
    const mirrorUid = ({ uid }: { readonly uid?: string | undefined }): string => {
      const entry = this.#entries.get(uid ?? '');
      const found = entry === undefined ? undefined : this.#options.mirror(keyOf(entry.pod));
      // Whoever writes tries again until there is one.
      if (found?.metadata.uid === undefined)
        throw new CaelumError('unavailable', 'the mirror pod is not there yet');
      return found.metadata.uid;
    };
    const back = (answer: Pod): Pod => {
      const uid = answer.metadata.annotations?.[annotation('hash')] ?? '';
      const seen = this.seen(uid);
      if (seen === undefined) return answer;
      const { resourceVersion, generation } = answer.metadata;
      const metadata = { ...seen.metadata, resourceVersion, generation };
      return { ...seen, metadata, ...(answer.status === undefined ? {} : { status: answer.status }) } as Pod;
    };
    return {
      ...bound(client),
      get: (async (ref, namespace, name, options) => {
        const answer = await client.get(ref, namespace, name, options).catch((error: unknown) => {
          if (ref !== podsRef || !isError(error, 'notFound')) throw error;
          throw new CaelumError('unavailable', 'the mirror pod is not there', { cause: error });
        });
        return ref === podsRef ? back(answer as Pod) : answer;
      }) as Client['get'],
      patch: (async (ref, namespace, name, type, patch, options) => {
        if (ref !== podsRef) return client.patch(ref, namespace, name, type, patch, options);
        const { metadata = {}, ...rest } = patch as { metadata?: { uid?: string } };
        const own = { ...rest, metadata: { ...metadata, uid: mirrorUid(metadata) } };
        const answer = await client
          .patch(ref, namespace, name, type, own, options)
          .catch((error: unknown) => {
            if (!isError(error, 'notFound')) throw error;
            throw new CaelumError('unavailable', 'the mirror pod is not there', { cause: error });
          });
        return back(answer as Pod);
      }) as Client['patch'],
      delete: async (ref, namespace, name, options = {}) => {
        if (ref !== podsRef) return client.delete(ref, namespace, name, options);
        const found = this.#options.mirror(`${namespace}/${name}`);
        if (found !== undefined) await deleteMirror(client, found);
      },
    };
  }
}

/** Methods that can be spread. */
const bound = (client: Client): Client => ({
  get: (...args) => client.get(...args),
  list: (...args) => client.list(...args),
  watch: (...args) => client.watch(...args),
  create: (...args) => client.create(...args),
  createSubresource: (...args) => client.createSubresource(...args),
  update: (...args) => client.update(...args),
  patch: (...args) => client.patch(...args),
  delete: (...args) => client.delete(...args),
});

async function deleteMirror(client: Client, { metadata }: Pod): Promise<void> {
  const { namespace, name = '', uid } = metadata;
  const preconditions = uid === undefined ? {} : { uid };
  await client
    .delete(podsRef, namespace, name, { gracePeriodSeconds: 0, preconditions })
    .catch((error: unknown) => {
      if (!isError(error, 'notFound', 'conflict')) throw error;
    });
}
