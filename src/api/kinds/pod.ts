/** Pods: containers that live and die together, on one node, with one address. */
import type { Subresource } from '../kind.ts';
import type { Pod } from '../types/core.v1.ts';
import { defineKind, statusSubresource } from './define.ts';

const stream = (name: string, kind: string): Subresource => ({
  name,
  verbs: ['create', 'get'],
  kind: { group: '', version: 'v1', kind },
});

export const pod = defineKind<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  message: 'core.v1.Pod',
  description: 'Pod is a set of containers that run together on one node.',
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    stream('attach', 'PodAttachOptions'),
    { name: 'binding', verbs: ['create'], kind: { group: '', version: 'v1', kind: 'Binding' } },
    { name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
    stream('exec', 'PodExecOptions'),
    { name: 'log', verbs: ['get'] },
    stream('portforward', 'PodPortForwardOptions'),
    statusSubresource,
  ],
  hasStatus: true,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    'status.podIPs': ({ status }) => status?.podIP ?? '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  prepareCreate(object) {
    object.status = { phase: 'Pending' };
  },
});
