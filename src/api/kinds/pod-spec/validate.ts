/**
 * What a pod spec may say, in pods and in the templates of Deployments and other workloads.
 *
 *   validatePodSpec ─▶ volumes ─▶ containers (containers.ts, environment.ts, probes.ts) ─▶ policies ─▶ security ─▶ placement.ts ─▶ names
 *
 * Fields, order and wording as Kubernetes 1.36 has them (pkg/apis/core/validation, as behaviour): clients match on them.
 */
import type { PodSchedulingGroup, PodSpec, PodTemplateSpec } from '../../types/core.v1.ts';
import { betweenWhy, validateAddress } from '../../validation/addresses.ts';
import { labelName, qualifiedName, subdomainName } from '../../validation/names.ts';
import { validateAnnotations, validateLabels } from '../../validation/object-meta.ts';
import {
  forbiddenField,
  notSupported,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../../validation/problems.ts';
import { validateAmounts, validateResources } from '../../validation/resources.ts';
import { validatePodClaims } from './claims.ts';
import { type SpecContext, validateContainers, validateInitContainers } from './containers.ts';
import { validateEphemeralContainers } from './ephemeral-containers.ts';
import { validateAffinity, validateSpread, validateTolerations } from './placement.ts';
import { validatePodSecurity } from './security.ts';
import { validateVolumes } from './volumes.ts';

export const secondsMax = 2 ** 31 - 1;

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const preemptionPolicies = ['PreemptLowerPriority', 'Never'];

/** `isPod`: a pod itself, not a template of one. */
export function validatePodSpec(
  problems: Problems,
  field: string,
  spec: PodSpec,
  { isPod }: { readonly isPod: boolean },
): void {
  const context: SpecContext = {
    isPod,
    spec,
    volumes: validateVolumes(problems, `${field}.volumes`, spec.volumes ?? []),
  };
  validateContainers(problems, `${field}.containers`, context);
  validateInitContainers(problems, `${field}.initContainers`, context);
  validateEphemeralContainers(problems, `${field}.ephemeralContainers`, context);
  oneOf(problems, `${field}.restartPolicy`, spec.restartPolicy, restartPolicies, true);
  oneOf(problems, `${field}.dnsPolicy`, spec.dnsPolicy, dnsPolicies, true);
  if (spec.nodeSelector !== undefined) validateLabels(problems, `${field}.nodeSelector`, spec.nodeSelector);
  validatePodSecurity(problems, field, spec);
  if (spec.affinity !== undefined) validateAffinity(problems, `${field}.affinity`, spec.affinity);
  validateDns(problems, field, spec);
  validateGates(problems, field, spec);
  if (spec.schedulingGroup !== undefined) validateGroup(problems, field, spec.schedulingGroup);
  validateSpread(problems, `${field}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? []);
  validateNames(problems, field, spec);
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > secondsMax))
    problems.push(wrong(`${field}.activeDeadlineSeconds`, deadline, betweenWhy(1, secondsMax)));
  validateTolerations(problems, `${field}.tolerations`, spec.tolerations ?? []);
  validateHostAliases(problems, `${field}.hostAliases`, spec.hostAliases ?? []);
  if (spec.resourceClaims !== undefined || spec.containers?.some(({ resources }) => resources?.claims))
    validatePodClaims(problems, field, spec);
  oneOf(problems, `${field}.preemptionPolicy`, spec.preemptionPolicy, preemptionPolicies);
  if (spec.overhead !== undefined) validateAmounts(problems, `${field}.overhead`, spec.overhead);
  if (spec.resources !== undefined) validateResources(problems, `${field}.resources`, spec.resources);
  if (spec.os !== undefined) oneOf(problems, `${field}.os.name`, spec.os.name, ['linux', 'windows'], true);
}

/** A template of pods: its metadata (under `template` itself, as Kubernetes names it) and its spec. */
export function validatePodTemplate(
  problems: Problems,
  field: string,
  template: PodTemplateSpec | undefined,
): void {
  const { metadata, spec } = template ?? {};
  if (metadata?.labels !== undefined) validateLabels(problems, `${field}.labels`, metadata.labels);
  if (metadata?.annotations !== undefined)
    validateAnnotations(problems, `${field}.annotations`, metadata.annotations);
  validatePodSpec(problems, `${field}.spec`, spec ?? { containers: [] }, { isPod: false });
  if ((spec?.ephemeralContainers?.length ?? 0) > 0)
    problems.push(
      forbiddenField(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'),
    );
}

const nameserversMax = 3;
const searchesMax = 32;
const searchLengthMax = 2048;

function validateDns(problems: Problems, field: string, { dnsConfig, dnsPolicy }: PodSpec): void {
  const at = `${field}.dnsConfig`;
  const nameservers = dnsConfig?.nameservers ?? [];
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined)
      problems.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    else if (nameservers.length === 0)
      problems.push(
        required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
      );
  }
  if (dnsConfig === undefined) return;
  const { searches = [], options = [] } = dnsConfig;
  if (nameservers.length > nameserversMax)
    problems.push(
      wrong(`${at}.nameservers`, nameservers, `must not have more than ${nameserversMax} nameservers`),
    );
  nameservers.forEach((server, index) => {
    validateAddress(problems, `${at}.nameservers[${index}]`, server);
  });
  if (searches.length > searchesMax)
    problems.push(wrong(`${at}.searches`, searches, `must not have more than ${searchesMax} search paths`));
  if (searches.join(' ').length > searchLengthMax)
    problems.push(
      wrong(
        `${at}.searches`,
        searches,
        `must not have more than ${searchLengthMax} characters (including spaces) in the search list`,
      ),
    );
  searches.forEach((search, index) => {
    if (search === '.') return;
    for (const why of subdomainName(search.replace(/\.$/, '')))
      problems.push(wrong(`${at}.searches[${index}]`, search, why));
  });
  options.forEach((option, index) => {
    if ((option.name ?? '') === '') problems.push(required(`${at}.options[${index}]`, 'must not be empty'));
  });
}

function validateGates(problems: Problems, field: string, spec: PodSpec): void {
  spec.readinessGates?.forEach((gate, index) => {
    for (const why of qualifiedName(gate.conditionType))
      problems.push(wrong(`${field}.readinessGates[${index}].conditionType`, gate.conditionType, why));
  });
  const seen = new Set<string>();
  spec.schedulingGates?.forEach(({ name }, index) => {
    const at = `${field}.schedulingGates[${index}]`;
    for (const why of qualifiedName(name)) problems.push(wrong(at, name, why));
    if (seen.has(name))
      problems.push({ reason: 'FieldValueDuplicate', field: at, message: `Duplicate value: "${name}"` });
    seen.add(name);
  });
}

function validateGroup(problems: Problems, field: string, { podGroupName }: PodSchedulingGroup): void {
  const at = `${field}.schedulingGroup`;
  if (podGroupName === undefined) problems.push(wrong(at, '', 'must specify one of: `podGroupName`'));
  else
    for (const why of subdomainName(podGroupName))
      problems.push(wrong(`${at}.podGroupName`, podGroupName, why));
}

function validateNames(problems: Problems, field: string, spec: PodSpec): void {
  const named = (
    name: keyof PodSpec & string,
    value: string | undefined,
    rule: (text: string) => readonly string[],
  ): void => {
    if (value !== undefined && value !== '')
      for (const why of rule(value)) problems.push(wrong(`${field}.${name}`, value, why));
  };
  named('serviceAccountName', spec.serviceAccountName, subdomainName);
  named('nodeName', spec.nodeName, subdomainName);
  named('hostname', spec.hostname, labelName);
  named('subdomain', spec.subdomain, labelName);
  named('priorityClassName', spec.priorityClassName, subdomainName);
  named('runtimeClassName', spec.runtimeClassName, subdomainName);
}

function validateHostAliases(
  problems: Problems,
  field: string,
  aliases: NonNullable<PodSpec['hostAliases']>,
): void {
  aliases.forEach((alias, index) => {
    validateAddress(problems, `${field}[${index}].ip`, alias.ip ?? '');
    for (const name of alias.hostnames ?? [])
      for (const why of subdomainName(name)) problems.push(wrong(`${field}[${index}].hostnames`, name, why));
  });
}

/** What a template for pods that shall run for ever has to say beside. `owner`: the kind that has it, as the message names it. */
export function validateLastingTemplate(
  problems: Problems,
  field: string,
  template: PodTemplateSpec | undefined,
  owner = 'ReplicaSet',
): void {
  validatePodTemplate(problems, field, template);
  const { restartPolicy, activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== undefined && restartPolicy !== 'Always')
    problems.push(notSupported(`${field}.spec.restartPolicy`, restartPolicy, ['Always']));
  if (activeDeadlineSeconds !== undefined)
    problems.push(
      forbiddenField(
        `${field}.spec.activeDeadlineSeconds`,
        `activeDeadlineSeconds in ${owner} is not Supported`,
      ),
    );
}
