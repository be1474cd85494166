/** By which keys others may check service accounts' tokens: `/openid/v1/jwks`, `/.well-known/openid-configuration`. */
import type { ServerResponse } from 'node:http';
import { jsonWebKeys, openIdConfiguration } from './service-account-tokens.ts';

const documents = [
  { path: '/openid/v1/jwks', type: 'application/jwk-set+json', make: jsonWebKeys },
  { path: '/.well-known/openid-configuration', type: 'application/json', make: openIdConfiguration },
] as const;

/** False: the path is none of these. */
export function serveKeys(
  publicKeyPems: string | readonly string[] | undefined,
  path: string,
  response: ServerResponse,
): boolean {
  if (publicKeyPems === undefined) return false;
  const found = documents.find((one) => path === one.path || path === `${one.path}/`);
  if (found === undefined) return false;
  response.setHeader('Cache-Control', 'public, max-age=3600');
  response.writeHead(200, { 'Content-Type': found.type });
  response.end(JSON.stringify(found.make(publicKeyPems)));
  return true;
}
