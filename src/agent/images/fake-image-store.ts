/**
 * An image store in memory, for the simulator and for unit tests of what runs pods.
 *
 * Knows the images that it was given, and any of `host.local/*`. Pulls take `pullDelayMs` of the given clock (asked anew for each pull, where it is a function); `failures` makes the
 * pull of a name fail. Roots are names only: nothing is mounted.
 */
import { CaelumError, type Clock } from '../../lib/index.ts';
import { formatName, hostRegistry, idOf, normalizeName, parseName } from './image-name.ts';
import type { Image, ImageConfig, ImageStore, PullOptions } from './images.ts';

export const emptyConfig: ImageConfig = {
  entrypoint: [],
  command: [],
  env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
  workingDirectory: '/',
  user: '',
  stopSignal: undefined,
  labels: {},
  exposedPorts: [],
  volumes: [],
};

export interface FakeImageStore extends ImageStore {
  /** Makes an image pullable, under its normalised name. */
  offer(name: string, config?: Partial<ImageConfig>): void;
  /** Pulls of these (normalised) names fail so. */
  readonly failures: Map<string, CaelumError>;
  /** Normalised names, in the order in which they were pulled. */
  readonly pulls: string[];
  readonly roots: Map<string, string>;
}

export function createFakeImageStore(
  options: { readonly clock?: Pick<Clock, 'sleep'>; readonly pullDelayMs?: number | (() => number) } = {},
): FakeImageStore {
  const offered = new Map<string, ImageConfig>();
  const present = new Map<string, Image>();
  const roots = new Map<string, string>();
  const failures = new Map<string, CaelumError>();
  const pulls: string[] = [];

  const imageOf = (name: string, config: ImageConfig): Image => {
    const id = `sha256:${pseudoDigest(name + JSON.stringify(config))}`;
    const { registry, repository } = parseName(name);
    return {
      id,
      names: [name],
      digests: registry === hostRegistry ? [] : [`${registry}/${repository}@${id}`],
      sizeBytes: 1_000_000,
      createdAtMs: 0,
      config,
      layers: [`/fake/layers/${id.slice(7, 19)}`],
    };
  };
  const offer = (name: string, config: Partial<ImageConfig> = {}): void => {
    offered.set(normalizeName(name), { ...emptyConfig, ...config });
  };
  const require = (name: string): Image => {
    const image = findNow(name);
    if (image === undefined) throw new CaelumError('notFound', `Cannot find image "${name}": it is not here`);
    return image;
  };
  const findNow = (name: string): Image | undefined => {
    const id = idOf(name);
    const wanted = id === undefined ? normalizeName(name) : undefined;
    for (const image of present.values())
      if (image.id === id || (wanted !== undefined && [...image.names, ...image.digests].includes(wanted)))
        return image;
    return undefined;
  };

  return {
    failures,
    pulls,
    roots,
    offer,
    find: async (name) => findNow(name),
    list: async () => [...present.values()],
    async pull(name: string, pullOptions: PullOptions = {}): Promise<Image> {
      const wanted = normalizeName(name);
      pulls.push(wanted);
      const { clock, pullDelayMs } = options;
      if (clock !== undefined && pullDelayMs !== undefined)
        await clock.sleep(typeof pullDelayMs === 'number' ? pullDelayMs : pullDelayMs(), pullOptions.signal);
      const failure = failures.get(wanted);
      if (failure !== undefined) throw failure;
      const { registry } = parseName(wanted);
      const config = offered.get(wanted) ?? (registry === hostRegistry ? hostConfig(wanted) : undefined);
      if (config === undefined)
        throw new CaelumError('notFound', `Cannot pull image "${wanted}": manifest unknown`);
      const image = imageOf(wanted, config);
      present.set(wanted, image);
      pullOptions.onProgress?.({
        layer: image.id,
        doneBytes: image.sizeBytes,
        totalBytes: image.sizeBytes,
      });
      return image;
    },
    async push(name) {
      require(name);
      return { digest: require(name).id };
    },
    async tag(source, name) {
      const image = require(source);
      const wanted = normalizeName(name);
      present.set(wanted, { ...image, names: [wanted] });
    },
    async mountRoot(_image, key) {
      const rootPath = `/fake/roots/${key}`;
      roots.set(key, rootPath);
      return { rootPath };
    },
    async unmountRoot(key) {
      roots.delete(key);
    },
    listRoots: async () => [...roots.keys()],
    rootBytes: async () => 0,
    async remove(name) {
      const image = require(name);
      for (const [key, other] of present) if (other.id === image.id) present.delete(key);
    },
    async importArchive(file, importOptions = {}) {
      throw new CaelumError('notFound', `Cannot import "${importOptions.name ?? file}": no such file`);
    },
    async exportArchive(names) {
      for (const name of names) require(name);
    },
  };
}

function hostConfig(name: string): ImageConfig {
  const program = parseName(formatName(parseName(name))).repository;
  return { ...emptyConfig, entrypoint: program === 'busybox' ? [] : [program], command: ['sh'] };
}

/** 64 hexadecimal digits that depend on the text: a name for the fake's images, not a hash to trust. */
function pseudoDigest(text: string): string {
  let digits = '';
  for (let word = 0; word < 8; word++) {
    let hash = 0x811c9dc5 ^ word;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    digits += (hash >>> 0).toString(16).padStart(8, '0');
  }
  return digits;
}
