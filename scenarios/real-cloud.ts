/**
 * One real cloud for many checks: its client, pods that run and are looked into, requests as they come over the wire.
 *
 *   RealCloud.start() ─▶ namespace() ─▶ create(), ended(), running(), log(), exec(), ask() ─▶ remove()
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import WebSocket from 'ws';
import type { ConfigMap, Container, KubeObject, Node, Pod, PodSpec, Volume } from '../src/api/index.ts';
import { createHttpClient, type HttpClient, type ResourceRef, readKubeconfig } from '../src/client/index.ts';
import { isError } from '../src/lib/index.ts';
import { type CloudUnderTest, eventually, home, logsOf, startCloud } from './cloud-under-test.ts';

export const patienceMs = 90_000;

/** `core('pods')`, `ref('apps', 'v1', 'deployments')`. */
export const ref = (group: string, version: string, resource: string, namespaced = true): ResourceRef => ({
  group,
  version,
  resource,
  namespaced,
});
export const core = (resource: string, namespaced = true): ResourceRef => ref('', 'v1', resource, namespaced);
export const pods = core('pods');

export const busybox = 'host.local/busybox';

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  /** As told on the error channel; 0 for success. */
  readonly code: number;
}

/** A pod of one container that runs a line of shell, unless said otherwise. */
export function shellPod(
  name: string,
  line: string,
  changes: {
    readonly spec?: Partial<PodSpec>;
    readonly container?: Partial<Container>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  } = {},
): Pod {
  const { spec, container, labels, annotations } = changes;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: busybox, command: ['sh', '-c', line], ...container }],
      ...spec,
    },
  };
}

/** Made once a namespace: the program that `netContainer` runs. */
export const netProgram: ConfigMap = {
  metadata: { name: 'net-program' },
  data: { 'net-program.ts': readFileSync(join(home, 'scenarios/net-program.ts'), 'utf8') },
};
export const netVolume: Volume = { name: 'net-program', configMap: { name: 'net-program' } };

/** `words` as in net-program.ts: `http=8080`. */
export const netContainer = (name: string, ...words: string[]): Container => ({
  name,
  image: 'host.local/node',
  command: ['node', '/net/net-program.ts', ...words],
  volumeMounts: [{ name: 'net-program', mountPath: '/net' }],
});

/** Sleeps until it is told to end, and then ends at once. */
export const forever = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done';

export class RealCloud {
  readonly cloud: CloudUnderTest;
  readonly client: HttpClient;
  readonly #tls: { ca: Buffer; cert: Buffer; key: Buffer };
  #namespaces = 0;

  constructor(cloud: CloudUnderTest) {
    this.cloud = cloud;
    const options = readKubeconfig(readFileSync(join(cloud.data, 'kubeconfig'), 'utf8'));
    this.client = createHttpClient(options);
    const { ca, cert, key } = options as unknown as { ca: Buffer; cert: Buffer; key: Buffer };
    this.#tls = { ca, cert, key };
  }

  static async start(...words: string[]): Promise<RealCloud> {
    return new RealCloud(await startCloud(...words));
  }

  async remove(): Promise<void> {
    this.client.close();
    await this.cloud.remove();
  }

  /** A namespace of its own for each check. */
  async namespace(labels: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = `check-${++this.#namespaces}`;
    await this.client.create(core('namespaces', false), { metadata: { name, labels } });
    await eventually('the service account', patienceMs, () =>
      this.find(core('serviceaccounts'), name, 'default'),
    );
    return name;
  }

  /** Makes objects one after the other. */
  async create<T extends KubeObject>(of: ResourceRef, namespace: string, object: T): Promise<T> {
    return await this.client.create<T>(of, { ...object, metadata: { ...object.metadata, namespace } });
  }

  async find<T extends KubeObject>(
    of: ResourceRef,
    namespace: string | undefined,
    name: string,
  ): Promise<T | undefined> {
    try {
      return await this.client.get<T>(of, namespace, name);
    } catch (error) {
      if (isError(error, 'notFound')) return undefined;
      throw error;
    }
  }

  async pod(namespace: string, name: string): Promise<Pod> {
    return await this.client.get<Pod>(pods, namespace, name);
  }

  /** Waits until the pod is as asked. Its last state is in the failure. */
  async until(
    namespace: string,
    name: string,
    what: string,
    is: (pod: Pod) => boolean,
    timeoutMs = patienceMs,
  ): Promise<Pod> {
    let last: Pod | undefined;
    try {
      return await eventually(`pod ${name}: ${what}`, timeoutMs, async () => {
        last = await this.pod(namespace, name);
        return is(last) ? last : undefined;
      });
    } catch (error) {
      throw new Error(
        `${String(error)}\n${JSON.stringify(last?.status, undefined, 1)}\n${logsOf(this.cloud)}`,
        {
          cause: error,
        },
      );
    }
  }

