/**
 * What the runtime is asked to start: a pod's container merged with its image. Pure.
 *
 * Throws `invalid` with the kubelet's words when the container cannot be made as asked (CreateContainerConfigError).
 */
import { CaelumError } from '../../lib/index.ts';
import type { DeviceEdits } from '../devices/cdi.ts';
import type { ContainerSpec, MountSpec } from '../runtime/index.ts';
import { expand } from './expansion.ts';
import { containerLimits, oomScoreAdjust } from './resources.ts';
import { type SecurityParts, securityOf } from './security.ts';

export interface ContainerParts extends SecurityParts {
  readonly attempt: number;
  readonly rootPath: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly MountSpec[];
  /** Of the devices that it has claimed. */
  readonly devices?: readonly DeviceEdits[];
  readonly hostName: string;
  readonly logPath: string;
  readonly nodeMemoryBytes: number;
  readonly podPidsLimit: number | undefined;
  /** The running container whose processes it shall see. */
  readonly targetId?: string | undefined;
}

const invalid = (message: string): CaelumError => new CaelumError('invalid', message);

export function containerSpecOf(parts: ContainerParts): ContainerSpec {
  const { pod, container, image, environment, devices = [] } = parts;
  const lookup = (name: string): string | undefined => environment.get(name);
  const expandAll = (list: readonly string[]): string[] => list.map((text) => expand(text, lookup));
  const command = container.command ?? [];
  const entrypoint = command.length > 0 ? expandAll(command) : image.config.entrypoint;
  const ownArgs = container.args ?? [];
  const rest = ownArgs.length > 0 ? expandAll(ownArgs) : command.length > 0 ? [] : image.config.command;
  const args = [...entrypoint, ...rest];
  if (args.length === 0) throw invalid('no command specified');
  const limits = containerLimits(container, pod.spec?.resources);
  return {
    podUid: pod.metadata.uid ?? '',
    name: container.name,
    attempt: parts.attempt,
    ...(parts.targetId === undefined ? {} : { targetId: parts.targetId }),
    rootPath: parts.rootPath,
    args,
    env: mergeEnvironment(parts),
    workingDirectory: container.workingDir || image.config.workingDirectory || '/',
    mounts: [...parts.mounts, ...devices.flatMap(({ mounts }) => mounts)],
    ...(devices.length > 0 && { devices: devices.flatMap(({ nodes }) => nodes) }),
    security: securityOf(parts),
    ...limits,
    resources: container.resources ?? {},
    pidsLimit: parts.podPidsLimit,
    oomScoreAdjust: oomScoreAdjust(pod, container, parts.nodeMemoryBytes),
    terminal: container.tty ?? false,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    logPath: parts.logPath,
  };
}

function mergeEnvironment(parts: ContainerParts): (readonly [string, string])[] {
  const merged = new Map<string, string>();
  merged.set('PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  merged.set('HOSTNAME', parts.hostName);
  if (parts.container.tty) merged.set('TERM', 'xterm');
  for (const line of parts.image.config.env) {
    const at = line.indexOf('=');
    if (at > 0) merged.set(line.slice(0, at), line.slice(at + 1));
  }
  for (const [name, value] of parts.environment) merged.set(name, value);
  for (const { environment } of parts.devices ?? [])
    for (const [name, value] of environment) merged.set(name, value);
  return [...merged];
}
