/** Faults of how claims get devices. */
import type { Mutant } from './mutant.ts';

export const deviceMutants: readonly Mutant[] = [
  {
    name: 'devices/assumed-forgotten',
    file: 'scheduler/claims/claim-book.ts',
    find: '    this.#assumed.set(podKey, decision);\n',
    replace: '',
    sentence: 'What was given to a claim is free until it is seen to be written: the next one gets it too.',
  },
  {
    name: 'devices/unheld',
    file: 'scheduler/binder.ts',
    find: 'if (deviceClaims !== undefined) await this.#options.deviceClaims.carryOut(podKey, deviceClaims);',
    replace: '',
    sentence: 'Pods are bound before they hold their claims.',
  },
  {
    name: 'devices/lost-answer-believed',
    file: 'scheduler/claims/claim-binding.ts',
    find: "++conflicts < conflictsMax) continue;\n        // It may have been carried out all the same.\n        if (!isError(error, 'timeout', 'unavailable', 'internal', 'tooManyRequests')) throw error;",
    replace: '++conflicts < conflictsMax) continue;\n        return;',
    directed: 'claims-under-loss',
    sentence: 'A write whose answer was lost, or that was refused, is taken for done.',
  },
  {
    name: 'devices/kept-for-nobody',
    file: 'controllers/resource-claim/plan.ts',
    find: '...(allocation === undefined || isFreed ? {} : { allocation }),',
    replace: '...(allocation === undefined ? {} : { allocation }),',
    sentence: 'A claim that nobody holds any more keeps its devices.',
  },
  {
    name: 'devices/anywhere',
    file: 'scheduler/claims/claim-book.ts',
    find: 'if (selectors.some((one) => !selectsNode(one, node))) return [claimRefusals.elsewhere];',
    replace: '',
    sentence: 'Pods that share a claim go to nodes that its devices are not on.',
  },
];
