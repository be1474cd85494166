/**
 * Custom resource definitions: kinds that are added to the API. Whether names are accepted and the kind is served is told in the status,
 * by whoever serves it.
 * Source: Kubernetes 1.36, k8s.io/apiextensions-apiserver, as behaviour.
 */
import { formatTime, sameJson } from '../../lib/index.ts';
import type { FieldProblem } from '../kind.ts';
import type { Draft } from '../object.ts';
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from '../types/apiextensions.v1.ts';
import { dns1035Name, subdomainName } from '../validation/names.ts';
import { immutableWhy, type Problems, required, wrong } from '../validation/problems.ts';
import { applyWebhookClientDefaults } from '../validation/webhook-client.ts';
import { createdAtColumn, nameColumn } from './cells.ts';
import { validateConversion, validateScope, validateVersions } from './custom-resource-spec/versions.ts';
import { defineKind, statusSubresource } from './define.ts';

const approval = 'api-approved.kubernetes.io';
const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';
const approvalHelp = 'see https://github.com/kubernetes/enhancements/pull/1111';

export const customResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  message: 'apiextensions.v1.CustomResourceDefinition',
  description: 'CustomResourceDefinition adds a kind to the API, with its schema.',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  subresources: [statusSubresource],
  hasStatus: true,
  hasGeneration: true,
  columns: [nameColumn, createdAtColumn],
  applyDefaults(object) {
    object.spec ??= { group: '', names: { plural: '', kind: '' }, scope: '', versions: [] };
    const { names } = object.spec;
    if (names !== undefined) {
      names.singular ||= names.kind.toLowerCase();
      if (names.kind !== '') names.listKind ||= `${names.kind}List`;
    }
    object.spec.conversion ??= { strategy: 'None' };
    applyWebhookClientDefaults(object.spec.conversion.webhook?.clientConfig);
    if ((object.status?.storedVersions?.length ?? 0) === 0) rememberStorage(object);
  },
  prepareCreate(object) {
    object.status = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: [] };
    rememberStorage(object);
  },
  prepareUpdate(object) {
    rememberStorage(object);
  },
  prepareDelete(object, { nowMs }) {
    const { finalizers = [] } = object.metadata;
    if (!finalizers.includes(cleanupFinalizer))
      object.metadata.finalizers = [...finalizers, cleanupFinalizer];
    object.status ??= {};
    object.status.conditions = [
      ...(object.status.conditions ?? []).filter(({ type }) => type !== 'Terminating'),
      {
        type: 'Terminating',
        status: 'True',
        lastTransitionTime: formatTime(nowMs),
        reason: 'InstanceDeletionPending',
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      },
    ];
  },
  validate(object) {
    const problems: Problems = [];
    const { metadata, spec, status } = object;
    const { group = '', names, versions = [] } = spec;
    if (metadata.name !== `${names?.plural ?? ''}.${group}`)
      problems.push(wrong('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
    const reasons = subdomainName(group);
    if (group === '') problems.push(required('spec.group'));
    else if (reasons.length > 0) problems.push(wrong('spec.group', group, reasons.join(',')));
    validateScope(problems, spec);
    validateVersions(problems, versions);
    for (const name of ['plural', 'singular', 'kind', 'listKind'] as const)
      if ((names?.[name] ?? '') === '') problems.push(required(`spec.names.${name}`));
    if (names !== undefined) validateNames(problems, 'spec.names', names);
    if (spec.preserveUnknownFields === true && (spec.conversion?.strategy ?? 'None') !== 'None')
      problems.push(
        wrong(
          'spec.conversion.strategy',
          spec.conversion?.strategy,
          'must be None if spec.preserveUnknownFields is true',
        ),
      );
    validateConversion(problems, spec.conversion);
    if (status?.acceptedNames !== undefined)
      validateNames(problems, 'status.acceptedNames', status.acceptedNames);
    validateStored(problems, spec, status?.storedVersions ?? []);
    return problems;
  },
  validateCreate(object) {
    return [...approvalProblems(object), ...pruningProblems(object.spec)];
  },
  validateUpdate(object, old) {
    const problems: FieldProblem[] = [];
    const immutable = (field: string, now: unknown, before: unknown): void => {
      if (!sameJson(now, before)) problems.push(wrong(field, now, immutableWhy));
    };
    const { spec } = object;
    const isEstablished = old.status?.conditions?.some(
      ({ type, status }) => type === 'Established' && status === 'True',
    );
    if (isEstablished === true) {
      immutable('spec.scope', spec.scope, old.spec.scope);
      immutable('spec.names.kind', spec.names.kind, old.spec.names.kind);
    }
    immutable('spec.group', spec.group, old.spec.group);
    immutable('spec.names.plural', spec.names.plural, old.spec.names.plural);
    if (object.metadata.annotations?.[approval] !== old.metadata.annotations?.[approval])
      problems.push(...approvalProblems(object));
    if (old.spec.preserveUnknownFields !== true) problems.push(...pruningProblems(spec));
    return problems;
  },
  validateStatusUpdate({ status }) {
    const problems: Problems = [];
    if (status?.acceptedNames !== undefined)
      validateNames(problems, 'status.acceptedNames', status.acceptedNames);
    return problems;
  },
});

