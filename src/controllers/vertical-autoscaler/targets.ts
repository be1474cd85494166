/** The pods that a vertical autoscaler speaks for: of any kind that selects pods, with a scale or without. */
import {
  type CronJob,
  type KindRegistry,
  type KubeObject,
  type LabelPredicate,
  type LabelSelector,
  labelPredicate,
  labelSelectorText,
  type VerticalPodAutoscaler,
} from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { findTarget, kindOf } from '../pod-autoscaler/targets.ts';
import { resourceOf } from '../resources.ts';

export interface Scope {
  readonly text: string;
  readonly matches: LabelPredicate;
  /** As many as there shall be; undefined: the target does not say. */
  readonly replicas: number | undefined;
}

/** Never rejects: what cannot be found says why. */
export async function findScope(
  client: Client,
  registry: KindRegistry,
  { metadata, spec }: VerticalPodAutoscaler,
): Promise<Scope | { readonly error: string }> {
  const { apiVersion = '', kind: kindName, name } = spec.targetRef;
  const kind = kindOf(registry, apiVersion, kindName);
  if (kind === undefined) return { error: `no matches for kind "${kindName}" in version "${apiVersion}"` };
  if (kind.scale !== undefined) {
    const { target, selection } = await findTarget(client, registry, metadata.namespace, spec.targetRef);
    if ('error' in target) return { error: target.error };
    if ('error' in selection) return { error: selection.error };
    return { ...selection, replicas: target.specReplicas };
  }
  let object: KubeObject;
  try {
    object = await client.get(resourceOf(kind), metadata.namespace, name);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
  const selector = selectorOf(object);
  if (selector === undefined) return { error: `${kindName} "${name}" does not say which pods are its own` };
  const text = labelSelectorText(selector);
  if (text === '') return { error: `${kindName} "${name}" does not say which pods are its own` };
  return { text, matches: labelPredicate(selector), replicas: undefined };
}

/** A CronJob has no selector: its pods bear the labels of their template. */
function selectorOf(object: KubeObject): LabelSelector | undefined {
  const { spec } = object as { spec?: { selector?: LabelSelector; jobTemplate?: unknown } };
  if (spec?.jobTemplate === undefined) return spec?.selector;
  const labels = (object as unknown as CronJob).spec?.jobTemplate?.spec?.template?.metadata?.labels;
  return labels === undefined || Object.keys(labels).length === 0 ? undefined : { matchLabels: labels };
}
