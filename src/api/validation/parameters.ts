/**
 * Parameters of classes of storage: what only their driver understands.
 * Source: Kubernetes 1.36, pkg/apis/storage/validation, as behaviour.
 */
import { qualifiedName } from './names.ts';
import { type Problems, required, tooLong, wrong } from './problems.ts';

type Parameters = Readonly<Record<string, string>>;

export const parameterBytesMax = 256 * 1024;
const countMax = 512;

export function validateParameters(problems: Problems, field: string, parameters: Parameters): void {
  if (Object.keys(parameters).length > countMax) {
    problems.push(tooLong(field, countMax));
    return;
  }
  if (Object.hasOwn(parameters, '')) problems.push(wrong(field, '', 'field can not be empty.'));
  validateEntriesBytes(problems, field, parameters);
}

/** Keys and values together. */
export function validateEntriesBytes(problems: Problems, field: string, entries: Parameters): void {
  let bytes = 0;
  for (const key in entries) bytes += Buffer.byteLength(key) + Buffer.byteLength(entries[key] ?? '');
  if (bytes > parameterBytesMax) problems.push(tooLong(field, parameterBytesMax));
}

/** Who provides the storage. */
export function validateProvider(problems: Problems, field: string, provider: string): void {
  if (provider === '') problems.push(required(field));
  else for (const why of qualifiedName(provider.toLowerCase())) problems.push(wrong(field, provider, why));
}
