/**
 * Faults to be planted, one at a time, to see that the simulator finds them. Nothing of it is in the product: each is a change of source
 * text that `io/mutant-loader.ts` makes while a file is loaded.
 */
import { agentMutants } from './mutants/agent.ts';
import { allocationMutants } from './mutants/allocation.ts';
import { apiMutants } from './mutants/api.ts';
import { clientMutants } from './mutants/client.ts';
import { controllerMutants } from './mutants/controllers.ts';
import { deviceMutants } from './mutants/devices.ts';
import { groupMutants } from './mutants/groups.ts';
import type { Mutant } from './mutants/mutant.ts';
import { placementMutants } from './mutants/placement.ts';
import { scalingMutants } from './mutants/scaling.ts';
import { storeMutants } from './mutants/store.ts';
import { tenantMutants } from './mutants/tenants.ts';
import { otherWorkloadMutants } from './mutants/workloads.ts';

export type { Mutant } from './mutants/mutant.ts';

export const mutants: readonly Mutant[] = [
  ...storeMutants,
  ...apiMutants,
  ...clientMutants,
  ...controllerMutants,
  ...otherWorkloadMutants,
  ...placementMutants,
  ...allocationMutants,
  ...tenantMutants,
  ...deviceMutants,
  ...groupMutants,
  ...scalingMutants,
  ...agentMutants,
];

/** The file with the fault in it. Throws when the place is not there, or more than once. */
export function planted({ name, file, find, replace }: Mutant, source: string): string {
  const at = source.indexOf(find);
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`Cannot plant "${name}": its text is in ${file} ${count} times`);
  return source.slice(0, at) + replace + source.slice(at + find.length);
}
