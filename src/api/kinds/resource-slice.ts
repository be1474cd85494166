/**
 * Resource slices: devices that a driver has, of one pool, and from which nodes they are reached.
 * Source: Kubernetes 1.36, pkg/apis/resource, as behaviour.
 */
import { formatTime } from '../../lib/index.ts';
import type { FieldProblem } from '../kind.ts';
import type { Draft } from '../object.ts';
import type { ResourceSlice, ResourceSliceSpec } from '../types/resource.v1.ts';
import { validateDriverName } from '../validation/domains.ts';
import { subdomainName } from '../validation/names.ts';
import { immutableWhy, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';
import { validateCounters, validateDevice } from './device-spec/device.ts';
import { validatePoolName, validateSet } from './device-spec/names.ts';
import { validateNodeSelector } from './pod-spec/placement.ts';

const devicesMax = 128;
/** Where devices have taints, lists or counters, which cost more to think over. */
const elaborateDevicesMax = 64;
const counterSetsMax = 8;
const choice = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';

export const resourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  resource: 'resourceslices',
  message: 'resource.v1.ResourceSlice',
  description: 'ResourceSlice holds some of the devices that a driver has.',
  returnsDeleted: true,
  namespaced: false,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<ResourceSlice>('Node', 'Where they are.', ({ spec }) => spec?.nodeName ?? ''),
    column<ResourceSlice>('Driver', 'Whose they are.', ({ spec }) => spec?.driver ?? ''),
    column<ResourceSlice>('Pool', 'The pool they belong to.', ({ spec }) => spec?.pool?.name ?? ''),
    ageColumn,
  ],
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
  prepareCreate: (object, { nowMs }) => stampTaints(object, nowMs),
  prepareUpdate: (object, _, { nowMs }) => stampTaints(object, nowMs),
  validate({ spec }) {
    const problems: Problems = [];
    if (spec !== undefined) validateSpec(problems, spec);
    return problems;
  },
  validateUpdate({ spec }, old) {
    const problems: FieldProblem[] = [];
    const fixed = (field: string, now: string | undefined, before: string | undefined): void => {
      if (now !== before) problems.push(wrong(field, now, immutableWhy));
    };
    fixed('spec.pool.name', spec?.pool?.name, old.spec?.pool?.name);
    fixed('spec.driver', spec?.driver, old.spec?.driver);
    fixed('spec.nodeName', spec?.nodeName, old.spec?.nodeName);
    return problems;
  },
});

/** A taint bears the time since which it is there. */
function stampTaints(object: Draft<ResourceSlice>, nowMs: number): void {
  for (const { taints } of object.spec?.devices ?? [])
    for (const taint of taints ?? []) taint.timeAdded ??= formatTime(nowMs);
}

function isElaborate({ devices = [] }: ResourceSliceSpec): boolean {
  return devices.some(
    ({ taints = [], consumesCounters = [], attributes = {} }) =>
      taints.length > 0 ||
      consumesCounters.length > 0 ||
      Object.values(attributes).some(({ bools, ints, strings, versions }) =>
        [bools, ints, strings, versions].some((list) => list !== undefined),
      ),
  );
}

function validateSpec(problems: Problems, spec: ResourceSliceSpec): void {
  const { driver = '', pool, devices, sharedCounters } = spec;
  validateDriverName(problems, 'spec.driver', driver);
  validatePoolName(problems, 'spec.pool.name', pool?.name ?? '');
  const { resourceSliceCount: count = 0, generation = 0 } = pool ?? {};
  if (count <= 0) problems.push(wrong('spec.pool.resourceSliceCount', count, 'must be greater than zero'));
  if (generation < 0)
    problems.push(wrong('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  validatePlace(problems, spec);
  if (sharedCounters !== undefined && devices !== undefined)
    problems.push(wrong('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  const maximum = isElaborate(spec) ? elaborateDevicesMax : devicesMax;
  validateSet(
    problems,
    'spec.devices',
    devices,
    maximum,
    ({ name }) => name,
    (at, device) => {
      validateDevice(problems, at, device, spec.perDeviceNodeSelection === true);
    },
  );
  const field = 'spec.sharedCounters';
  validateSet(
    problems,
    field,
    sharedCounters,
    counterSetsMax,
    ({ name }) => name,
    (at, set) => {
      validateCounters(problems, at, 'name', set.name, set.counters);
    },
  );
}

/** On one node, on some, on all, or each device for itself. */
function validatePlace(problems: Problems, spec: ResourceSliceSpec): void {
  const { nodeName, nodeSelector } = spec;
  const chosen: string[] = [];
  if (nodeName === '')
    problems.push(wrong('spec.nodeName', '', 'must be either unset or set to a non-empty string'));
  else if (nodeName !== undefined) {
    chosen.push('`nodeName`');
    for (const why of subdomainName(nodeName)) problems.push(wrong('spec.nodeName', nodeName, why));
  }
  if (nodeSelector !== undefined) {
    chosen.push('`nodeSelector`');
    validateNodeSelector(problems, 'spec.nodeSelector', nodeSelector);
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1)
      problems.push(
        wrong('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'),
      );
  }
  for (const name of ['allNodes', 'perDeviceNodeSelection'] as const)
    if (spec[name] === true) chosen.push(`\`${name}\``);
    else if (spec[name] === false)
      problems.push(wrong(`spec.${name}`, false, 'must be either unset or set to true'));
  if (chosen.length === 0) problems.push(required('spec', choice));
  else if (chosen.length > 1)
    problems.push(wrong('spec', `{${chosen.join(', ')}}`, `${choice}, but multiple fields are set`));
}
