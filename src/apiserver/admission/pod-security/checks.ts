/**
 * What Kubernetes' Pod Security Standards forbid, check by check and version by version. Pure.
 * Source: the Pod Security Standards; k8s.io/pod-security-admission 1.36, as behaviour and wording.
 */
import type { Container, ObjectMeta, PodSpec } from '../../../api/index.ts';
import type { LevelVersion } from './policy.ts';

export interface Subject {
  readonly metadata: ObjectMeta;
  readonly spec: PodSpec;
  /** Those that start first, first. */
  readonly containers: readonly Container[];
}

export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

type Rule = (subject: Subject) => Violation | undefined;

interface Check {
  readonly id: string;
  readonly level: 'baseline' | 'restricted';
  /** From which minor version on each form counts, the newest last. */
  readonly forms: readonly (readonly [minor: number, rule: Rule])[];
  /** Of the baseline: what this one says better. */
  readonly overrides?: string;
}

export function subjectOf(metadata: ObjectMeta, spec: PodSpec): Subject {
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as readonly Container[]),
  ];
  return { metadata, spec, containers };
}

export function violationsOf(subject: Subject, { level, minor }: LevelVersion): readonly Violation[] {
  if (level === 'privileged') return [];
  const counting = checks
    .filter((check) => level === 'restricted' || check.level === 'baseline')
    .map((check) => ({ check, rule: formAt(check, minor) }));
  const overridden = new Set(
    counting.flatMap(({ check, rule }) => (rule === undefined ? [] : (check.overrides ?? []))),
  );
  const violations: Violation[] = [];
  for (const { check, rule } of counting) {
    const violation = overridden.has(check.id) ? undefined : rule?.(subject);
    if (violation !== undefined) violations.push(violation);
  }
  return violations;
}

function formAt({ forms }: Check, minor: number): Rule | undefined {
  let found: Rule | undefined;
  for (const [since, rule] of forms) if (since <= minor) found = rule;
  return found;
}

const quoted = (items: readonly string[]): string => items.map((one) => `"${one}"`).join(', ');
const plural = (count: number, one: string, many = `${one}s`): string => (count === 1 ? one : many);
const containersText = (names: readonly string[]): string =>
  `${plural(names.length, 'container')} ${quoted(names)}`;
const distinct = (items: readonly string[]): readonly string[] => [...new Set(items)].sort();
const namesOf = (containers: readonly Container[]): readonly string[] => containers.map(({ name }) => name);
const isWindows = ({ spec }: Subject): boolean => spec.os?.name === 'windows';
const hasOwnUsers = ({ spec }: Subject): boolean => spec.hostUsers === false;

/** `pod and containers "a", "b"`; '' where nobody does it. */
function setters(podDoes: boolean, containers: readonly Container[]): string {
  const parts = podDoes ? ['pod'] : [];
  if (containers.length > 0) parts.push(containersText(namesOf(containers)));
  return parts.join(' and ');
}

const unless =
  (excused: (subject: Subject) => boolean, rule: Rule): Rule =>
  (subject) =>
    excused(subject) ? undefined : rule(subject);

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

