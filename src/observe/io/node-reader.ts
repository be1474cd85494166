/** Asks agents over mutual TLS, at the addresses that their Node objects tell; connections are kept. Simulated nodes of this process are asked directly. */
import { Agent, type RequestOptions, request } from 'node:https';
import type { Node } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import type { ReadNode } from '../gatherer.ts';

const documentBytesMax = 32 * 1024 * 1024;

/** `near`: the document of a node that needs no connection. */
export function createNodeReader(tls: RequestOptions, near: (nodeName: string) => unknown): ReadNode {
  let agent: Agent | undefined;
  return async (node, signal) => {
    const known = near(node.metadata.name ?? '');
    if (known !== undefined) return known;
    agent ??= new Agent({ keepAlive: true, maxFreeSockets: 256, timeout: 60_000 });
    return read({ ...tls, ...addressOf(node), agent, signal });
  };
}

function addressOf({ metadata, status }: Node): { readonly host: string; readonly port: number } {
  const host = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (host === undefined || port === undefined)
    throw new CaelumError(
      'unavailable',
      `Cannot reach node "${metadata.name}": it has not told its address yet`,
    );
  return { host, port };
}

function read(options: RequestOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...options, path: '/stats/summary', method: 'GET' }, (answer) => {
      const parts: Buffer[] = [];
      let length = 0;
      answer.on('data', (part: Buffer) => {
        length += part.length;
        if (length > documentBytesMax) answer.destroy(new Error('the answer is too long'));
        else parts.push(part);
      });
      answer.once('error', reject);
      answer.once('end', () => {
        if (answer.statusCode !== 200) reject(new Error(`the agent answers ${answer.statusCode}`));
        else
          try {
            resolve(JSON.parse(Buffer.concat(parts, length).toString('utf8')));
          } catch (error) {
            reject(error as Error);
          }
      });
    });
    asked.once('error', reject);
    asked.end();
  });
}
