/** The server's own admission, step by step: what it adds, and what it refuses in which words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Ingress,
  type KubeObject,
  namespaces,
  type PersistentVolumeClaim,
  type Pod,
  pods,
  priorityClasses,
} from '../../api/index.ts';
import type { Identity } from '../identity.ts';
import { messageOf, objectOf, podOf, refTo, saidOf, startApi } from './test-admission.ts';

const limitRanges = refTo('', 'limitranges');
const accounts = refTo('', 'serviceaccounts');
const claims = refTo('', 'persistentvolumeclaims');
const classes = refTo('storage.k8s.io', 'storageclasses', false);
const ingresses = refTo('networking.k8s.io', 'ingresses');
const ingressClasses = refTo('networking.k8s.io', 'ingressclasses', false);
const runtimeClasses = refTo('node.k8s.io', 'runtimeclasses', false);
const configMaps = refTo('', 'configmaps');

const clusterObject = (apiVersion: string, kind: string, name: string, more: object = {}): KubeObject =>
  ({ apiVersion, kind, metadata: { name }, ...more }) as KubeObject;

test('NamespaceLifecycle: nothing comes into what is not there or going, and some namespaces stay', async (t) => {
  const cloud = await startApi(t);
  const { client } = cloud;
  const there = (namespace: string) => ({ ...podOf('p'), metadata: { name: 'p', namespace } });
  assert.equal(await saidOf(cloud, pods, there('none')), 'namespaces "none" not found');
  await client.create(namespaces, clusterObject('v1', 'Namespace', 'going'));
  await client.delete(namespaces, undefined, 'going');
  assert.equal(
    await saidOf(cloud, pods, there('going')),
    'pods "p" is forbidden: unable to create new content in namespace going because it is being terminated',
  );
  for (const name of ['default', 'kube-system', 'kube-public'])
    assert.equal(
      await messageOf(client.delete(namespaces, undefined, name)),
      `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    );
});

// conformance, partly (the range is not updated): [sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied.
test('LimitRanger gives what is not said', async (t) => {
  const { client } = await startApi(t);
  const limits = [
    {
      type: 'Container',
      default: { cpu: '500m', memory: '200Mi' },
      defaultRequest: { cpu: '100m', memory: '200Mi' },
    },
  ];
  await client.create(limitRanges, objectOf('v1', 'LimitRange', 'l', { spec: { limits } }));
  const made = await client.create<Pod>(pods, podOf('p', { resources: { requests: { cpu: '50m' } } }));
  assert.deepEqual(made.spec?.containers?.[0]?.resources, {
    requests: { cpu: '50m', memory: '200Mi' },
    limits: { cpu: '500m', memory: '200Mi' },
  });
  assert.equal(
    made.metadata.annotations?.['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: memory request for container c; cpu, memory limit for container c',
  );
});

test('LimitRanger refuses too little and too much', async (t) => {
  const cloud = await startApi(t);
  const limits = [
    {
      type: 'Container',
      min: { memory: '100Mi' },
      max: { memory: '500Mi' },
      maxLimitRequestRatio: { cpu: '2' },
    },
    { type: 'Pod', max: { memory: '600Mi' } },
    { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } },
  ];
  await cloud.client.create(limitRanges, objectOf('v1', 'LimitRange', 'l', { spec: { limits } }));
  const asking = (memory: string, limit: string, cpu: string, cpuLimit: string) =>
    podOf('p', { resources: { requests: { memory, cpu }, limits: { memory: limit, cpu: cpuLimit } } });
  const table: readonly (readonly [KubeObject, string])[] = [
    [asking('100Mi', '500Mi', '1', '2'), ''],
    [
      asking('50Mi', '100Mi', '1', '1'),
      'pods "p" is forbidden: minimum memory usage per Container is 100Mi, but request is 50Mi',
    ],
    [
      asking('50Mi', '550Mi', '1', '3'),
      'pods "p" is forbidden: [minimum memory usage per Container is 100Mi, but request is 50Mi, maximum memory usage per Container is 500Mi, but limit is 550Mi, cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000]',
    ],
    [
      podOf(
        'p',
        {},
        {
          initContainers: [
            {
              name: 'i',
              image: 'x',
              resources: asking('100Mi', '500Mi', '1', '1').spec?.containers?.[0]?.resources,
            },
          ],
        },
      ),
      'pods "p" is forbidden: cpu max limit to request ratio per Container is 2, but no request is specified or request is 0',
    ],
    [
      podOf(
        'p',
        { resources: { requests: { cpu: '1', memory: '400Mi' }, limits: { cpu: '1', memory: '400Mi' } } },
        { overhead: { memory: '300Mi' }, runtimeClassName: 'heavy' },
      ),
      'pods "p" is forbidden: maximum memory usage per Pod is 600Mi, but limit is 700Mi',
    ],
  ];
  await cloud.client.create(
    runtimeClasses,
    clusterObject('node.k8s.io/v1', 'RuntimeClass', 'heavy', {
      handler: 'h',
      overhead: { podFixed: { memory: '300Mi' } },
    }),
  );
  for (const [pod, words] of table) assert.equal(await saidOf(cloud, pods, pod), words);
  const claim = (storage: string) =>
    objectOf('v1', 'PersistentVolumeClaim', 'v', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
    });
  assert.equal(await saidOf(cloud, claims, claim('1Gi')), '');
  assert.equal(
    await saidOf(cloud, claims, claim('3Gi')),
    'persistentvolumeclaims "v" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
  );
  assert.equal(
    await saidOf(cloud, claims, claim('1Mi')),
    'persistentvolumeclaims "v" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
  );
});

test('ServiceAccount: accounts, tokens, secrets', async (t) => {
  const cloud = await startApi(t);
  const { client } = cloud;
  await client.create(
    accounts,
    objectOf('v1', 'ServiceAccount', 'plain', { imagePullSecrets: [{ name: 'pull' }] }),
  );
  await client.create(
    accounts,
    objectOf('v1', 'ServiceAccount', 'none', { automountServiceAccountToken: false }),
  );
  await client.create(accounts, {
    ...objectOf('v1', 'ServiceAccount', 'strict', { secrets: [{ name: 'own' }] }),
    metadata: {
      name: 'strict',
      namespace: 'default',
      annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' },
    },
  });
  assert.equal(
    await saidOf(cloud, pods, podOf('p', {}, { serviceAccountName: 'missing' })),
    'pods "p" is forbidden: error looking up service account default/missing: serviceaccount "missing" not found',
  );
  const plain = await client.create<Pod>(pods, podOf('plain', {}, { serviceAccountName: 'plain' }));
  assert.deepEqual(plain.spec?.imagePullSecrets, [{ name: 'pull' }]);
  assert.equal(plain.spec?.serviceAccount, 'plain');
  assert.equal(
    plain.spec?.containers?.[0]?.volumeMounts?.[0]?.mountPath,
    '/var/run/secrets/kubernetes.io/serviceaccount',
  );
  const none = await client.create<Pod>(pods, podOf('none', {}, { serviceAccountName: 'none' }));
  assert.equal(none.spec?.volumes, undefined);
  const strict = (container: object, spec: object = {}) =>
    podOf('p', container, { serviceAccountName: 'strict', ...spec });
  const volume = (name: string) => ({ volumes: [{ name: 'v', secret: { secretName: name } }] });
  const because = 'is not allowed because service account strict does not reference that';
  const table: readonly (readonly [Pod, string])[] = [
    [strict({}, volume('own')), ''],
    [strict({}, volume('other')), `volume with secret.secretName="other" ${because} secret`],
    [
      strict({ env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'other', key: 'k' } } }] }),
      `container c with envVar A referencing secret.secretName="other" ${because} secret`,
    ],
    [
      strict({ envFrom: [{ secretRef: { name: 'other' } }] }),
      `container c with envFrom referencing secret.secretName="other" ${because} secret`,
    ],
    [
      strict({}, { imagePullSecrets: [{ name: 'x' }] }),
      `imagePullSecrets[0].name="x" ${because} imagePullSecret`,
    ],
  ];
  for (const [pod, words] of table)
    assert.equal(await saidOf(cloud, pods, pod), words === '' ? '' : `pods "p" is forbidden: ${words}`);
});

test('Priority: the number behind the class', async (t) => {
  const cloud = await startApi(t);
  const { client } = cloud;
  const priorityClass = (name: string, value: number, more: object = {}) =>
    clusterObject('scheduling.k8s.io/v1', 'PriorityClass', name, { value, ...more });
  await client.create(priorityClasses, priorityClass('high', 1000, { preemptionPolicy: 'Never' }));
  const shown = async (name: string, spec: object = {}) => {
    const { spec: made } = await client.create<Pod>(pods, podOf(name, {}, spec));
    return [made?.priorityClassName, made?.priority, made?.preemptionPolicy];
  };
  assert.deepEqual(await shown('a'), [undefined, 0, 'PreemptLowerPriority']);
  assert.deepEqual(await shown('b', { priorityClassName: 'high' }), ['high', 1000, 'Never']);
  assert.equal(
    await saidOf(cloud, pods, podOf('p', {}, { priorityClassName: 'none' })),
    'pods "p" is forbidden: no PriorityClass with name none was found',
  );
  assert.equal(
    await saidOf(cloud, pods, podOf('p', {}, { priorityClassName: 'high', priority: 5 })),
    'pods "p" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name',
  );
  await client.create(priorityClasses, priorityClass('usual', 7, { globalDefault: true }));
  assert.deepEqual(await shown('c'), ['usual', 7, 'PreemptLowerPriority']);
  assert.equal(
    await messageOf(client.create(priorityClasses, priorityClass('second', 8, { globalDefault: true }))),
    'priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
  );
});

// conformance: [sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance]
test('RuntimeClass: overhead, nodes and tolerations', async (t) => {
  const cloud = await startApi(t);
  await cloud.client.create(
    runtimeClasses,
    clusterObject('node.k8s.io/v1', 'RuntimeClass', 'vm', {
      handler: 'kata',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: {
        nodeSelector: { kvm: 'yes' },
        tolerations: [{ key: 'kvm', operator: 'Exists', effect: 'NoSchedule' }],
      },
    }),
  );
  const made = await cloud.client.create<Pod>(pods, podOf('a', {}, { runtimeClassName: 'vm' }));
  assert.deepEqual(made.spec?.overhead, { cpu: '250m' });
  assert.deepEqual(made.spec?.nodeSelector, { kvm: 'yes' });
  assert.ok(made.spec?.tolerations?.some((one) => one.key === 'kvm'));
  const table: readonly (readonly [object, string])[] = [
    [{ runtimeClassName: 'none' }, 'pod rejected: RuntimeClass "none" not found'],
    [
      { runtimeClassName: 'vm', overhead: { cpu: '1' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      { overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
    [
      { runtimeClassName: 'vm', nodeSelector: { kvm: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[kvm] = yes; pod.spec.nodeSelector[kvm] = no',
    ],
  ];
  for (const [spec, words] of table)
    assert.equal(await saidOf(cloud, pods, podOf('p', {}, spec)), `pods "p" is forbidden: ${words}`);
});

test('who names no class gets the newest default one', async (t) => {
  const { client, clock } = await startApi(t);
  const storage = (name: string) => ({
    ...clusterObject('storage.k8s.io/v1', 'StorageClass', name, { provisioner: 'x' }),
    metadata: { name, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  });
  const claim = (name: string, more: object = {}) =>
    objectOf('v1', 'PersistentVolumeClaim', name, {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more },
    });
  const classOf = async (name: string, more?: object) =>
    (await client.create<PersistentVolumeClaim>(claims, claim(name, more) as PersistentVolumeClaim)).spec
      ?.storageClassName;
  assert.equal(await classOf('first'), 'local', 'as every cloud has it from the beginning');
  await client.delete(classes, undefined, 'local');
  assert.equal(await classOf('a'), undefined);
  await client.create(classes, storage('old'));
  await clock.advance(5000);
  await client.create(classes, storage('b-new'));
  await client.create(classes, storage('a-new'));
  assert.equal(await classOf('b'), 'a-new');
  assert.equal(await classOf('c', { storageClassName: '' }), '');
  await client.patch(
    claims,
    'default',
    'b',
    'merge',
    { status: { phase: 'Bound' } },
    { subresource: 'status' },
  );
  assert.equal(
    await messageOf(
      client.patch(claims, 'default', 'b', 'merge', {
        spec: { resources: { requests: { storage: '2Gi' } } },
      }),
    ),
    'persistentvolumeclaims "b" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  );
  await client.create(ingressClasses, {
    ...clusterObject('networking.k8s.io/v1', 'IngressClass', 'gate', { spec: { controller: 'x.y/z' } }),
    metadata: { name: 'gate', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
  } as KubeObject);
  const backend = { service: { name: 's', port: { number: 80 } } };
  const ingress = objectOf('networking.k8s.io/v1', 'Ingress', 'i', { spec: { defaultBackend: backend } });
  assert.equal((await client.create<Ingress>(ingresses, ingress as Ingress)).spec?.ingressClassName, 'gate');
});

test('who makes an object hold back its owner must be allowed to set the owner’s finalizers', async (t) => {
  const { api, client } = await startApi(t);
  const owner = await client.create(configMaps, objectOf('v1', 'ConfigMap', 'owner'));
  const rbac = 'rbac.authorization.k8s.io';
  const allow = (name: string, rules: object) =>
    client.create(
      refTo(rbac, 'clusterroles', false),
      clusterObject(`${rbac}/v1`, 'ClusterRole', name, { rules }),
    );
  await allow('writer', [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'update', 'patch', 'get'] },
  ]);
  await client.create(refTo(rbac, 'clusterrolebindings', false), {
    ...clusterObject(`${rbac}/v1`, 'ClusterRoleBinding', 'writer'),
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'writer' },
    subjects: [{ kind: 'User', apiGroup: rbac, name: 'ann' }],
  } as KubeObject);
  const ann: Identity = { user: 'ann', groups: ['system:authenticated'] };
  const owned = (name: string, blockOwnerDeletion: boolean) => ({
    ...objectOf('v1', 'ConfigMap', name),
    metadata: {
      name,
      namespace: 'default',
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: 'owner',
          uid: owner.metadata.uid ?? '',
          blockOwnerDeletion,
        },
      ],
    },
  });
  const asAnn = api.client(ann);
  await asAnn.create(configMaps, owned('free', false));
  assert.match(
    await messageOf(asAnn.create(configMaps, owned('holding', true))),
    /^configmaps "holding" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: /,
  );
  assert.match(
    await messageOf(
      asAnn.patch(configMaps, 'default', 'free', 'merge', { metadata: { ownerReferences: null } }),
    ),
    /^configmaps "free" is forbidden: cannot set an ownerRef on a resource you can't delete: /,
  );
  await client.create(configMaps, owned('holding', true));
});

test('a new node takes no pods before it is ready', async (t) => {
  const { client } = await startApi(t);
  const made = await client.create(refTo('', 'nodes', false), clusterObject('v1', 'Node', 'n'));
  assert.deepEqual((made as { spec?: unknown }).spec, {
    taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }],
  });
});

test('StorageObjectInUseProtection gives claims and volumes the finalizer that keeps them while they are used', async (t) => {
  const { client } = await startApi(t);
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
  const made = await client.create(claims, objectOf('v1', 'PersistentVolumeClaim', 'data', { spec }));
  assert.deepEqual(made.metadata.finalizers, ['kubernetes.io/pvc-protection']);
  const volume = clusterObject('v1', 'PersistentVolume', 'disk', {
    metadata: { name: 'disk', finalizers: ['own.example/one'] },
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/srv' } },
  });
  const stored = await client.create(refTo('', 'persistentvolumes', false), volume);
  assert.deepEqual(stored.metadata.finalizers, ['own.example/one', 'kubernetes.io/pv-protection']);
});
