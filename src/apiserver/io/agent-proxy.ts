/**
 * The way to a pod's node: logs as a stream, exec, attach and port-forward as an upgraded connection whose bytes go through untouched
 * (the agent speaks the protocols). The agent is reached over mutual TLS at the address that its Node object tells.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { badRequest, type Node, notFound, type Pod } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import type { Query, ResourceRoute } from '../router.ts';
import { sendLog } from './log-socket.ts';
import { passUpgrade, refuse } from './pass-through.ts';

export interface AgentConnection {
  /** PEM. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const streamed: readonly string[] = ['exec', 'attach', 'portforward'];

interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

const logOptions = [
  'follow',
  'previous',
  'tailLines',
  'sinceSeconds',
  'sinceTime',
  'timestamps',
  'limitBytes',
  'stream',
];
const connectTimeoutMs = 10_000;

export class AgentProxy {
  readonly #context: ApiContext;
  readonly #connection: AgentConnection | undefined;

  constructor(context: ApiContext, connection: AgentConnection | undefined) {
    this.#context = context;
    this.#connection = connection;
  }

  /** GET pods/NAME/log. */
  async serveLog(route: ResourceRoute, query: Query, response: ServerResponse): Promise<void> {
    const answer = await this.#askLog(route, query);
    await new Promise<void>((resolve) => {
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-cache, private' });
      response.flushHeaders();
      answer.pipe(response);
      answer.once('error', () => response.destroy());
      answer.once('close', resolve);
      response.once('close', () => {
        answer.destroy();
        resolve();
      });
    });
  }

  /** The same over WebSocket. Throws while nothing has been answered. */
  async serveLogSocket(
    route: ResourceRoute,
    query: Query,
    http: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    await sendLog(await this.#askLog(route, query), http, socket, head);
  }

  /** The log as its node tells it. */
  async #askLog(route: ResourceRoute, query: Query): Promise<IncomingMessage> {
    const pod = this.#pod(route);
    const container = containerOf(pod, query.text('container'));
    checkHasLog(pod, container, query);
    const parameters = new URLSearchParams();
    for (const name of logOptions) {
      const value = query.text(name);
      if (value !== undefined) parameters.set(name, value);
    }
    const target = this.#target(
      pod,
      `/containerLogs/${route.namespace}/${route.name}/${container}?${parameters}`,
    );
    return new Promise((resolve, reject) => {
      const asked = httpsRequest({ ...this.#options(target), method: 'GET' }, (answer) => {
        asked.setTimeout(0);
        if (answer.statusCode !== 200) {
          textOf(answer).then(
            (text) =>
              reject(
                new CaelumError(
                  codeOf(answer.statusCode),
                  text === '' ? `the node agent answers ${answer.statusCode}` : text,
                ),
              ),
            reject,
          );
          return;
        }
        resolve(answer);
      });
      asked.setTimeout(connectTimeoutMs, () =>
        asked.destroy(new Error(`no answer within ${connectTimeoutMs} ms`)),
      );
      asked.once('error', (cause) => reject(unreachable(pod, target, cause)));
      asked.end();
    });
  }

  /** Upgrades of exec, attach and portforward: bytes both ways until one side closes. */
  serveStream(
    route: ResourceRoute,
    query: Query,
    search: string,
    http: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): void {
    let target: Target;
    let pod: Pod;
    try {
      pod = this.#pod(route);
      if (route.subresource === 'portforward')
        target = this.#target(pod, `/portForward/${route.namespace}/${route.name}${search}`);
      else {
        const container = containerOf(pod, query.text('container'));
        target = this.#target(
          pod,
          `/${route.subresource}/${route.namespace}/${route.name}/${container}${search}`,
        );
      }
    } catch (error) {
      refuse(socket, error);
      return;
    }
    const { host: _host, authorization: _authorization, ...headers } = http.headers;
    const asked = httpsRequest({ ...this.#options(target), method: http.method ?? 'GET', headers });
    passUpgrade(asked, socket, head, {
      answerMsMax: connectTimeoutMs,
      unreachable: (cause) => unreachable(pod, target, cause),
      onRefused: (answer) => {
        textOf(answer).then(
          (text) =>
            refuse(
              socket,
              new CaelumError(
                codeOf(answer.statusCode),
                text === '' ? `the node agent answers ${answer.statusCode}` : text,
              ),
            ),
          (error: unknown) => refuse(socket, error),
        );
      },
    });
  }

  #pod(route: ResourceRoute): Pod {
    const pods = this.#context.resources.core('pods');
    const stored = this.#context.store.get(pods.key(route.namespace, route.name));
    if (stored === undefined) throw notFound(pods.ref, route.name);
    return stored.object() as Pod;
  }

  #target(pod: Pod, path: string): Target {
    const nodes = this.#context.resources.core('nodes');
    const { nodeName = '' } = pod.spec ?? {};
    if (nodeName === '') throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
    const stored = this.#context.store.get(nodes.key('', nodeName));
    if (stored === undefined) throw notFound(nodes.ref, nodeName);
    const { status } = stored.object() as Node;
    const host = status?.addresses?.find((one) => one.type === 'InternalIP')?.address;
    const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
    if (host === undefined || port === undefined)
      throw new CaelumError(
        'unavailable',
        `Cannot reach node "${nodeName}": it has not told its address yet`,
      );
    return { host, port, path };
  }

  #options({ host, port, path }: Target): RequestOptions {
    return { host, port, path, ...agentOptions(this.#connection) };
  }
}

