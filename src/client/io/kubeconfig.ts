/**
 * kubeconfig files, as far as connecting needs them: the current context's cluster and user.
 * Source: Kubernetes' client-go clientcmd/api/v1. Users that run a program for their credentials are refused by name.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { CaelumError } from '../../lib/index.ts';
import type { HttpClientOptions } from './http-client.ts';

type Entry = Readonly<Record<string, unknown>>;

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { readonly name: string; readonly context?: Entry }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster?: Entry }[];
  readonly users?: readonly { readonly name: string; readonly user?: Entry }[];
}

/** How to connect. `folder` is where relative paths in it start; `context` names another than the current one. */
export function readKubeconfig(
  text: string,
  options: { readonly folder?: string; readonly context?: string } = {},
): HttpClientOptions {
  const config = parse(text);
  const contextName = options.context ?? config['current-context'] ?? '';
  const context = config.contexts?.find(({ name }) => name === contextName)?.context;
  if (context === undefined) throw problem(`there is no context "${contextName}"`);
  const cluster = config.clusters?.find(({ name }) => name === context['cluster'])?.cluster;
  if (cluster === undefined) throw problem(`there is no cluster "${String(context['cluster'])}"`);
  const user = config.users?.find(({ name }) => name === context['user'])?.user ?? {};
  if (typeof cluster['server'] !== 'string') throw problem('the cluster has no server');
  if ('exec' in user || 'auth-provider' in user)
    throw problem('users whose credentials come from another program are not supported');

  const read = (file: string): Buffer => readFileSync(resolve(options.folder ?? '.', file));
  const material = (entry: Entry, name: string): Buffer | undefined => {
    const data = entry[`${name}-data`];
    if (typeof data === 'string') return Buffer.from(data, 'base64');
    const file = entry[name];
    return typeof file === 'string' ? read(file) : undefined;
  };
  const ca = material(cluster, 'certificate-authority');
  const cert = material(user, 'client-certificate');
  const key = material(user, 'client-key');
  const { token, tokenFile } = user;
  const serverName = cluster['tls-server-name'];
  return {
    server: cluster['server'],
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(typeof token === 'string' ? { token } : {}),
    // Read for each request: such tokens are renewed in their file.
    ...(typeof tokenFile === 'string' ? { token: () => read(tokenFile).toString('utf8').trim() } : {}),
    ...(typeof serverName === 'string' ? { serverName } : {}),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
  };
}

function parse(text: string): Kubeconfig {
  try {
    // Loaded only here: most who connect have no kubeconfig.
    const yaml = createRequire(import.meta.url)('yaml') as { parse(text: string): unknown };
    return (yaml.parse(text) ?? {}) as Kubeconfig;
  } catch (error) {
    throw new CaelumError('usage', 'Cannot read kubeconfig: it is not YAML', { cause: error });
  }
}

function problem(what: string): CaelumError {
  return new CaelumError('usage', `Cannot read kubeconfig: ${what}`);
}
