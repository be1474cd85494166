/** The real agent's answers: logs from files, exec and attach from the runtime, ports from the pod network. Worded as the kubelet does. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { badRequest, type Container, notFound, type Pod } from '../../../api/index.ts';
import { CaelumError } from '../../../lib/index.ts';
import type { PodNetwork } from '../../network/index.ts';
import { podsRef } from '../../objects.ts';
import { allStatusesOf, findContainer } from '../../pods/containers.ts';
import type { PodDisk } from '../../pods/disk.ts';
import type { RuntimeStatus } from '../../pods/observed.ts';
import type { PodShell } from '../../pods/pod-shell.ts';
import type { Runtime } from '../../runtime/index.ts';
import type { AgentEndpoint, LogOptions } from '../endpoint.ts';
import { readUsage } from './agent-statistics.ts';
import { readLog } from './log-reader.ts';

export interface AgentEndpointOptions {
  readonly shell: PodShell;
  readonly runtime: Runtime;
  readonly network: PodNetwork;
  readonly disk: PodDisk;
  readonly nodeName: string;
  readonly nowMs: () => number;
}

export function createAgentEndpoint(options: AgentEndpointOptions): AgentEndpoint {
  const { shell, runtime, network } = options;

  const find = (namespace: string, name: string, containerName: string) => {
    const pod = shell.findPod(namespace, name);
    if (pod === undefined) throw notFound(podsRef, name);
    return { pod, container: containerOf(pod, containerName) };
  };
  const latest = (pod: Pod, name: string): RuntimeStatus | undefined =>
    shell.worker(pod.metadata.uid ?? '')?.state.latest(name);

  const running = (
    namespace: string,
    name: string,
    containerName: string,
    missing: (container: string) => string,
  ): RuntimeStatus => {
    const { pod, container } = find(namespace, name, containerName);
    const status = latest(pod, container.name);
    if (status?.state !== 'running') throw new CaelumError('notFound', missing(container.name));
    return status;
  };

  return {
    pods: () => shell.pods(),

    async openExec(namespace, pod, container, { args, terminal, stdin, size }) {
      const missing = (name: string) => `container not found (${JSON.stringify(name)})`;
      const { id } = running(namespace, pod, container, missing);
      return runtime.exec({ containerId: id, args, terminal, stdin, size });
    },

    async openAttach(namespace, pod, container) {
      const missing = (name: string) => `container ${name} not found in pod ${pod}_${namespace}`;
      const session = await runtime.attach(running(namespace, pod, container, missing).id);
      // How the container ends is told by its status: to attach has succeeded.
      return { ...session, exited: session.exited.then(() => 0) };
    },

    async openPort(namespace, name, port): Promise<Duplex> {
      const pod = shell.findPod(namespace, name);
      if (pod === undefined) throw notFound(podsRef, name);
      if (!pod.spec?.hostNetwork) return network.connect(pod.metadata.uid ?? '', port);
      return new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port });
        socket.once('connect', () => resolve(socket));
        socket.once('error', reject);
      });
    },

    async logs(namespace, name, containerName, logOptions, signal) {
      const { pod, container } = find(namespace, name, containerName);
      return openLog(options, pod, container, latest(pod, container.name), logOptions, signal);
    },

    usage: () => readUsage(options),
  };
}

/** The log of the present attempt, or of the one before. Throws `badRequest` where there is none. */
function openLog(
  { disk, runtime }: AgentEndpointOptions,
  pod: Pod,
  container: Container,
  current: RuntimeStatus | undefined,
  logOptions: LogOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const { name } = pod.metadata;
  const reported = allStatusesOf(pod).find((item) => item.name === container.name);
  const waiting = reported?.state?.waiting;
  const attempt =
    current?.attempt ?? (reported?.containerID === undefined ? undefined : reported.restartCount);
  if (logOptions.previous) {
    const before =
      attempt === undefined
        ? undefined
        : current?.state === 'exited' && waiting !== undefined
          ? attempt
          : attempt - 1;
    if (before === undefined || before < 0)
      throw badRequest(`previous terminated container "${container.name}" in pod "${name}" not found`);
    return readLog(
      { path: disk.logPath(pod, container.name, before), ended: Promise.resolve() },
      logOptions,
      signal,
    );
  }
  if (attempt === undefined)
    throw badRequest(
      `container "${container.name}" in pod "${name}" is waiting to start: ${waiting?.message ?? waiting?.reason ?? 'ContainerCreating'}`,
    );
  const path = disk.logPath(pod, container.name, attempt);
  return readLog({ path, ended: endOf(runtime, current, signal) }, logOptions, signal);
}

function containerOf(pod: Pod, name: string): Container {
  const found = name === '' ? pod.spec?.containers[0] : findContainer(pod, name)?.container;
  if (found === undefined) throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`);
  return found;
}

/** Resolves when that container has ended. */
function endOf(runtime: Runtime, status: RuntimeStatus | undefined, signal: AbortSignal): Promise<void> {
  if (status === undefined || status.state === 'exited') return Promise.resolve();
  return new Promise((resolve) => {
    const subscription = runtime.onExit((ended) => {
      if (ended.id === status.id) done();
    });
    const done = (): void => {
      subscription.cancel();
      resolve();
    };
    signal.addEventListener('abort', done, { once: true });
    // It may have ended, and been forgotten, before the subscription.
    void runtime.status(status.id).then((now) => {
      if (now?.state !== 'running') done();
    }, done);
  });
}
