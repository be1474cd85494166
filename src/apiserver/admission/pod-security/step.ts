/**
 * PodSecurity: pods are held against the levels that their namespace's labels name: refused, noted for the audit, warned of. Templates of pods are warned of
 * before a pod is made of them; a namespace that grows stricter says which of its pods would no longer be let in. Pure.
 * Source: Kubernetes 1.36, k8s.io/pod-security-admission, as behaviour.
 */
import {
  invalid,
  type Namespace,
  type ObjectMeta,
  type Pod,
  type PodSpec,
  type PodTemplateSpec,
} from '../../../api/index.ts';
import type { Admission, AdmissionContext, AdmissionStep } from '../chain.ts';
import { refused } from '../refusal.ts';
import { type Subject, subjectOf, type Violation, violationsOf } from './checks.ts';
import { type LevelVersion, type Parsed, policyOf, policyText, samePolicy, strictness } from './policy.ts';

const templated = new Set([
  'replicationcontrollers',
  'podtemplates',
  'replicasets.apps',
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
  'cronjobs.batch',
]);

const podsCheckedMax = 3000;
const auditPrefix = 'pod-security.kubernetes.io/';

export function podSecurity(context: AdmissionContext): AdmissionStep {
  const policies = new WeakMap<Namespace, Parsed>();
  const namespaces = context.resources.core('namespaces');
  const policyIn = (namespace: string): Parsed | undefined => {
    const found = context.store.latest(namespaces.key('', namespace))?.object() as Namespace | undefined;
    if (found === undefined) return undefined;
    let parsed = policies.get(found);
    if (parsed === undefined) {
      parsed = policyOf(found.metadata.labels);
      policies.set(found, parsed);
    }
    return parsed;
  };
  return {
    name: 'PodSecurity',
    concerns: ({ groupResource }, subresource, operation) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      (groupResource === 'pods'
        ? subresource === '' || subresource === 'ephemeralcontainers' || subresource === 'resize'
        : subresource === '' && (groupResource === 'namespaces' || templated.has(groupResource))),
    handles: ({ resource, namespace }) => {
      if (resource.groupResource === 'namespaces') return true;
      const parsed = policyIn(namespace);
      if (parsed === undefined) return false;
      const { enforce, audit, warn } = parsed.policy;
      return (
        (resource.groupResource === 'pods' && enforce.level !== 'privileged') ||
        audit.level !== 'privileged' ||
        warn.level !== 'privileged' ||
        parsed.problems.length > 0
      );
    },
    validate(admission) {
      const { resource, namespace } = admission;
      if (resource.groupResource === 'namespaces') {
        checkNamespace(context, admission);
        return;
      }
      const parsed = policyIn(namespace);
      const subject = subjectIn(admission);
      if (parsed !== undefined && subject !== undefined)
        checkPods(admission, parsed, subject, resource.groupResource === 'pods');
    },
  };
}

/** undefined: there is none, or nothing about it that matters has changed. */
function subjectIn({ resource, object, oldObject }: Admission): Subject | undefined {
  if (resource.groupResource === 'pods') {
    const pod = object as unknown as Pod;
    if (oldObject !== undefined && !isSignificant(pod, oldObject as Pod)) return undefined;
    return pod.spec === undefined ? undefined : subjectOf(pod.metadata, pod.spec);
  }
  const { spec, template } = object as unknown as {
    readonly spec?: {
      readonly template?: PodTemplateSpec;
      readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplateSpec } };
    };
    readonly template?: PodTemplateSpec;
  };
  const found = template ?? spec?.template ?? spec?.jobTemplate?.spec?.template;
  return found?.spec === undefined ? undefined : subjectOf(found.metadata ?? {}, found.spec);
}

