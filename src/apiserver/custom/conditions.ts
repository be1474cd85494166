/**
 * What a definition's status says: which names it has got, and whether it is served. Pure.
 *
 *   spec.names, names of others in the group ─▶ acceptedNames, NamesAccepted ─▶ Established
 *
 * Source: Kubernetes' apiextensions controllers, as behaviour.
 */
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionStatus,
} from '../../api/index.ts';
import { formatTime, sameJson } from '../../lib/index.ts';

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

type Condition = CustomResourceDefinitionCondition;
type Said = Omit<Condition, 'lastTransitionTime'>;

/** Names that are taken in a group: of resources (plural, singular, short), and of kinds. */
export interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

export function conditionOf(definition: CustomResourceDefinition, type: string): Condition | undefined {
  return definition.status?.conditions?.find((condition) => condition.type === type);
}

export const isEstablished = (definition: CustomResourceDefinition): boolean =>
  conditionOf(definition, 'Established')?.status === 'True';

/** The status as it should be; the same where it is so already. */
export function statusOf(
  definition: CustomResourceDefinition,
  taken: TakenNames,
  nowMs: number,
): CustomResourceDefinitionStatus {
  const before = definition.status ?? {};
  const { names, accepted } = nameConditions(definition, taken);
  const said: Said[] = [names, establishedCondition(definition, names)];
  const approval = approvalCondition(definition);
  if (approval !== undefined) said.push(approval);
  if (definition.spec.preserveUnknownFields === true)
    said.push({
      type: 'NonStructuralSchema',
      status: 'True',
      reason: 'Violations',
      message: 'spec.preserveUnknownFields: Invalid value: true: must be false',
    });
  const gone = definition.spec.preserveUnknownFields === true ? [] : ['NonStructuralSchema'];
  if (approval === undefined) gone.push('KubernetesAPIApprovalPolicyConformant');
  const conditions = withConditions(before.conditions ?? [], said, gone, nowMs);
  return { ...before, conditions, acceptedNames: accepted };
}

/** Lays conditions over those that are there; times change only with the status. */
export function withConditions(
  present: readonly Condition[],
  said: readonly Said[],
  gone: readonly string[],
  nowMs: number,
): readonly Condition[] {
  const kept = present.filter(({ type }) => !gone.includes(type));
  for (const one of said) {
    const index = kept.findIndex(({ type }) => type === one.type);
    const before = kept[index];
    const lastTransitionTime =
      before?.status === one.status && before.lastTransitionTime !== undefined
        ? before.lastTransitionTime
        : formatTime(nowMs);
    const condition = {
      type: one.type,
      status: one.status,
      lastTransitionTime,
      reason: one.reason,
      message: one.message,
    };
    if (index < 0) kept.push(condition as Condition);
    else kept[index] = condition as Condition;
  }
  return kept;
}

interface Naming {
  readonly names: Said;
  readonly accepted: CustomResourceDefinitionNames;
}

function nameConditions({ spec, status }: CustomResourceDefinition, taken: TakenNames): Naming {
  const wanted = spec.names;
  const had = status?.acceptedNames ?? { plural: '', kind: '' };
  const accepted: {
    -readonly [Name in keyof CustomResourceDefinitionNames]: CustomResourceDefinitionNames[Name];
  } = { ...had };
  let problem: { readonly reason: string; readonly message: string } | undefined;
  const settle = (
    field: 'plural' | 'singular' | 'kind' | 'listKind',
    names: ReadonlySet<string>,
    reason: string,
  ): void => {
    const name = wanted[field] ?? '';
    if (name === (had[field] ?? '') || name === '' || !names.has(name)) {
      if (name !== '') accepted[field] = name;
    } else problem = { reason, message: `${JSON.stringify(name)} is already in use` };
  };
  settle('plural', taken.resources, 'PluralConflict');
  settle('singular', taken.resources, 'SingularConflict');
  const clashes = (wanted.shortNames ?? []).filter(
    (name) => had.shortNames?.includes(name) !== true && taken.resources.has(name),
  );
  if (clashes.length === 0) {
    if (wanted.shortNames === undefined) delete accepted.shortNames;
    else accepted.shortNames = wanted.shortNames;
  } else {
    const texts = clashes.map((name) => `${JSON.stringify(name)} is already in use`);
    problem = {
      reason: 'ShortNamesConflict',
      message: texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`,
    };
  }
  settle('kind', taken.kinds, 'KindConflict');
  settle('listKind', taken.kinds, 'ListKindConflict');
  if (wanted.categories === undefined) delete accepted.categories;
  else accepted.categories = wanted.categories;
  const names: Said =
    problem === undefined
      ? { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
      : { type: 'NamesAccepted', status: 'False', ...problem };
  return { names, accepted };
}

/** Once established, always: names that came later and clash are just not accepted. */
function establishedCondition(definition: CustomResourceDefinition, names: Said): Said {
  const before = conditionOf(definition, 'Established');
  if (before?.status === 'True') return before;
  if (names.status === 'True')
    return {
      type: 'Established',
      status: 'True',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    };
  return {
    type: 'Established',
    status: 'False',
    reason: 'NotAccepted',
    message: 'not all names are accepted',
  };
}

/** Of groups of Kubernetes' own: who said that the definition may be. */
function approvalCondition({ metadata, spec }: CustomResourceDefinition): Said | undefined {
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(spec.group)) return undefined;
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const annotation = 'api-approved.kubernetes.io';
  const text = metadata.annotations?.[annotation] ?? '';
  const help = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (text === '')
    return {
      type,
      status: 'False',
      reason: 'MissingAnnotation',
      message: `protected groups must have approval annotation "${annotation}", ${help}`,
    };
  if (text.startsWith('unapproved'))
    return {
      type,
      status: 'False',
      reason: 'UnapprovedAnnotation',
      message: `not approved: ${JSON.stringify(text)}`,
    };
  return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${text}` };
}

export const isSameStatus = (
  a: CustomResourceDefinitionStatus | undefined,
  b: CustomResourceDefinitionStatus,
): boolean => sameJson(a, b);
