import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ago, created, kindOf, row, type Tree } from './test-submission.ts';

const titles = (resource: string, group = ''): string =>
  kindOf(resource, group)
    .columns.map(({ name, priority }) => (priority > 0 ? `(${name})` : name))
    .join(' ');

for (const [resource, group, expected] of [
  ['pods', '', 'Name Ready Status Restarts Age (IP) (Node) (Nominated Node) (Readiness Gates)'],
  ['services', '', 'Name Type Cluster-IP External-IP Port(s) Age (Selector)'],
  ['deployments', 'apps', 'Name Ready Up-to-date Available Age (Containers) (Images) (Selector)'],
  ['replicasets', 'apps', 'Name Desired Current Ready Age (Containers) (Images) (Selector)'],
  [
    'nodes',
    '',
    'Name Status Roles Age Version (Internal-IP) (External-IP) (OS-Image) (Kernel-Version) (Container-Runtime)',
  ],
  ['namespaces', '', 'Name Status Age'],
  ['configmaps', '', 'Name Data Age'],
  ['secrets', '', 'Name Type Data Age'],
  ['serviceaccounts', '', 'Name Age'],
  ['endpoints', '', 'Name Endpoints Age'],
  ['endpointslices', 'discovery.k8s.io', 'Name AddressType Ports Endpoints Age'],
  ['leases', 'coordination.k8s.io', 'Name Holder Age'],
  ['statefulsets', 'apps', 'Name Ready Age (Containers) (Images)'],
  [
    'daemonsets',
    'apps',
    'Name Desired Current Ready Up-to-date Available Node Selector Age (Containers) (Images) (Selector)',
  ],
  ['controllerrevisions', 'apps', 'Name Controller Revision Age'],
  ['jobs', 'batch', 'Name Status Completions Duration Age (Containers) (Images) (Selector)'],
  [
    'cronjobs',
    'batch',
    'Name Schedule Timezone Suspend Active Last Schedule Age (Containers) (Images) (Selector)',
  ],
  ['horizontalpodautoscalers', 'autoscaling', 'Name Reference Targets MinPods MaxPods Replicas Age'],
  ['poddisruptionbudgets', 'policy', 'Name Min Available Max Unavailable Allowed Disruptions Age'],
  ['replicationcontrollers', '', 'Name Desired Current Ready Age (Containers) (Images) (Selector)'],
  ['podtemplates', '', 'Name Containers Images Pod Labels'],
  [
    'persistentvolumes',
    '',
    'Name Capacity Access Modes Reclaim Policy Status Claim StorageClass VolumeAttributesClass Reason Age (VolumeMode)',
  ],
  [
    'persistentvolumeclaims',
    '',
    'Name Status Volume Capacity Access Modes StorageClass VolumeAttributesClass Age (VolumeMode)',
  ],
  ['resourcequotas', '', 'Name Request Limit Age'],
  ['limitranges', '', 'Name Created At'],
  ['events', '', 'Last Seen Type Reason Object (Subobject) (Source) Message (First Seen) (Count) (Name)'],
  [
    'events',
    'events.k8s.io',
    'Last Seen Type Reason Object (Subobject) (Source) Message (First Seen) (Count) (Name)',
  ],
  ['roles', 'rbac.authorization.k8s.io', 'Name Created At'],
  ['clusterroles', 'rbac.authorization.k8s.io', 'Name Created At'],
  ['rolebindings', 'rbac.authorization.k8s.io', 'Name Role Age (Users) (Groups) (ServiceAccounts)'],
  ['clusterrolebindings', 'rbac.authorization.k8s.io', 'Name Role Age (Users) (Groups) (ServiceAccounts)'],
  ['ingresses', 'networking.k8s.io', 'Name Class Hosts Address Ports Age'],
  ['ingressclasses', 'networking.k8s.io', 'Name Controller Parameters Age'],
  ['networkpolicies', 'networking.k8s.io', 'Name Pod-Selector Age'],
  ['ipaddresses', 'networking.k8s.io', 'Name ParentRef'],
  ['servicecidrs', 'networking.k8s.io', 'Name CIDRs Age'],
  [
    'storageclasses',
    'storage.k8s.io',
    'Name Provisioner ReclaimPolicy VolumeBindingMode AllowVolumeExpansion Age',
  ],
  ['volumeattributesclasses', 'storage.k8s.io', 'Name DriverName Age'],
  ['volumeattachments', 'storage.k8s.io', 'Name Attacher PV Node Attached Age'],
  [
    'csidrivers',
    'storage.k8s.io',
    'Name AttachRequired PodInfoOnMount StorageCapacity TokenRequests RequiresRepublish Modes Age',
  ],
  ['csinodes', 'storage.k8s.io', 'Name Drivers Age'],
  ['csistoragecapacities', 'storage.k8s.io', 'Name StorageClassName Capacity'],
  ['priorityclasses', 'scheduling.k8s.io', 'Name Value Global-Default Age PreemptionPolicy'],
  ['runtimeclasses', 'node.k8s.io', 'Name Handler Age'],
  ['mutatingwebhookconfigurations', 'admissionregistration.k8s.io', 'Name Webhooks Age'],
  ['validatingwebhookconfigurations', 'admissionregistration.k8s.io', 'Name Webhooks Age'],
  ['validatingadmissionpolicies', 'admissionregistration.k8s.io', 'Name Validations ParamKind Age'],
  ['validatingadmissionpolicybindings', 'admissionregistration.k8s.io', 'Name PolicyName ParamRef Age'],
  ['mutatingadmissionpolicies', 'admissionregistration.k8s.io', 'Name Mutations ParamKind Age'],
  ['mutatingadmissionpolicybindings', 'admissionregistration.k8s.io', 'Name PolicyName ParamRef Age'],
  ['customresourcedefinitions', 'apiextensions.k8s.io', 'Name Created At'],
  ['apiservices', 'apiregistration.k8s.io', 'Name Service Available Age'],
  [
    'certificatesigningrequests',
    'certificates.k8s.io',
    'Name Age SignerName Requestor RequestedDuration Condition',
  ],
  [
    'flowschemas',
    'flowcontrol.apiserver.k8s.io',
    'Name PriorityLevel MatchingPrecedence DistinguisherMethod Age MissingPL',
  ],
  [
    'prioritylevelconfigurations',
    'flowcontrol.apiserver.k8s.io',
    'Name Type NominalConcurrencyShares Queues HandSize QueueLengthLimit Age',
  ],
  ['deviceclasses', 'resource.k8s.io', 'Name Age'],
  ['resourceclaims', 'resource.k8s.io', 'Name State Age'],
  ['resourceclaimtemplates', 'resource.k8s.io', 'Name Age'],
  ['resourceslices', 'resource.k8s.io', 'Name Node Driver Pool Age'],
] as const)
  test(`the columns of ${resource}.${group}`, () => assert.equal(titles(resource, group), expected));

