/**
 * Our own cgroups, in all layouts: `/caelum-<cloud>/pod<uid>/<container id>` below each hierarchy that matters.
 *
 *   parent (one a cloud) ── pod (the pod's limits) ── container (made by the OCI runtime) · monitors (the conmons)
 *
 * Invariant: nothing outside the parent is ever written, but `cgroup.subtree_control` of the version 2 root (adding controllers).
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import {
  type CgroupWrite,
  limitWritesV1,
  limitWritesV2,
  parseKeyed,
  usageV1,
  usageV2,
} from '../cgroup-values.ts';
import type { ContainerUsage, Limits } from '../runtime.ts';
import type { CgroupLayout } from './host.ts';

const ours = ['cpu', 'memory', 'pids'] as const;

export class Cgroups {
  readonly #layout: CgroupLayout;
  /** `/caelum-<cloud>`. */
  readonly #parent: string;

  constructor(layout: CgroupLayout, parent: string) {
    this.#layout = layout;
    this.#parent = parent;
  }

  /** Makes the parent and hands controllers down (version 2). Idempotent. */
  async prepare(): Promise<void> {
    if (this.#layout.kind === 'v2') {
      const root = this.#layout.roots[0] ?? '/sys/fs/cgroup';
      await handDown(root);
      await mkdir(join(root, this.#parent), { recursive: true });
      await handDown(join(root, this.#parent));
    }
    await Promise.all(
      this.#roots().map((root) => mkdir(join(root, this.#parent, 'monitors'), { recursive: true })),
    );
  }

  podPath(podUid: string): string {
    return `${this.#parent}/pod${podUid}`;
  }

  containerPath(podUid: string, id: string): string {
    return `${this.podPath(podUid)}/${id}`;
  }

  async createPod(podUid: string, limits: Limits): Promise<void> {
    const path = this.podPath(podUid);
    await Promise.all(this.#roots().map((root) => mkdir(join(root, path), { recursive: true })));
    if (this.#layout.kind === 'v2') await handDown(join(this.#layout.roots[0] ?? '', path));
    await this.setLimits(path, limits);
  }

  async setLimits(path: string, limits: Limits): Promise<void> {
    const writes = this.#layout.kind === 'v2' ? limitWritesV2(limits) : limitWritesV1(limits);
    const byController = Map.groupBy(writes, (write) => write.controller);
    await Promise.all([...byController.values()].map((group) => this.#writeAll(path, group)));
  }

  async #writeAll(path: string, writes: readonly CgroupWrite[]): Promise<void> {
    for (const { controller, file, value, optional } of writes) {
      const folder = this.#folder(controller, path);
      if (folder === undefined) continue;
      try {
        await writeFile(join(folder, file), value);
      } catch (cause) {
        if (optional === true) continue;
        throw new CaelumError('internal', `Cannot set ${file} of cgroup "${path}" to ${value}`, { cause });
      }
    }
  }

  /** Puts a conmon out of the agent's own cgroup, so that a service manager that ends the agent leaves it alone. */
  async adoptMonitor(pid: number): Promise<void> {
    const path = `${this.#parent}/monitors`;
    await Promise.allSettled(
      this.#roots().map((root) => writeFile(join(root, path, 'cgroup.procs'), String(pid))),
    );
  }

  /**
   * Call this some milliseconds before processes are put into cgroups. The first such move after a quiet moment waits for an RCU grace
   * period (10 to 20 ms), the next ones do not; so a move that changes nothing (a monitor to where it is) is made while the runtime
   * is still starting. Never fails, and does nothing while there is no monitor.
   */
  async hasten(): Promise<void> {
    const file = join(this.#roots()[0] ?? '/nowhere', this.#parent, 'monitors', 'cgroup.procs');
    try {
      const text = await readFile(file, 'utf8');
      const [pid = ''] = text.split('\n', 1);
      if (pid !== '') await writeFile(file, pid);
    } catch {
      // Only time is lost.
    }
  }

  /** undefined when the container's cgroup is gone. */
  async usage(path: string): Promise<ContainerUsage | undefined> {
    const read = (controller: string, file: string): Promise<string> =>
      readFile(join(this.#folder(controller, path) ?? '/nowhere', file), 'utf8');
    try {
      if (this.#layout.kind === 'v2') {
        const [cpuStat, memoryCurrent, memoryStat, pidsCurrent] = await Promise.all([
          read('cpu', 'cpu.stat'),
          read('memory', 'memory.current'),
          read('memory', 'memory.stat'),
          read('pids', 'pids.current'),
        ]);
        return usageV2({ cpuStat, memoryCurrent, memoryStat, pidsCurrent });
      }
      const [cpuacctUsage, memoryUsage, memoryStat, pidsCurrent] = await Promise.all([
        read('cpuacct', 'cpuacct.usage'),
        read('memory', 'memory.usage_in_bytes'),
        read('memory', 'memory.stat'),
        read('pids', 'pids.current'),
      ]);
      return usageV1({ cpuacctUsage, memoryUsage, memoryStat, pidsCurrent });
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** How many processes of this cgroup the kernel killed for want of memory. */
  async oomKills(path: string): Promise<number> {
    const file = this.#layout.kind === 'v2' ? 'memory.events' : 'memory.oom_control';
    const text = await readFile(join(this.#folder('memory', path) ?? '/nowhere', file), 'utf8').catch(
      () => '',
    );
    return parseKeyed(text).get('oom_kill') ?? 0;
  }

  /** Kills every process below `path`. */
  async killAll(path: string): Promise<void> {
    for (const folder of await this.#treeFolders(this.#folder('memory', path) ?? ''))
      for (const pid of await processesIn(folder)) killQuietly(pid);
  }

  /** Removes the cgroup and all below it, killing what is left in it. Idempotent. */
  async remove(path: string): Promise<void> {
    await Promise.all(
      this.#allRoots().map(async (root) => {
        const folders = await this.#treeFolders(join(root, path));
        for (const folder of folders) await removeFolder(folder);
      }),
    );
  }

  /** Container ids and uids below the parent: what exists, whether we know it or not. */
  async listPods(): Promise<readonly string[]> {
    const root = this.#folder('memory', this.#parent);
    const entries = await readdir(root ?? '/nowhere', { withFileTypes: true }).catch(() => []);
    return entries.flatMap((entry) =>
      entry.isDirectory() && entry.name.startsWith('pod') ? [entry.name.slice(3)] : [],
    );
  }

  get parent(): string {
    return this.#parent;
  }

  #folder(controller: string, path: string): string | undefined {
    const root =
      this.#layout.kind === 'v2' ? this.#layout.roots[0] : this.#layout.controllers.get(controller);
    return root === undefined ? undefined : join(root, path);
  }

  /** Hierarchies in which we make cgroups ourselves; the OCI runtime makes the container's in all. */
  #roots(): readonly string[] {
    if (this.#layout.kind === 'v2') return this.#layout.roots;
    const wanted = ours.map((name) => this.#layout.controllers.get(name));
    return [...new Set(wanted.filter((root) => root !== undefined))];
  }

  #allRoots(): readonly string[] {
    const { kind, roots, unified } = this.#layout;
    return kind === 'v2' || unified === undefined ? roots : [...roots, unified];
  }

  /** `folder` and those below it, deepest first; empty when it does not exist. */
  async #treeFolders(folder: string): Promise<readonly string[]> {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (entries === undefined) return [];
    const below: string[] = [];
    for (const entry of entries)
      if (entry.isDirectory()) below.push(...(await this.#treeFolders(join(folder, entry.name))));
    return [...below, folder];
  }
}

async function handDown(folder: string): Promise<void> {
  const available = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  const enabled = (await readFile(join(folder, 'cgroup.subtree_control'), 'utf8')).trim().split(' ');
  for (const controller of [...ours, 'cpuset', 'io']) {
    if (!available.includes(controller) || enabled.includes(controller)) continue;
    await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`).catch((cause) => {
      if ((ours as readonly string[]).includes(controller))
        throw new CaelumError(
          'unavailable',
          `Cannot limit ${controller}: the kernel refuses to hand it down below "${folder}"`,
          { cause },
        );
    });
  }
}

async function processesIn(folder: string): Promise<readonly number[]> {
  const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '' && line !== '0')
    .map(Number);
}

export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** A cgroup is busy until its last process has been reaped: a few short waits, bounded. */
async function removeFolder(folder: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rmdir(folder);
      return;
    } catch (error) {
      if (isGone(error)) return;
      if (attempt >= 50)
        throw new CaelumError('internal', `Cannot remove cgroup "${folder}"`, { cause: error });
      for (const pid of await processesIn(folder)) killQuietly(pid);
      await new Promise((resolve) => setTimeout(resolve, Math.min(5 * (attempt + 1), 100)));
    }
  }
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTDIR';
}
