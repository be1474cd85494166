/**
 * A pod's things on this node.
 *
 *   <data>/pods/UID/volumes/NAME   emptyDir (disk or its own tmpfs), configMap
 *   <data>/pods/UID/allocation.json  what it was granted of the node
 *   <data>/subpaths/UID/…          parts of volumes: volumes/io/sub-paths.ts
 *   <data>/volumes/…               folders that outlive pods: volumes/io/claim-volumes.ts
 *   <data>/pods/UID/etc/…          hosts, resolv.conf, hostname
 *   <data>/pods/UID/end/C/N        termination messages, mounted into container C, attempt N
 *   <data>/seccomp/…               profiles that an administrator has put there, for containers that name one
 *   <data>/memory/UID/NAME         secrets, tokens, downward API: one tmpfs for all pods, so that a volume costs no mount
 *   <data>/logs/NAMESPACE_POD_UID/C/N.log
 *
 * Invariant: secrets never reach a disk; nothing is removed below a path that is still a mount.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import type { Container, Pod, VolumeMount } from '../../../api/index.ts';
import { CaelumError } from '../../../lib/index.ts';
import type { DeviceFile } from '../../devices/cdi.ts';
import { readDeviceFiles } from '../../devices/io/cdi-folders.ts';
import { diskUse } from '../../io/disk-use.ts';
import type { MountSpec } from '../../runtime/index.ts';
import { AtomicFolder } from '../../volumes/io/atomic-folder.ts';
import { ClaimVolumes } from '../../volumes/io/claim-volumes.ts';
import { ensureHostPath } from '../../volumes/io/host-path.ts';
import { SubPaths } from '../../volumes/io/sub-paths.ts';
import type { VolumeContent } from '../../volumes/volume-content.ts';
import { isRecursive } from '../containers.ts';
import type { DiskUsage, NetworkFiles, NodeFiles, PodDisk, VolumeSize } from '../disk.ts';
import { expandAll } from '../expansion.ts';
import type { AccountFiles } from '../security.ts';

const execute = promisify(execFile);

export interface PodDiskOptions {
  readonly dataDirectory: string;
  /** Without root nothing can be mounted: memory volumes are plain folders then (tests only). Default: are we root? */
  readonly mountMemory?: boolean;
}

const messageMax = 4096;
const logTailMax = 2048;
const logTailLines = 80;

export function createPodDisk(options: PodDiskOptions): PodDisk {
  return new RealPodDisk(options);
}

class RealPodDisk implements PodDisk {
  readonly #root: string;
  readonly #memoryRoot: string;
  readonly #canMount: boolean;
  readonly #claims: ClaimVolumes;
  readonly #subPaths: SubPaths;
  /** Where a volume is, by pod uid and name: filled by `setUpVolumes`. */
  readonly #places = new Map<string, Map<string, string>>();
  /** Names of volumes that are not to be written to, by pod uid. */
  readonly #readOnly = new Map<string, ReadonlySet<string>>();
  readonly #folders = new Map<string, AtomicFolder>();

  constructor(options: PodDiskOptions) {
    this.#root = resolve(options.dataDirectory);
    this.#memoryRoot = join(this.#root, 'memory');
    this.#canMount = options.mountMemory ?? process.getuid?.() === 0;
    this.#claims = new ClaimVolumes(this.#root);
    this.#subPaths = new SubPaths(this.#root, this.#canMount);
  }

