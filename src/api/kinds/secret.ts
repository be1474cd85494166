/** Secrets: settings that are shown to as few as possible. */
import type { Secret } from '../types/core.v1.ts';
import { defineKind } from './define.ts';

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  message: 'core.v1.Secret',
  description: 'Secret holds confidential data that pods read.',
  selectableFields: { type: ({ type }) => type ?? '' },
});
