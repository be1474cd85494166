/**
 * The defaults of pod specs that depend on other fields, or that matter to clients by being there. Idempotent.
 *
 *   applyPodSpecDefaults   for every pod spec, also inside templates (Deployment, ReplicaSet, …)
 *   applyPodDefaults       for pods alone: requests from limits, host ports, service links
 *
 * Source: Kubernetes 1.36, pkg/apis/core/v1/defaults.go, as behaviour.
 */
import type { Draft } from '../../object.ts';
import type {
  Container,
  EphemeralContainer,
  LifecycleHandler,
  PodSpec,
  Probe,
  ResourceRequirements,
  Volume,
} from '../../types/core.v1.ts';

type AnyContainer = Draft<Container> | Draft<EphemeralContainer>;

const fileMode = 0o644;
const tokenSeconds = 3600;

export function applyPodSpecDefaults(spec: Draft<PodSpec>): void {
  spec.restartPolicy ||= 'Always';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.securityContext ??= {};
  spec.schedulerName ||= 'default-scheduler';
  // The old name of the same field is kept equal.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const container of spec.initContainers ?? []) applyContainerDefaults(container);
  for (const container of spec.containers ?? []) applyContainerDefaults(container);
  for (const container of spec.ephemeralContainers ?? []) applyContainerDefaults(container);
  for (const volume of spec.volumes ?? []) applyVolumeDefaults(volume);
}

export function applyPodDefaults(spec: Draft<PodSpec>): void {
  for (const containers of [spec.containers ?? [], spec.initContainers ?? []])
    for (const container of containers) {
      if (container.resources !== undefined) requestsFromLimits(container.resources);
      if (spec.hostNetwork === true)
        for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
    }
  if (spec.resources !== undefined) podRequestsFromLimits(spec, spec.resources);
  spec.enableServiceLinks ??= true;
}

function requestsFromLimits(resources: Draft<ResourceRequirements>): void {
  const { limits } = resources;
  if (limits === undefined) return;
  resources.requests ??= {};
  for (const name in limits) resources.requests[name] ??= limits[name] as string;
}

/** A pod's own limit is its request only for what no container asks for. */
function podRequestsFromLimits(spec: Draft<PodSpec>, resources: Draft<ResourceRequirements>): void {
  const { limits } = resources;
  if (limits === undefined) return;
  const asked = new Set(
    [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap((container) =>
      Object.keys(container.resources?.requests ?? {}),
    ),
  );
  for (const name in limits)
    if (!asked.has(name)) {
      resources.requests ??= {};
      resources.requests[name] ??= limits[name] as string;
    }
}

function applyContainerDefaults(container: AnyContainer): void {
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '');
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? [])
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1';
  if (container.livenessProbe !== undefined) applyProbeDefaults(container.livenessProbe);
  if (container.readinessProbe !== undefined) applyProbeDefaults(container.readinessProbe);
  if (container.startupProbe !== undefined) applyProbeDefaults(container.startupProbe);
  const { lifecycle } = container;
  if (lifecycle?.postStart !== undefined) applyHandlerDefaults(lifecycle.postStart);
  if (lifecycle?.preStop !== undefined) applyHandlerDefaults(lifecycle.preStop);
}

function applyProbeDefaults(probe: Draft<Probe>): void {
  applyHandlerDefaults(probe);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
}

function applyHandlerDefaults({ httpGet }: Draft<Pick<LifecycleHandler, 'httpGet'>>): void {
  if (httpGet === undefined) return;
  httpGet.path ||= '/';
  httpGet.scheme ||= 'HTTP';
}

/** `latest`, said or not, is pulled each time; but images of `host.local/` are made on this machine and can be pulled from nowhere. */
export function pullPolicyOf(image: string): string {
  if (image.startsWith('host.local/')) return 'IfNotPresent';
  const at = image.indexOf('@');
  const name = at < 0 ? image : image.slice(0, at);
  const last = name.slice(name.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  const tag = colon >= 0 ? last.slice(colon + 1) : at < 0 && last !== '' ? 'latest' : '';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function applyVolumeDefaults(volume: Draft<Volume>): void {
  const { secret, configMap, downwardAPI, projected, hostPath, image, ephemeral } = volume;
  if (secret !== undefined) secret.defaultMode ??= fileMode;
  if (configMap !== undefined) configMap.defaultMode ??= fileMode;
  if (hostPath !== undefined) hostPath.type ??= '';
  if (image !== undefined) image.pullPolicy ||= pullPolicyOf(image.reference ?? '');
  if (ephemeral?.volumeClaimTemplate?.spec !== undefined)
    ephemeral.volumeClaimTemplate.spec.volumeMode ||= 'Filesystem';
  if (downwardAPI !== undefined) {
    downwardAPI.defaultMode ??= fileMode;
    for (const { fieldRef } of downwardAPI.items ?? [])
      if (fieldRef !== undefined) fieldRef.apiVersion ||= 'v1';
  }
  if (projected !== undefined) {
    projected.defaultMode ??= fileMode;
    for (const source of projected.sources ?? []) {
      if (source.serviceAccountToken !== undefined)
        source.serviceAccountToken.expirationSeconds ??= tokenSeconds;
      for (const { fieldRef } of source.downwardAPI?.items ?? [])
        if (fieldRef !== undefined) fieldRef.apiVersion ||= 'v1';
    }
  }
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
}
