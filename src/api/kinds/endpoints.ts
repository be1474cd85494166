/** Endpoints: the addresses behind a Service in the old form, superseded by EndpointSlice. */
import type { Endpoints } from '../types/core.v1.ts';
import { defineKind } from './define.ts';

export const endpointsKind = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  resource: 'endpoints',
  message: 'core.v1.Endpoints',
  description: 'Endpoints lists the addresses that implement a service. EndpointSlice supersedes it.',
  shortNames: ['ep'],
});
