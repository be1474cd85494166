/**
 * Service CIDRs: the ranges that virtual IPs of services are taken from. A range may be joined by one of the other family, never changed.
 * Source: Kubernetes 1.36, pkg/apis/networking, as behaviour.
 */
import type { ServiceCIDR } from '../types/networking.v1.ts';
import { addressRange, validateRange } from '../validation/addresses.ts';
import { immutableWhy, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

const field = 'spec.cidrs';
const rangesMax = 2;

export const serviceCidr = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  message: 'networking.v1.ServiceCIDR',
  description: 'ServiceCIDR is a range of addresses from which services get theirs.',
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<ServiceCIDR>('CIDRs', 'The ranges.', ({ spec }) => spec?.cidrs?.join(',') ?? ''),
    ageColumn,
  ],
  prepareCreate(object) {
    object.status = {};
  },
  validate({ spec }) {
    const problems: Problems = [];
    const ranges = spec?.cidrs ?? [];
    if (ranges.length === 0) return [required(field, 'at least one CIDR required')];
    if (ranges.length > rangesMax) return [wrong(field, spec, 'may only hold up to 2 values')];
    ranges.forEach((range, index) => {
      validateRange(problems, `${field}[${index}]`, range);
    });
    const [first, second] = ranges.map((range) => addressRange(range)?.family);
    if (first !== undefined && first === second)
      problems.push(
        wrong(
          field,
          ranges,
          'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
        ),
      );
    return problems;
  },
  validateUpdate({ spec }, { spec: oldSpec }) {
    const ranges = spec?.cidrs ?? [];
    const old = oldSpec?.cidrs ?? [];
    const isJoined = old.length === 1 && ranges.length === 2;
    if (ranges.length !== old.length && !isJoined) return [wrong(field, ranges, immutableWhy)];
    return old.flatMap((range, index) =>
      range === ranges[index] ? [] : [wrong(`${field}[${index}]`, ranges[index], immutableWhy)],
    );
  },
});
