/**
 * IP addresses: which of the cluster's virtual IPs is in use, and by whom. The name is the address.
 * Source: Kubernetes 1.36, pkg/apis/networking, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import { groupResourceOf } from '../object.ts';
import type { IPAddress } from '../types/networking.v1.ts';
import { addressFamily, addressWhy } from '../validation/addresses.ts';
import { pathSegmentName, subdomainName } from '../validation/names.ts';
import { immutableWhy, type Problems, required, wrong } from '../validation/problems.ts';
import { validateSegment } from '../validation/references.ts';
import { column, nameColumn, none } from './cells.ts';
import { defineKind } from './define.ts';

function parentCell({ spec }: IPAddress): string {
  const parent = spec?.parentRef;
  if (parent === undefined) return none;
  const { group = '', resource, namespace = '', name } = parent;
  const of = groupResourceOf(group, resource).toLowerCase();
  return namespace === '' ? `${of}/${name}` : `${of}/${namespace}/${name}`;
}

export const ipAddress = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  resource: 'ipaddresses',
  message: 'networking.v1.IPAddress',
  description: 'IPAddress says that a virtual IP of the cluster is taken, and by what.',
  shortNames: ['ip'],
  namespaced: false,
  columns: [nameColumn, column<IPAddress>('ParentRef', 'What has it.', parentCell)],
  validateName: (name) => (addressFamily(name) === 0 ? [addressWhy] : []),
  validate({ spec }) {
    const problems: Problems = [];
    const field = 'spec.parentRef';
    if (spec?.parentRef === undefined) return [required(field)];
    const { group = '', resource = '', name = '', namespace = '' } = spec.parentRef;
    if (group !== '')
      for (const why of subdomainName(group)) problems.push(wrong(`${field}.group`, group, why));
    validateSegment(problems, `${field}.resource`, resource);
    validateSegment(problems, `${field}.name`, name);
    if (namespace !== '')
      for (const why of pathSegmentName(namespace))
        problems.push(wrong(`${field}.namespace`, namespace, why));
    return problems;
  },
  validateUpdate({ spec }, old) {
    return sameJson(spec?.parentRef, old.spec?.parentRef)
      ? []
      : [wrong('spec.parentRef', spec?.parentRef, immutableWhy)];
  },
});
