/**
 * CSI storage capacities: how much room a driver has for a class of storage in one part of the cluster.
 * Source: Kubernetes 1.36, pkg/apis/storage, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { CSIStorageCapacity } from '../types/storage.v1.ts';
import { validateLabelSelector } from '../validation/label-selectors.ts';
import { subdomainName } from '../validation/names.ts';
import { immutableWhy, notNegativeWhy, type Problems, wrong } from '../validation/problems.ts';
import { column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

export const csiStorageCapacity = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  resource: 'csistoragecapacities',
  message: 'storage.v1.CSIStorageCapacity',
  description: 'CSIStorageCapacity says how much room there is for a class of storage in one place.',
  columns: [
    nameColumn,
    column<CSIStorageCapacity>(
      'StorageClassName',
      'The class it is about.',
      ({ storageClassName }) => storageClassName,
    ),
    column<CSIStorageCapacity>('Capacity', 'How much is left.', ({ capacity }) => capacity ?? ''),
  ],
  validate({ nodeTopology, storageClassName = '', capacity }) {
    const problems: Problems = [];
    validateLabelSelector(problems, 'nodeTopology', nodeTopology);
    for (const why of subdomainName(storageClassName))
      problems.push(wrong('storageClassName', storageClassName, why));
    if (capacity?.startsWith('-')) problems.push(wrong('capacity', capacity, notNegativeWhy));
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    if (!sameJson(object.nodeTopology, old.nodeTopology))
      problems.push(wrong('nodeTopology', object.nodeTopology, immutableWhy));
    if (object.storageClassName !== old.storageClassName)
      problems.push(wrong('storageClassName', object.storageClassName, immutableWhy));
    return problems;
  },
});
