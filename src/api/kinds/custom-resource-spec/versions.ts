/**
 * The versions of a custom resource: schema, subresources, columns and selectable fields of each, and how one becomes another.
 *
 * Where all versions are alike in something, Kubernetes tells of it as of the whole: `spec.validation`, `spec.subresources`,
 * `spec.additionalPrinterColumns`, `spec.selectableFields`.
 * Source: k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation, as behaviour.
 */
import { sameJson } from '../../../lib/index.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  JSONSchemaProps,
  SelectableField,
} from '../../types/apiextensions.v1.ts';
import { dns1035Name } from '../../validation/names.ts';
import {
  duplicate,
  forbiddenField,
  notSupported,
  oneOf,
  type Problems,
  required,
  tooMany,
  wrong,
} from '../../validation/problems.ts';
import { validateWebhookClient } from '../../validation/webhook-client.ts';
import { validateSchema } from './schema.ts';

type Version = CustomResourceDefinitionVersion;

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const selectableMax = 8;
const warningLengthMax = 256;
const strategies = ['None', 'Webhook'];
const reviewVersions = ['v1', 'v1beta1'];

/** Whether all versions say the same, so that it is told of the whole. */
function isAlike(versions: readonly Version[], field: keyof Version): boolean {
  return versions.every((version) => sameJson(version[field] ?? null, versions[0]?.[field] ?? null));
}

export function validateVersions(problems: Problems, versions: readonly Version[]): void {
  const alike = {
    schema: isAlike(versions, 'schema'),
    subresources: isAlike(versions, 'subresources'),
    columns: isAlike(versions, 'additionalPrinterColumns'),
    selectable: isAlike(versions, 'selectableFields'),
  };
  versions.forEach((version, index) => {
    if (version.schema?.openAPIV3Schema === undefined)
      problems.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required'));
  });
  versions.forEach((version, index) => {
    const at = `spec.versions[${index}]`;
    const reasons = dns1035Name(version.name ?? '');
    if (reasons.length > 0) problems.push(wrong(`${at}.name`, version.name, reasons.join(',')));
    validateDeprecation(problems, `${at}.deprecationWarning`, version);
    if (!alike.schema) validateSchemaOf(problems, `${at}.schema`, version);
    if (!alike.subresources) validateSubresources(problems, `${at}.subresources`, version.subresources);
    if (!alike.columns) validateColumns(problems, `${at}.additionalPrinterColumns`, version);
    if (!alike.selectable) validateSelectable(problems, `${at}.selectableFields`, version);
  });
  if (new Set(versions.map(({ name }) => name)).size < versions.length)
    problems.push(wrong('spec.versions', versions, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage === true).length !== 1)
    problems.push(
      wrong('spec.versions', versions, 'must have exactly one version marked as storage version'),
    );
  const [first] = versions;
  if (first === undefined) return;
  if (alike.schema) validateSchemaOf(problems, 'spec.validation', first);
  if (alike.subresources) validateSubresources(problems, 'spec.subresources', first.subresources);
  if (alike.columns) validateColumns(problems, 'spec.additionalPrinterColumns', first);
  if (alike.selectable) validateSelectable(problems, 'spec.selectableFields', first);
}

function validateSchemaOf(problems: Problems, field: string, { schema, subresources }: Version): void {
  const root = schema?.openAPIV3Schema;
  if (root !== undefined)
    validateSchema(problems, `${field}.openAPIV3Schema`, root, subresources?.status !== undefined);
}

function validateDeprecation(
  problems: Problems,
  field: string,
  { deprecated = false, deprecationWarning: text }: Version,
): void {
  if (text === undefined) return;
  if (!deprecated) {
    problems.push(wrong(field, text, 'can only be set for deprecated versions'));
    return;
  }
  if (Buffer.byteLength(text) > warningLengthMax)
    problems.push(wrong(field, text, `must be <= ${warningLengthMax} characters long`));
  if (text === '') problems.push(wrong(field, text, 'must not be an empty string'));
  const bad = /[^\P{C}]|[^\P{Z} ]/u.exec(text);
  if (bad !== null) {
    const index = Buffer.byteLength(text.slice(0, bad.index));
    const why = `must only contain printable UTF-8 characters; non-printable character found at index ${index}`;
    problems.push(wrong(field, text, why));
  }
}

function validateSubresources(
  problems: Problems,
  field: string,
  subresources: CustomResourceSubresources | undefined,
): void {
  const scale = subresources?.scale;
  if (scale === undefined) return;
  for (const [name, root] of [
    ['specReplicasPath', '.spec'],
    ['statusReplicasPath', '.status'],
  ] as const) {
    const at = `${field}.scale.${name}`;
    const path = scale[name] ?? '';
    if (path === '') problems.push(required(at));
    else if (validatePath(problems, at, path) && !path.startsWith(`${root}.`))
      problems.push(wrong(at, path, `should be a json path under ${root}`));
  }
  const { labelSelectorPath: path = '' } = scale;
  const at = `${field}.scale.labelSelectorPath`;
  if (path === '' || !validatePath(problems, at, path)) return;
  if (!path.startsWith('.spec.') && !path.startsWith('.status.'))
    problems.push(wrong(at, path, 'should be a json path under either .spec or .status'));
}

