/** Pods: containers that live and die together, on one node, with one address. What a pod spec means is in `pod-spec/`. */
import type { Subresource } from '../kind.ts';
import type { Pod } from '../types/core.v1.ts';
import { forbiddenField, type Problems, required } from '../validation/problems.ts';
import { defineKind, proxySubresource, statusSubresource } from './define.ts';
import { podColumns } from './pod-spec/columns.ts';
import { applyPodDefaults, applyPodSpecDefaults } from './pod-spec/defaults.ts';
import { ephemeralContainersPart } from './pod-spec/ephemeral-containers.ts';
import { qualityOfService } from './pod-spec/quality-of-service.ts';
import { resizePart } from './pod-spec/resize.ts';
import { validatePodStatusUpdate, validatePodUpdate } from './pod-spec/update.ts';
import { validatePodSpec } from './pod-spec/validate.ts';

const stream = (name: string, kind: string): Subresource => ({
  name,
  verbs: ['create', 'get'],
  kind: { group: '', version: 'v1', kind },
});

/** Said at once, so that nobody wonders why it is not placed. */
const gated = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
};

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  message: 'core.v1.Pod',
  description: 'Pod is a set of containers that run together on one node.',
  returnsDeleted: true,
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    stream('attach', 'PodAttachOptions'),
    { name: 'binding', verbs: ['create'], kind: { group: '', version: 'v1', kind: 'Binding' } },
    { name: 'ephemeralcontainers', verbs: ['get', 'patch', 'update'], part: ephemeralContainersPart },
    { name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
    stream('exec', 'PodExecOptions'),
    { name: 'log', verbs: ['get'] },
    stream('portforward', 'PodPortForwardOptions'),
    proxySubresource('PodProxyOptions'),
    { name: 'resize', verbs: ['get', 'patch', 'update'], part: resizePart },
    statusSubresource,
  ],
  hasStatus: true,
  statusIsApart: true,
  hasGeneration: true,
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.podIPs': ({ status }) => status?.podIPs?.map(({ ip }) => ip).join(',') ?? status?.podIP ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  applyDefaults({ spec }) {
    if (spec === undefined) return;
    applyPodSpecDefaults(spec);
    applyPodDefaults(spec);
  },
  prepareCreate(object) {
    object.status = { phase: 'Pending', ...(object.spec && { qosClass: qualityOfService(object.spec) }) };
    if ((object.spec?.schedulingGates?.length ?? 0) > 0) object.status.conditions = [{ ...gated }];
  },
  validate({ spec }) {
    const problems: Problems = [];
    if (spec === undefined) return [required('spec')];
    validatePodSpec(problems, 'spec', spec, { isPod: true });
    if ((spec.schedulingGates?.length ?? 0) > 0 && (spec.nodeName ?? '') !== '')
      problems.push(
        forbiddenField('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'),
      );
    return problems;
  },
  validateCreate({ spec }) {
    return (spec?.ephemeralContainers?.length ?? 0) > 0
      ? [forbiddenField('spec.ephemeralContainers', 'cannot be set on create')]
      : [];
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validatePodUpdate(problems, object, old);
    return problems;
  },
  validateStatusUpdate(object, old) {
    const problems: Problems = [];
    validatePodStatusUpdate(problems, object, old);
    return problems;
  },
});