/** Of what can change about a pod only images, containers and old annotations matter. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const lists = (spec: PodSpec | undefined) =>
    [spec?.containers ?? [], spec?.initContainers ?? [], spec?.ephemeralContainers ?? []] as const;
  const before = lists(old.spec);
  const annotation = (metadata: ObjectMeta, name: string): string | undefined =>
    metadata.annotations?.[`container.seccomp.security.alpha.kubernetes.io/${name}`];
  const podKey = 'seccomp.security.alpha.kubernetes.io/pod';
  return (
    pod.metadata.annotations?.[podKey] !== old.metadata.annotations?.[podKey] ||
    lists(pod.spec).some(
      (list, index) =>
        list.length !== before[index]?.length ||
        list.some(
          (one) =>
            before[index]?.find(({ name }) => name === one.name)?.image !== one.image ||
            annotation(pod.metadata, one.name) !== annotation(old.metadata, one.name),
        ),
    )
  );
}

const reasonsOf = (violations: readonly Violation[]): string =>
  violations.map(({ reason }) => reason).join(', ');
const detailsOf = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => (detail === '' ? reason : `${reason} (${detail})`)).join(', ');

function checkPods(
  admission: Admission,
  { policy, problems }: Parsed,
  subject: Subject,
  enforces: boolean,
): void {
  const { enforce, audit, warn } = policy;
  if (problems.length > 0)
    admission.annotate(
      `${auditPrefix}error`,
      `Failed to parse policy: ${problems.map((one) => `${one.field}: ${one.message}`).join(', ')}`,
    );
  const refusals = enforces ? violationsOf(subject, enforce) : [];
  if (enforces) admission.annotate(`${auditPrefix}enforce-policy`, policyText(enforce));
  const audited = violationsOf(subject, audit);
  if (audited.length > 0) admission.annotate(`${auditPrefix}audit-violations`, wouldViolate(audit, audited));
  if (refusals.length > 0)
    throw refused(admission, `violates PodSecurity "${policyText(enforce)}": ${detailsOf(refusals)}`);
  const warned = violationsOf(subject, warn);
  if (warned.length > 0) admission.warn(wouldViolate(warn, warned));
}

const wouldViolate = (policy: LevelVersion, violations: readonly Violation[]): string =>
  `would violate PodSecurity "${policyText(policy)}": ${detailsOf(violations)}`;

function checkNamespace(context: AdmissionContext, admission: Admission): void {
  const { object, oldObject } = admission;
  const { metadata } = object as unknown as Namespace;
  const now = policyOf(metadata.labels);
  const before = oldObject === undefined ? undefined : policyOf(oldObject.metadata.labels);
  if (
    now.problems.length > 0 &&
    (before === undefined || JSON.stringify(before.problems) !== JSON.stringify(now.problems))
  )
    throw invalid({ group: '', kind: 'Namespace' }, metadata.name ?? '', now.problems);
  if (before === undefined) return;
  const [{ enforce }, { enforce: old }] = [now.policy, before.policy];
  if (
    samePolicy(enforce, old) ||
    enforce.level === 'privileged' ||
    (enforce.minor === old.minor && strictness(enforce) <= strictness(old))
  )
    return;
  for (const warning of existingPods(context, metadata.name ?? '', enforce)) admission.warn(warning);
}

function existingPods(
  context: AdmissionContext,
  namespace: string,
  enforce: LevelVersion,
): readonly string[] {
  const { items } = context.store.list(context.resources.core('pods').prefixOf(namespace));
  const found = new Map<string, string[]>();
  for (const stored of items.slice(0, podsCheckedMax)) {
    const { metadata, spec } = stored.object() as Pod;
    const violations = spec === undefined ? [] : violationsOf(subjectOf(metadata, spec), enforce);
    if (violations.length === 0) continue;
    const reason = reasonsOf(violations);
    found.set(reason, [...(found.get(reason) ?? []), metadata.name ?? '']);
  }
  const lines = [...found].map(([reason, names]) => {
    const [first = ''] = names.sort();
    const others = names.length - 1;
    const more = others === 0 ? '' : others === 1 ? ' (and 1 other pod)' : ` (and ${others} other pods)`;
    return `${first}${more}: ${reason}`;
  });
  return [
    ...(items.length > podsCheckedMax
      ? [
          `new PodSecurity enforce level only checked against the first ${podsCheckedMax} of ${items.length} existing pods`,
        ]
      : []),
    ...(lines.length === 0
      ? []
      : [
          `existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${policyText(enforce)}"`,
        ]),
    ...lines.sort(),
  ];
}
