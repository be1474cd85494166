/**
 * What of a Service follows from what: address families, and the fields that go when its type changes. Pure.
 * Source: Kubernetes 1.36, pkg/registry/core/service, as behaviour. The cluster speaks IPv4.
 */
import { sameJson } from '../../../lib/index.ts';
import type { Draft } from '../../object.ts';
import type { ServiceSpec } from '../../types/core.v1.ts';
import { addressFamily } from '../../validation/addresses.ts';

type Spec = ServiceSpec | Draft<ServiceSpec>;

export const isHeadless = (spec: Spec): boolean => (spec.clusterIPs?.[0] ?? spec.clusterIP) === 'None';

export const isReachableFromOutside = (spec: Spec): boolean =>
  spec.type === 'NodePort' ||
  spec.type === 'LoadBalancer' ||
  (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0);

export const hasNodePorts = (spec: Spec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer';

/** Fills in which address families it has, and both names of its address. */
export function settleFamilies(spec: Draft<ServiceSpec>): void {
  if (spec.type === 'ExternalName') return;
  if (spec.clusterIP && spec.clusterIPs === undefined) spec.clusterIPs = [spec.clusterIP];
  else if (!spec.clusterIP && spec.clusterIPs?.[0] !== undefined) spec.clusterIP = spec.clusterIPs[0];
  const isOpen = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  // Whoever writes its endpoints by hand chooses the families.
  if (isOpen) {
    spec.ipFamilyPolicy ??= (spec.ipFamilies?.length ?? 0) === 1 ? 'SingleStack' : 'RequireDualStack';
    spec.ipFamilies ??= spec.ipFamilyPolicy === 'SingleStack' ? ['IPv4'] : ['IPv4', 'IPv6'];
    return;
  }
  spec.ipFamilyPolicy ??= (spec.ipFamilies?.length ?? 0) > 1 ? 'RequireDualStack' : 'SingleStack';
  spec.ipFamilies ??= [addressFamily(spec.clusterIP ?? '') === 6 ? 'IPv6' : 'IPv4'];
}

/** Takes away what the new type cannot have and the client has only left standing; keeps what was assigned. */
export function settleTypeChange(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  const dropIfSame = (...names: readonly (keyof ServiceSpec)[]): void => {
    for (const name of names) if (sameJson(spec[name], old[name])) delete spec[name];
  };
  if (spec.type === 'ExternalName') {
    if (old.type !== 'ExternalName')
      dropIfSame('clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy');
  } else if (old.type !== 'ExternalName') {
    if (!spec.clusterIP && (spec.clusterIPs?.length ?? 0) === 0) {
      if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP;
      if (old.clusterIPs !== undefined) spec.clusterIPs = [...old.clusterIPs];
    }
    if (spec.ipFamilyPolicy === undefined && old.ipFamilyPolicy !== undefined)
      spec.ipFamilyPolicy = old.ipFamilyPolicy;
    if (spec.ipFamilies === undefined && old.ipFamilies !== undefined) spec.ipFamilies = [...old.ipFamilies];
  }
  if (hasNodePorts(old) && !hasNodePorts(spec)) dropSameNodePorts(spec, old);
  if (isReachableFromOutside(old) && !isReachableFromOutside(spec)) dropIfSame('externalTrafficPolicy');
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer')
    dropIfSame(
      'allocateLoadBalancerNodePorts',
      'loadBalancerClass',
      'loadBalancerSourceRanges',
      'healthCheckNodePort',
    );
}

function dropSameNodePorts(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  const before = new Set(old.ports?.map(({ nodePort }) => nodePort));
  if (spec.ports?.every(({ nodePort }) => before.has(nodePort)))
    for (const port of spec.ports) delete port.nodePort;
}
