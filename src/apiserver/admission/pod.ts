/**
 * What the server adds to every new Pod: its service account and a token for it, tolerations for nodes in trouble, a priority. Pure.
 * Source: Kubernetes' admission plugins ServiceAccount, DefaultTolerationSeconds, Priority.
 */
import type { Draft, Pod, ServiceAccount } from '../../api/index.ts';
import { forbidden } from '../../api/index.ts';
import { nameSuffix } from '../../lib/index.ts';
import type { AdmissionContext, AdmissionStep } from './chain.ts';

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const tokenSeconds = 3607;
const troubleSeconds = 300;

export function podDefaults(context: AdmissionContext): AdmissionStep {
  return {
    name: 'PodDefaults',
    concerns: ({ groupResource }, subresource, operation) =>
      operation === 'CREATE' && subresource === '' && groupResource === 'pods',
    handles: () => true,
    mutate: ({ object }) => admitPod(context, object as unknown as Draft<Pod>),
  };
}

function admitPod(context: AdmissionContext, draft: Draft<Pod>): void {
  const spec = draft.spec;
  if (spec === undefined) return;
  spec.priority ??= 0;
  spec.preemptionPolicy ??= 'PreemptLowerPriority';
  addTolerations(spec);
  addServiceAccount(context, draft, spec);
}

function addTolerations(spec: Draft<NonNullable<Pod['spec']>>): void {
  const tolerations = spec.tolerations ?? [];
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = tolerations.some(
      (one) =>
        (one.key === key || one.key === undefined || one.key === '') &&
        (one.effect === 'NoExecute' || one.effect === undefined || one.effect === ''),
    );
    if (!tolerated)
      tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: troubleSeconds });
  }
  spec.tolerations = tolerations;
}

function addServiceAccount(
  context: AdmissionContext,
  draft: Draft<Pod>,
  spec: Draft<NonNullable<Pod['spec']>>,
): void {
  // A mirror of a static pod has none.
  if (draft.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return;
  const name =
    spec.serviceAccountName === undefined || spec.serviceAccountName === ''
      ? 'default'
      : spec.serviceAccountName;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
  const namespace = draft.metadata.namespace ?? '';
  const stored = context.store.latest(context.resources.core('serviceaccounts').key(namespace, name));
  const account = stored?.object() as ServiceAccount | undefined;
  // The default account of a new namespace may be a moment late; nothing else is waited for.
  if (account === undefined && name !== 'default')
    throw forbidden(
      context.resources.core('pods').ref,
      draft.metadata.name ?? '',
      `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
    );
  if (spec.imagePullSecrets === undefined && account?.imagePullSecrets !== undefined)
    spec.imagePullSecrets = account.imagePullSecrets.map((one) => ({ ...one }));
  if ((spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true) === false) return;
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const waiting = containers.filter(
    (one) => !(one.volumeMounts ?? []).some((mount) => mount.mountPath === tokenPath),
  );
  if (waiting.length === 0) return;
  const known = spec.volumes?.find((volume) => volume.name.startsWith('kube-api-access-'))?.name;
  const volume = known ?? `kube-api-access-${nameSuffix(context.random)}`;
  if (known === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(volume)];
  for (const container of waiting)
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name: volume, readOnly: true, mountPath: tokenPath },
    ];
}

function tokenVolume(name: string): Draft<NonNullable<NonNullable<Pod['spec']>['volumes']>[number]> {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: 420,
    },
  };
}
