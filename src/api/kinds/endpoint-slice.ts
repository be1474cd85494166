/** Endpoint slices: a part of the addresses behind a Service. */
import type { EndpointSlice } from '../types/discovery.v1.ts';
import { defineKind } from './define.ts';

export const endpointSlice = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  message: 'discovery.v1.EndpointSlice',
  description: 'EndpointSlice holds some of the endpoints behind a service.',
  hasGeneration: true,
});
