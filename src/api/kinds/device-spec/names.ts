/**
 * Names around devices: attributes, pools; lists that are sets with a limit; configuration that only a driver understands.
 * Source: Kubernetes 1.36, pkg/apis/resource/validation, as behaviour.
 */
import type { Json } from '../../object.ts';
import type { OpaqueDeviceConfiguration } from '../../types/resource.v1.ts';
import { validateDriverName } from '../../validation/domains.ts';
import { labelName, subdomainName } from '../../validation/names.ts';
import { duplicate, type Problems, required, tooLong, tooMany, wrong } from '../../validation/problems.ts';

const idBytesMax = 32;
const poolBytesMax = 253;
const configurationBytesMax = 10 * 1024;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const identifierWhy =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";

/** No more than so many, each looked at, and no two of one key. */
export function validateSet<T>(
  problems: Problems,
  field: string,
  list: readonly T[] | undefined,
  maximum: number,
  keyOf: ((item: T) => string) | undefined,
  validate: (at: string, item: T) => void,
): void {
  if (list === undefined) return;
  if (list.length > maximum) {
    problems.push(tooMany(field, list.length, maximum));
    return;
  }
  list.forEach((item, index) => {
    validate(`${field}[${index}]`, item);
  });
  if (keyOf === undefined) return;
  const keys = new Set<string>();
  list.forEach((item, index) => {
    const key = keyOf(item);
    if (keys.has(key)) problems.push(duplicate(`${field}[${index}]`, key));
    keys.add(key);
  });
}

export function validateLabelName(problems: Problems, field: string, name: string): void {
  for (const why of labelName(name)) problems.push(wrong(field, name, why));
}

export function validatePoolName(problems: Problems, field: string, name: string): void {
  if (name === '') {
    problems.push(required(field));
    return;
  }
  if (name.length > poolBytesMax) problems.push(tooLong(field, poolBytesMax));
  for (const part of name.split('/'))
    for (const why of subdomainName(part)) problems.push(wrong(field, part, why));
}

/** `memory`, `example.com/memory`. */
export function validateAttributeName(problems: Problems, field: string, name: string): void {
  const [first = '', second, ...rest] = name.split('/');
  if (rest.length > 0) problems.push(wrong(field, name, 'must not contain more than one slash'));
  else if (second === undefined) validateIdentifier(problems, field, first);
  else {
    if (first === '') problems.push(wrong(field, '', 'the domain must not be empty'));
    else validateDriverName(problems, field, first);
    if (second === '') problems.push(wrong(field, '', 'the name must not be empty'));
    else validateIdentifier(problems, field, second);
  }
}

/** With its domain. */
export function validateFullAttributeName(problems: Problems, field: string, name: string): void {
  validateAttributeName(problems, field, name);
  if (!name.includes('/'))
    problems.push(
      wrong(field, name, 'a fully qualified name must be a domain and a name separated by a slash'),
    );
}

function validateIdentifier(problems: Problems, field: string, id: string): void {
  if (id.length > idBytesMax) problems.push(tooLong(field, idBytesMax));
  if (!identifier.test(id)) problems.push(wrong(field, id, identifierWhy));
}

export function validateConfiguration(
  problems: Problems,
  field: string,
  opaque: OpaqueDeviceConfiguration | undefined,
): void {
  if (opaque === undefined) {
    problems.push(required(`${field}.opaque`));
    return;
  }
  validateDriverName(problems, `${field}.opaque.driver`, opaque.driver ?? '');
  validateRaw(problems, `${field}.opaque.parameters`, opaque.parameters);
}

/** An object of any form. */
export function validateRaw(problems: Problems, field: string, value: Json | undefined): void {
  if (value === undefined || value === null) problems.push(required(field));
  else if (Buffer.byteLength(JSON.stringify(value)) > configurationBytesMax)
    problems.push(tooLong(field, configurationBytesMax));
  else if (typeof value !== 'object' || Array.isArray(value))
    problems.push(wrong(field, '<value omitted>', 'must be a valid JSON object'));
}
