/**
 * What is said of a patch that leaves no sound object: 422 on the field `patch`, as the API server says it. Pure.
 *
 * A strategic merge patch is held against Go's types by another converter than JSON is, with other words: people search for
 * them (`cannot restore map from string`). Source: k8s.io/apimachinery/pkg/runtime/converter.go, apiserver/pkg/endpoints/handlers/patch.go.
 */
import { invalid } from '../../api/index.ts';
import type { PatchType } from '../../client/index.ts';
import type { CaelumError } from '../../lib/index.ts';

export function patchRefusal(
  type: PatchType,
  patch: unknown,
  patched: unknown,
): (why: string) => CaelumError {
  return (why) => {
    const value = type === 'strategic' ? goText(patch) : JSON.stringify(patched);
    const text = type === 'strategic' ? asConverted(why) : why;
    const message = `Invalid value: ${JSON.stringify(value)}: ${text}`;
    return invalid({ group: '', kind: '' }, '', [{ reason: 'FieldValueInvalid', field: 'patch', message }]);
  };
}

const unmarshalPattern =
  /^json: cannot unmarshal (\w+)(?: (\S+))? into Go (?:struct field \S+ of|value of) type (.+)$/;

/** How JSON's values are called among Go's types: their kind, and in full. */
const goTypes: Readonly<Record<string, readonly [kind: string, full: string]>> = {
  string: ['string', 'string'],
  bool: ['bool', 'bool'],
  array: ['slice', '[]interface {}'],
  object: ['map', 'map[string]interface {}'],
};

/** The decoder's words in the converter's. What is not about types is said alike. */
function asConverted(why: string): string {
  const [, from = '', shown = '', to = ''] = unmarshalPattern.exec(why) ?? [];
  if (to === '') return why;
  const number = /[.e]/i.test(shown) ? 'float64' : 'int64';
  const [kind, full] = goTypes[from] ?? [number, number];
  if (to.startsWith('map[')) return `cannot restore map from ${kind}`;
  if (to.startsWith('[]')) return `cannot restore slice from ${kind}`;
  // Go would make a character of a number: that is convertible, and refused in these words.
  const isNumeric = /^(u?int|float)\d+$/.test(to);
  if (kind === number && (to === 'string' || isNumeric)) return `cannot convert ${full} to ${to}`;
  if (isNumeric || to === 'string' || to === 'bool') return `unrecognized type: ${to}`;
  return `cannot restore struct from: ${kind}`;
}

/** A JSON value as Go prints it (`%+v`): `map[a:1 b:[x y]]`. */
function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`;
  if (typeof value === 'object')
    return `map[${Object.keys(value)
      .sort()
      .map((key) => `${key}:${goText((value as Record<string, unknown>)[key])}`)
      .join(' ')}]`;
  return String(value);
}
