/** The `scale` subresource: how many, of whatever kind. Source: autoscaling/v1 Scale. */
import {
  type AutoscalingV1Scale,
  ageColumn,
  badRequest,
  type Column,
  conflict,
  invalid,
  type Kind,
  type KubeObject,
  type LabelSelector,
  labelSelectorText,
  nameColumn,
  type ScalePaths,
} from '../../api/index.ts';
import type { ApiContext, WriteRequest } from '../context.ts';
import type { DraftObject, Resource } from '../resource.ts';
import type { Answer } from './answer.ts';
import { applyObject } from './apply.ts';
import { type AdmittedAs, changeObject } from './update.ts';

function at(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    object,
  );
}

function selectorTextAt(object: unknown, path: readonly string[]): string | undefined {
  if (path.length === 0) return undefined;
  const found = at(object, path);
  // Custom resources hold the text itself.
  if (typeof found === 'string') return found;
  const selector = selectorAt(object, path);
  return selector === undefined ? undefined : labelSelectorText(selector);
}

/** A selector, or the plain map of labels of kinds that are older than selectors: its values are texts. */
function selectorAt(object: unknown, path: readonly string[]): LabelSelector | undefined {
  const found = at(object, path) as LabelSelector | Readonly<Record<string, string>> | undefined;
  if (found === undefined || Object.values(found).some((value) => typeof value !== 'string'))
    return found as LabelSelector | undefined;
  return { matchLabels: found as Readonly<Record<string, string>> };
}

/** Throws `badRequest` for kinds that have no scale. */
export function scaleOf(kind: Kind, object: KubeObject): AutoscalingV1Scale & KubeObject {
  const paths = pathsOf(kind);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = selectorTextAt(object, paths.selector);
  const replicas = at(object, paths.specReplicas);
  const actual = at(object, paths.statusReplicas);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: typeof replicas === 'number' && replicas > 0 ? { replicas } : {},
    status: {
      replicas: typeof actual === 'number' ? actual : 0,
      ...(selector === undefined ? {} : { selector }),
    },
  };
}

const count = (
  name: string,
  description: string,
  cell: (scale: AutoscalingV1Scale) => number | undefined,
): Column => ({
  name,
  type: 'integer',
  description,
  priority: 0,
  cell: (scale: never) => cell(scale) ?? 0,
});

/** What `kubectl get --subresource=scale` prints. */
export const scaleColumns: readonly Column[] = [
  nameColumn,
  count('Desired', 'How many are wanted.', ({ spec }) => spec?.replicas),
  count('Available', 'How many there are.', ({ status }) => status?.replicas),
  ageColumn,
];

function pathsOf(kind: Kind): ScalePaths {
  if (kind.scale === undefined) throw badRequest(`Cannot scale kind "${kind.kind}": it has no scale`);
  return kind.scale;
}

/** Sets the wanted number. `wanted` gets the Scale as it is and answers the Scale as it shall be. */
export async function changeScale(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  name: string,
  wanted: (scale: AutoscalingV1Scale & KubeObject) => AutoscalingV1Scale,
): Promise<Answer> {
  const paths = pathsOf(resource.kind);
  const answer = await changeObject(context, resource, request, {
    name,
    part: 'main',
    subresource: 'scale',
    admission: shownAsScale(resource),
    make: (old, copy) => {
      const before = scaleOf(resource.kind, old);
      const after = wanted(before);
      const version = after.metadata?.resourceVersion;
      if (version !== undefined && version !== '' && version !== old.metadata.resourceVersion)
        throw conflict(resource.ref, name);
      const replicas = after.spec?.replicas ?? 0;
      checkReplicas(name, replicas);
      const draft = copy();
      setAt(draft, paths.specReplicas, replicas);
      return draft;
    },
  });
  return asScale(resource, answer);
}

/** A Scale laid upon what is there: who applies it owns the number alone. */
export async function applyScale(
  context: ApiContext,
  resource: Resource,
  request: WriteRequest,
  name: string,
  wanted: unknown,
  force: boolean,
): Promise<Answer> {
  const paths = pathsOf(resource.kind);
  const scale = (wanted ?? {}) as { apiVersion?: unknown; kind?: unknown } & AutoscalingV1Scale;
  if (scale.apiVersion !== 'autoscaling/v1' || scale.kind !== 'Scale')
    throw badRequest(
      `the API version in the data (${scale.apiVersion}, Kind=${scale.kind}) does not match the expected API version (autoscaling/v1, Kind=Scale)`,
    );
  const configuration = {
    apiVersion: resource.apiVersion,
    kind: resource.kind.kind,
    metadata: { ...scale.metadata },
  };
  const replicas = scale.spec?.replicas;
  if (replicas !== undefined) {
    checkReplicas(name, replicas);
    setAt(configuration as unknown as DraftObject, paths.specReplicas, replicas);
  }
  const shown = shownAsScale(resource);
  const { answer } = await applyObject(context, resource, request, {
    name,
    part: 'main',
    configuration,
    force,
    shown,
  });
  return asScale(resource, answer);
}

function shownAsScale(resource: Resource): AdmittedAs {
  const paths = pathsOf(resource.kind);
  return {
    subresource: 'scale',
    show: (object) => scaleOf(resource.kind, object) as unknown as DraftObject,
    take: (draft, scale) =>
      setAt(draft, paths.specReplicas, (scale as unknown as AutoscalingV1Scale).spec?.replicas ?? 0),
  };
}

function checkReplicas(name: string, replicas: number): void {
  if (Number.isInteger(replicas) && replicas >= 0) return;
  throw invalid({ group: 'autoscaling', kind: 'Scale' }, name, [
    {
      reason: 'FieldValueInvalid',
      field: 'spec.replicas',
      message: `Invalid value: ${replicas}: must be greater than or equal to 0`,
    },
  ]);
}

function asScale(resource: Resource, answer: Answer): Answer {
  const object =
    answer.kind === 'stored'
      ? resource.objectOf(answer.stored)
      : answer.kind === 'object'
        ? answer.object
        : undefined;
  return object === undefined
    ? answer
    : { kind: 'object', object: scaleOf(resource.kind, object), created: false };
}

function setAt(draft: DraftObject, path: readonly string[], value: unknown): void {
  let target = draft as Record<string, unknown>;
  for (const step of path.slice(0, -1)) {
    target[step] ??= {};
    target = target[step] as Record<string, unknown>;
  }
  target[path.at(-1) as string] = value;
}
