/** What would make a pending pod fit. */
export { type Remedies, remediesOf, type Way } from './remedies.ts';
