/**
 * A Job whose pods are placed together, or none: `scheduling.caelum.dev/gang: "true"`. Its controller makes the PodGroup.
 * As Kubernetes 1.36 does behind its gate EnableWorkloadWithJob, where no Job has a say in it; here it is asked for, as from 1.37 on.
 */
import type { Job } from '../../types/batch.v1.ts';
import { validateLabelKey } from '../../validation/label-selectors.ts';
import { immutableWhy, notSupported, type Problems, wrong } from '../../validation/problems.ts';

export const gangAnnotation = 'scheduling.caelum.dev/gang';
/** The label of nodes of which all pods of the gang share a value. On pods without a PodGroup it says the same. */
export const gangTopologyAnnotation = 'scheduling.caelum.dev/pod-group-topology';

export function validateGang(problems: Problems, { metadata }: Job): void {
  const gang = metadata.annotations?.[gangAnnotation];
  if (gang !== undefined && gang !== 'true' && gang !== 'false')
    problems.push(notSupported(`metadata.annotations[${gangAnnotation}]`, gang, ['true', 'false']));
  const topology = metadata.annotations?.[gangTopologyAnnotation];
  if (gang === 'true' && topology !== undefined)
    validateLabelKey(problems, `metadata.annotations[${gangTopologyAnnotation}]`, topology);
}

/** What its pods say cannot change, so neither can whether they are a gang. */
export function validateGangUpdate(problems: Problems, job: Job, old: Job): void {
  const [now, before] = [job.metadata.annotations, old.metadata.annotations];
  if ((now?.[gangAnnotation] === 'true') !== (before?.[gangAnnotation] === 'true'))
    problems.push(
      wrong(`metadata.annotations[${gangAnnotation}]`, now?.[gangAnnotation] ?? null, immutableWhy),
    );
}
