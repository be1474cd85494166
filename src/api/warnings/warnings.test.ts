import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeWarnings } from './warnings.ts';

type Written = Parameters<typeof writeWarnings>[1];

const pod = (spec: object, metadata: object = {}) => ({
  metadata: { name: 'a', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const container = (fields: object) => ({ containers: [{ name: 'c', image: 'i', ...fields }] });

test('writeWarnings() tells what is odd about a pod, in the words of Kubernetes', () => {
  for (const [object, ...expected] of [
    [pod({ imagePullSecrets: [{ name: 'a' }], hostAliases: [{ ip: '1.1.1.1' }] })],
    [
      pod({}, { name: 'a.b' }),
      `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')]`,
    ],
    [
      pod({ nodeSelector: { 'beta.kubernetes.io/os': 'linux' } }),
      'spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead',
    ],
    [
      pod({
        topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'x', whenUnsatisfiable: 'DoNotSchedule' }],
      }),
      'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
    ],
    [
      pod({ imagePullSecrets: [{ name: '' }, { name: 'a' }, { name: 'a' }] }),
      'spec.imagePullSecrets[2].name: duplicate name "a"',
      'spec.imagePullSecrets[0].name: invalid empty name ""',
    ],
    [
      pod({ hostAliases: [{ ip: '1.1.1.1' }, { ip: '1.1.1.1' }] }),
      'spec.hostAliases[1].ip: duplicate ip "1.1.1.1"',
    ],
    [
      pod({ volumes: [{ name: 'v', rbd: {} }] }),
      'spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+',
    ],
    [
      pod({ terminationGracePeriodSeconds: -1 }),
      'spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1',
    ],
    [
      pod(
        container({ resources: { limits: { memory: '1500m' }, requests: { memory: '1.5Gi', cpu: '100m' } } }),
      ),
      'spec.containers[0].resources.limits[memory]: fractional byte value "1500m" is invalid, must be an integer',
    ],
    [
      pod(
        container({
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '$(A)2' },
            { name: 'A', value: '3' },
          ],
        }),
      ),
      'spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply',
    ],
    [
      pod(
        container({
          ports: [
            { containerPort: 80, name: 'http' },
            { containerPort: 80 },
            { containerPort: 81, name: 'http' },
            { containerPort: 80, hostPort: 8080 },
          ],
        }),
      ),
      'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2].name: duplicate port name "http" with spec.containers[0].ports[0].name, services and probes that select ports by name will use spec.containers[0].ports[0].name',
      'spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[1]',
    ],
    [
      pod({}, { annotations: { 'scheduler.alpha.kubernetes.io/critical-pod': '' } }),
      'metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the "priorityClassName" field instead',
    ],
    [
      pod({
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 1, podAffinityTerm: { topologyKey: 'x' } },
            ],
          },
        },
      }),
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
    ],
  ] as const)
    assert.deepEqual(writeWarnings('pods', object, undefined), expected);
});

test('writeWarnings() tells of templates when they change', () => {
  const spec = { template: pod({ nodeSelector: { 'beta.kubernetes.io/arch': 'amd64' } }) };
  const made = { metadata: { name: 'a', generation: 1 }, spec };
  const why = 'deprecated since v1.14; use "kubernetes.io/arch" instead';
  const expected = [`spec.template.spec.nodeSelector[beta.kubernetes.io/arch]: ${why}`];
  for (const kind of ['deployments.apps', 'daemonsets.apps', 'replicasets.apps', 'jobs.batch'])
    assert.deepEqual(writeWarnings(kind, made, undefined), expected, kind);
  assert.deepEqual(writeWarnings('deployments.apps', made, made), []);
  const changed = { ...made, metadata: { name: 'a', generation: 2 } };
  assert.deepEqual(writeWarnings('deployments.apps', changed, made), expected);
  const cronJob: Written & object = { metadata: { name: 'a' }, ...{ spec: { jobTemplate: { spec } } } };
  assert.deepEqual(writeWarnings('cronjobs.batch', cronJob, undefined), [
    `spec.jobTemplate.spec.template.spec.nodeSelector[beta.kubernetes.io/arch]: ${why}`,
  ]);
});

test('writeWarnings() tells what is odd about other kinds', () => {
  const metadata = { name: 'a' };
  for (const [kind, object, ...expected] of [
    ['configmaps', { metadata }],
    ['services', { metadata, spec: { clusterIP: '10.0.0.1', sessionAffinity: 'ClientIP' } }],
    [
      'services',
      {
        metadata,
        spec: {
          clusterIP: 'None',
          sessionAffinity: 'ClientIP',
          externalIPs: ['1.1.1.1'],
          externalName: 'a.b',
        },
      },
      'spec.externalIPs is ignored for headless services',
      'spec.SessionAffinity is ignored for headless services',
      'spec.externalName is ignored when spec.type is not "ExternalName"',
    ],
    [
      'ingresses.networking.k8s.io',
      { metadata: { ...metadata, annotations: { 'kubernetes.io/ingress.class': 'nginx' } }, spec: {} },
      `annotation "kubernetes.io/ingress.class" is deprecated, please use 'spec.ingressClassName' instead`,
    ],
    [
      'persistentvolumes',
      { metadata, spec: { persistentVolumeReclaimPolicy: 'Recycle', glusterfs: {} } },
      'spec.glusterfs: deprecated in v1.25, non-functional in v1.26+',
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    ],
    [
      'persistentvolumeclaims',
      { metadata, spec: { resources: { requests: { storage: '1500m' } } } },
      'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ],
    [
      'statefulsets.apps',
      { metadata: { ...metadata, generation: 1 }, spec: { revisionHistoryLimit: -1 } },
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
    ],
  ] as readonly (readonly [kind: string, object: object, ...expected: string[]])[])
    assert.deepEqual(writeWarnings(kind, object as Written, undefined), expected, kind);
});
