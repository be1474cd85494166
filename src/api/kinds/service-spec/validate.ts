/**
 * What a Service may say, and what of it may change.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour: fields and wording are Kubernetes' own.
 */
import type { ServicePort, ServiceSpec } from '../../types/core.v1.ts';
import {
  validateAddress,
  validateNonSpecialAddress,
  validatePort,
  validatePortOrName,
  validateRange,
} from '../../validation/addresses.ts';
import { labelName, qualifiedName, subdomainName } from '../../validation/names.ts';
import { validateLabels } from '../../validation/object-meta.ts';
import {
  duplicate,
  forbiddenField,
  notSupported,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../../validation/problems.ts';
import { protocols } from '../pod-spec/containers.ts';
import { isHeadless, isReachableFromOutside } from './prepare.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const families = ['IPv4', 'IPv6'];
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const affinitySecondsMax = 86_400;
const agentPort = 10_250;
const onlyBalanced = "may only be used when `type` is 'LoadBalancer'";

export function validateService(problems: Problems, spec: ServiceSpec): void {
  const { ports = [] } = spec;
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName')
    problems.push(required('spec.ports'));
  validateByType(problems, spec);
  validatePorts(problems, spec);
  if (spec.selector !== undefined) validateLabels(problems, 'spec.selector', spec.selector);
  validateAffinity(problems, spec);
  validateClusterAddresses(problems, spec);
  spec.externalIPs?.forEach((address, index) => {
    validateAddress(problems, `spec.externalIPs[${index}]`, address);
    validateNonSpecialAddress(problems, `spec.externalIPs[${index}]`, address);
  });
  oneOf(problems, 'spec.type', spec.type, types, true);
  validateBalancing(problems, spec);
  validateTrafficPolicies(problems, spec);
}

function validateByType(problems: Problems, spec: ServiceSpec): void {
  const { type, ports = [], externalName = '' } = spec;
  if (type === 'LoadBalancer')
    ports.forEach(({ port }, index) => {
      if (port === agentPort)
        problems.push(
          wrong(
            `spec.ports[${index}].port`,
            port,
            `may not expose port ${agentPort} externally since it is used by kubelet`,
          ),
        );
    });
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(spec))
    problems.push(wrong('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`));
  if (type !== 'ExternalName') return;
  for (const name of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const)
    if ((spec[name]?.length ?? 0) > 0)
      problems.push(forbiddenField(`spec.${name}`, 'may not be set for ExternalName services'));
  const name = externalName.replace(/\.$/, '');
  if (name === '') problems.push(required('spec.externalName'));
  else for (const why of subdomainName(name)) problems.push(wrong('spec.externalName', name, why));
}

function validatePorts(problems: Problems, { ports = [], type }: ServiceSpec): void {
  const names = new Set<string>();
  const nodePorts = new Set<string>();
  const served = new Set<string>();
  ports.forEach((port, index) => {
    const at = `spec.ports[${index}]`;
    validateServicePort(problems, at, port, names, ports.length > 1);
    const { nodePort = 0, protocol = 'TCP' } = port;
    if (nodePort !== 0) {
      if (type === 'ClusterIP')
        problems.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
      const pair = `${protocol}/${nodePort}`;
      if (nodePorts.has(pair)) problems.push(duplicate(`${at}.nodePort`, nodePort));
      nodePorts.add(pair);
    }
    const pair = `${protocol}/${port.port}`;
    if (served.has(pair)) problems.push(duplicate(at, { port: port.port, protocol }));
    served.add(pair);
  });
}

function validateServicePort(
  problems: Problems,
  field: string,
  port: ServicePort,
  names: Set<string>,
  needsName: boolean,
): void {
  const { name = '', protocol = '', appProtocol } = port;
  if (name === '') {
    if (needsName) problems.push(required(`${field}.name`));
  } else {
    for (const why of labelName(name)) problems.push(wrong(`${field}.name`, name, why));
    if (names.has(name)) problems.push(duplicate(`${field}.name`, name));
    names.add(name);
  }
  validatePort(problems, `${field}.port`, port.port ?? 0);
  if (protocol === '') problems.push(required(`${field}.protocol`));
  else if (!protocols.includes(protocol))
    problems.push(notSupported(`${field}.protocol`, protocol, protocols));
  validatePortOrName(problems, `${field}.targetPort`, port.targetPort);
  if (appProtocol !== undefined)
    for (const why of qualifiedName(appProtocol))
      problems.push(wrong(`${field}.appProtocol`, appProtocol, why));
}

function validateAffinity(problems: Problems, { sessionAffinity, sessionAffinityConfig }: ServiceSpec): void {
  oneOf(problems, 'spec.sessionAffinity', sessionAffinity, ['ClientIP', 'None'], true);
  const at = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'ClientIP') {
    const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
    if (seconds === undefined) problems.push(required(at, 'when session affinity type is ClientIP'));
    else if (seconds <= 0 || seconds > affinitySecondsMax)
      problems.push(
        wrong(
          `${at}.clientIP.timeoutSeconds`,
          seconds,
          `must be greater than 0 and less than ${affinitySecondsMax}`,
        ),
      );
  } else if (sessionAffinityConfig !== undefined)
    problems.push(forbiddenField(at, 'must not be set when session affinity is None'));
}

function validateClusterAddresses(problems: Problems, spec: ServiceSpec): void {
  if (spec.type === 'ExternalName') return;
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  oneOf(problems, 'spec.ipFamilyPolicy', ipFamilyPolicy, familyPolicies);
  if (clusterIP !== '' && clusterIPs.length === 0) problems.push(required('spec.clusterIPs'));
  else if (clusterIP !== (clusterIPs[0] ?? ''))
    problems.push(wrong('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'));
  ipFamilies.forEach((family, index) => {
    const at = `spec.ipFamilies[${index}]`;
    if (!families.includes(family)) problems.push(notSupported(at, family, families));
    else if (ipFamilies.indexOf(family) < index) problems.push(duplicate(at, family));
  });
  if (clusterIPs.length > 2)
    problems.push(wrong('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'));
  clusterIPs.forEach((address, index) => {
    if (address !== 'None') {
      validateAddress(problems, `spec.clusterIPs[${index}]`, address);
    } else if (clusterIPs.length > 1)
      problems.push(wrong('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"));
  });
}

function validateBalancing(problems: Problems, spec: ServiceSpec): void {
  const { type, loadBalancerSourceRanges = [], loadBalancerClass } = spec;
  if (type === 'LoadBalancer') {
    loadBalancerSourceRanges.forEach((range, index) => {
      validateRange(problems, `spec.loadBalancerSourceRanges[${index}]`, range.trim());
    });
    if (spec.allocateLoadBalancerNodePorts === undefined)
      problems.push(required('spec.allocateLoadBalancerNodePorts'));
    if (loadBalancerClass !== undefined)
      for (const why of qualifiedName(loadBalancerClass))
        problems.push(wrong('spec.loadBalancerClass', loadBalancerClass, why));
    return;
  }
  if (loadBalancerSourceRanges.length > 0)
    problems.push(forbiddenField('spec.loadBalancerSourceRanges', onlyBalanced));
  if (spec.allocateLoadBalancerNodePorts !== undefined)
    problems.push(forbiddenField('spec.allocateLoadBalancerNodePorts', onlyBalanced));
  if (loadBalancerClass !== undefined) problems.push(forbiddenField('spec.loadBalancerClass', onlyBalanced));
}

function validateTrafficPolicies(problems: Problems, spec: ServiceSpec): void {
  const { externalTrafficPolicy = '', internalTrafficPolicy, healthCheckNodePort = 0 } = spec;
  const policies = ['Cluster', 'Local'];
  if (!isReachableFromOutside(spec)) {
    if (externalTrafficPolicy !== '')
      problems.push(
        wrong(
          'spec.externalTrafficPolicy',
          externalTrafficPolicy,
          'may only be set for externally-accessible services',
        ),
      );
  } else oneOf(problems, 'spec.externalTrafficPolicy', externalTrafficPolicy, policies, true);
  const isChecked = spec.type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
  if (!isChecked && healthCheckNodePort !== 0)
    problems.push(
      wrong(
        'spec.healthCheckNodePort',
        healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  oneOf(problems, 'spec.internalTrafficPolicy', internalTrafficPolicy, policies);
  oneOf(problems, 'spec.trafficDistribution', spec.trafficDistribution, [
    'PreferClose',
    'PreferSameNode',
    'PreferSameZone',
  ]);
}

/** An address that was assigned stays. */
export function validateServiceUpdate(problems: Problems, spec: ServiceSpec, old: ServiceSpec): void {
  const once = 'may not change once set';
  const isVirtual = (one: ServiceSpec): boolean => one.type !== 'ExternalName';
  if (isVirtual(spec) && isVirtual(old)) {
    const before = old.clusterIPs?.[0] ?? '';
    if (before !== '' && before !== (spec.clusterIPs?.[0] ?? ''))
      problems.push(wrong('spec.clusterIPs[0]', spec.clusterIPs ?? [], once));
    const family = old.ipFamilies?.[0];
    if (family !== undefined && family !== spec.ipFamilies?.[0])
      problems.push(wrong('spec.ipFamilies[0]', spec.ipFamilies?.[0], once));
  }
  if (spec.type === 'LoadBalancer' && old.type === 'LoadBalancer')
    if (spec.loadBalancerClass !== old.loadBalancerClass)
      problems.push(wrong('spec.loadBalancerClass', spec.loadBalancerClass ?? null, once));
}
