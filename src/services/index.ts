/** The door of `services`: virtual IPs and DNS. */

export { ensureDnsService } from './dns-service.ts';
export { type DnsOptions, type DnsServer, startDns } from './io/dns-server.ts';
export {
  endpointSliceRef,
  removeServiceRules,
  type ServiceRules,
  type ServiceRulesOptions,
  serviceRef,
  startServiceRules,
} from './io/service-rules.ts';
