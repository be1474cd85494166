/**
 * The node's images: content-addressed blobs and layers, unpacked once, mounted with overlayfs.
 */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly workingDirectory: string;
  /** `user`, `uid`, `uid:gid`, `user:group`, or ''. */
  readonly user: string;
  readonly stopSignal: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly volumes: readonly string[];
}

export interface Image {
  /** `sha256:…` of the image configuration. */
  readonly id: string;
  /** Names that point at it, fully qualified: `docker.io/library/nginx:1.27`, `host.local/busybox:latest`. */
  readonly names: readonly string[];
  /** `registry/repository@sha256:…`. */
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly config: ImageConfig;
  /** Layer directories, lowest first. */
  readonly layers: readonly string[];
}

export interface RegistryCredential {
  /** `ghcr.io`, `localhost:5000`, `docker.io`. */
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

export type PullProgress = (event: {
  readonly layer: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}) => void;

export interface PullOptions {
  readonly credentials?: readonly RegistryCredential[];
  readonly onProgress?: PullProgress;
  readonly signal?: AbortSignal;
}

export interface ImageStore {
  /** Any spelling of a name: `nginx`, `nginx:1.27`, `ghcr.io/a/b@sha256:…`, an id. Throws `badRequest` when it cannot be one. */
  find(name: string): Promise<Image | undefined>;
  list(): Promise<readonly Image[]>;
  /**
   * Fetches an image. `host.local/<program>` is made from a program of this machine. Throws `notFound` (no such image), `unauthorized`,
   * `unavailable` (registry), `corrupt` (a digest does not match), `badRequest` (no valid name).
   */
  pull(name: string, options?: PullOptions): Promise<Image>;
  /** Sends an image that is here to the registry that its name says. Throws as `pull`. */
  push(name: string, options?: PullOptions): Promise<{ readonly digest: string }>;
  /** Gives an image that is here (`source`: name or id) one more name. */
  tag(source: string, name: string): Promise<void>;
  /** A writable root for one container: overlay of the image's layers. Idempotent. `key` names it (podUid/name/attempt). */
  mountRoot(image: Image, key: string): Promise<{ readonly rootPath: string }>;
  /** Idempotent. */
  unmountRoot(key: string): Promise<void>;
  listRoots(): Promise<readonly string[]>;
  /** What was written into a root, in bytes on disk; 0 when it is not there. */
  rootBytes(key: string): Promise<number>;
  /** Forgets a name; by id, all names of that image. What no name and no root needs is deleted. Throws `notFound`. */
  remove(name: string): Promise<void>;
  importArchive(file: string, options?: { readonly name?: string }): Promise<readonly Image[]>;
  exportArchive(names: readonly string[], file: string, format?: 'oci' | 'docker'): Promise<void>;
}

/** `nginx` → `docker.io/library/nginx:latest`. Throws `badRequest` when it cannot be a name. */
export type NormalizeName = (name: string) => string;
