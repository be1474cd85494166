/**
 * Carries out the steps of a plan. Each operation changes what the worker knows once its effect is there, so that the next plan
 * no longer asks for it. What fails is remembered with when to try again; what throws is a fault of the whole pod.
 */
import { localMade, type Pod, type RuntimeClass } from '../../api/index.ts';
import { CaelumError, explainError, isError } from '../../lib/index.ts';
import { hasDeviceClaims, readyClaims } from '../devices/pod-claims.ts';
import { runtimeHandlers } from '../node/node-object.ts';
import { persistentVolumesRef, podsRef, runtimeClassesRef } from '../objects.ts';
import { usesClaim } from '../volumes/claim-content.ts';
import { contentOf, tokenSourcesOf, type VolumeContent } from '../volumes/volume-content.ts';
import { tellGrown } from './claim-growth.ts';
import {
  ensureImage,
  mountRoot,
  runPostStart,
  startContainer,
  stopContainer,
} from './container-operations.ts';
import { hostPortsOf } from './host-ports.ts';
import { ImageVolumeError, mountImageVolumes } from './image-operations.ts';
import { hostNameOf, hostNameProblem, hostsFile, resolvFile } from './network-files.ts';
import type { Step } from './observed.ts';
import { referenceTo } from './parts.ts';
import { volumeRootPrefix } from './pod-state.ts';
import type { PodWorker } from './pod-worker.ts';
import { allocate, concludeResize, resize, restartAll } from './resize-operations.ts';
import { podLimits } from './resources.ts';
import { sysctlName } from './sysctls.ts';

export async function carryOut(worker: PodWorker, step: Step, signal: AbortSignal): Promise<void> {
  switch (step.kind) {
    case 'attachNetwork':
      return attachNetwork(worker);
    case 'createSandbox':
      return createSandbox(worker);
    case 'setUpVolumes':
      return setUpVolumes(worker);
    case 'ensureImage':
      return ensureImage(worker, step, signal);
    case 'mountRoot':
      return mountRoot(worker, step);
    case 'startContainer':
      return startContainer(worker, step);
    case 'runPostStart':
      return runPostStart(worker, step, signal);
    case 'stopContainer':
      return stopContainer(worker, step, signal);
    case 'removeContainer':
      return removeContainer(worker, step);
    case 'unmountRoot':
      return unmountRoot(worker, step.root);
    case 'removeSandbox':
      await worker.parts.runtime.removeSandbox(worker.state.uid);
      worker.state.sandbox = false;
      worker.state.sandboxLimits = undefined;
      worker.state.sandboxPresent = false;
      return;
    case 'detachNetwork':
      await worker.parts.network.detach(worker.state.uid);
      worker.state.attachment = undefined;
      worker.state.networkPresent = false;
      worker.state.faults.delete('network');
      return;
    case 'tearDownVolumes':
      return tearDownVolumes(worker);
    case 'deletePod':
      return deletePod(worker);
    case 'allocate':
      return allocate(worker);
    case 'resize':
      return resize(worker, step);
    case 'concludeResize':
      return concludeResize(worker);
    case 'restartAll':
      return restartAll(worker, step);
    case 'abortPull':
    case 'forget':
      return;
  }
}

function warn(worker: PodWorker, pod: Pod, reason: string, message: string): void {
  worker.parts.events.record({ about: referenceTo(pod), type: 'Warning', reason, message });
}

async function attachNetwork(worker: PodWorker): Promise<void> {
  const { state, parts } = worker;
  const { pod } = state;
  if (pod === undefined) return;
  try {
    state.networkPresent = true;
    state.attachment = await parts.network.attach(state.uid, hostPortsOf(pod));
    state.faults.delete('network');
  } catch (error) {
    const message = `Failed to create pod sandbox: ${explainError(error)}`;
    warn(worker, pod, 'FailedCreatePodSandBox', message);
    state.fail('network', message, parts.clock.nowMs());
  }
}

