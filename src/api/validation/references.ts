/** References to objects of any kind, by name. */
import { pathSegmentName, subdomainName } from './names.ts';
import { type Problems, required, wrong } from './problems.ts';

export interface TypedReference {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

/** An object by group, kind and name. */
export function validateTypedReference(
  problems: Problems,
  field: string,
  { apiGroup, kind = '', name = '' }: TypedReference,
): void {
  if (apiGroup !== undefined)
    for (const why of subdomainName(apiGroup)) problems.push(wrong(`${field}.apiGroup`, apiGroup, why));
  validateSegment(problems, `${field}.kind`, kind);
  validateSegment(problems, `${field}.name`, name);
}

/** Something that must be there, and that may stand in a URL. */
export function validateSegment(problems: Problems, field: string, text: string): void {
  if (text === '') problems.push(required(field));
  else for (const why of pathSegmentName(text)) problems.push(wrong(field, text, why));
}
