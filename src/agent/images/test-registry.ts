/**
 * A small registry for tests: blobs and manifests in memory, over HTTP on 127.0.0.1, with tokens, faults and redirects on demand.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly blobs: Map<string, Buffer>;
  /** `repository:reference` → manifest. */
  readonly manifests: Map<string, { readonly type: string; readonly bytes: Buffer }>;
  /** `METHOD path`, in order, with the authorization that came along. */
  readonly requests: {
    readonly line: string;
    readonly authorization: string | undefined;
    readonly range: string | undefined;
  }[];
  /** Set to ask for credentials: a token fetched with them (bearer), or themselves (basic). */
  auth:
    | { readonly kind: 'bearer' | 'basic'; readonly username: string; readonly password: string }
    | undefined;
  /** Looked at before each request: return true when it was answered. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  /** Bytes after which the next blob's connection is cut, once. */
  cutAfterBytes: number | undefined;
  /** Blobs are redirected there. */
  redirectBlobsTo: string | undefined;
  /** Puts an image of the given layers there; answers the manifest's digest. */
  put(
    repository: string,
    tag: string,
    layers: readonly { readonly tar: Buffer; readonly blob: Buffer; readonly type?: string }[],
    config?: object,
  ): string;
  close(): Promise<void>;
}

const sha = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function startTestRegistry(): Promise<TestRegistry> {
  const server = createServer((request, response) => answer(registry, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: TestRegistry = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    blobs: new Map(),
    manifests: new Map(),
    requests: [],
    auth: undefined,
    intercept: undefined,
    cutAfterBytes: undefined,
    redirectBlobsTo: undefined,
    put(repository, tag, layers, config = {}) {
      const add = (bytes: Buffer): { digest: string; size: number } => {
        registry.blobs.set(sha(bytes), bytes);
        return { digest: sha(bytes), size: bytes.length };
      };
      const configBytes = Buffer.from(
        JSON.stringify({
          os: 'linux',
          config: { Cmd: ['sh'] },
          ...config,
          rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => sha(tar)) },
        }),
      );
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...add(configBytes) },
          layers: layers.map(({ blob, type }) => ({
            mediaType: type ?? 'application/vnd.oci.image.layer.v1.tar+gzip',
            ...add(blob),
          })),
        }),
      );
      const kept = { type: 'application/vnd.oci.image.manifest.v1+json', bytes: manifest };
      registry.manifests.set(`${repository}:${tag}`, kept);
      registry.manifests.set(`${repository}:${sha(manifest)}`, kept);
      return sha(manifest);
    },
    close: () => closeServer(server),
  };
  return registry;
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace('_', ' ') }] }));
}

function answer(registry: TestRegistry, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', `http://${registry.host}`);
  const { authorization, range } = request.headers;
  registry.requests.push({ line: `${request.method} ${url.pathname}`, authorization, range });
  if (registry.intercept?.(request, response)) return;
  if (url.pathname === '/token') {
    const { auth } = registry;
    const wanted = auth && `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
    if (authorization !== wanted) refuse(response, 401, 'UNAUTHORIZED');
    else response.end(JSON.stringify({ token: `token-for-${url.searchParams.get('scope')}` }));
    return;
  }
  const route = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname);
  if (route === null) {
    refuse(response, 404, 'NAME_UNKNOWN');
    return;
  }
  const [, repository = '', kind, reference = ''] = route;
  if (!isAllowed(registry, repository, authorization, response)) return;
  if (kind === 'manifests') manifest(registry, repository, reference, request, response);
  else blob(registry, reference, url, request, response);
}

function isAllowed(
  registry: TestRegistry,
  repository: string,
  authorization: string | undefined,
  response: ServerResponse,
): boolean {
  const { auth } = registry;
  if (auth === undefined) return true;
  const basic = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
  const isRight =
    auth.kind === 'basic'
      ? authorization === basic
      : authorization?.startsWith(`Bearer token-for-repository:${repository}:`);
  if (isRight) return true;
  response.setHeader(
    'www-authenticate',
    auth.kind === 'basic'
      ? 'Basic realm="test"'
      : `Bearer realm="http://${registry.host}/token",service="test",scope="repository:${repository}:pull,push"`,
  );
  refuse(response, 401, 'UNAUTHORIZED');
  return false;
}

function manifest(
  registry: TestRegistry,
  repository: string,
  reference: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method === 'PUT') {
    void body(request).then((bytes) => {
      const kept = { type: String(request.headers['content-type']), bytes };
      registry.manifests.set(`${repository}:${reference}`, kept);
      registry.manifests.set(`${repository}:${sha(bytes)}`, kept);
      response.writeHead(201).end();
    });
    return;
  }
  const found = registry.manifests.get(`${repository}:${reference}`);
  if (found === undefined) refuse(response, 404, 'MANIFEST_UNKNOWN');
  else {
    response.writeHead(200, {
      'content-type': found.type,
      'docker-content-digest': reference.startsWith('sha256:') ? reference : sha(found.bytes),
    });
    response.end(found.bytes);
  }
}

function blob(
  registry: TestRegistry,
  reference: string,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method === 'POST') {
    response.writeHead(202, { location: `${url.pathname}session-1?state=x` }).end();
    return;
  }
  if (request.method === 'PUT') {
    void body(request).then((bytes) => {
      if (sha(bytes) !== url.searchParams.get('digest') || url.searchParams.get('state') !== 'x')
        refuse(response, 400, 'DIGEST_INVALID');
      else {
        registry.blobs.set(sha(bytes), bytes);
        response.writeHead(201).end();
      }
    });
    return;
  }
  const bytes = registry.blobs.get(reference);
  if (bytes === undefined) {
    refuse(response, 404, 'BLOB_UNKNOWN');
    return;
  }
  if (registry.redirectBlobsTo !== undefined) {
    response.writeHead(307, { location: `${registry.redirectBlobsTo}/${reference}` }).end();
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const part = bytes.subarray(start);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': part.length,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else if (registry.cutAfterBytes !== undefined && part.length > registry.cutAfterBytes) {
    // What was sent arrives, and then nothing more.
    response.write(part.subarray(0, registry.cutAfterBytes), () => response.socket?.end());
    registry.cutAfterBytes = undefined;
  } else response.end(part);
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
