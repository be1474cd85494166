/** For the tests: what an expression gives, as one text. */
import { type Compiled, compile, type Environment } from './compile.ts';
import { timestampText } from './time.ts';
import { Optional, Special, Timestamp, toJson, typeNameOf } from './value.ts';

/** JSON of the value; `error: …`; or the first line of the problems. */
export function outcome(
  source: string,
  environment: Environment = { variables: {} },
  bindings: Readonly<Record<string, unknown>> = {},
  costLimit?: number,
): string {
  const compiled: Compiled = compile(source, environment);
  if (compiled.program === undefined)
    return compiled.text.split('\n')[0]?.replace(/^compilation failed: /, '') ?? '';
  const { value, error } = compiled.program.evaluate(bindings, costLimit === undefined ? {} : { costLimit });
  return error === undefined ? shown(value) : `error: ${error}`;
}

function shown(value: unknown): string {
  if (value instanceof Optional) return value.isPresent ? `some ${shown(value.value)}` : 'none';
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Timestamp) return timestampText(value);
  if (value instanceof Special && !['double', 'uint'].includes(value.typeName)) return typeNameOf(value);
  return JSON.stringify(toJson(value));
}
