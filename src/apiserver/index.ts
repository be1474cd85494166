/** The door of `apiserver`: the API's operations, a client for this process, and the HTTPS server. */

export type { Access, Decision } from './access/access.ts';
export type { Attributes } from './access/rules.ts';
export { type Api, type ApiOptions, createApi } from './api.ts';
export { type ApiAddress, createFirstObjects } from './bootstrap.ts';
export type { TokenClaims } from './context.ts';
export { anonymous, type Identity, systemIdentity } from './identity.ts';
export {
  type ApiServer,
  type ExtraPaths,
  type ExtraRequest,
  gitVersion,
  type ServeOptions,
  serveApi,
} from './io/https-server.ts';
export { createTokenIssuer } from './io/service-account-tokens.ts';
export { httpStatusOf, type StatusObject, statusOf } from './status.ts';
