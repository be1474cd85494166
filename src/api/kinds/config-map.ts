/** Config maps: settings and files for pods. */
import type { ConfigMap } from '../types/core.v1.ts';
import { defineKind } from './define.ts';

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  message: 'core.v1.ConfigMap',
  description: 'ConfigMap holds settings that pods read.',
  shortNames: ['cm'],
});