function appArmor({ metadata, spec, containers }: Subject): Violation | undefined {
  const isBad = (type: string | undefined): type is string =>
    type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost';
  const podType = spec.securityContext?.appArmorProfile?.type;
  const typeOf = ({ securityContext }: Container) => securityContext?.appArmorProfile?.type;
  const bad = containers.filter((one) => isBad(typeOf(one)));
  const values = distinct([podType, ...bad.map(typeOf)].filter(isBad));
  const annotations = Object.entries(metadata.annotations ?? {})
    .filter(
      ([key, value]) =>
        key.startsWith(appArmorPrefix) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const who = [
    setters(isBad(podType), bad),
    annotations.length > 0 ? plural(annotations.length, 'annotation') : '',
  ]
    .filter((one) => one !== '')
    .join(' and ');
  if (who === '') return undefined;
  const all = [...values, ...annotations];
  return {
    reason: plural(all.length, 'forbidden AppArmor profile'),
    detail: `${who} must not set AppArmor profile type to ${quoted(all)}`,
  };
}

const addable = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** Containers that add capabilities beyond `allowed`, and which. */
function addedBeyond(containers: readonly Container[], allowed: ReadonlySet<string>) {
  const beyond = ({ securityContext }: Container): readonly string[] =>
    (securityContext?.capabilities?.add ?? []).filter((one) => !allowed.has(one));
  const bad = containers.filter((one) => beyond(one).length > 0);
  return bad.length === 0
    ? undefined
    : `${containersText(namesOf(bad))} must not include ${quoted(distinct(bad.flatMap(beyond)))} in securityContext.capabilities.add`;
}

function capabilitiesBaseline({ containers }: Subject): Violation | undefined {
  const detail = addedBeyond(containers, addable);
  return detail === undefined ? undefined : { reason: 'non-default capabilities', detail };
}

const onlyLowPorts = new Set(['NET_BIND_SERVICE']);

function capabilitiesRestricted({ containers }: Subject): Violation | undefined {
  const keeping = containers.filter(
    ({ securityContext }) => securityContext?.capabilities?.drop?.includes('ALL') !== true,
  );
  const added = addedBeyond(containers, onlyLowPorts);
  const details = [
    ...(keeping.length === 0
      ? []
      : [`${containersText(namesOf(keeping))} must set securityContext.capabilities.drop=["ALL"]`]),
    ...(added === undefined ? [] : [added]),
  ];
  return details.length === 0
    ? undefined
    : { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

function hostNamespaces({ spec }: Subject): Violation | undefined {
  const shared = (['hostIPC', 'hostNetwork', 'hostPID'] as const).filter((one) => spec[one] === true);
  return shared.length === 0 ? undefined : { reason: 'host namespaces', detail: shared.join(', ') };
}

function hostPathVolumes({ spec }: Subject): Violation | undefined {
  const names = (spec.volumes ?? []).filter((one) => one.hostPath !== undefined).map(({ name }) => name);
  return names.length === 0
    ? undefined
    : { reason: 'hostPath volumes', detail: `${plural(names.length, 'volume')} ${quoted(names)}` };
}

function hostPorts({ containers }: Subject): Violation | undefined {
  const portsOf = ({ ports }: Container): readonly string[] =>
    (ports ?? []).flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)]));
  const bad = containers.filter((one) => portsOf(one).length > 0);
  if (bad.length === 0) return undefined;
  const ports = distinct(bad.flatMap(portsOf));
  return {
    reason: 'hostPort',
    detail: `${containersText(namesOf(bad))} ${plural(bad.length, 'uses', 'use')} ${plural(ports.length, 'hostPort')} ${ports.join(', ')}`,
  };
}

function probeHosts({ containers }: Subject): Violation | undefined {
  const hostsOf = (one: Container): readonly string[] =>
    [
      one.livenessProbe,
      one.readinessProbe,
      one.startupProbe,
      one.lifecycle?.postStart,
      one.lifecycle?.preStop,
    ].flatMap((handler) => [handler?.httpGet?.host ?? '', handler?.tcpSocket?.host ?? '']);
  const isSet = (host: string): boolean => host !== '';
  const bad = containers.filter((one) => hostsOf(one).some(isSet));
  if (bad.length === 0) return undefined;
  const hosts = distinct(bad.flatMap(hostsOf).filter(isSet));
  return {
    reason: 'probe or lifecycle host',
    detail: `${containersText(distinct(namesOf(bad)))} ${plural(bad.length, 'uses', 'use')} ${plural(hosts.length, 'probe or lifecycle host')} ${quoted(hosts)}`,
  };
}

/** Every container for which it holds must, or must not, do something. */
const eachContainer =
  (reason: string, what: string, isBad: (container: Container) => boolean): Rule =>
  ({ containers }) => {
    const bad = containers.filter(isBad);
    return bad.length === 0 ? undefined : { reason, detail: `${containersText(namesOf(bad))} ${what}` };
  };

const privileged = eachContainer(
  'privileged',
  'must not set securityContext.privileged=true',
  ({ securityContext }) => securityContext?.privileged === true,
);

const allowPrivilegeEscalation = eachContainer(
  'allowPrivilegeEscalation != false',
  'must set securityContext.allowPrivilegeEscalation=false',
  ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
);

function procMount({ containers }: Subject): Violation | undefined {
  const typeOf = ({ securityContext }: Container): string => securityContext?.procMount ?? 'Default';
  const bad = containers.filter((one) => typeOf(one) !== 'Default');
  return bad.length === 0
    ? undefined
    : {
        reason: 'procMount',
        detail: `${containersText(namesOf(bad))} must not set securityContext.procMount to ${quoted(distinct(bad.map(typeOf)))}`,
      };
}

interface SeLinux {
  readonly type?: string;
  readonly user?: string;
  readonly role?: string;
}