  async prepare(): Promise<void> {
    await Promise.all(
      ['pods', 'memory', 'logs'].map((name) =>
        mkdir(join(this.#root, name), { recursive: true, mode: 0o755 }),
      ),
    );
    if (this.#canMount && !(await mountsBelow(this.#memoryRoot)).includes(this.#memoryRoot))
      await execute('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'caelum-memory', this.#memoryRoot]);
  }

  async nodeFiles(): Promise<NodeFiles> {
    const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
    const [hosts, resolvConf, hostname] = await Promise.all(
      ['/etc/hosts', '/etc/resolv.conf', '/proc/sys/kernel/hostname'].map(read),
    );
    return { hosts: hosts ?? '', resolvConf: resolvConf ?? '', hostname: (hostname ?? '').trim() };
  }

  deviceFiles(): Promise<readonly DeviceFile[]> {
    return readDeviceFiles();
  }

  async list(): Promise<readonly string[]> {
    const names = await Promise.all(
      ['pods', 'memory'].map((name) => readdir(join(this.#root, name)).catch(() => [])),
    );
    return [...new Set([...names.flat(), ...(await this.#subPaths.pods())])];
  }

  async setUpVolumes(pod: Pod, contents: ReadonlyMap<string, VolumeContent>): Promise<void> {
    const uid = pod.metadata.uid ?? '';
    await mkdir(this.#podFolder(uid), { recursive: true });
    const made = new Map<string, string>();
    await Promise.all(
      [...contents].map(async ([name, content]) => {
        try {
          made.set(name, await this.#setUpOne(pod, name, content));
        } catch (cause) {
          if (cause instanceof CaelumError)
            throw new CaelumError(
              'invalid',
              `MountVolume.SetUp failed for volume "${titleOf(name, content)}" : ${cause.message}`,
            );
          throw new CaelumError(
            'internal',
            `MountVolume.SetUp failed for volume "${titleOf(name, content)}"`,
            {
              cause,
            },
          );
        }
      }),
    );
    this.#places.set(uid, made);
    const readOnly = [...contents].filter(
      ([, content]) => 'readOnly' in content && content.readOnly === true,
    );
    if (readOnly.length > 0) this.#readOnly.set(uid, new Set(readOnly.map(([name]) => name)));
    else this.#readOnly.delete(uid);
  }

  async volumeSize(handle: string): Promise<VolumeSize | undefined> {
    return this.#claims.sizeOf(handle);
  }

  eraseVolume(handle: string): Promise<void> {
    return this.#claims.erase(handle);
  }

  sweepVolumes(): Promise<void> {
    return this.#claims.sweep();
  }

  async writeNetworkFiles(uid: string, files: NetworkFiles): Promise<void> {
    const folder = join(this.#podFolder(uid), 'etc');
    await mkdir(folder, { recursive: true });
    await Promise.all([
      writeFile(join(folder, 'hosts'), files.hosts, { mode: 0o644 }),
      writeFile(join(folder, 'resolv.conf'), files.resolvConf, { mode: 0o644 }),
      writeFile(join(folder, 'hostname'), files.hostname, { mode: 0o644 }),
    ]);
  }

  async writeAllocation(uid: string, text: string): Promise<void> {
    const path = join(this.#podFolder(uid), 'allocation.json');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  }

  async usage(pod: Pod): Promise<DiskUsage> {
    const places = new Map<string, readonly ['volumes' | 'logs', string]>();
    for (const { name, emptyDir } of pod.spec?.volumes ?? [])
      if (emptyDir !== undefined && emptyDir.medium !== 'Memory')
        places.set(join(this.#podFolder(pod.metadata.uid ?? ''), 'volumes', name), ['volumes', name]);
    for (const name of await readdir(this.#logFolder(pod)).catch(() => []))
      places.set(join(this.#logFolder(pod), name), ['logs', name]);
    const result = { volumes: new Map<string, number>(), logs: new Map<string, number>() };
    for (const [path, bytes] of await diskUse([...places.keys()])) {
      const [kind, name] = places.get(path) ?? [];
      if (kind !== undefined && name !== undefined) result[kind].set(name, bytes);
    }
    return result;
  }

  async allocations(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const uid of await readdir(join(this.#root, 'pods')).catch(() => [])) {
      const path = join(this.#podFolder(uid), 'allocation.json');
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text !== undefined) found.set(uid, text);
    }
    return found;
  }

  async tearDown(uid: string): Promise<void> {
    await this.#subPaths.tearDown(uid);
    await removeTree(this.#podFolder(uid));
    await removeTree(join(this.#memoryRoot, uid));
    this.#places.delete(uid);
    this.#readOnly.delete(uid);
    for (const path of [...this.#folders.keys()])
      if (path.split(sep).includes(uid)) this.#folders.delete(path);
  }

  async mountsOf(
    pod: Pod,
    container: Container,
    attempt: number,
    environment: ReadonlyMap<string, string>,
  ): Promise<readonly MountSpec[]> {
    const uid = pod.metadata.uid ?? '';
    const volumes = this.#places.get(uid);
    const mounts: MountSpec[] = [];
    let isCleared = false;
    for (const mount of container.volumeMounts ?? []) {
      const base = volumes?.get(mount.name);
      if (base === undefined)
        throw new CaelumError(
          'invalid',
          `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
        );
      const subPath = subPathOf(mount, environment);
      const place = { podUid: uid, container: container.name, attempt, number: mounts.length };
      if (subPath !== '' && !isCleared) {
        isCleared = true;
        await this.#subPaths.clear(uid, container.name);
      }
      const spec = mountOf(
        mount,
        subPath === '' ? base : await this.#subPaths.place(place, base, subPath, mount.name),
      );
      mounts.push(this.#readOnly.get(uid)?.has(mount.name) === true ? { ...spec, readOnly: true } : spec);
    }
    const covered = (path: string): boolean => mounts.some((mount) => mount.containerPath === path);
    for (const name of ['hosts', 'resolv.conf', 'hostname']) {
      const containerPath = `/etc/${name}`;
      if (covered(containerPath)) continue;
      mounts.push({ containerPath, hostPath: join(this.#podFolder(uid), 'etc', name), readOnly: false });
    }
    const messagePath = container.terminationMessagePath || '/dev/termination-log';
    if (!covered(messagePath)) {
      const hostPath = this.#endFile(uid, container, attempt);
      await mkdir(dirname(hostPath), { recursive: true });
      await writeFile(hostPath, '');
      await chmod(hostPath, 0o666);
      mounts.push({ containerPath: messagePath, hostPath, readOnly: false });
    }
    return mounts;
  }

  async accounts(rootPath: string): Promise<AccountFiles> {
    const read = async (name: string): Promise<string> => {
      const path = join(rootPath, 'etc', name);
      try {
        // The image's files are not ours: a link out of the root must not show the node's accounts.
        if ((await lstat(path)).isSymbolicLink()) return '';
        return await readFile(path, 'utf8');
      } catch {
        return '';
      }
    };
    const [passwd, group] = await Promise.all([read('passwd'), read('group')]);
    return { passwd, group };
  }

  async seccompProfile(name: string): Promise<string> {
    const folder = join(this.#root, 'seccomp');
    const path = resolve(folder, name);
    try {
      if (!path.startsWith(folder + sep)) throw new Error('it is outside of the folder of profiles');
      return await readFile(path, 'utf8');
    } catch (cause) {
      throw new CaelumError('invalid', `cannot load seccomp profile "${name}": ${(cause as Error).message}`);
    }
  }

  async terminationMessage(
    pod: Pod,
    container: Container,
    attempt: number,
    fromLog: boolean,
  ): Promise<string> {
    const uid = pod.metadata.uid ?? '';
    const text = await readHead(this.#endFile(uid, container, attempt), messageMax);
    if (text !== '' || !fromLog) return text;
    return logTail(join(this.#logFolder(pod), container.name, `${attempt}.log`));
  }

  logPath(pod: Pod, container: string, attempt: number): string {
    const folder = join(this.#logFolder(pod), container);
    mkdirSync(folder, { recursive: true });
    return join(folder, `${attempt}.log`);
  }

  async attempts(): Promise<ReadonlyMap<string, ReadonlyMap<string, number>>> {
    const found = new Map<string, Map<string, number>>();
    for (const folder of await readdir(join(this.#root, 'logs')).catch(() => [])) {
      const attempts = new Map<string, number>();
      for (const container of await readdir(join(this.#root, 'logs', folder)).catch(() => [])) {
        const names = await readdir(join(this.#root, 'logs', folder, container)).catch(() => []);
        const numbers = names.flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? []).map(Number);
        if (numbers.length > 0) attempts.set(container, Math.max(...numbers));
      }
      found.set(folder.slice(folder.lastIndexOf('_') + 1), attempts);
    }
    return found;
  }

  async removeLog(pod: Pod, container: string, attempt: number): Promise<void> {
    const folder = join(this.#logFolder(pod), container);
    const names = await readdir(folder).catch(() => []);
    await Promise.all(
      names
        .filter((name) => name === `${attempt}.log` || name.startsWith(`${attempt}.log.`))
        .map((name) => rm(join(folder, name), { force: true })),
    );
  }

  async removeLogsExcept(uids: ReadonlySet<string>): Promise<void> {
    const names = await readdir(join(this.#root, 'logs')).catch(() => []);
    for (const name of names)
      if (!uids.has(name.slice(name.lastIndexOf('_') + 1)))
        await rm(join(this.#root, 'logs', name), { recursive: true, force: true });
  }

  async removeLogs(uid: string): Promise<void> {
    const names = await readdir(join(this.#root, 'logs')).catch(() => []);
    for (const name of names)
      if (name.endsWith(`_${uid}`))
        await rm(join(this.#root, 'logs', name), { recursive: true, force: true });
  }

  async destroy(): Promise<void> {
    for (const uid of await this.#subPaths.pods()) await this.#subPaths.tearDown(uid);
    for (const name of await readdir(join(this.#root, 'pods')).catch(() => []))
      await removeTree(this.#podFolder(name));
    await removeTree(this.#memoryRoot);
    this.#places.clear();
    this.#folders.clear();
  }

  #podFolder(uid: string): string {
    return join(this.#root, 'pods', uid);
  }

  #logFolder(pod: Pod): string {
    const { namespace, name, uid } = pod.metadata;
    return join(this.#root, 'logs', `${namespace}_${name}_${uid}`);
  }

  #endFile(uid: string, container: Container, attempt: number): string {
    return join(this.#podFolder(uid), 'end', container.name, String(attempt));
  }

  async #setUpOne(pod: Pod, name: string, content: VolumeContent): Promise<string> {
    const uid = pod.metadata.uid ?? '';
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    if (content.kind === 'hostPath') {
      await ensureHostPath(content.path, content.type);
      return content.path;
    }
    if (content.kind === 'mounted') return content.path;
    if (content.kind === 'volume' || content.kind === 'local') return this.#claims.setUp(pod, name, content);
    const path =
      content.kind === 'files' && content.inMemory
        ? join(this.#memoryRoot, uid, name)
        : join(this.#podFolder(uid), 'volumes', name);
    if (content.kind === 'files') {
      let folder = this.#folders.get(path);
      if (folder === undefined) {
        folder = new AtomicFolder(path, fsGroup);
        this.#folders.set(path, folder);
      }
      await folder.write(content.files);
      return path;
    }
    await mkdir(path, { recursive: true });
    if (content.kind === 'memory' && this.#canMount && !(await mountsBelow(path)).includes(path)) {
      const size = content.sizeBytes === undefined ? [] : ['-o', `size=${content.sizeBytes}`];
      await execute('mount', ['-t', 'tmpfs', ...size, 'tmpfs', path]);
    }
    if (fsGroup === undefined) await chmod(path, 0o777);
    else {
      await chown(path, -1, fsGroup);
      await chmod(path, 0o2777);
    }
    return path;
  }
}

/** What outlives the pod is called by the name it has without it. */
const titleOf = (name: string, content: VolumeContent): string =>
  'volumeName' in content ? content.volumeName : name;

const subPathOf = (
  { subPath = '', subPathExpr }: VolumeMount,
  environment: ReadonlyMap<string, string>,
): string => (subPathExpr === undefined ? subPath : expandAll(subPathExpr, environment));

function mountOf(mount: VolumeMount, hostPath: string): MountSpec {
  const propagation =
    mount.mountPropagation === 'Bidirectional'
      ? ('rshared' as const)
      : mount.mountPropagation === 'HostToContainer'
        ? ('rslave' as const)
        : undefined;
  return {
    containerPath: resolve('/', mount.mountPath),
    hostPath,
    readOnly: mount.readOnly ?? false,
    ...(isRecursive(mount) ? { isRecursive: true } : {}),
    ...(propagation === undefined ? {} : { propagation }),
  };
}

/** Mount points at or below a path, deepest first. */
async function mountsBelow(path: string): Promise<string[]> {
  const text = readFileSync('/proc/self/mountinfo', 'utf8');
  return text
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replace(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point === path || point.startsWith(`${path}/`))
    .sort((a, b) => b.length - a.length);
}

/** Unmounts what is mounted below, then removes. Stops when something stays mounted. */
async function removeTree(path: string): Promise<void> {
  for (const point of await mountsBelow(path))
    await execute('umount', [point]).catch(() => execute('umount', ['-l', point]));
  if ((await mountsBelow(path)).length > 0)
    throw new CaelumError('unavailable', `Cannot remove "${path}": something is still mounted below it`);
  await rm(path, { recursive: true, force: true });
}

async function readHead(path: string, limit: number): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(limit), 0, limit, 0);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

/** The end of a CRI log, without its stamps. */
async function logTail(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 64 * 1024);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    const lines = buffer
      .toString()
      .split('\n')
      .slice(length < size ? 1 : 0, -1)
      .slice(-logTailLines);
    const text = lines
      .map((line) => {
        const [, , tag, ...rest] = line.split(' ');
        return `${rest.join(' ')}${tag === 'P' ? '' : '\n'}`;
      })
      .join('');
    return text.slice(-logTailMax);
  } finally {
    await file.close();
  }
}