async function createSandbox(worker: PodWorker): Promise<void> {
  const { state, parts } = worker;
  const { granted: pod, allocation } = state;
  if (pod === undefined) return;
  const { spec, metadata } = pod;
  const addresses = state.attachment?.addresses ?? [];
  const hostname = hostNameOf(pod, parts.nodeFiles.hostname);
  const limits = podLimits(pod);
  const sysctls: Record<string, string> = {};
  for (const { name, value } of spec?.securityContext?.sysctls ?? []) sysctls[sysctlName(name)] = value;
  try {
    await checkHandler(worker, pod);
    const problem = hostNameProblem(pod, hostname);
    if (problem !== undefined) throw new CaelumError('invalid', problem);
    state.volumesPresent = true;
    state.sandboxPresent = true;
    await Promise.all([
      allocation === undefined
        ? undefined
        : parts.disk.writeAllocation(state.uid, JSON.stringify(allocation)),
      parts.disk.writeNetworkFiles(state.uid, {
        hosts: hostsFile(pod, hostname, addresses, parts.dns.domain, parts.nodeFiles.hosts),
        resolvConf: resolvFile(pod, parts.dns, parts.nodeFiles.resolvConf),
        hostname: `${hostname}\n`,
      }),
      parts.runtime.createSandbox({
        podUid: state.uid,
        podName: metadata.name ?? '',
        podNamespace: metadata.namespace ?? '',
        hostname,
        networkNamespace: spec?.hostNetwork ? undefined : state.attachment?.namespacePath,
        hostPid: spec?.hostPID ?? false,
        hostIpc: spec?.hostIPC ?? false,
        sharePid: spec?.shareProcessNamespace ?? false,
        sysctls,
        ...limits,
      }),
    ]);
    state.sandbox = true;
    state.sandboxLimits = limits;
    state.faults.delete('sandbox');
  } catch (error) {
    const message = `Failed to create pod sandbox: ${explainError(error)}`;
    warn(worker, pod, 'FailedCreatePodSandBox', message);
    state.fail('sandbox', message, parts.clock.nowMs());
  }
}

/** All that a RuntimeClass can choose here is the one runtime that there is. Throws what Kubernetes' clients expect to read. */
async function checkHandler({ parts }: PodWorker, { spec }: Pod): Promise<void> {
  const name = spec?.runtimeClassName ?? '';
  if (spec?.hostUsers === false) {
    const who = name === '' ? 'runtime' : `RuntimeClass handler "${name}"`;
    throw new CaelumError(
      'invalid',
      `can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces`,
    );
  }
  if (name === '') return;
  let found: RuntimeClass;
  try {
    found = await parts.client.get<RuntimeClass>(runtimeClassesRef, undefined, name);
  } catch (cause) {
    throw new CaelumError('notFound', `failed to get sandbox runtime: RuntimeClass "${name}" not found`, {
      cause,
    });
  }
  if (!runtimeHandlers(parts.runtime.describe().name).includes(found.handler))
    throw new CaelumError(
      'notFound',
      `failed to get sandbox runtime: no runtime for "${found.handler}" is configured`,
    );
}

/** Makes the volumes, or brings them up to date; arranges for tokens to be refreshed in time. */
async function setUpVolumes(worker: PodWorker): Promise<void> {
  const { state, parts } = worker;
  const { granted: pod } = state;
  if (pod === undefined) return;
  const { namespace = '' } = pod.metadata;
  let volumeName = '';
  try {
    const [refreshAtMs] = await Promise.all([
      parts.tokens.ensure(pod, tokenSourcesOf(pod)),
      parts.objects.useAllOf(state.uid, pod),
    ]);
    if (hasDeviceClaims(pod)) await prepareDevices(worker, pod);
    const contents = new Map<string, VolumeContent>();
    for (const volume of pod.spec?.volumes ?? []) {
      // What becomes of a claim is told in words of its own.
      volumeName = usesClaim(volume) ? '' : volume.name;
      contents.set(volume.name, contentOf(pod, volume, contentSources(worker, namespace)));
    }
    volumeName = '';
    state.volumesPresent = true;
    await mountImageVolumes(worker, pod, contents);
    await parts.disk.setUpVolumes(pod, contents);
    await markMade(worker, contents);
    const growAtMs = await tellGrown(worker, pod, contents);
    state.volumesReady = true;
    state.faults.delete('volumes');
    const againAtMs = Math.min(refreshAtMs ?? Number.POSITIVE_INFINITY, growAtMs ?? Number.POSITIVE_INFINITY);
    if (Number.isFinite(againAtMs)) worker.refreshVolumesAt(againAtMs);
  } catch (error) {
    if (error instanceof ImageVolumeError) {
      state.fail('volumes', error.message, parts.clock.nowMs(), error.reason);
      return;
    }
    if (error instanceof DeviceClaimError) {
      warn(worker, pod, 'FailedPrepareDynamicResources', error.message);
      state.fail('volumes', error.message, parts.clock.nowMs());
      return;
    }
    const message =
      volumeName === ''
        ? explainError(error)
        : `MountVolume.SetUp failed for volume "${volumeName}" : ${explainError(error)}`;
    warn(worker, pod, 'FailedMount', message);
    state.fail('volumes', message, parts.clock.nowMs());
    if (state.volumesReady) worker.refreshVolumesAt(parts.clock.nowMs() + 30_000);
  }
}

