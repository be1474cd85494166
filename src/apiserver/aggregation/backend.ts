/**
 * Where the server behind an APIService is, or why it cannot be reached: what its Service and endpoints say. Pure.
 * Source: kube-aggregator's availability controller: reasons and wording.
 */
import type { APIService, EndpointSlice, Service } from '../../api/index.ts';
import type { Address } from '../webhook.ts';

export interface Verdict {
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

export type Whereabouts =
  | { readonly kind: 'at'; readonly addresses: readonly Address[] }
  | { readonly kind: 'nowhere'; readonly verdict: Verdict };

export interface ServiceFacts {
  service(namespace: string, name: string): Service | undefined;
  /** The slices of a Service. */
  slices(namespace: string, name: string): readonly EndpointSlice[];
}

const nowhere = (reason: string, message: string): Whereabouts => ({
  kind: 'nowhere',
  verdict: { status: 'False', reason, message },
});

export const passed: Verdict = { status: 'True', reason: 'Passed', message: 'all checks passed' };

export function failedDiscovery(url: string, why: string): Verdict {
  return {
    status: 'False',
    reason: 'FailedDiscoveryCheck',
    message: `failing or missing response from ${url}: ${why}`,
  };
}

const defaultPort = 443;

/** Of an APIService that names a Service. */
export function whereabouts({ spec }: APIService, facts: ServiceFacts): Whereabouts {
  const { namespace = '', name = '', port = defaultPort } = spec?.service ?? {};
  const service = facts.service(namespace, name);
  if (service === undefined)
    return nowhere('ServiceNotFound', `service/${name} in ${JSON.stringify(namespace)} is not present`);
  const { type, externalName = '', ports = [] } = service.spec ?? {};
  if (type === 'ExternalName') return { kind: 'at', addresses: [{ host: externalName, port }] };
  const asked = ports.find((one) => one.port === port);
  if (asked === undefined)
    return nowhere(
      'ServicePortError',
      `service/${name} in ${JSON.stringify(namespace)} is not listening on port ${port}`,
    );
  const slices = facts.slices(namespace, name);
  if (slices.length === 0)
    return nowhere(
      'EndpointsNotFound',
      `cannot find endpoints for service/${name} in ${JSON.stringify(namespace)}`,
    );
  const addresses: Address[] = [];
  for (const slice of slices) {
    const at = slice.ports?.find((one) => (one.name ?? '') === (asked.name ?? ''))?.port;
    if (at === undefined) continue;
    for (const { addresses: hosts, conditions } of slice.endpoints ?? [])
      if (conditions?.ready !== false) for (const host of hosts) addresses.push({ host, port: at });
  }
  if (addresses.length === 0)
    return nowhere(
      'MissingEndpoints',
      `endpoints for service/${name} in ${JSON.stringify(namespace)} have no addresses with port name ${JSON.stringify(asked.name ?? '')}`,
    );
  return { kind: 'at', addresses };
}
