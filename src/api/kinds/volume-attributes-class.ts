/**
 * Volume attributes classes: properties of volumes that may change while they are in use.
 * Source: Kubernetes 1.36, pkg/apis/storage, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { VolumeAttributesClass } from '../types/storage.v1.ts';
import { validateParameters, validateProvider } from '../validation/parameters.ts';
import { forbiddenField, type Problems, required } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

const defaultAnnotations = ['volumeattributesclass.alpha.kubernetes.io/is-default-class'];

const isDefault = ({ metadata }: VolumeAttributesClass): boolean =>
  defaultAnnotations.some((name) => metadata.annotations?.[name] === 'true');

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  resource: 'volumeattributesclasses',
  message: 'storage.v1.VolumeAttributesClass',
  description: 'VolumeAttributesClass is a set of properties that a driver can give to volumes in use.',
  returnsDeleted: true,
  shortNames: ['vac'],
  namespaced: false,
  columns: [
    {
      ...nameColumn,
      cell: (object: VolumeAttributesClass) =>
        `${object.metadata.name ?? ''}${isDefault(object) ? ' (default)' : ''}`,
    },
    column<VolumeAttributesClass>('DriverName', 'Who gives them.', ({ driverName }) => driverName),
    ageColumn,
  ],
  validate({ driverName = '', parameters = {} }) {
    const problems: Problems = [];
    validateProvider(problems, 'driverName', driverName);
    validateParameters(problems, 'parameters', parameters);
    if (Object.keys(parameters).length === 0)
      problems.push(required('parameters', 'must contain at least one key/value pair'));
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    if (object.driverName !== old.driverName)
      problems.push(forbiddenField('driverName', 'updates to driverName are forbidden.'));
    if (!sameJson(object.parameters ?? {}, old.parameters ?? {}))
      problems.push(forbiddenField('parameters', 'updates to parameters are forbidden.'));
    return problems;
  },
});
