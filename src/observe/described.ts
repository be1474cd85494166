/** What a metric may be of: a resource by its name, and the pods that one of its objects selects. */
import {
  type Kind,
  type KindRegistry,
  type KubeObject,
  type LabelPredicate,
  type LabelSelector,
  labelPredicate,
  parseLabelSelector,
} from '../api/index.ts';

/** `services`, `deployments.apps`: in the version that is listed first. */
export function kindOfResource(registry: KindRegistry, text: string): Kind | undefined {
  const dot = text.indexOf('.');
  const [resource, group] = dot < 0 ? [text, undefined] : [text.slice(0, dot), text.slice(dot + 1)];
  const found = registry.kinds.filter(
    (kind) => kind.resource === resource && (group === undefined ? true : kind.group === group),
  );
  return found.find((kind) => kind.group === '') ?? found[0];
}

/** Of a Service, a workload, or whatever has a scale. undefined: it selects none. */
export function podSelectorOf(kind: Kind, object: KubeObject): LabelPredicate | undefined {
  const path = kind.scale?.selector ?? ['spec', 'selector'];
  const found = path.reduce<unknown>(
    (value, step) => (value as Readonly<Record<string, unknown>> | undefined)?.[step],
    object,
  );
  if (typeof found === 'string') return found === '' ? undefined : parseLabelSelector(found);
  if (typeof found !== 'object' || found === null || Object.keys(found).length === 0) return undefined;
  const isMap = Object.values(found).every((value) => typeof value === 'string');
  return labelPredicate((isMap ? { matchLabels: found } : found) as LabelSelector);
}
