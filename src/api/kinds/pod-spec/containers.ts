/**
 * What containers may say: names, ports, mounts, policies, and what only some kinds of containers may have.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import type { Container, ContainerPort, PodSpec, VolumeMount } from '../../types/core.v1.ts';
import { validatePort } from '../../validation/addresses.ts';
import { labelName, portName } from '../../validation/names.ts';
import {
  duplicate,
  forbiddenField,
  notFoundField,
  notSupported,
  oneOf,
  type Problems,
  required,
  tooMany,
  wrong,
} from '../../validation/problems.ts';
import { validateResources } from '../../validation/resources.ts';
import { validateEnvironment, validateEnvironmentSources } from './environment.ts';
import { validateDescendingPath } from './paths.ts';
import { type ProbeName, validateLifecycle, validateProbe } from './probes.ts';
import { validateContainerSecurity } from './security.ts';

export interface SpecContext {
  /** A pod itself, not a template. */
  readonly isPod: boolean;
  readonly spec: PodSpec;
  /** Names of the pod's volumes. */
  readonly volumes: ReadonlySet<string>;
}

const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['FallbackToLogsOnError', 'File'];
export const protocols = ['SCTP', 'TCP', 'UDP'];
const propagations = ['Bidirectional', 'HostToContainer', 'None'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];
const probeNames: readonly ProbeName[] = ['livenessProbe', 'readinessProbe', 'startupProbe'];

const graceOf = ({ spec }: SpecContext): number => spec.terminationGracePeriodSeconds ?? 30;

export function validateContainers(problems: Problems, field: string, context: SpecContext): void {
  const containers = context.spec.containers ?? [];
  if (containers.length === 0) {
    problems.push(required(field));
    return;
  }
  const names = new Set<string>();
  const hostPorts = new Set<string>();
  containers.forEach((container, index) => {
    const at = `${field}[${index}]`;
    validateContainer(problems, at, container, context);
    if (names.has(container.name)) problems.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    validateLiving(problems, at, container, context);
    oneOf(problems, `${at}.restartPolicy`, container.restartPolicy, restartPolicies);
    validateRestartRules(problems, at, container);
    validateHostPorts(problems, `${at}.ports`, container.ports ?? [], hostPorts);
  });
}

/** Init containers share the names of the others, but not their time: their ports cannot collide with anyone's. */
export function validateInitContainers(problems: Problems, field: string, context: SpecContext): void {
  const names = new Set((context.spec.containers ?? []).map(({ name }) => name));
  context.spec.initContainers?.forEach((container, index) => {
    const at = `${field}[${index}]`;
    validateContainer(problems, at, container, context);
    if (names.has(container.name)) problems.push(duplicate(`${at}.name`, container.name));
    else if (container.name !== '') names.add(container.name);
    validateHostPorts(problems, `${at}.ports`, container.ports ?? [], new Set());
    oneOf(problems, `${at}.restartPolicy`, container.restartPolicy, restartPolicies);
    validateRestartRules(problems, at, container);
    if (container.restartPolicy === 'Always') {
      validateLiving(problems, at, container, context);
      return;
    }
    for (const name of ['lifecycle', ...probeNames] as const)
      if (container[name] !== undefined)
        problems.push(
          forbiddenField(`${at}.${name}`, 'may not be set for init containers without restartPolicy=Always'),
        );
  });
}

const restartRulesMax = 20;
const exitCodesMax = 255;
const restartActions: readonly string[] = ['Restart', 'RestartAllContainers'];
const exitOperators: readonly string[] = ['In', 'NotIn'];

function validateRestartRules(
  problems: Problems,
  field: string,
  { restartPolicy, restartPolicyRules }: Container,
): void {
  if (restartPolicyRules === undefined || restartPolicyRules.length === 0) return;
  if (restartPolicy === undefined)
    problems.push(
      required(`${field}.restartPolicy`, 'must specify restartPolicy when restart rules are used'),
    );
  const list = `${field}.restartPolicyRules`;
  if (restartPolicyRules.length > restartRulesMax)
    problems.push(tooMany(list, restartPolicyRules.length, restartRulesMax));
  restartPolicyRules.forEach(({ action, exitCodes }, index) => {
    const at = `${list}[${index}]`;
    if (!restartActions.includes(action)) problems.push(notSupported(`${at}.action`, action, restartActions));
    if (exitCodes === undefined) {
      problems.push(required(`${at}.exitCodes`, 'must be specified'));
      return;
    }
    const { operator = '', values = [] } = exitCodes;
    if (!exitOperators.includes(operator))
      problems.push(notSupported(`${at}.exitCodes.operator`, operator, exitOperators));
    if (values.length > exitCodesMax)
      problems.push(tooMany(`${at}.exitCodes.values`, values.length, exitCodesMax));
  });
}

/** For containers that run as long as the pod. */
function validateLiving(problems: Problems, field: string, container: Container, context: SpecContext): void {
  const graceSeconds = graceOf(context);
  validateLifecycle(problems, `${field}.lifecycle`, container.lifecycle, graceSeconds);
  for (const name of probeNames) validateProbe(problems, field, name, container[name], graceSeconds);
}