const pods = kindOf('pods');
const one = { name: 'c', ready: true, restartCount: 0, state: { running: {} } };
const podOf = (status: Tree, more: Tree = {}, spec: Tree = {}): Tree => ({
  metadata: { name: 'web', creationTimestamp: ago(312), ...more },
  spec: { containers: [{ name: 'c' }], ...spec },
  status,
});
const running = (...statuses: Tree[]): Tree => ({
  phase: 'Running',
  containerStatuses: statuses.map((status) => ({ ...one, ...status })),
});
const init = { initContainers: [{ name: 'i' }, { name: 'j' }] };
const sidecar = { initContainers: [{ name: 's', restartPolicy: 'Always' }] };
const two = { containers: [{ name: 'c' }, { name: 'd' }] };
const lastEnd = (seconds: number) => ({
  lastState: { terminated: { exitCode: 1, finishedAt: ago(seconds) } },
});

const podRows: readonly (readonly [string, Tree, string])[] = [
  ['new', podOf({ phase: 'Pending' }), '0/1 | Pending | 0'],
  ['running', podOf(running({})), '1/1 | Running | 0'],
  [
    'being made',
    podOf({
      phase: 'Pending',
      containerStatuses: [{ ...one, ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
    }),
    '0/1 | ContainerCreating | 0',
  ],
  [
    'crashing',
    podOf(
      running({
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        ...lastEnd(300),
      }),
    ),
    '0/1 | CrashLoopBackOff | 3 (5m ago)',
  ],
  [
    'ended by a signal',
    podOf(running({ ready: false, state: { terminated: { exitCode: 137, signal: 9 } } })),
    '0/1 | Signal:9 | 0',
  ],
  [
    'ended with a code',
    podOf(running({ ready: false, state: { terminated: { exitCode: 3 } } })),
    '0/1 | ExitCode:3 | 0',
  ],
  [
    'done',
    podOf({
      phase: 'Succeeded',
      containerStatuses: [
        { ...one, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
      ],
    }),
    '0/1 | Completed | 0',
  ],
  [
    'one done, one running and ready',
    podOf(
      {
        ...running(
          { ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 'd' },
        ),
        conditions: [{ type: 'Ready', status: 'True' }],
      },
      {},
      two,
    ),
    '1/2 | Running | 0',
  ],
  [
    'one done, one running',
    podOf(
      running({ ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } }, { name: 'd' }),
      {},
      two,
    ),
    '1/2 | NotReady | 0',
  ],
  [
    "the first one's trouble wins",
    podOf(
      running(
        { ready: false, state: { waiting: { reason: 'ImagePullBackOff' } } },
        { name: 'd', ready: false, state: { waiting: { reason: 'ErrImagePull' } } },
      ),
      {},
      two,
    ),
    '0/2 | ImagePullBackOff | 0',
  ],
  [
    'beginning',
    podOf(
      {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', restartCount: 1, state: { terminated: { exitCode: 0 } } },
          { name: 'j', restartCount: 0, state: { running: {} } },
        ],
        containerStatuses: [{ ...one, ready: false, state: { waiting: { reason: 'PodInitializing' } } }],
      },
      {},
      init,
    ),
    '0/1 | Init:1/2 | 1',
  ],
  [
    'failing to begin',
    podOf(
      {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'i', restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } }, ...lastEnd(30) },
        ],
      },
      {},
      init,
    ),
    '0/1 | Init:CrashLoopBackOff | 2 (30s ago)',
  ],
  [
    'failed to begin',
    podOf(
      {
        phase: 'Pending',
        initContainerStatuses: [{ name: 'i', restartCount: 0, state: { terminated: { exitCode: 2 } } }],
      },
      {},
      init,
    ),
    '0/1 | Init:ExitCode:2 | 0',
  ],
  [
    'with a sidecar',
    podOf(
      {
        ...running({}),
        initContainerStatuses: [
          { name: 's', restartCount: 1, ready: true, started: true, state: { running: {} } },
        ],
      },
      {},
      sidecar,
    ),
    '2/2 | Running | 1',
  ],
  ['going', podOf(running({}), { deletionTimestamp: ago(1) }), '1/1 | Terminating | 0'],
  [
    'going from a lost node',
    podOf({ ...running({}), reason: 'NodeLost' }, { deletionTimestamp: ago(1) }),
    '1/1 | Unknown | 0',
  ],
  ['evicted', podOf({ phase: 'Failed', reason: 'Evicted' }), '0/1 | Evicted | 0'],
  [
    'gated',
    podOf({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
    }),
    '0/1 | SchedulingGated | 0',
  ],
];

