/**
 * Webhooks over HTTPS: one POST of JSON, one answer of JSON, within its time. Connections are kept and used again, for each authority, name and identity its own.
 * Redirects are not followed. Errors are worded as Go's net/http words them: people know these, and tests look for them.
 */
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { CaelumError } from '../../lib/index.ts';
import type { Address, Post, Posting } from '../webhook.ts';

const answerBytesMax = 8 * 1024 * 1024;
const agentsMax = 200;
const idleMs = 30_000;

export interface WebhookClient {
  readonly post: Post;
  /** Ends all connections. */
  close(): void;
}

export function createWebhookClient(): WebhookClient {
  const agents = new Map<string, Agent>();
  const agentFor = ({ ca, client, serverName }: Posting): Agent => {
    const key = `${serverName}\n${ca ?? ''}\n${client?.cert ?? ''}`;
    let agent = agents.get(key);
    if (agent !== undefined) agents.delete(key);
    else
      agent = new Agent({
        keepAlive: true,
        keepAliveMsecs: idleMs,
        timeout: idleMs,
        maxSockets: 64,
        maxFreeSockets: 4,
        minVersion: 'TLSv1.2',
        servername: isIP(serverName) === 0 ? serverName : '',
        ...(ca === undefined ? {} : { ca }),
        ...(client === undefined ? {} : client),
      });
    // The one that was used last is last.
    agents.set(key, agent);
    for (const [oldest, old] of agents) {
      if (agents.size <= agentsMax) break;
      agents.delete(oldest);
      old.destroy();
    }
    return agent;
  };
  return {
    post: (posting) => postWithin(posting, agentFor(posting)),
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

async function postWithin(posting: Posting, agent: Agent): Promise<unknown> {
  const signal = AbortSignal.timeout(posting.timeoutMs);
  const failed = (
    why: string,
    code: 'unavailable' | 'timeout' = 'unavailable',
    cause?: unknown,
  ): CaelumError => new CaelumError(code, `Post ${JSON.stringify(posting.url)}: ${why}`, { cause });
  for (const [index, address] of posting.addresses.entries()) {
    try {
      return await postOnce(posting, agent, address, signal);
    } catch (error) {
      if (error instanceof CaelumError) throw error;
      if (signal.aborted) throw failed('context deadline exceeded', 'timeout', error);
      const { code } = error as NodeJS.ErrnoException;
      // Nobody has heard of it: the next endpoint may.
      if (code === 'ECONNREFUSED' && index + 1 < posting.addresses.length) continue;
      throw failed(goText(error as NodeJS.ErrnoException, address, posting), 'unavailable', error);
    }
  }
  throw failed('no address');
}

async function postOnce(
  posting: Posting,
  agent: Agent,
  address: Address,
  signal: AbortSignal,
): Promise<unknown> {
  const bytes = Buffer.from(posting.body);
  const sent = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = httpsRequest({
        agent,
        host: address.host,
        port: address.port,
        method: 'POST',
        path: posting.path,
        signal,
        headers: {
          Host: new URL(posting.url).host,
          Accept: 'application/json',
          'Content-Type': 'application/json',
          'Content-Length': bytes.length,
          'User-Agent': 'caelum-apiserver',
          ...posting.headers,
        },
      });
      request.once('response', resolve);
      request.once('error', (error) => {
        // A kept connection that the other side had closed meanwhile: nothing was read of it.
        if (request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET') reject(stale);
        else reject(error);
      });
      request.end(bytes);
    });
  let answer: IncomingMessage;
  try {
    answer = await sent();
  } catch (error) {
    if (error !== stale) throw error;
    answer = await sent();
  }
  return readAnswer(answer);
}

const stale = new Error('the connection was closed');

async function readAnswer(answer: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > answerBytesMax) {
      answer.destroy();
      throw new CaelumError('unavailable', `the answer is longer than ${answerBytesMax} bytes`);
    }
    parts.push(part);
  }
  const text = Buffer.concat(parts, length).toString('utf8');
  const { statusCode = 0 } = answer;
  if (statusCode < 200 || statusCode > 299)
    throw new CaelumError('unavailable', refusalText(statusCode, text));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new CaelumError(
      'unavailable',
      `couldn't get version/kind; json parse error: ${(cause as Error).message}`,
    );
  }
}

/** As client-go words answers that are no Status. */
function refusalText(code: number, text: string): string {
  const body = text.trim().slice(0, 1024);
  switch (code) {
    case 404:
      return 'the server could not find the requested resource';
    case 401:
      return 'the server has asked for the client to provide credentials';
    case 403:
      return body === '' ? 'unknown' : body;
    case 405:
      return 'the server does not allow this method on the requested resource';
    case 503:
      return 'the server is currently unable to handle the request';
    default:
      return code >= 500
        ? `an error on the server (${JSON.stringify(body)}) has prevented the request from succeeding`
        : `the server rejected our request for an unknown reason (status ${code})`;
  }
}

function goText(error: NodeJS.ErrnoException, { host, port }: Address, { serverName }: Posting): string {
  const to = `dial tcp ${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  switch (error.code) {
    case 'ECONNREFUSED':
      return `${to}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `${to}: connect: no route to host`;
    case 'ENETUNREACH':
      return `${to}: connect: network is unreachable`;
    case 'ENOTFOUND':
      return `dial tcp: lookup ${host}: no such host`;
    case 'ECONNRESET':
    case 'EPIPE':
      return 'EOF';
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'CERT_SIGNATURE_FAILURE':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `tls: failed to verify certificate: x509: certificate is not valid for any names, but wanted to match ${serverName}`;
    default:
      return error.message;
  }
}
