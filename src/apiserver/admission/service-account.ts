/**
 * ServiceAccount: a pod runs as an account of its namespace, with a token for it, and where the account says so, with no secrets but the account's own. Pure.
 * Source: Kubernetes 1.36, plugin/pkg/admission/serviceaccount, as behaviour.
 */
import type { Container, Draft, Pod, PodSpec, ServiceAccount } from '../../api/index.ts';
import { nameSuffix } from '../../lib/index.ts';
import type { Stored } from '../../store/index.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { refused } from './refusal.ts';

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const tokenSeconds = 3607;
const mirror = 'kubernetes.io/config.mirror';
const onlyMountable = 'kubernetes.io/enforce-mountable-secrets';

export function serviceAccount(context: AdmissionContext): AdmissionStep {
  const accounts = context.resources.core('serviceaccounts');
  const read: ReadAccount = (admission, name) =>
    accountOf(context.store.latest(accounts.key(admission.namespace, name)), admission, name);
  return {
    name: 'ServiceAccount',
    concerns: ({ groupResource }, subresource, operation) =>
      groupResource === 'pods' &&
      ((operation === 'CREATE' && subresource === '') ||
        (operation === 'UPDATE' && subresource === 'ephemeralcontainers')),
    handles: () => true,
    mutate(admission) {
      if (admission.operation === 'CREATE')
        admit(context, read, admission, admission.object as unknown as Draft<Pod>);
    },
    validate: (admission) => check(read, admission, admission.object as unknown as Pod),
  };
}

type ReadAccount = (admission: Admission, name: string) => ServiceAccount | undefined;

function accountOf(
  stored: Stored | undefined,
  admission: Admission,
  name: string,
): ServiceAccount | undefined {
  const { namespace } = admission;
  // The default account of a new namespace may be a moment late; nothing else is waited for.
  if (stored === undefined && name !== 'default')
    throw refused(
      admission,
      `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`,
    );
  return stored?.object() as ServiceAccount | undefined;
}

const isMirror = ({ metadata }: Draft<Pod> | Pod): boolean => metadata.annotations?.[mirror] !== undefined;

function admit({ random }: AdmissionContext, read: ReadAccount, admission: Admission, pod: Draft<Pod>): void {
  const { spec } = pod;
  if (spec === undefined || isMirror(pod)) return;
  const said = spec.serviceAccountName;
  const name = said === undefined || said === '' ? 'default' : said;
  spec.serviceAccountName = name;
  spec.serviceAccount = name;
  const account = read(admission, name);
  if ((spec.imagePullSecrets?.length ?? 0) === 0 && (account?.imagePullSecrets?.length ?? 0) > 0)
    spec.imagePullSecrets = account?.imagePullSecrets?.map((one) => ({ ...one })) ?? [];
  if ((spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true) === false) return;
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const waiting = containers.filter(
    (one) => !(one.volumeMounts ?? []).some((mount) => mount.mountPath === tokenPath),
  );
  if (waiting.length === 0) return;
  const known = spec.volumes?.find((volume) => volume.name.startsWith('kube-api-access-'))?.name;
  const volume = known ?? `kube-api-access-${nameSuffix(random)}`;
  if (known === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(volume)];
  for (const container of waiting)
    container.volumeMounts = [
      ...(container.volumeMounts ?? []),
      { name: volume, readOnly: true, mountPath: tokenPath },
    ];
}

function tokenVolume(name: string): Draft<NonNullable<PodSpec['volumes']>[number]> {
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

function check(read: ReadAccount, admission: Admission, pod: Pod): void {
  const { spec } = pod;
  if (spec === undefined) return;
  if (isMirror(pod)) {
    checkMirror(admission, spec);
    return;
  }
  const account = read(admission, spec.serviceAccountName ?? 'default');
  if (account?.metadata.annotations?.[onlyMountable] !== 'true') return;
  const why = strangeSecret(spec, account);
  if (why !== undefined) throw refused(admission, why);
}

/** Static pods come from their node, which has no account's rights to give. */
function checkMirror(admission: Admission, spec: PodSpec): void {
  if ((spec.serviceAccountName ?? '') !== '')
    throw refused(admission, 'a mirror pod may not reference service accounts');
  const containers: readonly Container[] = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const hasSecrets =
    spec.volumes?.some(
      ({ secret, projected }) =>
        secret !== undefined || projected?.sources?.some((source) => source.secret !== undefined) === true,
    ) === true ||
    (spec.imagePullSecrets?.length ?? 0) > 0 ||
    containers.some(
      (one) =>
        one.env?.some((variable) => variable.valueFrom?.secretKeyRef !== undefined) === true ||
        one.envFrom?.some((source) => source.secretRef !== undefined) === true,
    );
  if (hasSecrets) throw refused(admission, 'a mirror pod may not reference secrets');
  const hasToken = spec.volumes?.some(
    ({ projected }) => projected?.sources?.some((one) => one.serviceAccountToken !== undefined) === true,
  );
  if (hasToken === true)
    throw refused(admission, 'a mirror pod may not use ServiceAccountToken volume projections');
}

/** The first secret that the pod refers to and its account does not, in words. */
function strangeSecret(spec: PodSpec, account: ServiceAccount): string | undefined {
  const mountable = new Set((account.secrets ?? []).map((one) => one.name));
  const because = `is not allowed because service account ${account.metadata.name} does not reference that`;
  for (const { secret } of spec.volumes ?? [])
    if (secret !== undefined && !mountable.has(secret.secretName))
      return `volume with secret.secretName="${secret.secretName}" ${because} secret`;
  for (const [kind, containers] of [
    ['init container', spec.initContainers],
    ['container', spec.containers],
    ['ephemeral container', spec.ephemeralContainers],
  ] as const)
    for (const { name, env, envFrom } of (containers ?? []) as readonly Container[]) {
      for (const variable of env ?? []) {
        const secret = variable.valueFrom?.secretKeyRef?.name;
        if (variable.valueFrom?.secretKeyRef !== undefined && !mountable.has(secret))
          return `${kind} ${name} with envVar ${variable.name} referencing secret.secretName="${secret}" ${because} secret`;
      }
      for (const { secretRef } of envFrom ?? [])
        if (secretRef !== undefined && !mountable.has(secretRef.name))
          return `${kind} ${name} with envFrom referencing secret.secretName="${secretRef.name}" ${because} secret`;
    }
  const pullable = new Set((account.imagePullSecrets ?? []).map((one) => one.name));
  for (const [index, { name }] of (spec.imagePullSecrets ?? []).entries())
    if (!pullable.has(name)) return `imagePullSecrets[${index}].name="${name}" ${because} imagePullSecret`;
  return undefined;
}
