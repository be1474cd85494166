/** Faults that the exploration of small worlds has found in the product, planted again: random histories rarely come upon them. */
import type { Mutant } from './mutant.ts';

export const explorationMutants: readonly Mutant[] = [
  {
    name: 'ownership/adopts-unasked',
    file: 'controllers/ownership.ts',
    find: 'adopter: adopterOf(ownerResource, owner),',
    replace: '',
    sentence: 'An owner that has just left its dependents behind adopts them again, and takes them with it.',
  },
  {
    name: 'deployment/scaling-without-version',
    file: 'controllers/deployment/plan.ts',
    find: '{ metadata: { uid, resourceVersion, annotations }, spec }',
    replace: '{ metadata: { uid, annotations }, spec }',
    sentence: 'A scaling that comes late is carried out, whatever has been decided since.',
  },
];
