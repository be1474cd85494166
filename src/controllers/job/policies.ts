/** What a job says about its pods' failures (podFailurePolicy) and about when it has succeeded (successPolicy). Pure. */
import type {
  ContainerStatus,
  PodFailurePolicyOnExitCodesRequirement as ExitCodes,
  Job,
  Pod,
} from '../../api/index.ts';
import { countOf, type Indexes, overlapOf, readIndexes } from './indexes.ts';

export interface Verdict {
  readonly action: 'Count' | 'Ignore' | 'FailIndex' | 'FailJob';
  /** Of FailJob, in the words of Kubernetes. */
  readonly message?: string;
}

const counts: Verdict = { action: 'Count' };

/** What the first rule that matches says of a failed pod. */
export function verdictOn(pod: Pod, { spec }: Job): Verdict {
  for (const [index, rule] of (spec?.podFailurePolicy?.rules ?? []).entries()) {
    const why = whyMatches(pod, rule);
    if (why === undefined) continue;
    const action = rule.action as Verdict['action'];
    if (action !== 'FailJob') return { action };
    return { action, message: `${why} matching FailJob rule at index ${index}` };
  }
  return counts;
}

type Rule = NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>['rules'][number];

function whyMatches(pod: Pod, { onExitCodes, onPodConditions }: Rule): string | undefined {
  const { metadata, status } = pod;
  const of = `${metadata.namespace}/${metadata.name}`;
  if (onExitCodes !== undefined) {
    const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
    const found = all.find((container) => hasCode(container, onExitCodes));
    if (found === undefined) return undefined;
    return `Container ${found.name} for pod ${of} failed with exit code ${found.state?.terminated?.exitCode}`;
  }
  for (const { type, status: is } of status?.conditions ?? [])
    if (onPodConditions?.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === is))
      return `Pod ${of} has condition ${type}`;
  return undefined;
}

function hasCode({ name, state }: ContainerStatus, { containerName, operator, values }: ExitCodes): boolean {
  const code = state?.terminated?.exitCode ?? 0;
  if (code === 0 || (containerName !== undefined && containerName !== name)) return false;
  if (operator === 'In') return values.includes(code);
  return operator === 'NotIn' && !values.includes(code);
}

/** Which rule the indexes that have succeeded satisfy, in the words of Kubernetes; undefined: none. */
export function successRuleMet({ spec }: Job, succeeded: Indexes): string | undefined {
  if (succeeded.length === 0) return undefined;
  for (const [index, rule] of (spec?.successPolicy?.rules ?? []).entries()) {
    const { succeededIndexes, succeededCount } = rule;
    let isMet: boolean;
    if (succeededIndexes === undefined)
      isMet = succeededCount !== undefined && countOf(succeeded) >= succeededCount;
    else {
      const asked = readIndexes(succeededIndexes, spec?.completions ?? 0);
      const there = overlapOf(asked, succeeded);
      isMet =
        asked.length > 0 && there >= Math.min(countOf(asked), succeededCount ?? Number.POSITIVE_INFINITY);
    }
    if (isMet) return `Matched rules at index ${index}`;
  }
  return undefined;
}
