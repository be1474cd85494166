/** Claims of devices that a pod makes, and which of its containers use them. Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour. */
import type { PodSpec } from '../../types/core.v1.ts';
import { labelName, subdomainName } from '../../validation/names.ts';
import { duplicate, notFoundField, type Problems, wrong } from '../../validation/problems.ts';

export function validatePodClaims(problems: Problems, field: string, spec: PodSpec): void {
  const names = new Set<string>();
  (spec.resourceClaims ?? []).forEach((claim, index) => {
    const at = `${field}.resourceClaims[${index}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    for (const why of labelName(name)) problems.push(wrong(`${at}.name`, name, why));
    if (names.has(name)) problems.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      problems.push(
        wrong(
          at,
          claim,
          'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
        ),
      );
    else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      problems.push(
        wrong(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'),
      );
    for (const [what, value] of [
      ['resourceClaimName', resourceClaimName],
      ['resourceClaimTemplateName', resourceClaimTemplateName],
    ] as const)
      for (const why of value === undefined ? [] : subdomainName(value))
        problems.push(wrong(`${at}.${what}`, value, why));
  });
  for (const [kind, containers] of [
    ['containers', spec.containers],
    ['initContainers', spec.initContainers ?? []],
  ] as const)
    (containers ?? []).forEach(({ resources }, index) => {
      const used = new Set<string>();
      (resources?.claims ?? []).forEach(({ name, request = '' }, at) => {
        const place = `${field}.${kind}[${index}].resources.claims[${at}]`;
        const id = `${name}/${request}`;
        if (used.has(id) || used.has(`${name}/`)) problems.push(duplicate(place, name));
        used.add(id);
        if (!names.has(name)) problems.push(notFoundField(`${place}.name`, name));
      });
    });
}
