/**
 * Where a webhook is called: at a URL, or at a service of the cluster.
 * Source: k8s.io/apiserver/pkg/util/webhook, as behaviour.
 */
import type { Draft } from '../object.ts';
import { betweenWhy } from './addresses.ts';
import { subdomainName } from './names.ts';
import { type Problems, required, wrong } from './problems.ts';

export interface WebhookClient {
  readonly url?: string;
  readonly service?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly path?: string;
    readonly port?: number;
  };
}

const form = '; desired format: https://host[/path]';
const httpsPort = 443;
const portMax = 65535;

/** RFC 3986, appendix B. */
const parts = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s;

export function applyWebhookClientDefaults(client: Draft<WebhookClient> | undefined): void {
  if (client?.service !== undefined) client.service.port ??= httpsPort;
}

export function validateWebhookClient(
  problems: Problems,
  field: string,
  { url, service }: WebhookClient,
): void {
  if ((url === undefined) === (service === undefined))
    problems.push(required(field, 'exactly one of url or service is required'));
  else if (url !== undefined) validateUrl(problems, `${field}.url`, url);
  else validateService(problems, `${field}.service`, service ?? {});
}

function validateUrl(problems: Problems, field: string, url: string): void {
  const [, scheme = '', authority = '', query = '', fragment = ''] = parts.exec(url) ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const bad = /[\s<>"\\^`{|}]/.exec(host)?.[0];
  if (bad !== undefined) {
    const why = `parse ${JSON.stringify(url)}: invalid character ${JSON.stringify(bad)} in host name`;
    problems.push(required(field, `url must be a valid URL: ${why}${form}`));
    return;
  }
  if (scheme !== 'https')
    problems.push(wrong(field, scheme, `'https' is the only allowed URL scheme${form}`));
  if (host === '') problems.push(wrong(field, host, `host must be provided${form}`));
  if (at >= 0)
    problems.push(wrong(field, authority.slice(0, at), 'user information is not permitted in the URL'));
  if (fragment !== '') problems.push(wrong(field, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') problems.push(wrong(field, query, 'query parameters are not permitted in the URL'));
}

function validateService(
  problems: Problems,
  field: string,
  { namespace = '', name = '', path = '', port = httpsPort }: NonNullable<WebhookClient['service']>,
): void {
  if (name === '') problems.push(required(`${field}.name`, 'service name is required'));
  if (namespace === '') problems.push(required(`${field}.namespace`, 'service namespace is required'));
  if (port < 1 || port > portMax)
    problems.push(wrong(`${field}.port`, port, `port is not valid: ${betweenWhy(1, portMax)}`));
  validatePath(problems, `${field}.path`, path);
}

function validatePath(problems: Problems, field: string, path: string): void {
  if (path === '' || path === '/') return;
  if (!path.startsWith('/')) problems.push(wrong(field, path, "must start with a '/'"));
  const steps = path === '//' ? [''] : path.slice(1).replace(/\/$/, '').split('/');
  steps.forEach((step, index) => {
    if (step === '') problems.push(wrong(field, path, `segment[${index}] may not be empty`));
    else
      for (const why of subdomainName(step)) problems.push(wrong(field, path, `segment[${index}]: ${why}`));
  });
}
