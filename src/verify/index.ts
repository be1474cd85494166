/** The door of `verify`: whether what runs where is right. */
export { amountOf, amountText, takenBy } from './amounts.ts';
export type { Envy, Fairness, TenantShare } from './fairness.ts';
export {
  type AllocationReport,
  type ResourceUse,
  verifyPlacement,
  verifyResourceAllocation,
} from './verify.ts';
export type { Allocation, Finding, Severity } from './view.ts';
