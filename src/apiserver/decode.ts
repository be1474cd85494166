/**
 * Request bodies as drafts: bytes, by their media type, to an object of the expected kind, its shape checked. Pure.
 *
 *   bytes ─▶ JSON | YAML | protobuf ─▶ apiVersion and kind as expected ─▶ shape (types, unknown fields pruned) ─▶ draft + warnings
 *
 * Wording as the API server's: clients show it to people, and match on some of it.
 */
import {
  badRequest,
  cannotBeHandled,
  checkShape,
  decodeProtobuf,
  findDuplicateFields,
  type Message,
  protobufMediaType,
  strictDecodingError,
  strictDecodingWarnings,
} from '../api/index.ts';
import { CaelumError, isError } from '../lib/index.ts';
import { jsonErrorWords, summaryOf } from './json-words.ts';
import type { DraftObject } from './resource.ts';
import { isTooDeep } from './yaml-limits.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface Body {
  readonly bytes: Buffer;
  /** Without parameters; '' counts as JSON. */
  readonly mediaType: string;
}

export interface Decoded<T> {
  readonly object: T;
  /** What was wrong but forgiven (`Warn`). */
  readonly warnings: readonly string[];
}

export interface Expected {
  readonly apiVersion: string;
  readonly kind: string;
  readonly message: Message;
}

/** YAML is read by a library that is loaded when the first YAML comes. */
let parseYaml: ((text: string) => unknown) | undefined;
let findYamlDuplicates: ((text: string) => string[]) | undefined;

/** Loads what a media type needs. Call before `decodeBody`. */
export async function prepareMediaType(mediaType: string): Promise<void> {
  if (!/yaml/.test(mediaType) || parseYaml !== undefined) return;
  const { parseDocument } = await import('yaml');
  parseYaml = (text) => {
    if (isTooDeep(text)) throw yamlError('the document is nested too deeply');
    const document = parseDocument(text, {
      uniqueKeys: false,
      schema: 'yaml-1.1',
      merge: true,
      logLevel: 'error',
    });
    const [problem] = document.errors;
    if (problem !== undefined) throw yamlError(problem.message.split('\n')[0] ?? '');
    try {
      return document.toJS({ maxAliasCount: 100 });
    } catch (cause) {
      // Aliases that would explode, or name themselves.
      throw yamlError((cause as Error).message);
    }
  };
  findYamlDuplicates = (text) =>
    parseDocument(text, { uniqueKeys: true, logLevel: 'error' })
      .errors.filter(({ code }) => code === 'DUPLICATE_KEY')
      .map(({ linePos, pos }) => {
        const [, quoted, plain = ''] = /^["']?((?<=["'])[^"']*)?([^:\n]*)/.exec(text.slice(pos[0])) ?? [];
        return `line ${linePos?.[0].line ?? 0}: key ${JSON.stringify(quoted ?? plain.trim())} already set in map`;
      });
}

const yamlError = (why: string): CaelumError => badRequest(`error converting YAML to JSON: yaml: ${why}`);

/** What stands twice in a YAML body, as Go's decoder tells it: `line 11: key "foo" already set in map`. */
export function yamlDuplicates({ bytes, mediaType }: Body): readonly string[] {
  return /yaml/.test(mediaType) ? (findYamlDuplicates?.(bytes.toString('utf8')) ?? []) : [];
}

/** The value of a body, whatever its form. Throws `badRequest`, `unsupportedMediaType`. */
export function parseBody({ bytes, mediaType }: Body): unknown {
  switch (mediaType) {
    case '':
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return parseJson(bytes.toString('utf8'));
    case protobufMediaType:
      return decodeProtobuf(bytes);
    case 'application/yaml':
    case 'application/apply-patch+yaml':
    case 'text/yaml':
    case 'application/x-yaml':
      if (parseYaml === undefined) throw new Error('assertion failed: prepareMediaType comes first');
      return parseYaml(bytes.toString('utf8'));
    default:
      throw new CaelumError(
        'unsupportedMediaType',
        `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${protobufMediaType}`,
      );
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badRequest(
      `couldn't get version/kind; json parse error: ${jsonErrorWords((cause as Error).message, text)}`,
    );
  }
}

