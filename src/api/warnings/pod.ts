/**
 * What is warned of in pods and their templates: it is taken as it is, but does not do what it seems to. Pure. Nothing is allocated where all is well.
 * Source: k8s.io/kubernetes/pkg/api/pod/warnings.go, pkg/api/node/util.go, pkg/api/persistentvolumeclaim/util.go.
 */
import { quantityNano } from '../quantity.ts';
import type {
  Container,
  ContainerPort,
  EnvVar,
  NodeAffinity,
  NodeSelectorTerm,
  PersistentVolumeClaimSpec,
  PodAffinityTerm,
  PodSpec,
  ResourceRequirements,
  Volume,
} from '../types/core.v1.ts';
import type { ObjectMeta } from '../types/meta.v1.ts';

export type Say = (warning: string) => void;

const oldNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region':
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone':
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type':
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** What is said of a label of nodes that has another name now. */
export const oldNodeLabel = (label: string): string | undefined => oldNodeLabels[label];

const oldAnnotations: readonly (readonly [annotation: string, why: string])[] = [
  [
    'scheduler.alpha.kubernetes.io/critical-pod',
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  [
    'security.alpha.kubernetes.io/unsafe-sysctls',
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
];

const seccomp = 'seccomp.security.alpha.kubernetes.io/pod';
const containerSeccomp = 'container.seccomp.security.alpha.kubernetes.io/';
const containerAppArmor = 'container.apparmor.security.beta.kubernetes.io/';
const useSeccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';

/** Kinds of volumes that are no more, or soon. */
export const oldVolumes: readonly (readonly [field: string, why: string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

/** `at`: where the pod or its template stands, with a dot behind; '' for a pod. */
export function podWarnings(say: Say, at: string, meta: ObjectMeta | undefined, spec: PodSpec): void {
  const field = `${at}spec`;
  for (const label in spec.nodeSelector) {
    const why = oldNodeLabel(label);
    if (why !== undefined) say(`${field}.nodeSelector[${label}]: ${why}`);
  }
  if (spec.affinity?.nodeAffinity !== undefined)
    nodeAffinityWarnings(say, `${field}.affinity.nodeAffinity`, spec.affinity.nodeAffinity);
  spec.topologySpreadConstraints?.forEach((one, index) => {
    const here = `${field}.topologySpreadConstraints[${index}]`;
    const why = oldNodeLabel(one.topologyKey);
    if (why !== undefined) say(`${here}.topologyKey: ${one.topologyKey} is ${why}`);
    if (one.labelSelector === undefined) say(nullSelector(here));
  });
  if (meta?.annotations !== undefined) annotationWarnings(say, at, meta.annotations, spec);
  spec.volumes?.forEach((volume, index) => {
    volumeWarnings(say, `${field}.volumes[${index}]`, volume);
  });
  repeated(
    spec.hostAliases ?? [],
    ({ ip = '' }, index) => [ip, `${field}.hostAliases[${index}].ip`, 'ip'],
    say,
  );
  const secrets = spec.imagePullSecrets ?? [];
  const nameAt = (index: number): string => `${field}.imagePullSecrets[${index}].name`;
  repeated(secrets, ({ name = '' }, index) => [name, nameAt(index), 'name'], say);
  secrets.forEach(({ name = '' }, index) => {
    if (name === '') say(`${nameAt(index)}: invalid empty name ""`);
  });
  fractions(say, `${field}.overhead`, spec.overhead);
  const containers = containersOf(field, spec);
  for (const [here, container] of containers) containerWarnings(say, here, container);
  portWarnings(say, containers);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    say(
      `${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  podAffinityWarnings(say, `${field}.affinity`, spec);
}

const nullSelector = (here: string): string =>
  `${here}.labelSelector: a null labelSelector results in matching no pod`;

type Placed = readonly (readonly [here: string, container: Container])[];

function containersOf(field: string, spec: PodSpec): Placed {
  const placed: (readonly [string, Container])[] = [];
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const)
    spec[list]?.forEach((container, index) => {
      placed.push([`${field}.${list}[${index}]`, container as Container]);
    });
  return placed;
}

/** Of a list whose elements are told apart by a value: each that comes again. */
function repeated<T>(
  list: readonly T[],
  read: (element: T, index: number) => readonly [value: string, here: string, what: string],
  say: Say,
): void {
  if (list.length < 2) return;
  const seen = new Set<string>();
  list.forEach((element, index) => {
    const [value, here, what] = read(element, index);
    if (seen.has(value)) say(`${here}: duplicate ${what} ${JSON.stringify(value)}`);
    seen.add(value);
  });
}

export function nodeTermWarnings(say: Say, here: string, term: NodeSelectorTerm): void {
  term.matchExpressions?.forEach(({ key = '' }, index) => {
    const why = oldNodeLabel(key);
    if (why !== undefined) say(`${here}.matchExpressions[${index}].key: ${key} is ${why}`);
  });
}

function nodeAffinityWarnings(say: Say, here: string, affinity: NodeAffinity): void {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  affinity[required]?.nodeSelectorTerms?.forEach((term, index) => {
    nodeTermWarnings(say, `${here}.${required}.nodeSelectorTerms[${index}]`, term);
  });
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  affinity[preferred]?.forEach(({ preference }, index) => {
    nodeTermWarnings(say, `${here}.${preferred}[${index}].preference`, preference ?? {});
  });
}

function podAffinityWarnings(say: Say, field: string, { affinity }: PodSpec): void {
  for (const side of ['podAffinity', 'podAntiAffinity'] as const) {
    const check = (term: PodAffinityTerm | undefined, here: string): void => {
      if (term !== undefined && term.labelSelector === undefined) say(nullSelector(here));
    };
    const required = 'requiredDuringSchedulingIgnoredDuringExecution';
    affinity?.[side]?.[required]?.forEach((term, index) => {
      check(term, `${field}.${side}.${required}[${index}]`);
    });
    const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
    affinity?.[side]?.[preferred]?.forEach(({ podAffinityTerm }, index) => {
      check(podAffinityTerm, `${field}.${side}.${preferred}[${index}].podAffinityTerm`);
    });
  }
}

function annotationWarnings(
  say: Say,
  at: string,
  annotations: Readonly<Record<string, string>>,
  spec: PodSpec,
): void {
  const tell = (annotation: string, why: string): void => {
    if (annotations[annotation] !== undefined) say(`${at}metadata.annotations[${annotation}]: ${why}`);
  };
  for (const [annotation, why] of oldAnnotations) tell(annotation, why);
  if (spec.securityContext?.seccompProfile === undefined) tell(seccomp, useSeccomp);
  for (const [, { name, securityContext }] of containersOf('', spec)) {
    if (securityContext?.seccompProfile === undefined) tell(`${containerSeccomp}${name}`, useSeccomp);
    if (securityContext?.appArmorProfile === undefined)
      tell(`${containerAppArmor}${name}`, 'deprecated since v1.30; use the "appArmorProfile" field instead');
  }
}

function volumeWarnings(say: Say, here: string, volume: Volume): void {
  for (const [field, why] of oldVolumes)
    if ((volume as unknown as Readonly<Record<string, unknown>>)[field] !== undefined)
      say(`${here}.${field}: ${why}`);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim !== undefined) claimWarnings(say, `${here}.ephemeral.volumeClaimTemplate.spec`, claim);
}

const fraction = (here: string, value: string): string =>
  `${here}: fractional byte value ${JSON.stringify(value)} is invalid, must be an integer`;

const isFractional = (value: string): boolean => (quantityNano(value) ?? 0n) % 1_000_000_000n !== 0n;

function fractions(say: Say, here: string, amounts: Readonly<Record<string, string>> | undefined): void {
  if (amounts === undefined) return;
  for (const name of ['memory', 'ephemeral-storage']) {
    const value = amounts[name];
    // What has no unit, or one that is whole, needs no reckoning.
    if (value !== undefined && !/^\d+([kMGTPE]i?)?$/.test(value) && isFractional(value))
      say(fraction(`${here}[${name}]`, value));
  }
}

function resourceWarnings(say: Say, here: string, resources: ResourceRequirements | undefined): void {
  fractions(say, `${here}.limits`, resources?.limits);
  fractions(say, `${here}.requests`, resources?.requests);
}

export function claimWarnings(say: Say, here: string, spec: PersistentVolumeClaimSpec): void {
  for (const side of ['requests', 'limits'] as const) {
    const value = spec.resources?.[side]?.['storage'];
    if (value !== undefined && isFractional(value))
      say(fraction(`${here}.resources.${side}[storage]`, value));
  }
}

function containerWarnings(say: Say, here: string, { env, resources }: Container): void {
  resourceWarnings(say, `${here}.resources`, resources);
  if (env !== undefined && env.length > 1) hiddenWarnings(say, `${here}.env`, env);
}

/** A variable that stands twice, and does not build upon what it was. */
function hiddenWarnings(say: Say, here: string, env: readonly EnvVar[]): void {
  const seen = new Set<string>();
  env.forEach(({ name, value = '', valueFrom }, index) => {
    const before = `$(${name})`;
    if (seen.has(name) && (valueFrom !== undefined || value === before || !value.includes(before)))
      say(
        `${here}[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      );
    seen.add(name);
  });
}

interface PlacedPort {
  readonly here: string;
  readonly port: ContainerPort;
}

function portWarnings(say: Say, containers: Placed): void {
  const ports: PlacedPort[] = [];
  for (const [container, { ports: own }] of containers)
    own?.forEach((port, index) => {
      ports.push({ here: `${container}.ports[${index}]`, port });
    });
  ports.forEach(({ here, port }, index) => {
    for (const other of ports.slice(0, index)) {
      const how = overlap(port, other.port);
      if (how !== undefined) say(`${here}: ${how} port definition with ${other.here}`);
    }
    const { name } = port;
    const first = name === undefined ? -1 : ports.findIndex((other) => other.port.name === name);
    if (first < 0 || first >= index) return;
    const at = `${ports[first]?.here}.name`;
    say(
      `${here}.name: duplicate port name ${JSON.stringify(name)} with ${at}, services and probes that select ports by name will use ${at}`,
    );
  });
}

function overlap(a: ContainerPort, b: ContainerPort): string | undefined {
  if (a.containerPort !== b.containerPort || (a.protocol ?? 'TCP') !== (b.protocol ?? 'TCP'))
    return undefined;
  const { hostPort: ours = 0, hostIP: ourAddress = '' } = a;
  const { hostPort: theirs = 0, hostIP: theirAddress = '' } = b;
  if (ours === theirs && ourAddress === theirAddress) return 'duplicate';
  if (ours === 0 || theirs === 0) return 'overlapping';
  const isOpen = (ourAddress === '') !== (theirAddress === '');
  return ours === theirs && isOpen ? 'dangerously ambiguous' : undefined;
}