/** In which version objects have ever been stored: those versions have to stay. */
function rememberStorage(object: Draft<CustomResourceDefinition>): void {
  const storage = object.spec.versions?.find((version) => version.storage === true)?.name;
  if (storage === undefined) return;
  object.status ??= {};
  object.status.storedVersions ??= [];
  if (!object.status.storedVersions.includes(storage)) object.status.storedVersions.push(storage);
}

function validateStored(
  problems: Problems,
  { versions = [] }: CustomResourceDefinitionSpec,
  stored: readonly string[],
): void {
  const field = 'status.storedVersions';
  if (stored.length === 0) {
    problems.push(wrong(field, stored, 'must have at least one stored version'));
    return;
  }
  for (const { name, storage } of versions)
    if (storage === true && !stored.includes(name))
      problems.push(wrong(field, stored, `must have the storage version ${name}`));
  stored.forEach((name, index) => {
    if (!versions.some((version) => version.name === name))
      problems.push(
        wrong(
          `${field}[${index}]`,
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
        ),
      );
  });
}

function validateNames(problems: Problems, field: string, names: CustomResourceDefinitionNames): void {
  for (const name of ['plural', 'singular'] as const) {
    const text = names[name] ?? '';
    const reasons = text === '' ? [] : dns1035Name(text);
    if (reasons.length > 0) problems.push(wrong(`${field}.${name}`, text, reasons.join(',')));
  }
  for (const name of ['kind', 'listKind'] as const) {
    const text = names[name] ?? '';
    const reasons = text === '' ? [] : dns1035Name(text.toLowerCase());
    const why = `may have mixed case, but should otherwise match: ${reasons.join(',')}`;
    if (reasons.length > 0) problems.push(wrong(`${field}.${name}`, text, why));
  }
  validateWords(problems, `${field}.shortNames`, names.shortNames);
  if (names.kind !== '' && names.kind === names.listKind)
    problems.push(wrong(`${field}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  validateWords(problems, `${field}.categories`, names.categories);
}

function validateWords(problems: Problems, field: string, words: readonly string[] | undefined): void {
  words?.forEach((word, index) => {
    const reasons = dns1035Name(word);
    if (reasons.length > 0) problems.push(wrong(`${field}[${index}]`, word, reasons.join(',')));
  });
}

/** Groups of Kubernetes' own are not to be added to by anybody. */
function approvalProblems({ metadata, spec }: CustomResourceDefinition): readonly FieldProblem[] {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group ?? '')) return [];
  const field = `metadata.annotations[${approval}]`;
  const text = metadata.annotations?.[approval] ?? '';
  const need = `protected groups must have approval annotation "${approval}"`;
  if (text === '') return [required(field, `${need}, ${approvalHelp}`)];
  if (text.startsWith('unapproved') || /^[a-z][-+.a-z0-9]*:\/\/[^/]+/i.test(text)) return [];
  return [
    wrong(field, text, `${need} with either a URL or a reason starting with "unapproved", ${approvalHelp}`),
  ];
}

function pruningProblems({ preserveUnknownFields }: CustomResourceDefinitionSpec): readonly FieldProblem[] {
  if (preserveUnknownFields !== true) return [];
  const why =
    'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
  return [wrong('spec.preserveUnknownFields', true, why)];
}
