/**
 * What a cloud's flow control is at first: priority levels, and which requests belong to them. Data.
 * The two mandatory ones of each are what nobody may change; the others are suggestions that an administrator may.
 * Source: Kubernetes 1.36, documentation of API priority and fairness, "defaults"; k8s.io/apiserver flowcontrol bootstrap, as facts.
 */
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/index.ts';

export const autoUpdateSpec = 'apf.kubernetes.io/autoupdate-spec';
const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';

type Rules = NonNullable<NonNullable<FlowSchema['spec']>['rules']>[number];
type Subject = Rules['subjects'][number];
type ResourceRule = NonNullable<Rules['resourceRules']>[number];

const metadata = (name: string) => ({ name, annotations: { [autoUpdateSpec]: 'true' } });

function limited(
  name: string,
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queuing?: { readonly queues: number; readonly handSize: number },
): PriorityLevelConfiguration {
  return {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: metadata(name),
    spec: {
      type: 'Limited',
      limited: {
        nominalConcurrencyShares,
        limitResponse:
          queuing === undefined
            ? { type: 'Reject' }
            : { type: 'Queue', queuing: { ...queuing, queueLengthLimit: 50 } },
        lendablePercent,
      },
    },
  };
}

const exemptLevel: PriorityLevelConfiguration = {
  apiVersion,
  kind: 'PriorityLevelConfiguration',
  metadata: metadata('exempt'),
  spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
};

export const mandatoryLevels: readonly PriorityLevelConfiguration[] = [
  exemptLevel,
  limited('catch-all', 5, 0),
];

export const suggestedLevels: readonly PriorityLevelConfiguration[] = [
  limited('system', 30, 33, { queues: 64, handSize: 6 }),
  limited('node-high', 40, 25, { queues: 64, handSize: 6 }),
  limited('leader-election', 10, 0, { queues: 16, handSize: 4 }),
  limited('workload-high', 40, 50, { queues: 128, handSize: 6 }),
  limited('workload-low', 100, 90, { queues: 128, handSize: 6 }),
  limited('global-default', 20, 50, { queues: 128, handSize: 6 }),
];

const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }));
const users = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'User', user: { name } }));
const systemAccounts = (...names: string[]): Subject[] =>
  names.map((name) => ({ kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name } }));

const everyResource: ResourceRule = {
  verbs: ['*'],
  apiGroups: ['*'],
  resources: ['*'],
  clusterScope: true,
  namespaces: ['*'],
};
const everything = (...subjects: Subject[]): Rules => ({
  subjects,
  resourceRules: [everyResource],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
});
const election = ['get', 'create', 'update'];
const leases: ResourceRule = {
  verbs: election,
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
  namespaces: ['*'],
};

function schema(
  name: string,
  level: string,
  matchingPrecedence: number,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rules: Rules,
): FlowSchema {
  return {
    apiVersion,
    kind: 'FlowSchema',
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence,
      ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
      rules: [rules],
    },
  };
}

const anybody = groups('system:unauthenticated', 'system:authenticated');
const controllerManager = 'system:kube-controller-manager';
const scheduler = 'system:kube-scheduler';

export const mandatorySchemas: readonly FlowSchema[] = [
  schema('exempt', 'exempt', 1, undefined, everything(...groups('system:masters'))),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', everything(...anybody)),
];

export const suggestedSchemas: readonly FlowSchema[] = [
  schema('probes', 'exempt', 2, undefined, {
    subjects: anybody,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  schema('system-leader-election', 'leader-election', 100, 'ByUser', {
    subjects: [...users(controllerManager, scheduler), ...systemAccounts('*')],
    resourceRules: [leases],
  }),
  schema('endpoint-controller', 'workload-high', 150, 'ByUser', {
    subjects: [
      ...users(controllerManager),
      ...systemAccounts('endpoint-controller', 'endpointslicemirroring-controller'),
    ],
    resourceRules: [{ verbs: election, apiGroups: [''], resources: ['endpoints'], namespaces: ['*'] }],
  }),
  schema('workload-leader-election', 'leader-election', 200, 'ByUser', {
    subjects: systemAccounts('*'),
    resourceRules: [
      { verbs: election, apiGroups: [''], resources: ['endpoints', 'configmaps'], namespaces: ['*'] },
      leases,
    ],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', {
    subjects: groups('system:nodes'),
    resourceRules: [
      {
        verbs: ['*'],
        apiGroups: [''],
        resources: ['nodes', 'nodes/status'],
        clusterScope: true,
        namespaces: ['*'],
      },
      { verbs: ['*'], apiGroups: ['coordination.k8s.io'], resources: ['leases'], namespaces: ['*'] },
    ],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', everything(...groups('system:nodes'))),
  schema(
    'kube-controller-manager',
    'workload-high',
    800,
    'ByNamespace',
    everything(...users(controllerManager)),
  ),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', everything(...users(scheduler))),
  schema(
    'kube-system-service-accounts',
    'workload-high',
    900,
    'ByNamespace',
    everything(...systemAccounts('*')),
  ),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', everything(...groups('system:serviceaccounts'))),
  schema('global-default', 'global-default', 9900, 'ByUser', everything(...anybody)),
];
