/** Leases: who holds something, and until when. Nodes show by theirs that they are alive. */
import type { Lease } from '../types/coordination.v1.ts';
import { notNegative, type Problems, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

export const lease = defineKind<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  message: 'coordination.v1.Lease',
  description: 'Lease says who holds something, and for how long.',
  columns: [
    nameColumn,
    column<Lease>('Holder', 'Who holds it.', ({ spec }) => spec?.holderIdentity ?? ''),
    ageColumn,
  ],
  validate({ spec }) {
    const problems: Problems = [];
    const seconds = spec?.leaseDurationSeconds;
    if (seconds !== undefined && seconds <= 0)
      problems.push(wrong('spec.leaseDurationSeconds', seconds, 'must be greater than 0'));
    notNegative(problems, 'spec.leaseTransitions', spec?.leaseTransitions);
    return problems;
  },
});
