/** What an autoscaler scales: any kind that has a scale, found through the registry. */
import {
  type CrossVersionObjectReference,
  type Kind,
  type KindRegistry,
  type KubeObject,
  type LabelPredicate,
  type LabelSelector,
  labelPredicate,
  labelSelectorText,
  parseLabelSelector,
} from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { resourceOf } from '../resources.ts';
import type { Target } from './plan.ts';

export interface Selection {
  readonly text: string;
  readonly matches: LabelPredicate;
}

export interface Found {
  readonly target: Target | { readonly error: string };
  readonly selection: Selection | { readonly reason: string; readonly error: string };
}

const noSelector = {
  reason: 'SelectorRequired',
  error: "the HPA target's scale is missing a selector",
};

/** Never rejects: what cannot be found says why. */
export async function findTarget(
  client: Client,
  registry: KindRegistry,
  namespace: string | undefined,
  { apiVersion = '', kind: kindName, name }: CrossVersionObjectReference,
): Promise<Found> {
  const kind = kindOf(registry, apiVersion, kindName);
  const missing = (error: string): Found => ({ target: { error }, selection: noSelector });
  if (kind === undefined)
    return missing(`no matches for kind "${kindName}" in group "${groupOf(apiVersion)}"`);
  if (kind.scale === undefined) return missing('the server could not find the requested resource');
  let object: KubeObject;
  try {
    object = await client.get(resourceOf(kind), namespace, name);
  } catch (error) {
    return missing(error instanceof Error ? error.message : String(error));
  }
  const { specReplicas, statusReplicas, selector } = kind.scale;
  const target = {
    ref: resourceOf(kind),
    object,
    specReplicas: countAt(object, specReplicas),
    statusReplicas: countAt(object, statusReplicas),
  };
  return { target, selection: selectionOf(at(object, selector)) };
}

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** In the version that is named, or else in any: the group says which kind is meant. */
export function kindOf(registry: KindRegistry, apiVersion: string, kind: string): Kind | undefined {
  const group = groupOf(apiVersion);
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1);
  return (
    registry.byKind(group, version, kind) ??
    registry.kinds.find((one) => one.group === group && one.kind === kind)
  );
}

function selectionOf(found: unknown): Found['selection'] {
  if (found === undefined || found === null || found === '') return noSelector;
  if (typeof found === 'string') {
    try {
      const matches = parseLabelSelector(found);
      return matches === undefined ? noSelector : { text: found, matches };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `couldn't convert selector into a corresponding internal selector object: ${why}`;
      return { reason: 'InvalidSelector', error: text };
    }
  }
  // Kinds that are older than selectors have a plain map of labels.
  const isMap = Object.values(found).every((value) => typeof value === 'string');
  const selector = (isMap ? { matchLabels: found } : found) as LabelSelector;
  const text = labelSelectorText(selector);
  return text === '' ? noSelector : { text, matches: labelPredicate(selector) };
}

function countAt(object: unknown, path: readonly string[]): number {
  const found = at(object, path);
  return typeof found === 'number' ? found : 0;
}

function at(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Readonly<Record<string, unknown>> | undefined)?.[step],
    object,
  );
}
