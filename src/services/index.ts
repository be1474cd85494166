/** The door of `services`: virtual IPs and DNS. */

export { ensureDnsService } from './dns-service.ts';
export { type DnsOptions, type DnsServer, startDns } from './io/dns-server.ts';
export {
  removeServiceRules,
  type ServiceRules,
  type ServiceRulesOptions,
  startServiceRules,
} from './io/service-rules.ts';
export {
  endpointSliceRef,
  RuleKeeper,
  type RuleKeeperOptions,
  type RuleKernel,
  serviceRef,
} from './rule-keeper.ts';
export { wholeTable } from './rule-plan.ts';
export { type RuleSet, rulesFor } from './virtual-ips.ts';
