/**
 * Credentials for registries, as image pull secrets and `docker login` hold them.
 * Source: kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry (`.dockerconfigjson`, `.dockercfg`).
 */
import { CaelumError } from '../../lib/index.ts';
import type { RegistryCredential } from './images.ts';

/** Reads `.dockerconfigjson` (`{"auths": {…}}`) or the older `.dockercfg` (the inner map alone). Throws `badRequest`. */
export function parseDockerConfig(text: string): readonly RegistryCredential[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new CaelumError('badRequest', 'Cannot read registry credentials: not JSON', { cause });
  }
  if (!isRecord(parsed)) throw new CaelumError('badRequest', 'Cannot read registry credentials: no object');
  const auths = 'auths' in parsed ? parsed['auths'] : parsed;
  if (!isRecord(auths)) return [];
  const credentials: RegistryCredential[] = [];
  for (const [server, value] of Object.entries(auths)) {
    const credential = isRecord(value) ? credentialOf(server, value) : undefined;
    if (credential !== undefined) credentials.push(credential);
  }
  return credentials;
}

function credentialOf(server: string, value: Record<string, unknown>): RegistryCredential | undefined {
  const host = registryHost(server);
  const { username, password, auth } = value;
  if (typeof username === 'string' && typeof password === 'string' && username !== '')
    return { server: host, username, password };
  if (typeof auth !== 'string') return undefined;
  const plain = Buffer.from(auth, 'base64').toString('utf8');
  const colon = plain.indexOf(':');
  if (colon < 0) return undefined;
  // Docker pads the password with NUL bytes.
  return {
    server: host,
    username: plain.slice(0, colon),
    password: plain.slice(colon + 1).replace(/\0+$/, ''),
  };
}

/** `https://index.docker.io/v1/` → `docker.io`; a path after the host is kept (`ghcr.io/team`). */
export function registryHost(server: string): string {
  const bare = server.replace(/^https?:\/\//, '').replace(/\/(v1|v2)?\/?$/, '');
  return /^(index\.|registry-1\.|registry\.hub\.)?docker\.(io|com)$/.test(bare) ? 'docker.io' : bare;
}

/** Those that fit `registry/repository`, the most specific first. `*.example.com` stands for one label. */
export function credentialsFor(
  registry: string,
  repository: string,
  all: readonly RegistryCredential[],
): readonly RegistryCredential[] {
  const path = `${registry}/${repository}`;
  return all
    .filter(({ server }) => {
      const [host = '', ...rest] = registryHost(server).split('/');
      const prefix = [registry, ...rest].join('/');
      return globs(host, registry) && (path === prefix || path.startsWith(`${prefix}/`));
    })
    .sort((a, b) => b.server.length - a.server.length);
}

function globs(pattern: string, host: string): boolean {
  const patternParts = pattern.split('.');
  const hostParts = host.split('.');
  return (
    patternParts.length === hostParts.length &&
    patternParts.every((part, at) => part === hostParts[at] || part === '*')
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
