/** The door of `apiserver`: the API's operations, a client for this process, and the HTTPS server. */

export type { Access, Authorizer, Authorizers, Decision } from './access/access.ts';
export type { Attributes } from './access/rules.ts';
export { type Api, type ApiOptions, createApi } from './api.ts';
export { readAuditPolicy } from './audit/policy.ts';
export { type ApiAddress, createFirstObjects, type Trust } from './bootstrap.ts';
export type { TokenClaims } from './context.ts';
export { keepFlows } from './flow/keeper.ts';
export { anonymous, type Identity, systemIdentity } from './identity.ts';
export { AuditFile, type AuditFileOptions } from './io/audit-file.ts';
export type { AuditOptions } from './io/desk.ts';
export type { HealthCheck } from './io/health.ts';
export {
  type ApiServer,
  type ExtraPaths,
  type ExtraRequest,
  gitVersion,
  type ServeOptions,
  serveApi,
} from './io/https-server.ts';
export { createSecretTokenIssuer, createTokenIssuer } from './io/service-account-tokens.ts';
export { createWebhookClient, type WebhookClient } from './io/webhook-client.ts';
export { httpStatusOf, type StatusObject, statusOf } from './status.ts';
