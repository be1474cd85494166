/**
 * The templates that a StatefulSet or DaemonSet has had, as ControllerRevisions, the way `kubectl rollout` reads them. Pure.
 *
 *   template ──▶ data ──▶ an equal revision: the newest? it is the present one │ older: its number is raised ──▶ revision
 *                         none: created, under the first name that is free
 *
 * Invariant: the present template's revision has the highest number, so that going back to an old template is a step forward.
 */
import type { ControllerRevision, Json, KubeObject, PodTemplateSpec } from '../../api/index.ts';
import { sameJson } from '../../lib/index.ts';
import { adopterOf, controllerReference } from '../ownership.ts';
import { controllerRevisionsRef, type Resource } from '../resources.ts';
import { deletion, type Step, type Write } from '../step.ts';
import { contentHash } from './content-hash.ts';

interface Templated extends KubeObject {
  readonly spec?: { readonly template?: PodTemplateSpec };
  readonly status?: { readonly collisionCount?: number };
}

export interface HistoryInput {
  readonly owner: Templated;
  readonly ownerResource: Resource;
  /** That the owner controls. */
  readonly revisions: readonly ControllerRevision[];
  /** By name, in the owner's namespace, whoever controls it. */
  readonly find: (name: string) => ControllerRevision | undefined;
  /** The label of revisions, and of what kubectl selects, that holds the hash. */
  readonly hashLabel: string;
}

export interface History {
  /** Oldest first. */
  readonly revisions: readonly ControllerRevision[];
  /** The present template's, once it is there and has the highest number. */
  readonly update: ControllerRevision | undefined;
  /** What makes it so. When there are any, the rest of a plan waits for them. */
  readonly writes: readonly Write[];
  readonly collisionCount: number;
}

const known = new WeakMap<PodTemplateSpec, Json>();

/** A strategic merge patch that puts a template in place of another, whole. */
export function dataOf(template: PodTemplateSpec): Json {
  let data = known.get(template);
  if (data === undefined) {
    data = { spec: { template: { ...template, $patch: 'replace' } } } as unknown as Json;
    known.set(template, data);
  }
  return data;
}

/** The template that a revision keeps. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const { spec } = (data ?? {}) as { readonly spec?: { readonly template?: Record<string, unknown> } };
  if (spec?.template === undefined) return undefined;
  const { $patch: _, ...template } = spec.template;
  return template as PodTemplateSpec;
}

export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  if (a.revision !== b.revision) return a.revision - b.revision;
  const [left, right] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (left !== right) return left < right ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}

export function historyOf(input: HistoryInput): History {
  const { owner, find } = input;
  const revisions = [...input.revisions].sort(byRevision);
  const data = dataOf(owner.spec?.template ?? {});
  const before = owner.status?.collisionCount ?? 0;
  const equal = revisions.findLast((one) => sameJson(one.data, data));
  const last = revisions.at(-1);
  if (equal !== undefined) {
    const isNewest = last === equal;
    const raised = isNewest ? [] : [raise(equal, (last?.revision ?? 0) + 1)];
    return { revisions, update: isNewest ? equal : undefined, writes: raised, collisionCount: before };
  }
  const { name: ownerName = '' } = owner.metadata;
  for (let collisionCount = before; ; collisionCount++) {
    const hash = contentHash(data, collisionCount);
    const name = `${ownerName.slice(0, 223)}-${hash}`;
    if (find(name) !== undefined) continue;
    const writes = [creation(input, data, name, hash, (last?.revision ?? 0) + 1)];
    return { revisions, update: undefined, writes, collisionCount };
  }
}

function creation(
  { owner, ownerResource, hashLabel }: HistoryInput,
  data: Json,
  name: string,
  hash: string,
  revision: number,
): Write {
  const { namespace, annotations } = owner.metadata;
  const object: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...owner.spec?.template?.metadata?.labels, [hashLabel]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(ownerResource, owner)],
    },
    data,
    revision,
  };
  const adopter = adopterOf(ownerResource, owner);
  return { kind: 'create', ref: controllerRevisionsRef, object: object as KubeObject, adopter };
}

/** Of the version that was seen: numbers only grow. */
function raise({ metadata }: ControllerRevision, revision: number): Write {
  const { namespace, name = '', uid, resourceVersion } = metadata;
  const patch = { metadata: { uid, resourceVersion }, revision };
  return { kind: 'patch', ref: controllerRevisionsRef, namespace, name, type: 'merge', patch };
}

/** Beyond the limit the oldest go, but none that is still of use. */
export function surplusSteps(
  revisions: readonly ControllerRevision[],
  limit: number,
  isLive: (revision: ControllerRevision) => boolean,
): readonly Step[] {
  const idle = revisions.filter((one) => one.metadata.deletionTimestamp === undefined && !isLive(one));
  const surplus = limit < 0 ? 0 : idle.length - limit;
  if (surplus <= 0) return [];
  const writes = idle.slice(0, surplus).map((one) => deletion(controllerRevisionsRef, one as KubeObject));
  return [{ kind: 'together', writes }];
}