export function validateContainer(
  problems: Problems,
  field: string,
  container: Container,
  context: SpecContext,
): void {
  const { name = '', image = '', ports, env, envFrom, volumeMounts, resources } = container;
  if (name === '') problems.push(required(`${field}.name`));
  else for (const why of labelName(name)) problems.push(wrong(`${field}.name`, name, why));
  if (image === '') problems.push(required(`${field}.image`));
  // Some who read templates take a blank for a sign of theirs.
  else if (context.isPod && image.trim() !== image)
    problems.push(wrong(`${field}.image`, image, 'must not have leading or trailing whitespace'));
  oneOf(
    problems,
    `${field}.terminationMessagePolicy`,
    container.terminationMessagePolicy,
    messagePolicies,
    true,
  );
  if (ports !== undefined) validatePorts(problems, `${field}.ports`, ports, context);
  if (env !== undefined) validateEnvironment(problems, `${field}.env`, env);
  if (envFrom !== undefined) validateEnvironmentSources(problems, `${field}.envFrom`, envFrom);
  if (volumeMounts !== undefined) validateMounts(problems, `${field}.volumeMounts`, container, context);
  validateDevices(problems, `${field}.volumeDevices`, container, context);
  oneOf(problems, `${field}.imagePullPolicy`, container.imagePullPolicy, pullPolicies, true);
  if (resources !== undefined) validateResources(problems, `${field}.resources`, resources);
  if (container.securityContext !== undefined)
    validateContainerSecurity(problems, `${field}.securityContext`, container.securityContext);
}

function validatePorts(
  problems: Problems,
  field: string,
  ports: readonly ContainerPort[],
  { isPod, spec }: SpecContext,
): void {
  const names = new Set<string>();
  ports.forEach((port, index) => {
    const at = `${field}[${index}]`;
    const { name = '', containerPort = 0, hostPort = 0, protocol = '' } = port;
    if (name !== '') {
      const reasons = portName(name);
      for (const why of reasons) problems.push(wrong(`${at}.name`, name, why));
      if (reasons.length === 0 && names.has(name)) problems.push(duplicate(`${at}.name`, name));
      names.add(name);
    }
    if (containerPort === 0) problems.push(required(`${at}.containerPort`));
    else validatePort(problems, `${at}.containerPort`, containerPort);
    if (hostPort !== 0) validatePort(problems, `${at}.hostPort`, hostPort);
    if (protocol === '') problems.push(required(`${at}.protocol`));
    else if (!protocols.includes(protocol))
      problems.push(notSupported(`${at}.protocol`, protocol, protocols));
    // In a template the port may be left open: it is filled in when the pod is made.
    if (spec.hostNetwork === true && (isPod || hostPort !== 0) && hostPort !== containerPort)
      problems.push(
        wrong(`${at}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'),
      );
  });
}

function validateHostPorts(
  problems: Problems,
  field: string,
  ports: readonly ContainerPort[],
  taken: Set<string>,
): void {
  ports.forEach(({ hostPort = 0, hostIP = '', protocol = 'TCP' }, index) => {
    if (hostPort === 0) return;
    const text = `${protocol}/${hostIP}/${hostPort}`;
    if (taken.has(text)) problems.push(duplicate(`${field}[${index}].hostPort`, text));
    taken.add(text);
  });
}

function validateMounts(
  problems: Problems,
  field: string,
  container: Container,
  { volumes }: SpecContext,
): void {
  const paths = new Set<string>();
  container.volumeMounts?.forEach((mount, index) => {
    const at = `${field}[${index}]`;
    const { name = '', mountPath = '' } = mount;
    if (name === '') problems.push(required(`${at}.name`));
    if (!volumes.has(name)) problems.push(notFoundField(`${at}.name`, name));
    if (mountPath === '') problems.push(required(`${at}.mountPath`));
    if (paths.has(mountPath)) problems.push(wrong(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    validateSubPaths(problems, field, at, mount);
    validatePropagation(problems, `${field}.mountPropagation`, mount, container);
  });
}

/** Kubernetes names the list here, not the item. */
function validateSubPaths(problems: Problems, list: string, item: string, mount: VolumeMount): void {
  const { subPath = '', subPathExpr = '' } = mount;
  if (subPath !== '') validateDescendingPath(problems, `${list}.subPath`, subPath);
  if (subPathExpr === '') return;
  if (subPath !== '')
    problems.push(
      wrong(`${item}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'),
    );
  validateDescendingPath(problems, `${list}.subPathExpr`, subPathExpr);
}

function validatePropagation(
  problems: Problems,
  field: string,
  { mountPropagation }: VolumeMount,
  container: Container,
): void {
  if (mountPropagation === undefined) return;
  if (!propagations.includes(mountPropagation))
    problems.push(notSupported(field, mountPropagation, propagations));
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true)
    problems.push(
      forbiddenField(field, 'Bidirectional mount propagation is available only to privileged containers'),
    );
}

function validateDevices(
  problems: Problems,
  field: string,
  container: Container,
  { volumes }: SpecContext,
): void {
  container.volumeDevices?.forEach(({ name, devicePath }, index) => {
    const at = `${field}[${index}]`;
    if (name === '') problems.push(required(`${at}.name`));
    else if (!volumes.has(name)) problems.push(notFoundField(`${at}.name`, name));
    if (devicePath === '') problems.push(required(`${at}.devicePath`));
    if (container.volumeMounts?.some((mount) => mount.name === name))
      problems.push(wrong(`${at}.name`, name, 'must not already exist in volumeMounts'));
  });
}
