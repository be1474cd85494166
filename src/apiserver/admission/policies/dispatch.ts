/** What validating and mutating policies do alike: which of them hold for a request, seen in which version, with which parameters. Pure. */
import { draftOf, type KubeObject } from '../../../api/index.ts';
import type { DraftObject, Resource } from '../../resource.ts';
import type { Admission, AdmissionContext } from '../chain.ts';
import { convertDraft } from '../webhooks/convert.ts';
import { type AccessQuestions, Activation, conditionsHold, type Seen, untilAnswered } from './activation.ts';
import type { Binding, BoundPolicy } from './book.ts';
import { matchingResource } from './match.ts';
import { Misconfigured, paramsFor } from './params.ts';

/** One policy, by one binding, with one set of parameters. */
export interface Application {
  readonly policy: BoundPolicy;
  readonly binding: Binding;
  readonly as: Resource;
  readonly params: KubeObject | undefined;
}

/** A policy whose business a request is, and the version in which it looks at it. */
export interface Matched {
  readonly policy: BoundPolicy;
  readonly as: Resource;
}

/** undefined: it is the business of none. */
export function matchedPolicies(
  context: AdmissionContext,
  policies: readonly BoundPolicy[],
  admission: Admission,
): readonly Matched[] | undefined {
  let matched: Matched[] | undefined;
  for (const policy of policies) {
    const as = matchingResource(context, policy.spec.matchConstraints, admission);
    if (as === undefined) continue;
    matched ??= [];
    matched.push({ policy, as });
  }
  return matched;
}

/** `failed`: the binding (or, without one, the policy) cannot be followed, and nothing may pass then. */
export async function applicationsOf(
  context: AdmissionContext,
  policies: readonly Matched[],
  admission: Admission,
  failed: (policy: BoundPolicy, binding: Binding | undefined, why: string) => void,
): Promise<readonly Application[]> {
  const applications: Application[] = [];
  for (const { policy, as } of policies) {
    for (const binding of policy.bindings) {
      if (matchingResource(context, binding.spec.matchResources, admission) === undefined) continue;
      try {
        const all = await paramsFor(context, policy.spec.paramKind, binding.spec, admission);
        for (const params of all) applications.push({ policy, binding, as, params });
      } catch (error) {
        if (!(error instanceof Misconfigured)) throw error;
        if (policy.spec.failurePolicy !== 'Ignore')
          failed(policy, error.isOfPolicy ? undefined : binding, error.message);
      }
    }
  }
  return applications;
}

/** Both states in the version that the policy looks at. */
export async function seenAs(admission: Admission, as: Resource): Promise<Seen> {
  const { resource, object, oldObject } = admission;
  if (as === resource) return { as, object, oldObject };
  return {
    as,
    object: object === undefined ? undefined : await convertDraft(resource, as, object),
    oldObject:
      oldObject === undefined
        ? undefined
        : await convertDraft(resource, as, draftOf(oldObject) as DraftObject),
  };
}

/** Evaluates it where its conditions hold. undefined: they do not. Throws a fault where a condition cannot be answered. */
export function evaluated<T>(
  context: AdmissionContext,
  admission: Admission,
  application: Application,
  seen: Seen,
  questions: AccessQuestions,
  evaluate: (activation: Activation) => T,
): T | undefined | Promise<T | undefined> {
  return activated(context, admission, application, seen, questions, (activation) =>
    conditionsHold(application.policy.conditions, activation) ? evaluate(activation) : undefined,
  );
}

/** Whatever its conditions say. */
export function activated<T>(
  context: AdmissionContext,
  admission: Admission,
  { policy, params }: Application,
  seen: Seen,
  questions: AccessQuestions,
  evaluate: (activation: Activation) => T,
): T | Promise<T> {
  return untilAnswered(() =>
    evaluate(new Activation(context, admission, seen, questions, params, policy.compiled.variables)),
  );
}