const seLinux =
  (types: readonly string[]): Rule =>
  ({ spec, containers }) => {
    const isBadType = (type: string | undefined): type is string =>
      type !== undefined && type !== '' && !types.includes(type);
    const isBad = (options: SeLinux | undefined): boolean =>
      isBadType(options?.type) || (options?.user ?? '') !== '' || (options?.role ?? '') !== '';
    const podOptions = spec.securityContext?.seLinuxOptions;
    const bad = containers.filter(({ securityContext }) => isBad(securityContext?.seLinuxOptions));
    const who = setters(isBad(podOptions), bad);
    if (who === '') return undefined;
    const all = [podOptions, ...bad.map(({ securityContext }) => securityContext?.seLinuxOptions)];
    const badTypes = distinct(all.map((one) => one?.type).filter(isBadType));
    const details = [
      ...(badTypes.length === 0 ? [] : [`${plural(badTypes.length, 'type')} ${quoted(badTypes)}`]),
      ...(all.some((one) => (one?.user ?? '') !== '') ? ['user may not be set'] : []),
      ...(all.some((one) => (one?.role ?? '') !== '') ? ['role may not be set'] : []),
    ];
    return {
      reason: 'seLinuxOptions',
      detail: `${who} set forbidden securityContext.seLinuxOptions: ${details.join('; ')}`,
    };
  };

const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod';
const seccompContainer = 'container.seccomp.security.alpha.kubernetes.io/';

function seccompAnnotations({ metadata, containers }: Subject): Violation | undefined {
  const keys = [seccompPod, ...containers.map(({ name }) => `${seccompContainer}${name}`)];
  const forbidden = keys.flatMap((key) => {
    const value = metadata.annotations?.[key];
    const isFine =
      value === undefined ||
      value === 'runtime/default' ||
      value === 'docker/default' ||
      value.startsWith('localhost/');
    return isFine ? [] : [`${key}=${JSON.stringify(value)}`];
  });
  return forbidden.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `forbidden ${plural(forbidden.length, 'annotation')} ${distinct(forbidden).join(', ')}`,
      };
}

const isSafeSeccomp = (type: string): boolean => type === 'RuntimeDefault' || type === 'Localhost';

function seccompBaseline({ spec, containers }: Subject): Violation | undefined {
  const isBad = (type: string | undefined): type is string => type !== undefined && !isSafeSeccomp(type);
  const podType = spec.securityContext?.seccompProfile?.type;
  const typeOf = ({ securityContext }: Container) => securityContext?.seccompProfile?.type;
  const bad = containers.filter((one) => isBad(typeOf(one)));
  const who = setters(isBad(podType), bad);
  return who === ''
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(distinct([podType, ...bad.map(typeOf)].filter(isBad)))}`,
      };
}

function seccompRestricted(subject: Subject): Violation | undefined {
  const wrong = seccompBaseline(subject);
  if (wrong !== undefined) return wrong;
  const { spec, containers } = subject;
  if (spec.securityContext?.seccompProfile !== undefined) return undefined;
  const bare = containers.filter(({ securityContext }) => securityContext?.seccompProfile === undefined);
  return bare.length === 0
    ? undefined
    : {
        reason: 'seccompProfile',
        detail: `pod or ${containersText(namesOf(bare))} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
      };
}

const sysctls =
  (allowed: readonly string[]): Rule =>
  ({ spec }) => {
    const forbidden = (spec.securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter((name) => !allowed.includes(name));
    return forbidden.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: forbidden.join(', ') };
  };

function hostProcess({ spec, containers }: Subject): Violation | undefined {
  const bad = containers.filter(
    ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true,
  );
  const who = setters(spec.securityContext?.windowsOptions?.hostProcess === true, bad);
  return who === ''
    ? undefined
    : {
        reason: 'hostProcess',
        detail: `${who} must not set securityContext.windowsOptions.hostProcess=true`,
      };
}

const volumeTypes = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

function restrictedVolumes({ spec }: Subject): Violation | undefined {
  const typeOf = (volume: object): string => Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  const bad = (spec.volumes ?? []).filter((one) => !volumeTypes.includes(typeOf(one)));
  if (bad.length === 0) return undefined;
  const types = distinct(bad.map((one) => (typeOf(one) === 'image' ? 'unknown' : typeOf(one))));
  return {
    reason: 'restricted volume types',
    detail: `${plural(bad.length, 'volume')} ${quoted(bad.map(({ name }) => name))} ${plural(bad.length, 'uses', 'use')} ${plural(types.length, 'restricted volume type')} ${quoted(types)}`,
  };
}

