/** Namespaces. Their spec's finalizer keeps a deleted one until its content is gone. */
import type { Namespace } from '../types/core.v1.ts';
import { labelName, qualifiedName } from '../validation/names.ts';
import { type Problems, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind, statusSubresource } from './define.ts';

export const nameLabel = 'kubernetes.io/metadata.name';

export const namespace = defineKind<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  message: 'core.v1.Namespace',
  description: 'Namespace is a room of its own for the names of objects.',
  shortNames: ['ns'],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [{ name: 'finalize', verbs: ['update'] }, statusSubresource],
  hasStatus: true,
  columns: [
    nameColumn,
    column<Namespace>('Status', 'Whether it lives or is going.', ({ status }) => status?.phase ?? ''),
    ageColumn,
  ],
  selectableFields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  validateName: labelName,
  applyDefaults(object) {
    const name = object.metadata.name ?? '';
    if (name === '') return;
    object.metadata.labels ??= {};
    object.metadata.labels[nameLabel] = name;
  },
  prepareCreate(object) {
    object.spec ??= {};
    object.spec.finalizers ??= [];
    if (!object.spec.finalizers.includes('kubernetes')) object.spec.finalizers.push('kubernetes');
    object.status = { phase: 'Active' };
  },
  prepareUpdate(object, old) {
    // Only the `finalize` subresource changes them.
    object.spec ??= {};
    if (old.spec?.finalizers === undefined) delete object.spec.finalizers;
    else object.spec.finalizers = [...old.spec.finalizers];
  },
  validate({ spec }) {
    const problems: Problems = [];
    for (const finalizer of spec?.finalizers ?? []) {
      const reasons = qualifiedName(finalizer);
      for (const why of reasons) problems.push(wrong('spec.finalizers', finalizer, why));
      if (reasons.length === 0 && !finalizer.includes('/') && finalizer !== 'kubernetes')
        problems.push(
          wrong(
            'spec.finalizers',
            finalizer,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        );
    }
    return problems;
  },
  validateStatusUpdate({ metadata, status }) {
    const phase = status?.phase ?? '';
    if (metadata.deletionTimestamp === undefined)
      return phase === 'Active'
        ? []
        : [wrong('status.phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")];
    return phase === 'Terminating'
      ? []
      : [wrong('status.phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  },
});
