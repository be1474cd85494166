/** Config maps: settings and files for pods. */
import type { ConfigMap } from '../types/core.v1.ts';
import {
  binaryBytes,
  entriesBytesMax,
  textBytes,
  validateKeys,
  validateSealed,
} from '../validation/entries.ts';
import { type Problems, tooLong, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  message: 'core.v1.ConfigMap',
  description: 'ConfigMap holds settings that pods read.',
  shortNames: ['cm'],
  columns: [
    nameColumn,
    column<ConfigMap>(
      'Data',
      'How many entries it has.',
      ({ data = {}, binaryData = {} }) => Object.keys(data).length + Object.keys(binaryData).length,
    ),
    ageColumn,
  ],
  validate({ data, binaryData }) {
    const problems: Problems = [];
    validateKeys(problems, 'data', data);
    for (const key in data)
      if (binaryData !== undefined && Object.hasOwn(binaryData, key))
        problems.push(wrong(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    validateKeys(problems, 'binaryData', binaryData);
    // Kubernetes names no field here.
    if (textBytes(data) + binaryBytes(binaryData) > entriesBytesMax)
      problems.push(tooLong('[]', entriesBytesMax));
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    validateSealed(problems, object, old, ['data', 'binaryData']);
    return problems;
  },
});
