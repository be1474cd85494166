/** Whether a request is a policy's business, and under which of its resource's versions: rules, exclusions, names, selectors. Pure. */
import type { MatchResources, NamedRuleWithOperations } from '../../../api/index.ts';
import type { Resource } from '../../resource.ts';
import type { Admission, AdmissionContext } from '../chain.ts';
import { type Hook, resourceFor, selectorsMatch } from '../webhooks/match.ts';

/** The resource as the policy wants to see it. undefined: none of its business. Without rules all resources match. */
export function matchingResource(
  context: AdmissionContext,
  match: MatchResources | undefined,
  admission: Admission,
): Resource | undefined {
  if (match === undefined) return admission.resource;
  const { resourceRules = [], excludeResourceRules = [] } = match;
  const as =
    resourceRules.length === 0 ? admission.resource : byRules(context, match, resourceRules, admission);
  if (as === undefined) return undefined;
  if (byRules(context, match, excludeResourceRules, admission) !== undefined) return undefined;
  return selectorsMatch(context, match, admission) ? as : undefined;
}

function byRules(
  context: AdmissionContext,
  match: MatchResources,
  rules: readonly NamedRuleWithOperations[],
  admission: Admission,
): Resource | undefined {
  const named = rules.filter(
    ({ resourceNames = [] }) => resourceNames.length === 0 || resourceNames.includes(nameOf(admission)),
  );
  if (named.length === 0) return undefined;
  const hook: Hook = {
    rules: named,
    ...(match.matchPolicy === undefined ? {} : { matchPolicy: match.matchPolicy }),
  };
  return resourceFor(context, hook, admission);
}

const nameOf = ({ name, object }: Admission): string => (name === '' ? (object?.metadata?.name ?? '') : name);
