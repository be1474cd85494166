/** Pod templates that stand alone: a description of pods that nobody makes yet. */
import { sameJson } from '../../lib/index.ts';
import type { PodTemplate } from '../types/core.v1.ts';
import type { Problems } from '../validation/problems.ts';
import { column, labelsCell, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';
import { applyPodSpecDefaults } from './pod-spec/defaults.ts';
import { validatePodTemplate } from './pod-spec/validate.ts';
import { containerNamesCell, imagesCell } from './workload.ts';

export const podTemplate = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  resource: 'podtemplates',
  message: 'core.v1.PodTemplate',
  description: 'PodTemplate describes pods that can be made from it.',
  returnsDeleted: true,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<PodTemplate>('Containers', 'The names of the containers.', ({ template }) =>
      containerNamesCell(template),
    ),
    column<PodTemplate>('Images', 'The images of the containers.', ({ template }) => imagesCell(template)),
    column<PodTemplate>('Pod Labels', 'The labels of the pods.', ({ template }) =>
      labelsCell(template?.metadata?.labels),
    ),
  ],
  applyDefaults({ template }) {
    if (template?.spec !== undefined) applyPodSpecDefaults(template.spec);
  },
  prepareUpdate(object, old) {
    // It has no spec: the template is what counts.
    const isSame = sameJson(object.template ?? {}, old.template ?? {});
    object.metadata.generation = (old.metadata.generation ?? 0) + (isSame ? 0 : 1);
  },
  validate({ template }) {
    const problems: Problems = [];
    validatePodTemplate(problems, 'template', template);
    return problems;
  },
});
