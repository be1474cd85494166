/**
 * Storage classes: how volumes are made for claims that name the class.
 * Source: Kubernetes 1.36, pkg/apis/storage, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { TopologySelectorTerm } from '../types/core.v1.ts';
import type { StorageClass } from '../types/storage.v1.ts';
import { validateLabelKey } from '../validation/label-selectors.ts';
import { validateParameters, validateProvider } from '../validation/parameters.ts';
import {
  duplicate,
  forbiddenField,
  immutableWhy,
  notSupported,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

const reclaimPolicies = ['Delete', 'Retain'];
const bindingModes = ['Immediate', 'WaitForFirstConsumer'];
const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

const isDefault = ({ metadata }: StorageClass): boolean =>
  defaultAnnotations.some((name) => metadata.annotations?.[name] === 'true');

export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  resource: 'storageclasses',
  message: 'storage.v1.StorageClass',
  description: 'StorageClass says who makes volumes for the claims that name it, and how.',
  returnsDeleted: true,
  shortNames: ['sc'],
  namespaced: false,
  columns: [
    {
      ...nameColumn,
      cell: (object: StorageClass) => `${object.metadata.name ?? ''}${isDefault(object) ? ' (default)' : ''}`,
    },
    column<StorageClass>('Provisioner', 'Who makes the volumes.', ({ provisioner }) => provisioner),
    column<StorageClass>(
      'ReclaimPolicy',
      'What becomes of a volume when its claim goes.',
      ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
    ),
    column<StorageClass>(
      'VolumeBindingMode',
      'When a volume is chosen.',
      ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate',
    ),
    column<StorageClass>(
      'AllowVolumeExpansion',
      'Whether claims may grow.',
      ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
      'boolean',
    ),
    ageColumn,
  ],
  applyDefaults(object) {
    object.reclaimPolicy ??= 'Delete';
    object.volumeBindingMode ??= 'Immediate';
  },
  validate({ provisioner = '', parameters = {}, reclaimPolicy, volumeBindingMode, allowedTopologies }) {
    const problems: Problems = [];
    validateProvider(problems, 'provisioner', provisioner);
    validateParameters(problems, 'parameters', parameters);
    oneOf(problems, 'reclaimPolicy', reclaimPolicy, reclaimPolicies);
    if (volumeBindingMode === undefined) problems.push(required('volumeBindingMode'));
    else if (!bindingModes.includes(volumeBindingMode))
      problems.push(notSupported('volumeBindingMode', volumeBindingMode, bindingModes));
    validateTopologies(problems, 'allowedTopologies', allowedTopologies ?? []);
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    if (!sameJson(object.parameters ?? {}, old.parameters ?? {})) problems.push(forbidden('parameters'));
    if (object.provisioner !== old.provisioner) problems.push(forbidden('provisioner'));
    if (object.reclaimPolicy !== old.reclaimPolicy) problems.push(forbidden('reclaimPolicy'));
    if (object.volumeBindingMode !== old.volumeBindingMode)
      problems.push(wrong('volumeBindingMode', object.volumeBindingMode, immutableWhy));
    return problems;
  },
});

const forbidden = (field: string) => forbiddenField(field, `updates to ${field} are forbidden.`);

/** No two terms may allow the same places. */
function validateTopologies(problems: Problems, field: string, terms: readonly TopologySelectorTerm[]): void {
  const seen: object[] = [];
  terms.forEach((term, index) => {
    const at = `${field}[${index}].matchLabelExpressions`;
    const places = validateTerm(problems, at, term);
    // Kubernetes takes one that allows nothing for a repetition.
    if (Object.keys(places).length === 0 || seen.some((other) => sameJson(other, places)))
      problems.push(duplicate(at, ''));
    seen.push(places);
  });
}

function validateTerm(
  problems: Problems,
  field: string,
  { matchLabelExpressions = [] }: TopologySelectorTerm,
): Readonly<Record<string, readonly string[]>> {
  const places: Record<string, readonly string[]> = {};
  matchLabelExpressions.forEach(({ key = '', values = [] }, index) => {
    const at = `${field}[${index}]`;
    if (values.length === 0) problems.push(required(`${at}.values`));
    const distinct = new Set<string>();
    values.forEach((value, position) => {
      if (distinct.has(value)) problems.push(duplicate(`${at}.values[${position}]`, value));
      distinct.add(value);
    });
    validateLabelKey(problems, `${at}.key`, key);
    if (Object.hasOwn(places, key)) problems.push(duplicate(`${at}.key`, key));
    places[key] = [...distinct].sort();
  });
  return places;
}
