/** The door of `services`: virtual IPs and DNS. */
export {
  endpointSliceRef,
  removeServiceRules,
  type ServiceRules,
  type ServiceRulesOptions,
  serviceRef,
  startServiceRules,
} from './io/service-rules.ts';
