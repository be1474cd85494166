/** Nodes. A node writes its own status when it registers, so creating one keeps it. */
import { sameJson } from '../../lib/index.ts';
import type { Draft } from '../object.ts';
import type { Node, NodeAddress, Taint } from '../types/core.v1.ts';
import { validateRange } from '../validation/addresses.ts';
import { validateLabelKey } from '../validation/label-selectors.ts';
import { labelValue } from '../validation/names.ts';
import { duplicate, forbiddenField, oneOf, type Problems, wrong } from '../validation/problems.ts';
import { validateAmounts } from '../validation/resources.ts';
import { ageColumn, column, nameColumn, none, unknown, wideColumn } from './cells.ts';
import { defineKind, proxySubresource, statusSubresource } from './define.ts';
import { taintEffects } from './pod-spec/placement.ts';

const rolePrefix = 'node-role.kubernetes.io/';
const roleLabel = 'kubernetes.io/role';

function statusCell({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function rolesCell({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length));
    else if (key === roleLabel && value !== '') roles.add(value);
  }
  return [...roles].sort().join(',') || none;
}

const addressCell =
  (type: NodeAddress['type']) =>
  ({ status }: Node): string =>
    status?.addresses?.find((one) => one.type === type)?.address || none;

const info = (name: 'osImage' | 'kernelVersion' | 'containerRuntimeVersion') => (node: Node) =>
  node.status?.nodeInfo?.[name] || unknown;

export const node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  message: 'core.v1.Node',
  description: 'Node is a machine that runs pods.',
  shortNames: ['no'],
  namespaced: false,
  subresources: [proxySubresource('NodeProxyOptions'), statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<Node>('Status', 'Whether it is ready, and open to new pods.', statusCell),
    column<Node>('Roles', 'What it is for.', rolesCell),
    ageColumn,
    column<Node>(
      'Version',
      'The version of its agent.',
      ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
    ),
    wideColumn<Node>('Internal-IP', 'Its address inside the cluster.', addressCell('InternalIP')),
    wideColumn<Node>('External-IP', 'Its address outside.', addressCell('ExternalIP')),
    wideColumn<Node>('OS-Image', 'Its operating system.', info('osImage')),
    wideColumn<Node>('Kernel-Version', 'Its kernel.', info('kernelVersion')),
    wideColumn<Node>('Container-Runtime', 'What runs its containers.', info('containerRuntimeVersion')),
  ],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
  applyDefaults({ status }) {
    if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity };
  },
  prepareCreate(object) {
    object.spec ??= {};
    settleRange(object);
  },
  prepareUpdate(object) {
    object.spec ??= {};
    settleRange(object);
  },
  validate({ spec, status }) {
    const problems: Problems = [];
    validateTaints(problems, 'spec.taints', spec?.taints ?? []);
    spec?.podCIDRs?.forEach((range, index) => {
      validateRange(problems, `spec.podCIDRs[${index}]`, range);
    });
    if (spec?.podCIDR !== undefined && spec.podCIDR !== (spec.podCIDRs?.[0] ?? ''))
      problems.push(wrong('spec.podCIDRs', spec.podCIDRs ?? [], 'first value must match `podCIDR`'));
    if (status?.capacity !== undefined) validateAmounts(problems, 'status.capacity', status.capacity);
    if (status?.allocatable !== undefined)
      validateAmounts(problems, 'status.allocatable', status.allocatable);
    return problems;
  },
  validateUpdate({ spec }, old) {
    const problems: Problems = [];
    const { podCIDRs = [], providerID = '' } = old.spec ?? {};
    if (podCIDRs.length > 0 && !sameJson(spec?.podCIDRs, podCIDRs))
      problems.push(
        forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'),
      );
    if (providerID !== '' && spec?.providerID !== providerID)
      problems.push(
        forbiddenField('spec.providerID', 'node updates may not change providerID except from "" to valid'),
      );
    return problems;
  },
});

/** Both names of its range of pod addresses say the same. */
function settleRange({ spec }: Draft<Node>): void {
  if (spec?.podCIDR && spec.podCIDRs === undefined) spec.podCIDRs = [spec.podCIDR];
  else if (spec?.podCIDRs?.[0] !== undefined && !spec.podCIDR) spec.podCIDR = spec.podCIDRs[0];
}

function validateTaints(problems: Problems, field: string, taints: readonly Taint[]): void {
  const seen = new Set<string>();
  taints.forEach((taint, index) => {
    const at = `${field}[${index}]`;
    const { key, value = '', effect } = taint;
    validateLabelKey(problems, `${at}.key`, key);
    const reasons = labelValue(value);
    if (reasons.length > 0) problems.push(wrong(`${at}.value`, value, reasons.join(';')));
    oneOf(problems, `${at}.effect`, effect, taintEffects, true);
    // One key may have each effect once.
    const pair = `${key} ${effect}`;
    if (seen.has(pair)) problems.push(duplicate(at, taint));
    seen.add(pair);
  });
}
