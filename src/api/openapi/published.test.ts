/**
 * Our OpenAPI documents, held against those of Kubernetes 1.36 field by field: every schema and every path of every group and stable version. All that
 * differs is told; only what `leftOut` names may be missing.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { ServedKind } from '../kind.ts';
import { postedKinds } from '../posted-kinds.ts';
import { builtinKinds } from '../registry.ts';
import { openApiV2 } from './v2.ts';
import { openApiV3 } from './v3.ts';

const published = new URL('../../../../shared/data/kubernetes/openapi/', import.meta.url);
const skip = existsSync(published) ? false : 'shared/data/kubernetes/openapi is absent';

const kinds: readonly ServedKind[] = [...builtinKinds.kinds, ...postedKinds];

/** What Kubernetes publishes and we do not serve: the place of a difference, and why. */
const leftOut: readonly (readonly [RegExp, string])[] = [
  [/ missing .*"name":"shardSelector"/, 'sharded lists are an alpha feature'],
  [/ missing .*"name":"ignoreStoreReadErrorWithClusterBreakingPotential"/, 'our store has no such errors'],
  [/\|paths\|[^|]*\/watch\//, 'watching by path has long been given up for ?watch=true'],
  [/omponent_?[sS]tatus|ComponentCondition/, 'Kubernetes itself has given up this view of its health'],
];

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Tell = (path: string, what: string) => void;

/** Without descriptions and CBOR, which we do not speak, and with keys in order, so that equal texts are equal values. */
function bare(value: Json): Json {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !key.includes('cbor') && (key !== 'description' || typeof inner !== 'string'))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, bare(inner)]),
  );
}

const isRecord = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lists are compared as sets: their order says nothing here. */
function compare(ours: Json, theirs: Json, path: string, tell: Tell): void {
  const [left, right] = [JSON.stringify(ours), JSON.stringify(theirs)];
  if (left === right) return;
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    const mine = ours.map((one) => JSON.stringify(one));
    const other = theirs.map((one) => JSON.stringify(one));
    for (const one of mine) if (!other.includes(one)) tell(path, `extra ${one}`);
    for (const one of other) if (!mine.includes(one)) tell(path, `missing ${one}`);
  } else if (isRecord(ours) && isRecord(theirs)) {
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      const [mine, other] = [ours[key], theirs[key]];
      if (other === undefined) tell(`${path}|${key}`, `extra ${JSON.stringify(mine)}`);
      else if (mine === undefined) tell(`${path}|${key}`, `missing ${JSON.stringify(other)}`);
      else compare(mine, other, `${path}|${key}`, tell);
    }
  } else tell(path, `${left}, not ${right}`);
}

function documents(): { readonly group: string; readonly version: string; readonly document: Json }[] {
  return readdirSync(published).flatMap((file) => {
    const [, group = '', version] =
      /^(?:api|apis__(.+))__(v\d+|(?<=scheduling\.k8s\.io__)v1alpha2)_openapi\.json$/.exec(file) ?? [];
    if (version === undefined) return [];
    const text = readFileSync(new URL(file, published), 'utf8');
    return [{ group, version, document: bare(JSON.parse(text) as Json) }];
  });
}

const asJson = (document: object): Json => bare(JSON.parse(JSON.stringify(document)) as Json);

function judge(context: TestContext, run: (tell: Tell) => number): void {
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  const compared = run((path, what) => {
    const line = `${path}: ${what}`;
    const known = leftOut.find(([pattern]) => pattern.test(line));
    if (known === undefined) wrong.push(line.slice(0, 300));
    else counts.set(known[1], (counts.get(known[1]) ?? 0) + 1);
  });
  context.diagnostic(`${compared} compared`);
  for (const [reason, count] of counts) context.diagnostic(`left out ${count} times: ${reason}`);
  assert.deepEqual(wrong, []);
}

test('openApiV3() is what Kubernetes publishes, but for descriptions', { skip }, (context) => {
  judge(context, (tell) => {
    const all = documents();
    assert.ok(all.length >= 22, `${all.length} documents`);
    for (const { group, version, document } of all)
      compare(asJson(openApiV3({ group, version }, kinds)), document, `${group}/${version}`, tell);
    return all.length;
  });
});

/** A schema of version 3 as version 2 writes it: references beside their siblings, no defaults, no choices of types. */
function inVersion2(schema: Json): Json {
  if (!isRecord(schema)) return schema;
  const { allOf, default: _default, oneOf, properties, items, additionalProperties, ...rest } = schema;
  const inner = (key: string, value: Json | undefined): object =>
    value === undefined ? {} : { [key]: inVersion2(value) };
  return {
    ...rest,
    ...(typeof rest['$ref'] === 'string'
      ? { $ref: rest['$ref'].replace('#/components/schemas/', '#/definitions/') }
      : {}),
    ...inner('items', items),
    ...inner('additionalProperties', additionalProperties),
    ...(isRecord(properties)
      ? {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, inVersion2(property)]),
          ),
        }
      : {}),
    ...(Array.isArray(allOf) ? (inVersion2(allOf[0] ?? {}) as object) : {}),
    ...(Array.isArray(oneOf) ? { type: 'string' } : {}),
  };
}

test('openApiV2() defines the same as version 3', { skip }, (context) => {
  const { definitions } = asJson(openApiV2(kinds, 'v1.36.0')) as {
    readonly definitions: { [name: string]: Json };
  };
  judge(context, (tell) => {
    let compared = 0;
    for (const { document } of documents()) {
      const { components } = document as {
        readonly components: { readonly schemas: { [name: string]: Json } };
      };
      for (const [name, schema] of Object.entries(components.schemas)) {
        // Version 2 names their groups in one place.
        if (/\.(DeleteOptions|WatchEvent)$/.test(name)) continue;
        const ours = definitions[name];
        if (ours === undefined) tell(`v2|${name}`, `missing ${JSON.stringify(schema)}`);
        else compare(ours, bare(inVersion2(schema)), `v2|${name}`, tell);
        compared++;
      }
    }
    return compared;
  });
});
