/** Defaults are held to the schema that they stand in: what the server fills in must be valid, and nothing of it be pruned. */
import { sameJson } from '../../../lib/index.ts';
import { compileSchema, Findings, pruned, structureOf } from '../../structural/index.ts';
import type { JSONSchemaProps } from '../../types/apiextensions.v1.ts';
import { type Problems, wrong } from '../../validation/problems.ts';

export function validateDefault(problems: Problems, field: string, schema: JSONSchemaProps): void {
  const { default: value } = schema;
  if (value === undefined || value === null) return;
  const at = `${field}.default`;
  const embeds = schema['x-kubernetes-embedded-resource'] === true;
  if (!sameJson(pruned(value, { ...structureOf(schema), embeds, isRoot: false }), value))
    problems.push(wrong(at, value, 'must not have unknown fields'));
  const findings = new Findings();
  compileSchema(schema)(value, undefined, findings);
  for (const problem of findings.problems)
    problems.push({ ...problem, field: problem.field === '<nil>' ? at : `${at}.${problem.field}` });
}