/** Why no container of the pod can start: one of its claims is not its own yet, or nobody here knows the device. */
class DeviceClaimError extends Error {}

async function prepareDevices({ state, parts }: PodWorker, pod: Pod): Promise<void> {
  const { namespace = '' } = pod.metadata;
  try {
    const files = await parts.disk.deviceFiles();
    state.deviceClaims = readyClaims(pod, (name) => parts.objects.deviceClaim(namespace, name), files);
  } catch (error) {
    throw new DeviceClaimError(explainError(error));
  }
}

/** From now on a folder that is not there has been lost. Nothing is written to it before that is known. */
async function markMade(worker: PodWorker, contents: ReadonlyMap<string, VolumeContent>): Promise<void> {
  for (const content of contents.values()) {
    if (content.kind !== 'volume' || content.isMade) continue;
    const patch = { metadata: { uid: content.volumeUid, annotations: { [localMade]: 'true' } } };
    await worker.parts.client.patch(persistentVolumesRef, undefined, content.volumeName, 'merge', patch);
  }
}

function contentSources(worker: PodWorker, namespace: string) {
  const { state, parts } = worker;
  return {
    configMap: (name: string) => parts.objects.configMap(namespace, name),
    secret: (name: string) => parts.objects.secret(namespace, name),
    claim: (name: string) => parts.objects.claim(namespace, name),
    persistentVolume: (name: string) => parts.objects.persistentVolume(namespace, name),
    token: (source: Parameters<typeof parts.tokens.get>[1]) => parts.tokens.get(state.uid, source),
    nodeName: parts.nodeName,
    nodeAddress: parts.nodeAddress,
    podAddresses: worker.address === '' ? [] : [worker.address],
    allocatable: parts.allocatable,
  };
}

async function removeContainer(
  worker: PodWorker,
  step: Extract<Step, { kind: 'removeContainer' }>,
): Promise<void> {
  const { state, parts } = worker;
  const key = `${step.container}/${step.attempt}`;
  await parts.runtime.removeContainer(step.id);
  if (state.roots.has(key)) await unmountRoot(worker, key);
  const pod = state.lastPod;
  if (pod !== undefined) await parts.disk.removeLog(pod, step.container, step.attempt);
  state.removed.add(step.id);
  state.containers.delete(key);
  state.terminationMessages.delete(step.id);
}

async function unmountRoot(worker: PodWorker, root: string): Promise<void> {
  await worker.parts.images.unmountRoot(`${worker.state.uid}/${root}`);
  worker.state.roots.delete(root);
  const [name = '', attempt] = root.split('/');
  worker.state.imageVolumes.delete(name.slice(volumeRootPrefix.length));
  const memory = worker.state.memory.get(name);
  if (String(memory?.root?.attempt) === attempt) worker.state.remember(name, { root: undefined });
}

async function tearDownVolumes(worker: PodWorker): Promise<void> {
  const { state, parts } = worker;
  await parts.disk.tearDown(state.uid);
  parts.objects.release(state.uid);
  parts.tokens.forget(state.uid);
  state.volumesReady = false;
  state.volumesPresent = false;
}

async function deletePod(worker: PodWorker): Promise<void> {
  const { state, parts } = worker;
  const pod = state.pod;
  if (pod === undefined) return;
  await worker.status.flushed();
  const { namespace, name = '', uid } = pod.metadata;
  try {
    await parts.client.delete(podsRef, namespace, name, {
      gracePeriodSeconds: 0,
      preconditions: uid === undefined ? {} : { uid },
    });
    if ((state.pod?.metadata.finalizers ?? []).length === 0) state.deleted = true;
  } catch (error) {
    if (!isError(error, 'notFound', 'conflict')) throw error;
    state.deleted = true;
  }
}
