/**
 * What holds for the metadata of every object. Called by the API server for each write, beside the kind's own validation.
 * Source: k8s.io/apimachinery/pkg/api/validation/objectmeta.go.
 */
import type { FieldProblem } from '../kind.ts';
import type { ObjectMeta, OwnerReference } from '../types/meta.v1.ts';
import { labelName, labelValue, qualifiedName } from './names.ts';
import {
  forbiddenField,
  immutableWhy,
  notNegative,
  type Problems,
  required,
  tooLong,
  wrong,
} from './problems.ts';

const annotationBytesMax = 256 * 1024;
const standardFinalizers: readonly string[] = ['orphan', 'foregroundDeletion', 'kubernetes'];

export function validateObjectMeta(
  meta: ObjectMeta,
  namespaced: boolean,
  validateName: (name: string) => readonly string[],
  /** Names of finalizers without a domain: custom resources are only warned of them. */
  allowsBareFinalizers = false,
): FieldProblem[] {
  const problems: Problems = [];
  validateIdentity(problems, meta, namespaced, validateName);
  notNegative(problems, 'metadata.generation', meta.generation);
  if (meta.labels !== undefined) validateLabels(problems, 'metadata.labels', meta.labels);
  if (meta.annotations !== undefined) validateAnnotations(problems, 'metadata.annotations', meta.annotations);
  if (meta.ownerReferences !== undefined) validateOwners(problems, meta.ownerReferences);
  if (meta.finalizers !== undefined) validateFinalizers(problems, meta.finalizers, allowsBareFinalizers);
  return problems;
}

function validateIdentity(
  problems: Problems,
  meta: ObjectMeta,
  namespaced: boolean,
  validateName: (name: string) => readonly string[],
): void {
  const { name = '', generateName = '', namespace = '' } = meta;
  if (generateName !== '') {
    // A prefix may end in a dash: what follows makes the name whole.
    const stem = generateName.endsWith('-') ? `${generateName.slice(0, -1)}a` : generateName;
    for (const why of validateName(stem)) problems.push(wrong('metadata.generateName', generateName, why));
  }
  if (name === '') problems.push(required('metadata.name', 'name or generateName is required'));
  else for (const why of validateName(name)) problems.push(wrong('metadata.name', name, why));
  if (namespaced) {
    if (namespace === '') problems.push(required('metadata.namespace'));
    else for (const why of labelName(namespace)) problems.push(wrong('metadata.namespace', namespace, why));
  } else if (namespace !== '')
    problems.push(forbiddenField('metadata.namespace', 'not allowed on this type'));
}

export function validateLabels(
  problems: Problems,
  field: string,
  labels: Readonly<Record<string, string>>,
): void {
  for (const key in labels) {
    for (const why of qualifiedName(key)) problems.push(wrong(field, key, why));
    const value = labels[key] ?? '';
    for (const why of labelValue(value)) problems.push(wrong(field, value, why));
  }
}

export function validateAnnotations(
  problems: Problems,
  field: string,
  annotations: Readonly<Record<string, string>>,
): void {
  let size = 0;
  for (const key in annotations) {
    for (const why of qualifiedName(key.toLowerCase())) problems.push(wrong(field, key, why));
    size += key.length + (annotations[key]?.length ?? 0);
  }
  // In UTF-8 a text is at most three times as long as in UTF-16: only then is counting worth its time.
  if (size * 3 <= annotationBytesMax) return;
  let bytes = 0;
  for (const key in annotations) bytes += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] ?? '');
  if (bytes > annotationBytesMax) problems.push(tooLong(field, annotationBytesMax));
}

function validateOwners(problems: Problems, owners: readonly OwnerReference[]): void {
  const field = 'metadata.ownerReferences';
  let controller: string | undefined;
  for (const owner of owners) {
    const { apiVersion = '', kind = '', name = '', uid = '' } = owner;
    if (apiVersion.split('/').at(-1) === '')
      problems.push(wrong(`${field}.apiVersion`, apiVersion, 'version must not be empty'));
    if (kind === '') problems.push(wrong(`${field}.kind`, kind, 'must not be empty'));
    if (name === '') problems.push(wrong(`${field}.name`, name, 'must not be empty'));
    if (uid === '') problems.push(wrong(`${field}.uid`, uid, 'must not be empty'));
    if (kind === 'Event' && apiVersion === 'v1')
      problems.push(wrong(field, owner, '/v1, Kind=Event is disallowed from being an owner'));
    if (owner.controller !== true) continue;
    if (controller !== undefined)
      problems.push(
        wrong(
          field,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`,
        ),
      );
    controller = name;
  }
}

/** Bare names, new in `meta`, as custom resources are warned of them. */
export function finalizerWarnings(meta: ObjectMeta, before: ObjectMeta | undefined): readonly string[] {
  const added = (meta.finalizers ?? []).filter((name) => before?.finalizers?.includes(name) !== true);
  return added
    .filter(isBare)
    .map(
      (name) =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
}

const isBare = (finalizer: string): boolean =>
  !finalizer.includes('/') && !standardFinalizers.includes(finalizer);

function validateFinalizers(problems: Problems, finalizers: readonly string[], allowsBare: boolean): void {
  finalizers.forEach((finalizer, index) => {
    const reasons = qualifiedName(finalizer);
    for (const why of reasons) problems.push(wrong('metadata.finalizers', finalizer, why));
    if (reasons.length === 0 && !allowsBare && isBare(finalizer))
      problems.push(
        wrong(
          `metadata.finalizers[${index}]`,
          finalizer,
          'name is neither a standard finalizer name nor is it fully qualified',
        ),
      );
  });
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    problems.push(
      wrong('metadata.finalizers', finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'),
    );
}

export function validateObjectMetaUpdate(meta: ObjectMeta, oldMeta: ObjectMeta): FieldProblem[] {
  const problems: Problems = [];
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp'] as const)
    if ((meta[field] ?? '') !== (oldMeta[field] ?? ''))
      problems.push(wrong(`metadata.${field}`, meta[field], immutableWhy));
  if (oldMeta.deletionTimestamp !== undefined && meta.finalizers !== undefined) {
    const old = oldMeta.finalizers ?? [];
    const added = meta.finalizers.filter((finalizer) => !old.includes(finalizer));
    if (added.length > 0)
      problems.push(
        forbiddenField(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((name) => JSON.stringify(name)).join(', ')}}`,
        ),
      );
  }
  return problems;
}
