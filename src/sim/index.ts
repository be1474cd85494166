/** The door of `sim`: the whole cloud under simulated time, network, disk and chance. */
export { type GenerateOptions, generatePlan } from './generate.ts';
export type { Action, Fault, SimPlan } from './plan.ts';
export { properties } from './properties/index.ts';
export type { Checked, Checker, Property } from './property.ts';
export { type Digest, type Environment, type Moment, type Result, run, type Violation } from './run.ts';
