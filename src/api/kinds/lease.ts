/** Leases: who holds something, and until when. Nodes show by theirs that they are alive. */
import type { Lease } from '../types/coordination.v1.ts';
import { defineKind } from './define.ts';

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  message: 'coordination.v1.Lease',
  description: 'Lease says who holds something, and for how long.',
});
