/**
 * One small valid object of every built-in kind that is stored, and what may be changed in it, for tests that go through all kinds.
 */
import { builtinKinds, type Kind } from '../../api/index.ts';

export type Tree = { readonly [key: string]: unknown };

export interface Sample {
  readonly kind: Kind;
  /** All but `apiVersion`, `kind` and `metadata`. */
  readonly body: Tree;
  /** For kinds whose names say what they are; `n` tells samples apart. */
  readonly name?: (n: number) => string;
  /** Where the body depends on the name. */
  readonly bodyOf?: (n: number) => Tree;
  /** A merge patch of the status that is allowed, for kinds that have one. */
  readonly status?: Tree;
  /** A merge patch of what is wanted: all else than metadata. */
  readonly change?: Tree;
}

const labels = { app: 'x' };
const podSpec = { containers: [{ name: 'c', image: 'i' }] };
const template = { metadata: { labels }, spec: podSpec };
const selector = { matchLabels: labels };
const reference = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const ready = {
  type: 'Ready',
  status: 'True',
  reason: 'Tested',
  message: 'm',
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const conditions = [ready];
const role = { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] };
const subjects = [{ kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' }];
const storage = { resources: { requests: { storage: '1Gi' } } };
const webhook = {
  name: 'a.example.com',
  clientConfig: { url: 'https://127.0.0.1:1/' },
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  namespaceSelector: { matchLabels: { none: 'such' } },
};
const matchConstraints = {
  resourceRules: [
    { apiGroups: ['none.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['none'] },
  ],
};

/** A request of PKCS #10 for CN=x, made once with OpenSSL. */
export const certificateRequest =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIR01HNENBUUF3RERFS01BZ0dBMVVFQXd3QmVEQlpNQk1HQnlx' +
  'R1NNNDlBZ0VHQ0NxR1NNNDlBd0VIQTBJQQpCSUx6c2lpL0ZndDh3QSsxbzJDazQ3SVAwM0FxdFpia2VRck90bjREK3I1Zmp6a09J' +
  'WkgzdlVmOENkY283WDdHCis5UFgvdC9iM3Z2K0Njb0ZhSnlDTnVTZ0FEQUtCZ2dxaGtqT1BRUURBZ05JQURCRkFpRUEzNDQzenBi' +
  'SWhGN2cKcWFQTmVTalRYTzJTeVBOKy82QjFlamMzbGJhWjZLQUNJRnhwaS9QNW0wb24rdUZvYnJPRUFQM0sxOElJak0xdgppN3R3' +
  'a3NuQ2x2MTMKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';

const samples: Readonly<Record<string, Omit<Sample, 'kind'>>> = {
  'v1 namespaces': { body: {}, status: { conditions } },
  'v1 nodes': {
    body: { spec: {} },
    status: { capacity: { cpu: '2' }, allocatable: { cpu: '2' } },
    change: { spec: { unschedulable: true } },
  },
  'v1 pods': {
    body: { spec: podSpec },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
    change: { spec: { activeDeadlineSeconds: 99 } },
  },
  'v1 services': {
    body: { spec: { ports: [{ port: 80 }] } },
    status: { conditions, loadBalancer: {} },
    change: { spec: { selector: labels } },
  },
  'v1 endpoints': {
    body: { subsets: [{ addresses: [{ ip: '10.9.9.9' }], ports: [{ port: 80 }] }] },
    change: { subsets: [] },
  },
  'v1 configmaps': { body: { data: { a: '1' } }, change: { data: { b: '2' } } },
  'v1 secrets': { body: { stringData: { a: '1' } }, change: { data: { b: 'Mg==' } } },
  'v1 serviceaccounts': { body: {}, change: { automountServiceAccountToken: false } },
  'v1 events': {
    body: {
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      reason: 'Tested',
      type: 'Normal',
      message: 'm',
    },
    change: { message: 'changed', count: 2 },
  },
  'v1 limitranges': {
    body: { spec: { limits: [{ type: 'Container', max: { cpu: '4' } }] } },
    change: { spec: { limits: [{ type: 'Container', max: { cpu: '5' } }] } },
  },
  'v1 persistentvolumes': {
    body: {
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' } },
    },
    status: { phase: 'Available', message: 'm', reason: 'Tested' },
    change: { spec: { persistentVolumeReclaimPolicy: 'Delete', capacity: { storage: '2Gi' } } },
  },
  'v1 persistentvolumeclaims': {
    body: { spec: { accessModes: ['ReadWriteOnce'], ...storage } },
    status: { conditions: [{ type: 'Resizing', status: 'True', reason: 'Tested' }] },
  },
  'v1 podtemplates': { body: { template }, change: { template: { metadata: { labels: { app: 'y' } } } } },
  'v1 replicationcontrollers': {
    body: { spec: { replicas: 0, selector: labels, template } },
    status: {
      replicas: 0,
      readyReplicas: 0,
      availableReplicas: 0,
      conditions: [{ type: 'ReplicaFailure', status: 'False' }],
    },
    change: { spec: { replicas: 2 } },
  },
  'v1 resourcequotas': {
    body: { spec: { hard: { pods: '1000' } } },
    status: { hard: { pods: '1000' }, used: { pods: '1' } },
    change: { spec: { hard: { pods: '2000' } } },
  },
  'apps/v1 deployments': {
    body: { spec: { replicas: 0, selector, template } },
    status: { conditions: [{ type: 'Available', status: 'True' }] },
    change: { spec: { replicas: 2 } },
  },
  'apps/v1 replicasets': {
    body: { spec: { replicas: 0, selector, template } },
    status: { replicas: 0, conditions: [{ type: 'ReplicaFailure', status: 'False' }] },
    change: { spec: { replicas: 2 } },
  },
  'apps/v1 statefulsets': {
    body: { spec: { replicas: 0, selector, template, serviceName: 's' } },
    status: { replicas: 0, conditions: [{ type: 'Ready', status: 'True' }] },
    change: { spec: { replicas: 2 } },
  },
  'apps/v1 daemonsets': {
    body: { spec: { selector, template } },
    status: {
      currentNumberScheduled: 0,
      desiredNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
      conditions: [{ type: 'Ready', status: 'True' }],
    },
    change: { spec: { minReadySeconds: 2 } },
  },
  'apps/v1 controllerrevisions': { body: { revision: 1, data: { a: 1 } }, change: { revision: 2 } },
  'batch/v1 jobs': {
    body: { spec: { suspend: true, template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
    status: { conditions: [{ type: 'Suspended', status: 'True' }] },
    change: { spec: { parallelism: 2 } },
  },
  'batch/v1 cronjobs': {
    body: {
      spec: {
        schedule: '0 0 1 1 *',
        jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
      },
    },
    status: { lastScheduleTime: '2026-01-01T00:00:00Z' },
    change: { spec: { suspend: true } },
  },
  'autoscaling/v2 horizontalpodautoscalers': {
    body: { spec: { scaleTargetRef: reference, maxReplicas: 3 } },
    status: { desiredReplicas: 2, currentReplicas: 1, conditions: [{ type: 'AbleToScale', status: 'True' }] },
    change: { spec: { maxReplicas: 4 } },
  },
  'autoscaling/v1 horizontalpodautoscalers': {
    body: { spec: { scaleTargetRef: reference, maxReplicas: 3 } },
    status: { desiredReplicas: 2, currentReplicas: 1 },
    change: { spec: { maxReplicas: 4 } },
  },
  'autoscale.caelum.dev/v1 elasticitypolicies': {
    body: {
      spec: {
        scaleTargetRef: reference,
        capacity: { metric: { type: 'Resource', resource: { name: 'cpu' } }, utilization: 70 },
        constraints: { minReplicas: 1, maxReplicas: 3 },
      },
    },
    status: { currentReplicas: 1, desiredReplicas: 2 },
    change: { spec: { constraints: { maxReplicas: 4 } } },
  },
  'scheduling.caelum.dev/v1 reservations': {
    body: { spec: { count: 2, template: { requests: { cpu: '1' } } } },
    status: { phase: 'Held', allocated: 2 },
    change: { spec: { count: 3 } },
  },
  'scheduling.k8s.io/v1alpha2 podgroups': {
    body: { spec: { schedulingPolicy: { gang: { minCount: 2 } } } },
    status: { conditions },
  },
  'scheduling.k8s.io/v1alpha2 workloads': {
    body: { spec: { podGroupTemplates: [{ name: 'a', schedulingPolicy: { basic: {} } }] } },
  },
  'autoscale.caelum.dev/v1 elasticityhistories': {
    body: { spec: { policyName: 'p' }, status: { steps: 1 } },
    change: { status: { steps: 2 } },
  },
  'scheduling.caelum.dev/v1 queues': {
    body: { spec: { weight: 2, min: { cpu: '1' } } },
    status: { pods: 1, pendingPods: 2 },
    change: { spec: { weight: 3 } },
  },
  'scheduling.caelum.dev/v1 schedulingprofiles': {
    body: { spec: { strategy: 'BinPack' } },
    status: { observedGeneration: 1 },
    change: { spec: { strategy: 'Spread' } },
  },
  'scheduling.caelum.dev/v1 rebalancepolicies': {
    body: { spec: { strategies: [{ type: 'Defragment' }] } },
    status: { planned: 1, done: 2 },
    change: { spec: { mode: 'Apply' } },
  },
  'autoscaling.k8s.io/v1 verticalpodautoscalers': {
    body: { spec: { targetRef: reference, updatePolicy: { updateMode: 'Off' } } },
    status: { conditions: [{ type: 'RecommendationProvided', status: 'True' }] },
    change: { spec: { updatePolicy: { updateMode: 'Initial' } } },
  },
  'autoscaling.k8s.io/v1 verticalpodautoscalercheckpoints': {
    body: { spec: { vpaObjectName: 'v', containerName: 'c' } },
    change: { spec: { containerName: 'd' } },
  },
  'policy/v1 poddisruptionbudgets': {
    body: { spec: { minAvailable: 1, selector } },
    status: {
      currentHealthy: 1,
      desiredHealthy: 1,
      disruptionsAllowed: 0,
      expectedPods: 1,
      conditions: [{ ...ready, type: 'DisruptionAllowed' }],
    },
    change: { spec: { minAvailable: 2 } },
  },
  'rbac.authorization.k8s.io/v1 roles': { body: role, change: { rules: [] } },
  'rbac.authorization.k8s.io/v1 clusterroles': { body: role, change: { rules: [] } },
  'rbac.authorization.k8s.io/v1 rolebindings': {
    body: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' } },
    change: { subjects },
  },
  'rbac.authorization.k8s.io/v1 clusterrolebindings': {
    body: { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' } },
    change: { subjects },
  },
  'networking.k8s.io/v1 ingresses': {
    body: { spec: { defaultBackend: { service: { name: 's', port: { number: 80 } } } } },
    status: { loadBalancer: { ingress: [{ ip: '10.9.9.9' }] } },
    change: { spec: { ingressClassName: 'c' } },
  },
  'networking.k8s.io/v1 ingressclasses': {
    body: { spec: { controller: 'example.com/c' } },
    change: { spec: { parameters: { kind: 'K', name: 'n', apiGroup: 'example.com', scope: 'Cluster' } } },
  },
  'networking.k8s.io/v1 networkpolicies': {
    body: { spec: { podSelector: selector } },
    change: { spec: { policyTypes: ['Egress'] } },
  },
  'networking.k8s.io/v1 ipaddresses': {
    name: (n) => `192.0.2.${n + 10}`,
    body: { spec: { parentRef: { resource: 'services', namespace: 'default', name: 's' } } },
  },
  'networking.k8s.io/v1 servicecidrs': {
    body: {},
    bodyOf: (n) => ({ spec: { cidrs: [`10.200.${n}.0/24`] } }),
    status: { conditions },
  },
  'discovery.k8s.io/v1 endpointslices': {
    body: { addressType: 'IPv4', endpoints: [{ addresses: ['10.9.9.9'] }], ports: [] },
    change: { endpoints: [] },
  },
  'events.k8s.io/v1 events': {
    body: {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/c',
      reportingInstance: 'i',
      action: 'Testing',
      reason: 'Tested',
      type: 'Normal',
      note: 'n',
      regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
    },
    change: { series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' } },
  },
  'coordination.k8s.io/v1 leases': {
    body: { spec: { holderIdentity: 'a', leaseDurationSeconds: 30 } },
    change: { spec: { holderIdentity: 'b' } },
  },
  'node.k8s.io/v1 runtimeclasses': {
    body: { handler: 'h' },
    change: { scheduling: { nodeSelector: labels } },
  },
  'scheduling.k8s.io/v1 priorityclasses': { body: { value: 10 }, change: { description: 'changed' } },
  'storage.k8s.io/v1 storageclasses': {
    body: { provisioner: 'example.com/p' },
    change: { allowVolumeExpansion: true },
  },
  'storage.k8s.io/v1 volumeattributesclasses': {
    body: { driverName: 'd.example.com', parameters: { a: '1' } },
  },
  'storage.k8s.io/v1 volumeattachments': {
    body: { spec: { attacher: 'a.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    status: { attached: true, attachmentMetadata: { a: '1' } },
  },
  'storage.k8s.io/v1 csidrivers': {
    body: { spec: { attachRequired: false } },
    change: { spec: { storageCapacity: true } },
  },
  'storage.k8s.io/v1 csinodes': {
    body: { spec: { drivers: [] } },
    change: { spec: { drivers: [{ name: 'd.example.com', nodeID: 'n' }] } },
  },
  'storage.k8s.io/v1 csistoragecapacities': { body: { storageClassName: 's' }, change: { capacity: '1Gi' } },
  'admissionregistration.k8s.io/v1 mutatingwebhookconfigurations': {
    body: { webhooks: [webhook] },
    change: { webhooks: [{ ...webhook, timeoutSeconds: 2 }] },
  },
  'admissionregistration.k8s.io/v1 validatingwebhookconfigurations': {
    body: { webhooks: [webhook] },
    change: { webhooks: [{ ...webhook, timeoutSeconds: 2 }] },
  },
  'admissionregistration.k8s.io/v1 validatingadmissionpolicies': {
    body: { spec: { matchConstraints, validations: [{ expression: 'true' }] } },
    status: { observedGeneration: 1, conditions },
    change: { spec: { failurePolicy: 'Ignore' } },
  },
  'admissionregistration.k8s.io/v1 validatingadmissionpolicybindings': {
    body: { spec: { policyName: 'p', validationActions: ['Deny'] } },
    change: { spec: { validationActions: ['Audit'] } },
  },
  'admissionregistration.k8s.io/v1 mutatingadmissionpolicies': {
    body: {
      spec: {
        matchConstraints,
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
      },
    },
    change: { spec: { failurePolicy: 'Ignore' } },
  },
  'admissionregistration.k8s.io/v1 mutatingadmissionpolicybindings': {
    body: { spec: { policyName: 'p' } },
    change: { spec: { policyName: 'q' } },
  },
  'apiregistration.k8s.io/v1 apiservices': {
    name: (n) => `v1.g${n}.example.com`,
    body: {},
    bodyOf: (n) => ({
      spec: {
        group: `g${n}.example.com`,
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 10,
        insecureSkipTLSVerify: true,
        service: { name: 's', namespace: 'default' },
      },
    }),
    status: { conditions: [{ type: 'Available', status: 'False', reason: 'Tested', message: 'm' }] },
    change: { spec: { versionPriority: 11 } },
  },
  'apiextensions.k8s.io/v1 customresourcedefinitions': {
    name: (n) => `things.g${n}.example.com`,
    body: {},
    bodyOf: (n) => ({
      spec: {
        group: `g${n}.example.com`,
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    }),
    status: { conditions: [{ ...ready, type: 'Tested' }] },
    change: { spec: { names: { shortNames: ['th'] } } },
  },
  'certificates.k8s.io/v1 certificatesigningrequests': {
    body: {
      spec: { request: certificateRequest, signerName: 'example.com/signer', usages: ['client auth'] },
    },
    status: { conditions: [{ type: 'Failed', status: 'True', reason: 'Tested' }] },
  },
  'flowcontrol.apiserver.k8s.io/v1 flowschemas': {
    body: { spec: { priorityLevelConfiguration: { name: 'global-default' }, matchingPrecedence: 9000 } },
    status: { conditions: [{ ...ready, type: 'Dangling', status: 'False' }] },
    change: { spec: { matchingPrecedence: 9001 } },
  },
  'flowcontrol.apiserver.k8s.io/v1 prioritylevelconfigurations': {
    body: {
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 2, limitResponse: { type: 'Reject' } } },
    },
    status: { conditions: [{ ...ready, type: 'Tested' }] },
    change: { spec: { limited: { nominalConcurrencyShares: 4 } } },
  },
  'resource.k8s.io/v1 resourceclaims': {
    body: { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c.example.com' } }] } } },
    status: { reservedFor: [] },
  },
  'resource.k8s.io/v1 resourceclaimtemplates': {
    body: {
      spec: {
        spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c.example.com' } }] } },
      },
    },
  },
  'resource.k8s.io/v1 deviceclasses': {
    body: { spec: {} },
    change: { spec: { selectors: [{ cel: { expression: 'device.driver == "d.example.com"' } }] } },
  },
  'resource.k8s.io/v1 resourceslices': {
    body: {
      spec: {
        driver: 'd.example.com',
        nodeName: 'n',
        pool: { name: 'p', generation: 1, resourceSliceCount: 1 },
        devices: [],
      },
    },
    change: { spec: { pool: { generation: 2 } } },
  },
  'resource.k8s.io/v1beta2 devicetaintrules': {
    body: {
      spec: { deviceSelector: { driver: 'd.example.com' }, taint: { key: 'k', effect: 'NoSchedule' } },
    },
    status: { conditions: [{ ...ready, type: 'EvictionInProgress', status: 'False' }] },
    change: { spec: { taint: { key: 'k', effect: 'NoExecute' } } },
  },
};

export function allSamples(): readonly Sample[] {
  return builtinKinds.kinds.map((kind) => {
    const at = `${kind.group === '' ? '' : `${kind.group}/`}${kind.version} ${kind.resource}`;
    const sample = samples[at];
    if (sample === undefined) throw new Error(`Cannot find a sample of "${at}"`);
    return { kind, ...sample };
  });
}

export const pathOf = ({ kind }: Sample, namespace?: string): string => {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return kind.namespaced && namespace !== undefined
    ? `${root}/namespaces/${namespace}/${kind.resource}`
    : `${root}/${kind.resource}`;
};

export function objectOf(sample: Sample, n: number, metadata: Tree): Tree {
  const { kind, body, bodyOf } = sample;
  return {
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata,
    ...(bodyOf?.(n) ?? body),
  };
}
