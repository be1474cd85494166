/** A fault of placement that the allocation verifier alone sees. */
import type { Mutant } from './mutant.ts';

export const allocationMutants: readonly Mutant[] = [
  {
    name: 'scheduler/selector-ignored',
    file: 'scheduler/filters.ts',
    find: 'for (const key in demand.nodeSelector) if (facts.labels[key] !== demand.nodeSelector[key]) return false;',
    replace:
      'for (const key in demand.nodeSelector) if (facts.labels[key] === undefined && key === "") return false;',
    sentence: 'Pods are placed on nodes that they did not ask for.',
  },
];
