/** Faults of how tenants share the cloud. */
import type { Mutant } from './mutant.ts';

export const tenantMutants: readonly Mutant[] = [
  {
    name: 'tenants/nothing-had-back',
    file: 'scheduler/fairness/reclaim.ts',
    find: 'if (isEntitled(leaf, theirs, ask, entitled))',
    replace: 'if (!isEntitled(leaf, theirs, ask, entitled))',
    sentence: 'What a queue is guaranteed stays with those who borrow it.',
  },
];
