/**
 * Runtime classes: how the containers of a pod are run.
 * Source: Kubernetes 1.36, pkg/apis/node, as behaviour.
 */
import type { RuntimeClass } from '../types/node.v1.ts';
import { labelName } from '../validation/names.ts';
import { validateLabels } from '../validation/object-meta.ts';
import { immutableWhy, type Problems, wrong } from '../validation/problems.ts';
import { validateResources } from '../validation/resources.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';
import { validateTolerations } from './pod-spec/placement.ts';

export const runtimeClass = defineKind<RuntimeClass>({
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  resource: 'runtimeclasses',
  message: 'node.v1.RuntimeClass',
  description: 'RuntimeClass names a way in which containers of pods are run.',
  namespaced: false,
  columns: [
    nameColumn,
    column<RuntimeClass>('Handler', 'What runs them.', ({ handler }) => handler),
    ageColumn,
  ],
  validate({ handler = '', overhead, scheduling }) {
    const problems: Problems = [];
    for (const why of labelName(handler)) problems.push(wrong('handler', handler, why));
    if (overhead?.podFixed !== undefined)
      validateResources(problems, 'overhead', { limits: overhead.podFixed });
    validateLabels(problems, 'scheduling.nodeSelector', scheduling?.nodeSelector ?? {});
    validateTolerations(problems, 'scheduling.tolerations', scheduling?.tolerations ?? []);
    return problems;
  },
  validateUpdate({ handler }, old) {
    return handler === old.handler ? [] : [wrong('handler', handler, immutableWhy)];
  },
});
