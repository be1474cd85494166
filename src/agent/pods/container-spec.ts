/**
 * What the runtime is asked to start: a pod's container merged with its image. Pure.
 *
 * Throws `invalid` with the kubelet's words when the container cannot be made as asked (CreateContainerConfigError).
 */
import type { Container, Pod } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { Image } from '../images/index.ts';
import type { ContainerSpec, MountSpec, SecuritySpec } from '../runtime/index.ts';
import { expand } from './expansion.ts';
import { containerLimits, oomScoreAdjust } from './resources.ts';

/** The image's own users and groups: the text of its /etc/passwd and /etc/group ('' where absent). */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

export interface ContainerParts {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  readonly image: Image;
  readonly rootPath: string;
  readonly accounts: AccountFiles;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly MountSpec[];
  readonly hostName: string;
  readonly logPath: string;
  readonly nodeMemoryBytes: number;
  readonly podPidsLimit: number | undefined;
  /** The running container whose processes it shall see. */
  readonly targetId?: string | undefined;
}

const invalid = (message: string): CaelumError => new CaelumError('invalid', message);

export function containerSpecOf(parts: ContainerParts): ContainerSpec {
  const { pod, container, image, environment } = parts;
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
    mounts: parts.mounts,
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
  return [...merged];
}

// ── who it runs as ──

interface Account {
  readonly userId: number;
  readonly groupId: number;
  readonly groups: readonly number[];
  readonly named: boolean;
}

function securityOf(parts: ContainerParts): SecuritySpec {
  const { pod, container, image } = parts;
  const own = container.securityContext;
  const shared = pod.spec?.securityContext;
  const user = own?.runAsUser ?? shared?.runAsUser;
  const account = accountOf(user === undefined ? image.config.user : String(user), parts.accounts);
  const userId = account.userId;
  const groupId = own?.runAsGroup ?? shared?.runAsGroup ?? account.groupId;
  const nonRoot = own?.runAsNonRoot ?? shared?.runAsNonRoot ?? false;
  if (nonRoot && userId === 0)
    throw invalid(
      user === undefined
        ? `container has runAsNonRoot and image will run as root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`
        : `container's runAsUser breaks non-root policy (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    );
  if (nonRoot && user === undefined && account.named)
    throw invalid(
      `container has runAsNonRoot and image has non-numeric user (${image.config.user}), cannot verify user is non-root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    );
  const privileged = own?.privileged ?? false;
  const seccomp = own?.seccompProfile ?? shared?.seccompProfile;
  const fromImage = shared?.supplementalGroupsPolicy === 'Strict' ? [] : account.groups;
  // The own group among them: a set-group-id program must not shake off what is denied to it (CVE-2023-25173).
  const groups = new Set([groupId, ...fromImage, ...(shared?.supplementalGroups ?? [])]);
  if (shared?.fsGroup !== undefined) groups.add(shared.fsGroup);
  return {
    privileged,
    userId,
    groupId,
    supplementalGroups: [...groups],
    addCapabilities: own?.capabilities?.add ?? [],
    dropCapabilities: own?.capabilities?.drop ?? [],
    noNewPrivileges: own?.allowPrivilegeEscalation === false && !privileged,
    readOnlyRootFilesystem: own?.readOnlyRootFilesystem ?? false,
    // Kubernetes' own default is Unconfined unless the kubelet says otherwise.
    seccomp: privileged || seccomp?.type !== 'RuntimeDefault' ? 'Unconfined' : 'RuntimeDefault',
  };
}

/** `''`, `user`, `uid`, `uid:gid`, `user:group` → numbers, by the image's own files. Throws `invalid` for unknown names. */
export function accountOf(text: string, files: AccountFiles): Account {
  const [user = '', group] = text.split(':');
  const passwd = parseColonFile(files.passwd);
  const isNumber = /^\d+$/.test(user);
  const entry =
    user === ''
      ? passwd.find((row) => row[2] === '0')
      : passwd.find((row) => (isNumber ? row[2] : row[0]) === user);
  if (entry === undefined && user !== '' && !isNumber)
    throw invalid(`unable to find user ${user}: no matching entries in passwd file`);
  const userId = isNumber ? Number(user) : Number(entry?.[2] ?? 0);
  const groups = parseColonFile(files.group);
  let groupId = Number(entry?.[3] ?? 0);
  if (group !== undefined && group !== '') {
    if (/^\d+$/.test(group)) groupId = Number(group);
    else {
      const found = groups.find((row) => row[0] === group);
      if (found === undefined)
        throw invalid(`unable to find group ${group}: no matching entries in group file`);
      groupId = Number(found[2]);
    }
  }
  const name = entry?.[0];
  const member = groups
    .filter((row) => name !== undefined && (row[3] ?? '').split(',').includes(name))
    .map((row) => Number(row[2]))
    .filter((id) => Number.isInteger(id) && id !== groupId);
  return { userId, groupId, groups: member, named: user !== '' && !isNumber };
}

const parseColonFile = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.trim().split(':'));