/** A body as a draft of the expected kind. */
export function decodeBody(
  body: Body,
  expected: Expected,
  validation: FieldValidation,
): Decoded<DraftObject> {
  const value = recognized(body, expected);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unrecognized(
      body,
      expected,
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOfValue(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    );
  const object = value as DraftObject;
  checkTypeMeta(object, expected);
  const duplicates =
    validation !== 'Ignore' && isJson(body.mediaType) ? findDuplicateFields(body.bytes.toString('utf8')) : [];
  const lines = validation === 'Ignore' ? [] : yamlDuplicates(body);
  if (validation === 'Strict' && lines.length > 0) {
    const version = versionOf(expected.apiVersion);
    const error = `strict decoding error: yaml: unmarshal errors:\n  ${lines.join('\n  ')}`;
    throw badRequest(cannotBeHandled(expected.kind, version, error));
  }
  return { object, warnings: [...lines, ...shapeWarnings(object, expected, validation, duplicates)] };
}

function recognized(body: Body, expected: Expected): unknown {
  try {
    return parseBody(body);
  } catch (error) {
    if (!isError(error, 'badRequest')) throw error;
    throw unrecognized(body, expected, error.message);
  }
}

const unrecognized = ({ bytes }: Body, { kind }: Expected, why: string): CaelumError =>
  badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summaryOf(bytes)})`);

/** Checks and prunes in place; answers warnings. Throws `badRequest` on wrong types, and in strict mode on unknown fields. */
export function shapeWarnings(
  object: DraftObject,
  expected: Expected,
  validation: FieldValidation,
  duplicates: readonly string[] = [],
  /** What of it is checked already: shared parts are. */
  known?: object,
  /** How what is wrong is told; default: as of a body. */
  refusal: (why: string) => CaelumError = (why) =>
    badRequest(cannotBeHandled(expected.kind, versionOf(expected.apiVersion), why)),
): readonly string[] {
  const { unknown, problems } = checkShape(expected.message, object, known);
  const [problem] = problems;
  if (problem !== undefined) throw refusal(problem);
  if (validation === 'Strict') {
    const error = strictDecodingError(unknown, duplicates);
    if (error !== undefined) throw refusal(error);
  }
  return validation === 'Warn' ? strictDecodingWarnings(unknown, duplicates) : [];
}

/** Missing type information is filled in; a wrong one is refused. */
function checkTypeMeta(object: DraftObject, expected: Expected): void {
  object.apiVersion ??= expected.apiVersion;
  object.kind ??= expected.kind;
  for (const name of ['apiVersion', 'kind'] as const)
    if (typeof object[name] !== 'string')
      throw badRequest(
        `couldn't get version/kind; json parse error: json: cannot unmarshal ${kindOfValue(object[name])} into Go struct field .${name} of type string`,
      );
  if (object.kind !== expected.kind || object.apiVersion !== expected.apiVersion) {
    throw badRequest(
      object.apiVersion === expected.apiVersion || object.kind !== expected.kind
        ? `${object.kind} in version "${versionOf(object.apiVersion)}" cannot be handled as a ${expected.kind}: converting (${object.apiVersion}.${object.kind}) to (${expected.apiVersion}.${expected.kind}): unknown conversion`
        : `the API version in the data (${object.apiVersion}) does not match the expected API version (${expected.apiVersion})`,
    );
  }
}

const versionOf = (apiVersion: string): string =>
  String(apiVersion).slice(String(apiVersion).indexOf('/') + 1);
const isJson = (mediaType: string): boolean => mediaType === '' || mediaType.endsWith('json');
const kindOfValue = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