function validatePath(problems: Problems, field: string, path: string): boolean {
  if (path.startsWith('.')) return true;
  problems.push(wrong(field, path, 'must be a simple json path starting with .'));
  return false;
}

function validateColumns(
  problems: Problems,
  field: string,
  { additionalPrinterColumns: columns }: Version,
): void {
  columns?.forEach((column, index) => {
    validateColumn(problems, `${field}[${index}]`, column);
  });
}

function validateColumn(
  problems: Problems,
  field: string,
  { name = '', type = '', format = '', jsonPath = '' }: CustomResourceColumnDefinition,
): void {
  if (name === '') problems.push(required(`${field}.name`));
  const typeWhy = `must be one of ${columnTypes.join(',')}`;
  if (type === '') problems.push(required(`${field}.type`, typeWhy));
  else if (!columnTypes.includes(type)) problems.push(wrong(`${field}.type`, type, typeWhy));
  if (format !== '' && !columnFormats.includes(format))
    problems.push(wrong(`${field}.format`, format, `must be one of ${columnFormats.join(',')}`));
  if (jsonPath === '') problems.push(required(`${field}.JSONPath`));
  else validatePath(problems, `${field}.JSONPath`, jsonPath);
}

function validateSelectable(problems: Problems, field: string, version: Version): void {
  const fields = version.selectableFields ?? [];
  if (fields.length === 0) return;
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined) {
    const why = 'selectableFields may only be set when version.schema.openAPIV3Schema is not included';
    problems.push(wrong(field, '', why));
    return;
  }
  const seen = new Set<string>();
  fields.forEach(({ jsonPath = '' }: SelectableField, index) => {
    const at = `${field}[${index}].jsonPath`;
    if (jsonPath === '') {
      problems.push(required(at));
      return;
    }
    const found = schemaAt(schema, jsonPath);
    if (found === undefined) {
      problems.push(wrong(at, jsonPath, 'is an invalid path: does not refer to a valid field'));
      return;
    }
    if (jsonPath.startsWith('.metadata.'))
      problems.push(wrong(at, jsonPath, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(found.type ?? ''))
      problems.push(
        wrong(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      );
    if (seen.has(jsonPath)) problems.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
  });
  if (seen.size > selectableMax) problems.push(tooMany(field, seen.size, selectableMax));
}

/** `.spec.color`. undefined: there is no such field. */
function schemaAt(root: JSONSchemaProps, path: string): JSONSchemaProps | undefined {
  if (!path.startsWith('.')) return undefined;
  return path
    .slice(1)
    .split('.')
    .reduce<JSONSchemaProps | undefined>((schema, name) => schema?.properties?.[name], root);
}

export function validateConversion(
  problems: Problems,
  conversion: CustomResourceConversion | undefined,
): void {
  if (conversion === undefined) return;
  const { strategy, webhook } = conversion;
  oneOf(problems, 'spec.conversion.strategy', strategy, strategies, true);
  const client = 'spec.conversion.webhookClientConfig';
  const versions = 'spec.conversion.conversionReviewVersions';
  if (strategy === 'Webhook') {
    if (webhook?.clientConfig === undefined)
      problems.push(required(client, 'required when strategy is set to Webhook'));
    else validateWebhookClient(problems, client, webhook.clientConfig);
    validateReviewVersions(problems, versions, webhook?.conversionReviewVersions ?? []);
    return;
  }
  const why = 'should not be set when strategy is not set to Webhook';
  if (webhook?.clientConfig !== undefined) problems.push(forbiddenField(client, why));
  if ((webhook?.conversionReviewVersions?.length ?? 0) > 0) problems.push(forbiddenField(versions, why));
}

function validateReviewVersions(problems: Problems, field: string, versions: readonly string[]): void {
  if (versions.length === 0) {
    problems.push(required(field));
    return;
  }
  versions.forEach((version, index) => {
    const at = `${field}[${index}]`;
    if (versions.indexOf(version) < index) problems.push(wrong(at, version, 'duplicate version'));
    else for (const why of dns1035Name(version)) problems.push(wrong(at, version, why));
  });
  if (!versions.some((version) => reviewVersions.includes(version)))
    problems.push(wrong(field, versions, `must include at least one of ${reviewVersions.join(', ')}`));
}

/** Group and scope. */
export function validateScope(problems: Problems, { group = '', scope }: CustomResourceDefinitionSpec): void {
  if (scope === undefined || scope === '') problems.push(required('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    problems.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  if (group !== '' && !group.includes('.'))
    problems.push(wrong('spec.group', group, 'should be a domain with at least one dot'));
}
