/**
 * CEL, the Common Expression Language, as Kubernetes speaks it.
 *
 *   const { program, text } = compile('self.replicas <= self.max', { variables: { self: typeOfSchema(schema) }, result: bool });
 *   program?.evaluate({ self: object }, { costLimit: callCostMax })   // { value, cost } or { error, cost }
 */
export { type Compiled, compile, type Environment, type Evaluation, type Program } from './compile.ts';
export {
  type AccessDecision,
  type AccessQuestion,
  authorizerOf,
  authorizerType,
  type Decide,
  type ResourceQuestion,
  resourceCheckOf,
  resourceCheckType,
} from './library/authorizer.ts';
export { quantityOf } from './library/quantity.ts';
export { versionOf as semverOf } from './library/semver.ts';
export { compileRegex, type Regex, regexProblem } from './regex.ts';
export { countMaxOf, escapeName, type SchemaPlace, typeOfMessage, typeOfSchema } from './schema.ts';
export { type Problem, problemsText } from './syntax.ts';
export {
  bool,
  bytes,
  type CelType,
  double,
  duration,
  dyn,
  int,
  listOf,
  mapOf,
  nullType,
  type ObjectType,
  objectOf,
  opaque,
  optionalOf,
  sizeOf,
  string,
  timestamp,
  typeText,
  uint,
} from './type.ts';
export { Fault, isFields, none, Optional, some, toJson } from './value.ts';
export { costLimitWhy } from './work.ts';

/** What one expression may cost as it runs, and all of one request together. Units are those of Kubernetes. */
export const callCostMax = 1_000_000;
export const requestCostMax = 10_000_000;
/** What one rule of a schema may be estimated to cost at most, and all rules of one schema. */
export const ruleCostMax = 10_000_000;
export const schemaCostMax = 100_000_000;