function runAsNonRoot({ spec, containers }: Subject): Violation | undefined {
  const podSays = spec.securityContext?.runAsNonRoot;
  const refusing = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === false);
  const who = setters(podSays === false, refusing);
  const reason = 'runAsNonRoot != true';
  if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` };
  if (podSays === true) return undefined;
  const silent = containers.filter(({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  return silent.length === 0
    ? undefined
    : {
        reason,
        detail: `pod or ${containersText(namesOf(silent))} must set securityContext.runAsNonRoot=true`,
      };
}

function runAsUser({ spec, containers }: Subject): Violation | undefined {
  const bad = containers.filter(({ securityContext }) => securityContext?.runAsUser === 0);
  const who = setters(spec.securityContext?.runAsUser === 0, bad);
  return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` };
}

const seLinuxTypes = ['container_t', 'container_init_t', 'container_kvm_t'];
const safeSysctls = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
];
const sysctls127 = [...safeSysctls, 'net.ipv4.ip_local_reserved_ports'];
const sysctls129 = [
  ...sysctls127,
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];
const sysctls132 = [...sysctls129, 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'];

/** Of each level in the order of their ids: the order in which they speak. */
const checks: readonly Check[] = [
  { id: 'appArmorProfile', level: 'baseline', forms: [[0, appArmor]] },
  { id: 'capabilities_baseline', level: 'baseline', forms: [[0, capabilitiesBaseline]] },
  { id: 'hostNamespaces', level: 'baseline', forms: [[0, hostNamespaces]] },
  { id: 'hostPathVolumes', level: 'baseline', forms: [[0, hostPathVolumes]] },
  { id: 'hostPorts', level: 'baseline', forms: [[0, hostPorts]] },
  { id: 'hostProbesAndHostLifecycle', level: 'baseline', forms: [[34, probeHosts]] },
  { id: 'privileged', level: 'baseline', forms: [[0, privileged]] },
  {
    id: 'procMount_baseline',
    level: 'baseline',
    forms: [
      [0, procMount],
      [35, unless(hasOwnUsers, procMount)],
    ],
  },
  {
    id: 'seLinuxOptions',
    level: 'baseline',
    forms: [
      [0, seLinux(seLinuxTypes)],
      [31, seLinux([...seLinuxTypes, 'container_engine_t'])],
    ],
  },
  {
    id: 'seccompProfile_baseline',
    level: 'baseline',
    forms: [
      [0, seccompAnnotations],
      [19, seccompBaseline],
    ],
  },
  {
    id: 'sysctls',
    level: 'baseline',
    forms: [
      [0, sysctls(safeSysctls)],
      [27, sysctls(sysctls127)],
      [29, sysctls(sysctls129)],
      [32, sysctls(sysctls132)],
    ],
  },
  { id: 'windowsHostProcess', level: 'baseline', forms: [[0, hostProcess]] },
  {
    id: 'allowPrivilegeEscalation',
    level: 'restricted',
    forms: [
      [8, allowPrivilegeEscalation],
      [25, unless(isWindows, allowPrivilegeEscalation)],
    ],
  },
  {
    id: 'capabilities_restricted',
    level: 'restricted',
    forms: [
      [22, capabilitiesRestricted],
      [25, unless(isWindows, capabilitiesRestricted)],
    ],
    overrides: 'capabilities_baseline',
  },
  {
    id: 'procMount_restricted',
    level: 'restricted',
    forms: [[35, procMount]],
    overrides: 'procMount_baseline',
  },
  {
    id: 'restrictedVolumes',
    level: 'restricted',
    forms: [[0, restrictedVolumes]],
    overrides: 'hostPathVolumes',
  },
  {
    id: 'runAsNonRoot',
    level: 'restricted',
    forms: [
      [0, runAsNonRoot],
      [35, unless(hasOwnUsers, runAsNonRoot)],
    ],
  },
  {
    id: 'runAsUser',
    level: 'restricted',
    forms: [
      [23, runAsUser],
      [35, unless(hasOwnUsers, runAsUser)],
    ],
  },
  {
    id: 'seccompProfile_restricted',
    level: 'restricted',
    forms: [
      [19, seccompRestricted],
      [25, unless(isWindows, seccompRestricted)],
    ],
    overrides: 'seccompProfile_baseline',
  },
];