for (const [name, object, expected] of podRows)
  test(`a pod in one line: ${name}`, () => assert.equal(row(pods, object), `web | ${expected} | 5m12s`));

test('a pod in one wide line', () => {
  assert.equal(
    row(pods, podOf(running({})), 1),
    'web | 1/1 | Running | 0 | 5m12s | <none> | <none> | <none> | <none>',
  );
  const placed = podOf(
    { ...running({}), podIPs: [{ ip: '10.1.0.2' }], conditions: [{ type: 'a/b', status: 'True' }] },
    {},
    { nodeName: 'n', readinessGates: [{ conditionType: 'a/b' }, { conditionType: 'c/d' }] },
  );
  assert.equal(row(pods, placed, 1), 'web | 1/1 | Running | 0 | 5m12s | 10.1.0.2 | n | <none> | 1/2');
});

const meta = { name: 'x', creationTimestamp: ago(3 * 3600) };
const template = {
  spec: {
    containers: [
      { name: 'a', image: 'i:1' },
      { name: 'b', image: 'j:2' },
    ],
  },
};
const selector = {
  matchLabels: { app: 'web' },
  matchExpressions: [{ key: 't', operator: 'In', values: ['b', 'a'] }],
};

const rows: readonly (readonly [string, string, Tree, string])[] = [
  [
    'deployments',
    'apps',
    {
      spec: { replicas: 3, template, selector },
      status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    },
    'x | 2/3 | 1 | 2 | 3h | a,b | i:1,j:2 | app=web,t in (a,b)',
  ],
  ['replicasets', 'apps', { spec: { replicas: 3 } }, 'x | 3 | 0 | 0 | 3h |  |  | <none>'],
  [
    'services',
    '',
    {
      spec: {
        type: 'NodePort',
        clusterIPs: ['10.0.0.1'],
        ports: [
          { port: 80, nodePort: 30080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        selector: { b: '2', a: '1' },
      },
    },
    'x | NodePort | 10.0.0.1 | <none> | 80:30080/TCP,53/UDP | 3h | a=1,b=2',
  ],
  [
    'services',
    '',
    { spec: { type: 'LoadBalancer', clusterIPs: ['10.0.0.1'], ports: [{ port: 80, protocol: 'TCP' }] } },
    'x | LoadBalancer | 10.0.0.1 | <pending> | 80/TCP | 3h | <none>',
  ],
  [
    'services',
    '',
    {
      spec: { type: 'LoadBalancer', clusterIPs: ['None'], externalIPs: ['9.9.9.9'] },
      status: { loadBalancer: { ingress: [{ ip: '2.2.2.2' }, { hostname: 'a.b' }, { ip: '1.1.1.1' }] } },
    },
    'x | LoadBalancer | None | 1.1.1.1,2.2.2.2,a.b,9.9.9.9 | <none> | 3h | <none>',
  ],
  [
    'services',
    '',
    { spec: { type: 'ExternalName', externalName: 'a.b' } },
    'x | ExternalName | <none> | a.b | <none> | 3h | <none>',
  ],
  ['nodes', '', {}, 'x | Unknown | <none> | 3h |  | <none> | <none> | <unknown> | <unknown> | <unknown>'],
  [
    'nodes',
    '',
    {
      metadata: {
        ...meta,
        labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' },
      },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'Unknown' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.9' }],
        nodeInfo: {
          kubeletVersion: 'v1.36.0',
          osImage: 'Debian',
          kernelVersion: '6',
          containerRuntimeVersion: 'crun://1',
        },
      },
    },
    'x | NotReady,SchedulingDisabled | control-plane,worker | 3h | v1.36.0 | 10.0.0.9 | <none> | Debian | 6 | crun://1',
  ],
  ['namespaces', '', { status: { phase: 'Active' } }, 'x | Active | 3h'],
  ['configmaps', '', { data: { a: '', b: '' }, binaryData: { c: '' } }, 'x | 3 | 3h'],
  ['secrets', '', { type: 'Opaque', data: { a: '' } }, 'x | Opaque | 1 | 3h'],
  ['serviceaccounts', '', {}, 'x | 3h'],
  ['endpoints', '', {}, 'x | <none> | 3h'],
  [
    'endpoints',
    '',
    {
      subsets: [
        { addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }], ports: [{ port: 80 }, { port: 81 }] },
        { addresses: [{ ip: '10.0.0.3' }] },
      ],
    },
    'x | 10.0.0.1:80,10.0.0.2:80,10.0.0.1:81 + 2 more... | 3h',
  ],
  [
    'endpointslices',
    'discovery.k8s.io',
    {
      addressType: 'IPv4',
      ports: [{ port: 80 }, { name: 'any' }],
      endpoints: [
        { addresses: ['1.1.1.1'] },
        { addresses: ['1.1.1.2'] },
        { addresses: ['1.1.1.3'] },
        { addresses: ['1.1.1.4'] },
      ],
    },
    'x | IPv4 | 80,any | 1.1.1.1,1.1.1.2,1.1.1.3 + 1 more... | 3h',
  ],
  ['endpointslices', 'discovery.k8s.io', { addressType: 'IPv6' }, 'x | IPv6 | <unset> | <unset> | 3h'],
  ['leases', 'coordination.k8s.io', { spec: { holderIdentity: 'me' } }, 'x | me | 3h'],
  [
    'events',
    '',
    {
      type: 'Normal',
      reason: 'Pulled',
      involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec.containers{c}' },
      source: { component: 'kubelet', host: 'n' },
      message: ' Pulled it\n',
      firstTimestamp: ago(600),
      lastTimestamp: ago(60),
      count: 4,
    },
    '60s | Normal | Pulled | pod/web | spec.containers{c} | kubelet, n | Pulled it | 10m | 4 | x',
  ],
  [
    'events',
    '',
    {
      type: 'Warning',
      reason: 'R',
      involvedObject: { kind: 'Node' },
      eventTime: ago(5),
      reportingComponent: 's',
    },
    '5s | Warning | R | node |  | s |  | 5s | 1 | x',
  ],
  [
    'events',
    'events.k8s.io',
    {
      type: 'Normal',
      reason: 'R',
      regarding: { kind: 'Pod', name: 'p' },
      note: 'hi',
      eventTime: ago(50),
      series: { count: 7, lastObservedTime: ago(5) },
      reportingController: 's',
      reportingInstance: 's-1',
    },
    '5s | Normal | R | pod/p |  | s, s-1 | hi | 50s | 7 | x',
  ],
];

for (const [resource, group, object, expected] of rows)
  test(`${resource}.${group} in one wide line: ${expected}`, () => {
    assert.equal(row(kindOf(resource, group), { metadata: meta, ...object }, 1), expected);
  });

test('an object without times has no age', () => {
  assert.equal(row(kindOf('configmaps'), created(kindOf('configmaps'), {})), 'a | 0 | <unknown>');
});
