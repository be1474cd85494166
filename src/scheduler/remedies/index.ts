/** What would make a pending pod fit. */
export { gangRemediesOf } from './gang.ts';
export { type Remedies, remediesOf, type Way } from './remedies.ts';
