/**
 * CSI nodes: which drivers of storage run on a node, and how many volumes each can attach there.
 * Source: Kubernetes 1.36, pkg/apis/storage, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { CSINode, CSINodeDriver } from '../types/storage.v1.ts';
import { validateDriverName } from '../validation/domains.ts';
import { validateLabelKey } from '../validation/label-selectors.ts';
import {
  duplicate,
  immutableWhy,
  notNegative,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

const nodeIdLengthMax = 192;

export const csiNode = defineKind<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  resource: 'csinodes',
  message: 'storage.v1.CSINode',
  description: 'CSINode says which drivers of storage run on a node.',
  returnsDeleted: true,
  namespaced: false,
  columns: [
    nameColumn,
    column<CSINode>(
      'Drivers',
      'How many drivers run there.',
      ({ spec }) => spec?.drivers?.length ?? 0,
      'integer',
    ),
    ageColumn,
  ],
  validate({ spec }) {
    const problems: Problems = [];
    const names = new Set<string>();
    spec?.drivers?.forEach((driver, index) => {
      const at = `spec.drivers[${index}]`;
      validateDriver(problems, at, driver);
      if (names.has(driver.name)) problems.push(duplicate(`${at}.name`, driver.name));
      names.add(driver.name);
      validateTopologyKeys(problems, at, driver.topologyKeys ?? []);
    });
    return problems;
  },
  validateUpdate({ spec }, old) {
    const problems: Problems = [];
    // How many volumes it can attach may change; all else of a driver that stays, stays.
    const fixed = ({ allocatable: _, ...rest }: CSINodeDriver) => rest;
    for (const before of old.spec?.drivers ?? [])
      for (const driver of spec?.drivers ?? [])
        if (driver.name === before.name && !sameJson(fixed(driver), fixed(before)))
          problems.push(wrong('spec.drivers', fixed(driver), immutableWhy));
    return problems;
  },
});

function validateDriver(
  problems: Problems,
  field: string,
  { name = '', nodeID = '', allocatable }: CSINodeDriver,
): void {
  validateDriverName(problems, `${field}.name`, name);
  if (nodeID === '') problems.push(required(`${field}.nodeID`));
  if (nodeID.length > nodeIdLengthMax)
    problems.push(wrong(`${field}.nodeID`, nodeID, `must be ${nodeIdLengthMax} characters or less`));
  notNegative(problems, `${field}.allocatable.count`, allocatable?.count);
}

function validateTopologyKeys(problems: Problems, field: string, keys: readonly string[]): void {
  const seen = new Set<string>();
  for (const key of keys) {
    if (key === '') problems.push(required(field));
    if (seen.has(key)) problems.push(duplicate(field, key));
    seen.add(key);
    validateLabelKey(problems, field, key);
  }
}
