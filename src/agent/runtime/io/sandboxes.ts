/**
 * What the containers of a pod share besides the network: uts and ipc namespaces kept alive by bind mounts, and /dev/shm.
 *
 *   <root>/sandboxes/<pod uid>/  spec.json  uts  ipc  shm/
 *
 * No pause container: one short-lived process makes the namespaces and sets host name and sysctls in them. spec.json is written last: a
 * sandbox without it was never finished and is made anew.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import type { SandboxPaths } from '../oci.ts';
import type { SandboxSpec } from '../runtime.ts';
import { findProgram } from './host.ts';
import { run, runOk } from './spawned.ts';

const sharedMemorySize = '64m';

/** Run inside the new namespaces: shm directory, host name, then name=value sysctls. */
const setUp = `set -e
shm=$1; name=$2; shift 2
[ -z "$shm" ] || mount -t tmpfs -o nosuid,nodev,noexec,mode=1777,size=${sharedMemorySize} shm "$shm"
[ -z "$name" ] || hostname "$name"
for pair; do
  file=/proc/sys/$(echo "\${pair%%=*}" | tr ./ /.)
  echo "\${pair#*=}" > "$file" || { echo "sysctl \${pair%%=*} cannot be set" >&2; exit 1; }
done`;

export class Sandboxes {
  readonly #folder: string;
  readonly #specs = new Map<string, SandboxSpec>();
  readonly #busybox = findProgram('busybox') ?? '/bin/busybox';

  constructor(root: string) {
    this.#folder = join(root, 'sandboxes');
  }

  /** Reads what is there. After a reboot of the machine (`rebooted`) the namespaces are gone, and so are the sandboxes. */
  async load(rebooted: boolean): Promise<void> {
    if (rebooted) await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for (const podUid of await readdir(this.#folder)) {
      const text = await readFile(join(this.#folder, podUid, 'spec.json'), 'utf8').catch(() => undefined);
      if (text !== undefined) this.#specs.set(podUid, JSON.parse(text) as SandboxSpec);
    }
  }

  get(podUid: string): SandboxSpec | undefined {
    return this.#specs.get(podUid);
  }

  list(): readonly SandboxSpec[] {
    return [...this.#specs.values()];
  }

  paths(spec: SandboxSpec): SandboxPaths {
    const folder = join(this.#folder, spec.podUid);
    return {
      // A pod on the host's network carries the host's name.
      utsNamespace: spec.networkNamespace === undefined ? undefined : join(folder, 'uts'),
      ipcNamespace: spec.hostIpc ? undefined : join(folder, 'ipc'),
      sharedMemory: spec.hostIpc ? '/dev/shm' : join(folder, 'shm'),
    };
  }

  async create(spec: SandboxSpec): Promise<void> {
    const folder = join(this.#folder, spec.podUid);
    await this.#clear(spec.podUid);
    await mkdir(join(folder, 'shm'), { recursive: true, mode: 0o700 });
    const { utsNamespace, ipcNamespace } = this.paths(spec);
    await Promise.all(
      [utsNamespace, ipcNamespace].map((path) => (path === undefined ? undefined : writeFile(path, ''))),
    );
    // Only sysctls of the network have to be set from within it.
    const isNetworkSet = Object.keys(spec.sysctls).some((name) => name.startsWith('net.'));
    const enter =
      spec.networkNamespace === undefined || !isNetworkSet
        ? []
        : ['nsenter', `--net=${spec.networkNamespace}`];
    const make = [
      ...(utsNamespace === undefined ? [] : [`--uts=${utsNamespace}`]),
      ...(ipcNamespace === undefined ? [] : [`--ipc=${ipcNamespace}`]),
    ];
    const inside = [
      this.#busybox,
      'sh',
      '-c',
      setUp,
      'sandbox',
      spec.hostIpc ? '' : join(folder, 'shm'),
      utsNamespace === undefined ? '' : spec.hostname,
      ...Object.entries(spec.sysctls).map(([name, value]) => `${name}=${value}`),
    ];
    const [program = '', ...args] = [...enter, ...(make.length === 0 ? [] : ['unshare', ...make]), ...inside];
    try {
      await runOk(`create sandbox of pod "${spec.podName}"`, program, args);
      await this.rewrite(spec);
    } catch (error) {
      await this.#clear(spec.podUid);
      throw error;
    }
  }

  /** What is said of it changes; the namespaces stay. */
  async rewrite(spec: SandboxSpec): Promise<void> {
    const folder = join(this.#folder, spec.podUid);
    await writeFile(join(folder, 'spec.json.new'), JSON.stringify(spec), { mode: 0o600 });
    await rename(join(folder, 'spec.json.new'), join(folder, 'spec.json'));
    this.#specs.set(spec.podUid, spec);
  }

  async remove(podUid: string): Promise<void> {
    this.#specs.delete(podUid);
    await this.#clear(podUid);
  }

  async #clear(podUid: string): Promise<void> {
    if (!/^[\w.-]+$/.test(podUid) || podUid.startsWith('.'))
      throw new CaelumError('badRequest', `Cannot use pod uid "${podUid}": not a file name`);
    const folder = join(this.#folder, podUid);
    const entries = await readdir(folder).catch(() => []);
    const mounts = entries.filter((name) => name === 'uts' || name === 'ipc' || name === 'shm');
    // Lazily: a container that still dies may hold them a moment longer. What is no mount makes umount fail, and that is fine.
    if (mounts.length > 0) await run('umount', ['-l', ...mounts.map((name) => join(folder, name))]);
    await rm(folder, { recursive: true, force: true });
  }
}
