/** The door of `apiserver`: the API's operations, a client for this process, and the HTTPS server. */

export type { Access, Authorizer, Authorizers, Decision } from './access/access.ts';
export type { Explanation } from './access/explanation.ts';
export type { Attributes } from './access/rules.ts';
export { type AdmissionPlugins, checkAdmissionPlugins } from './admission/plugin-names.ts';
export { type Api, type ApiOptions, createApi } from './api.ts';
export { readAuditPolicy } from './audit/policy.ts';
export { type ApiAddress, createFirstObjects, keepFirstObjects, type Trust } from './bootstrap.ts';
export type { TokenClaims } from './context.ts';
export { keepFlows } from './flow/keeper.ts';
export { anonymous, type Identity, systemIdentity } from './identity.ts';
export { agentOptions } from './io/agent-proxy.ts';
export { AuditFile, type AuditFileOptions } from './io/audit-file.ts';
export type { FrontProxy } from './io/authenticator.ts';
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
export { createJwtJudge } from './io/jwt-judge.ts';
export { createSecretTokenIssuer, createTokenIssuer, tokenIssuer } from './io/service-account-tokens.ts';
export { createWebhookClient, type WebhookClient } from './io/webhook-client.ts';
export { readAuthenticationConfig } from './outside/authentication-config.ts';
export { readAuthorizationConfig } from './outside/authorization-config.ts';
export { tokenWebhook } from './outside/token-webhook.ts';
export type { WebhookConnection } from './outside/webhook-connection.ts';
export { httpStatusOf, type StatusObject, statusOf } from './status.ts';
export type { Post } from './webhook.ts';
