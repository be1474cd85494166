/** Controller revisions: what a StatefulSet or DaemonSet was like once, so that it can become so again. */
import { sameJson } from '../../lib/index.ts';
import type { ControllerRevision } from '../types/apps.v1.ts';
import { immutableWhy, notNegative, type Problems, required, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, none } from './cells.ts';
import { defineKind } from './define.ts';

/** `statefulset.apps/web`. */
function controllerCell({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((one) => one.controller === true);
  if (owner === undefined) return none;
  const slash = owner.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : `.${owner.apiVersion.slice(0, slash)}`;
  return `${owner.kind}${group}`.toLowerCase().concat('/', owner.name);
}

export const controllerRevision = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  message: 'apps.v1.ControllerRevision',
  description: 'ControllerRevision keeps what a workload was like at one time.',
  columns: [
    nameColumn,
    column<ControllerRevision>('Controller', 'What it is a revision of.', controllerCell),
    column<ControllerRevision>('Revision', 'Its number.', ({ revision }) => revision ?? 0, 'integer'),
    ageColumn,
  ],
  validate({ data, revision }) {
    const problems: Problems = [];
    if (data === undefined || data === null) problems.push(required('data', 'data is mandatory'));
    notNegative(problems, 'revision', revision);
    return problems;
  },
  validateUpdate({ data }, old) {
    return sameJson(data ?? null, old.data ?? null) ? [] : [wrong('data', data ?? null, immutableWhy)];
  },
});