  ended(namespace: string, name: string): Promise<Pod> {
    return this.until(namespace, name, 'ends', ({ status }) =>
      ['Succeeded', 'Failed'].includes(status?.phase ?? ''),
    );
  }

  ready(namespace: string, name: string): Promise<Pod> {
    return this.until(namespace, name, 'is ready', isReady);
  }

  async gone(of: ResourceRef, namespace: string | undefined, name: string): Promise<void> {
    await eventually(`${of.resource} ${name}: goes`, patienceMs, async () =>
      (await this.find(of, namespace, name)) === undefined ? true : undefined,
    );
  }

  /** Runs a pod to its end and answers what it printed. */
  async outputOf(namespace: string, pod: Pod, phase = 'Succeeded'): Promise<string> {
    const { name = '' } = pod.metadata;
    await this.create(pods, namespace, pod);
    const ended = await this.ended(namespace, name);
    const text = await this.log(namespace, name, pod.spec?.containers[0]?.name ?? 'main');
    assert.equal(ended.status?.phase, phase, `${JSON.stringify(ended.status)}\n${text}`);
    return text;
  }

  async log(namespace: string, name: string, container: string, query = ''): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/log?container=${container}${query}`;
    const { status, text } = await this.ask('GET', path);
    assert.equal(status, 200, text);
    return text;
  }

  /** A container that runs has not said anything yet: asks again until the log is like this. */
  logUntil(namespace: string, name: string, container: string, is: RegExp, query = ''): Promise<string> {
    return eventually(`the log of ${container} in ${name} is like ${is}`, patienceMs, async () => {
      const text = await this.log(namespace, name, container, query);
      return is.test(text) ? text : undefined;
    });
  }

  /** A request as it comes over the wire. */
  ask(
    method: string,
    path: string,
    options: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<Answer> {
    const body = options.body ?? '';
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        {
          ...this.#tls,
          host: '127.0.0.1',
          port: this.cloud.port,
          method,
          path,
          agent: false,
          headers: {
            ...options.headers,
            ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              text: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      request.on('error', reject);
      request.end(body);
    });
  }

  /** Opens a WebSocket; answers its messages when it has been closed. */
  messages(path: string, protocol: string): Promise<readonly Buffer[]> {
    const socket = new WebSocket(`wss://127.0.0.1:${this.cloud.port}${path}`, [protocol], { ...this.#tls });
    return new Promise((resolve, reject) => {
      const received: Buffer[] = [];
      socket.on('message', (data: Buffer) => received.push(data));
      socket.on('error', reject);
      socket.on('close', () => resolve(received));
    });
  }

  async exec(
    namespace: string,
    name: string,
    line: string | readonly string[],
    container = 'main',
  ): Promise<Output> {
    const command = typeof line === 'string' ? ['sh', '-c', line] : line;
    const query = new URLSearchParams([
      ['container', container],
      ['stdout', 'true'],
      ['stderr', 'true'],
      ...command.map((word) => ['command', word]),
    ]);
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/exec?${query}`;
    const received = await this.messages(path, 'v5.channel.k8s.io');
    const channel = (number: number): string =>
      Buffer.concat(received.filter((one) => one[0] === number).map((one) => one.subarray(1))).toString();
    return { stdout: channel(1), stderr: channel(2), code: codeOf(channel(3)) };
  }

  /** Asks again until the command prints what is asked for. */
  async execUntil(
    namespace: string,
    name: string,
    line: string,
    is: (output: Output) => boolean,
    container = 'main',
  ): Promise<Output> {
    let last: Output | undefined;
    try {
      return await eventually(`${line} in ${name}`, patienceMs, async () => {
        last = await this.exec(namespace, name, line, container);
        return is(last) ? last : undefined;
      });
    } catch (error) {
      throw new Error(`${String(error)}\n${JSON.stringify(last)}`, { cause: error });
    }
  }

  async nodeName(): Promise<string> {
    const { items } = await this.client.list<Node>(core('nodes', false));
    return items[0]?.metadata.name ?? '';
  }

  async nodeAddress(): Promise<string> {
    const { items } = await this.client.list<Node>(core('nodes', false));
    return items[0]?.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
  }
}

export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

function codeOf(text: string): number {
  const status = JSON.parse(text || '{}') as {
    status?: string;
    message?: string;
    details?: { causes?: readonly { reason?: string; message?: string }[] };
  };
  if (status.status === 'Success') return 0;
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  return cause === undefined ? -1 : Number(cause.message);
}
