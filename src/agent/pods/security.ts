/**
 * As whom a container runs, and what it may do. Pure.
 *
 *   pod and container securityContext, the image's user and accounts ──▶ SecuritySpec
 */
import type { Container, Pod } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { Image } from '../images/index.ts';
import type { SecuritySpec } from '../runtime/index.ts';
import type { Rejection } from './sysctls.ts';

/** The image's own users and groups: the text of its /etc/passwd and /etc/group ('' where absent). */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

export interface SecurityParts {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: Image;
  readonly accounts: AccountFiles;
  /** Containers that ask for no filter of system calls get the runtime's own. */
  readonly seccompDefault?: boolean | undefined;
  /** The text of the profile that the container names, of this node's folder of such. */
  readonly seccompProfile?: string | undefined;
}

const invalid = (message: string): CaelumError => new CaelumError('invalid', message);

interface Account {
  readonly userId: number;
  readonly groupId: number;
  readonly groups: readonly number[];
  readonly named: boolean;
}

/** Throws `invalid` where the container cannot run as asked. */
export function securityOf(parts: SecurityParts): SecuritySpec {
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
  const appArmor = own?.appArmorProfile ?? shared?.appArmorProfile;
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
    ...seccompOf(parts, privileged),
    ...(appArmor?.type === 'Localhost' ? { appArmorProfile: appArmor.localhostProfile ?? '' } : {}),
    ...(own?.procMount === 'Unmasked' ? { unmaskedProc: true } : {}),
  };
}

/** Kubernetes' own default is Unconfined unless the node says otherwise. A privileged container has no filter. */
function seccompOf(
  { pod, container, seccompDefault, seccompProfile }: SecurityParts,
  privileged: boolean,
): Pick<SecuritySpec, 'seccomp' | 'seccompProfile'> {
  const asked = seccompAsked(pod, container);
  const type = privileged
    ? 'Unconfined'
    : (asked?.type ?? (seccompDefault ? 'RuntimeDefault' : 'Unconfined'));
  if (type !== 'Localhost') return { seccomp: type === 'RuntimeDefault' ? type : 'Unconfined' };
  const name = asked?.localhostProfile ?? '';
  try {
    const profile = JSON.parse(seccompProfile ?? '') as { readonly defaultAction?: unknown };
    if (typeof profile.defaultAction === 'string') return { seccomp: 'Localhost', seccompProfile: profile };
  } catch {
    // Said below.
  }
  throw invalid(`cannot load seccomp profile "${name}": it is no seccomp profile`);
}

/** What of the pod or of the container holds for the container. */
export const seccompAsked = ({ spec }: Pod, { securityContext }: Container) =>
  securityContext?.seccompProfile ?? spec?.securityContext?.seccompProfile;

/** A profile that this node cannot enforce: to run without it would be to say what is not so. */
export function appArmorRejection({ spec }: Pod, isEnabled: boolean): Rejection | undefined {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const profiles = [spec?.securityContext, ...containers.map((one) => one.securityContext)].flatMap(
    (context) => context?.appArmorProfile ?? [],
  );
  const asked = profiles.find(({ type }) => type !== 'Unconfined');
  if (asked === undefined) return undefined;
  const refuse = (why: string): Rejection => ({
    reason: 'AppArmor',
    message: `Cannot enforce AppArmor: ${why}`,
  });
  if (!isEnabled) return refuse('AppArmor is not enabled on the host');
  return asked.type === 'RuntimeDefault'
    ? refuse('this node has no default profile; name one that is loaded, by type Localhost')
    : undefined;
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
