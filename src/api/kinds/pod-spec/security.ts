/**
 * What a pod and its containers may say about their rights.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../../types/core.v1.ts';
import { betweenWhy } from '../../validation/addresses.ts';
import {
  duplicate,
  forbiddenField,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../../validation/problems.ts';

const identityMax = 2 ** 31 - 1;
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const sysctlPattern = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/;
const sysctlText = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';

export function validatePodSecurity(problems: Problems, field: string, spec: PodSpec): void {
  if (spec.shareProcessNamespace === true && spec.hostPID === true)
    problems.push(
      wrong(
        `${field}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    );
  if (spec.hostUsers === false) validateOwnUsers(problems, field, spec);
  const context = spec.securityContext;
  if (context === undefined) return;
  const at = `${field}.securityContext`;
  validateIdentity(problems, `${at}.fsGroup`, context.fsGroup);
  validateIdentity(problems, `${at}.runAsUser`, context.runAsUser);
  validateIdentity(problems, `${at}.runAsGroup`, context.runAsGroup);
  context.supplementalGroups?.forEach((group, index) => {
    validateIdentity(problems, `${at}.supplementalGroups[${index}]`, group);
  });
  validateSysctls(problems, `${at}.sysctls`, context.sysctls ?? []);
  oneOf(problems, `${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  oneOf(problems, `${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  validateSeccomp(problems, `${at}.seccompProfile`, context.seccompProfile);
  validateAppArmor(problems, `${at}.appArmorProfile`, context.appArmorProfile);
}

/** A pod with users of its own has nothing else of the host's. Fields are called as Kubernetes calls them here. */
function validateOwnUsers(problems: Problems, field: string, spec: PodSpec): void {
  const refuse = (at: string): void => {
    problems.push(forbiddenField(`${field}.${at}`, 'when `hostUsers` is false'));
  };
  if (spec.hostNetwork === true) refuse('hostNetwork');
  if (spec.hostPID === true) refuse('HostPID');
  if (spec.hostIPC === true) refuse('HostIPC');
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const)
    spec[list]?.forEach(({ volumeDevices = [] }, index) => {
      if (volumeDevices.length > 0) refuse(`${list}[${index}].volumeDevices`);
    });
}

export function validateContainerSecurity(problems: Problems, field: string, context: SecurityContext): void {
  validateIdentity(problems, `${field}.runAsUser`, context.runAsUser);
  validateIdentity(problems, `${field}.runAsGroup`, context.runAsGroup);
  oneOf(problems, `${field}.procMount`, context.procMount, ['Default', 'Unmasked']);
  validateSeccomp(problems, `${field}.seccompProfile`, context.seccompProfile);
  validateAppArmor(problems, `${field}.appArmorProfile`, context.appArmorProfile);
  if (context.allowPrivilegeEscalation !== false) return;
  if (context.privileged === true)
    problems.push(
      wrong(field, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'),
    );
  if (context.capabilities?.add?.some((name) => name === 'CAP_SYS_ADMIN'))
    problems.push(
      wrong(
        field,
        context,
        'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
      ),
    );
}

function validateIdentity(problems: Problems, field: string, id: number | undefined): void {
  if (id !== undefined && (id < 0 || id > identityMax))
    problems.push(wrong(field, id, betweenWhy(0, identityMax)));
}

function validateSysctls(
  problems: Problems,
  field: string,
  sysctls: NonNullable<PodSecurityContext['sysctls']>,
): void {
  const seen = new Set<string>();
  sysctls.forEach(({ name = '' }, index) => {
    const at = `${field}[${index}].name`;
    if (name === '') problems.push(required(at));
    else if (name.length > 253 || !sysctlPattern.test(name))
      problems.push(wrong(at, name, `must have at most 253 characters and match regex ${sysctlText}`));
    else if (seen.has(name)) problems.push(duplicate(at, name));
    seen.add(name);
  });
}

function validateSeccomp(problems: Problems, field: string, profile: SeccompProfile | undefined): void {
  if (profile === undefined) return;
  const { type = '', localhostProfile } = profile;
  if (type === '') problems.push(required(`${field}.type`, 'type is required when seccompProfile is set'));
  else oneOf(problems, `${field}.type`, type, profileTypes);
  if (type === 'Localhost') {
    if (localhostProfile === undefined)
      problems.push(required(`${field}.localhostProfile`, 'must be set when seccomp type is Localhost'));
  } else if (localhostProfile !== undefined)
    problems.push(
      wrong(`${field}.localhostProfile`, localhostProfile, 'can only be set when seccomp type is Localhost'),
    );
}

function validateAppArmor(problems: Problems, field: string, profile: AppArmorProfile | undefined): void {
  if (profile === undefined) return;
  const { type = '', localhostProfile } = profile;
  if (type === '') problems.push(required(`${field}.type`, 'type is required when appArmorProfile is set'));
  else oneOf(problems, `${field}.type`, type, profileTypes);
  if (type === 'Localhost') {
    if ((localhostProfile ?? '').trim() === '')
      problems.push(required(`${field}.localhostProfile`, 'must be set when AppArmor type is Localhost'));
  } else if (localhostProfile !== undefined)
    problems.push(
      wrong(`${field}.localhostProfile`, localhostProfile, 'can only be set when AppArmor type is Localhost'),
    );
}