/** How a node's agent is called. */
export function agentOptions(connection: AgentConnection | undefined): RequestOptions {
  if (connection === undefined)
    throw new CaelumError('unavailable', 'Cannot reach nodes: this server has no certificate for it');
  return {
    ...connection,
    agent: false,
    // The agent's certificate is for its node, whatever address leads there.
    checkServerIdentity: (_name, certificate) =>
      String(certificate.subject.CN).startsWith('system:node:')
        ? undefined
        : new Error('not the certificate of a node'),
    servername: '',
  };
}

function unreachable(pod: Pod, target: Target, cause: unknown): CaelumError {
  return new CaelumError(
    'unavailable',
    `Cannot reach the agent of node "${pod.spec?.nodeName ?? ''}" at ${target.host}:${target.port}: it does not answer`,
    { cause },
  );
}

const codeOf = (status: number | undefined) =>
  status === 404
    ? 'notFound'
    : status === 400
      ? 'badRequest'
      : status === 403 || status === 401
        ? 'forbidden'
        : 'unavailable';

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer) text = (text + String(chunk)).slice(0, 4096);
  return text.trim();
}

/** The container that is meant; a pod with several wants one named. */
function containerOf(pod: Pod, named: string | undefined): string {
  const names = (pod.spec?.containers ?? []).map((one) => one.name);
  const { initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const all = [...names, ...[...initContainers, ...ephemeralContainers].map((one) => one.name)];
  if (named !== undefined) {
    if (!all.includes(named))
      throw badRequest(`container ${named} is not valid for pod ${pod.metadata.name}`);
    return named;
  }
  const [only] = names;
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred !== undefined && names.includes(preferred)) return preferred;
  if (names.length === 1 && only !== undefined) return only;
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`,
  );
}

function checkHasLog(pod: Pod, container: string, query: Query): void {
  if (query.flag('previous') === true) return;
  const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
  const status = statuses.find((one) => one.name === container);
  const waiting = status?.state?.waiting;
  const began =
    status?.state?.running !== undefined ||
    status?.state?.terminated !== undefined ||
    (status?.restartCount ?? 0) > 0 ||
    status?.lastState?.terminated !== undefined;
  if (!began && waiting !== undefined)
    throw badRequest(
      `container "${container}" in pod "${pod.metadata.name}" is waiting to start: ${waiting.reason ?? 'ContainerCreating'}`,
    );
}
