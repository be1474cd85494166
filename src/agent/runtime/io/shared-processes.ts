/**
 * Processes that several containers see: the namespace of a running container, or that of the whole pod.
 *
 *   pod with shared processes ─▶ keeper (first in its namespace, takes in orphans, sleeps) ◀─ joined by all its containers
 *
 * The keeper is a container like others, but nobody is told of it. It has a root of its own with nothing in it, no capability and a user of its own: who may
 * look into it (`/proc/1/root`) finds nothing of the host.
 */
import { copyFile, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CaelumError } from '../../../lib/index.ts';
import type { ContainerSpec } from '../runtime.ts';
import { isProcessOf } from './container-folder.ts';
import { exists } from './host.ts';

/** No container can be called so. */
export const keeperName = '~processes';
const keeperUser = 65_535;

let copies = 0;

/** Makes the keepers' root, once. */
export async function keeperRoot(root: string, busybox: string): Promise<string> {
  const path = join(root, 'keeper');
  const program = join(path, 'bin/busybox');
  if (exists(program)) return path;
  await mkdir(join(path, 'bin'), { recursive: true, mode: 0o755 });
  const copy = `${program}.${++copies}`;
  await copyFile(busybox, copy);
  await rename(copy, program);
  return path;
}

/** A shell that waits reaps whatever becomes its child. */
const sleeps = 'trap : TERM INT HUP; while :; do sleep 2147483647 & wait; done';

export function keeperSpec(
  podUid: string,
  attempt: number,
  rootPath: string,
  logPath: string,
): ContainerSpec {
  return {
    podUid,
    name: keeperName,
    attempt,
    rootPath,
    args: ['/bin/busybox', 'sh', '-c', sleeps],
    env: [['PATH', '/bin']],
    workingDirectory: '/',
    mounts: [],
    security: {
      privileged: false,
      userId: keeperUser,
      groupId: keeperUser,
      supplementalGroups: [],
      addCapabilities: [],
      dropCapabilities: ['ALL'],
      noNewPrivileges: true,
      readOnlyRootFilesystem: true,
      seccomp: 'RuntimeDefault',
    },
    cpuShares: 2,
    cpuQuotaMicros: undefined,
    memoryLimitBytes: undefined,
    pidsLimit: undefined,
    oomScoreAdjust: -998,
    terminal: false,
    stdin: false,
    stdinOnce: false,
    logPath,
  };
}

/** A namespace that stays what it is until it is let go, whatever becomes of the process. */
export interface HeldNamespace {
  readonly path: string;
  release(): Promise<void>;
}

/** Throws `conflict` when the process is not of that container any more. */
export async function holdPidNamespace(
  name: string,
  pid: number | undefined,
  cgroupPath: string,
): Promise<HeldNamespace> {
  const gone = (): CaelumError =>
    new CaelumError('conflict', `Cannot join the processes of container "${name}": it is not running`);
  const file = await open(`/proc/${pid ?? 0}/ns/pid`).catch(() => undefined);
  if (file === undefined) throw gone();
  // The number may have become another's before it was opened.
  if (pid === undefined || !(await isProcessOf(pid, cgroupPath))) {
    await file.close();
    throw gone();
  }
  return { path: `/proc/${process.pid}/fd/${file.fd}`, release: () => file.close() };
}
