/** Kernel settings of a pod: which are its own affair, and which it may not have. Pure; worded as the kubelet words it. */
import type { Pod } from '../../api/index.ts';

/** Apart for each pod, and harmless to others. Source: Kubernetes, "Using sysctls in a Kubernetes cluster". */
const safe: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

/** `net/ipv4/conf/eth0.5/x` is `net.ipv4.conf.eth0/5.x`: the first of both says which separates. */
export function sysctlName(name: string): string {
  if (name[name.search(/[./]/)] !== '/') return name;
  return name.replace(/[./]/g, (one) => (one === '/' ? '.' : '/'));
}

type Space = 'net' | 'ipc' | undefined;

/** Whose namespace it belongs to; undefined: the whole machine's. */
function spaceOf(name: string): Space {
  if (name.startsWith('net.')) return 'net';
  const isIpc =
    /^kernel\.(sem|shm\w*|msg\w*)$/.test(name) ||
    name === 'kernel.auto_msgmni' ||
    name.startsWith('fs.mqueue.');
  return isIpc ? 'ipc' : undefined;
}

export interface Rejection {
  readonly reason: string;
  readonly message: string;
}

/** `allowed`: beside the safe ones; a name may end with `*`. */
export function sysctlRejection({ spec }: Pod, allowed: readonly string[]): Rejection | undefined {
  for (const { name: given } of spec?.securityContext?.sysctls ?? []) {
    const name = sysctlName(given);
    const isListed = allowed.some((one) => {
      const pattern = sysctlName(one);
      return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
    });
    const refuse = (why: string): Rejection => ({
      reason: 'SysctlForbidden',
      message: `forbidden sysctl: "${name}" ${why}`,
    });
    if (!safe.has(name) && !isListed) return refuse('not allowlisted');
    const space = spaceOf(name);
    if (space === 'net' && spec?.hostNetwork === true) return refuse('not allowed with host net enabled');
    if (space === 'ipc' && spec?.hostIPC === true) return refuse('not allowed with host ipc enabled');
  }
  return undefined;
}
