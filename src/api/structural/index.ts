/**
 * What structural schemas of custom resources do to documents: pruning, defaults, validation. Pure; nothing that is given is changed.
 *
 *   const place = structureOf(schema);
 *   const whole = defaulted(withoutNulls(pruned(document, place), place), place);
 *   const findings = new Findings();
 *   compileSchema(schema)(whole, before, findings);        // findings.problems, in Kubernetes' words
 */
export { defaulted } from './defaulting.ts';
export { embeddedCheck } from './embedded.ts';
export { Findings } from './findings.ts';
export { compileListTypes, type ListCheck } from './list-types.ts';
export { pruned, withoutNulls } from './pruning.ts';
export { isObject, type JsonObject, type Place, structureOf } from './structure.ts';
export { type Check, compileSchema, elementsByKey, keyOf } from './validation.ts';
