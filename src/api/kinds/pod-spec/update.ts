/**
 * What may change of a pod once it is there: images, a deadline, more tolerations, gates that open. All else is fixed.
 *
 *   validatePodUpdate        through the pod itself
 *   validatePodStatusUpdate  through its status: a container that has ended for good does not run again
 *
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import { sameJson } from '../../../lib/index.ts';
import type { Draft } from '../../object.ts';
import type { Container, ContainerStatus, Pod, PodSpec, Toleration } from '../../types/core.v1.ts';
import { betweenWhy, validateAddress } from '../../validation/addresses.ts';
import { forbiddenField, immutableWhy, type Problems, required, wrong } from '../../validation/problems.ts';
import { changedFields } from '../field-changes.ts';
import { secondsMax } from './validate.ts';

const changeable =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function validatePodUpdate(problems: Problems, pod: Pod, oldPod: Pod): void {
  const spec = pod.spec ?? { containers: [] };
  const old = oldPod.spec ?? { containers: [] };
  if (sameJson(spec, old)) return;
  const sameCount = [
    validateImages(problems, 'spec.containers', spec.containers, old.containers),
    validateImages(problems, 'spec.initContainers', spec.initContainers ?? [], old.initContainers ?? []),
  ].every(Boolean);
  // Nothing further can be compared when containers came or went.
  if (!sameCount) return;
  validateDeadline(problems, spec.activeDeadlineSeconds, old.activeDeadlineSeconds);
  validateGateRemoval(problems, spec, old);
  validateAddedTolerations(problems, spec.tolerations ?? [], old.tolerations ?? []);
  const changed = changedFields(withAllowedChangesUndone(spec, old), old);
  if (changed.length > 0)
    problems.push(forbiddenField('spec', `${changeable}\n${changed.map((line) => `\t${line}`).join('\n')}`));
}

/** Says whether there are as many as before. */
function validateImages(
  problems: Problems,
  field: string,
  containers: readonly Container[],
  old: readonly Container[],
): boolean {
  if (containers.length !== old.length) {
    problems.push(forbiddenField(field, 'pod updates may not add or remove containers'));
    return false;
  }
  containers.forEach(({ image = '' }, index) => {
    const at = `${field}[${index}].image`;
    if (image === '') problems.push(required(at));
    else if (image.trim() !== image && image !== old[index]?.image)
      problems.push(wrong(at, image, 'must not have leading or trailing whitespace'));
  });
  return true;
}

function validateDeadline(problems: Problems, seconds: number | undefined, old: number | undefined): void {
  const field = 'spec.activeDeadlineSeconds';
  if (seconds === undefined) {
    if (old !== undefined)
      problems.push(wrong(field, seconds, 'must not update from a positive integer to nil value'));
  } else if (seconds < 0 || seconds > secondsMax)
    problems.push(wrong(field, seconds, betweenWhy(0, secondsMax)));
  else if (old !== undefined && old < seconds)
    problems.push(wrong(field, seconds, 'must be less than or equal to previous value'));
}

function validateGateRemoval(problems: Problems, spec: PodSpec, old: PodSpec): void {
  const before = new Set(old.schedulingGates?.map(({ name }) => name));
  spec.schedulingGates?.forEach(({ name }, index) => {
    if (!before.has(name))
      problems.push(
        forbiddenField(
          `spec.schedulingGates[${index}].name`,
          `only deletion is allowed, but found new scheduling gate '${name}'`,
        ),
      );
  });
}

function validateAddedTolerations(
  problems: Problems,
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
): void {
  const kept = old.every((before) =>
    tolerations.some((now) => sameJson({ ...now, tolerationSeconds: before.tolerationSeconds }, before)),
  );
  if (!kept)
    problems.push(
      forbiddenField(
        'spec.tolerations',
        'existing toleration can not be modified except its tolerationSeconds',
      ),
    );
}

/** The new spec as it would be without what may change: what still differs from the old one may not. */
function withAllowedChangesUndone(spec: PodSpec, old: PodSpec): PodSpec {
  const munged: Draft<PodSpec> = { ...(spec as Draft<PodSpec>) };
  munged.containers = withImagesOf(spec.containers, old.containers);
  if (spec.initContainers !== undefined)
    munged.initContainers = withImagesOf(spec.initContainers, old.initContainers ?? []);
  const keep = <Name extends keyof PodSpec>(name: Name): void => {
    if (old[name] === undefined) delete munged[name];
    else munged[name] = old[name] as Draft<PodSpec>[Name];
  };
  keep('activeDeadlineSeconds');
  keep('tolerations');
  keep('schedulingGates');
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1)
    keep('terminationGracePeriodSeconds');
  // While a gate holds the pod back, where it may run can still be narrowed.
  if ((old.schedulingGates?.length ?? 0) > 0 && isNarrowed(spec, old)) {
    keep('nodeSelector');
    keep('affinity');
  }
  return munged as PodSpec;
}

function isNarrowed(spec: PodSpec, old: PodSpec): boolean {
  for (const key in old.nodeSelector) if (spec.nodeSelector?.[key] !== old.nodeSelector[key]) return false;
  return old.affinity?.nodeAffinity === undefined || sameJson(spec.affinity, old.affinity);
}

function withImagesOf(containers: readonly Container[], old: readonly Container[]): Draft<Container>[] {
  return containers.map((container, index) => {
    const image = old[index]?.image;
    const { image: _, ...rest } = container as Draft<Container>;
    return image === undefined ? rest : { ...rest, image };
  });
}

export function validatePodStatusUpdate(problems: Problems, pod: Pod, oldPod: Pod): void {
  const status = pod.status ?? {};
  const old = oldPod.status ?? {};
  if (old.qosClass !== undefined && status.qosClass !== old.qosClass)
    problems.push(wrong('status.qosClass', status.qosClass, immutableWhy));
  status.podIPs?.forEach(({ ip }, index) => {
    validateAddress(problems, `status.podIPs[${index}]`, ip);
  });
  // A pod that may be begun anew in place: then all of its containers are.
  if (mayBeginAnew(oldPod.spec)) return;
  const policy = oldPod.spec?.restartPolicy;
  validateEnded(problems, 'status.containerStatuses', status.containerStatuses, old.containerStatuses, {
    mayRestart: () => policy === 'Always',
    mayRestartOnFailure: policy === 'OnFailure',
    containers: oldPod.spec?.containers ?? [],
  });
  const sidecars = new Set(
    oldPod.spec?.initContainers?.flatMap((one) => (one.restartPolicy === 'Always' ? [one.name] : [])),
  );
  validateEnded(
    problems,
    'status.initContainerStatuses',
    status.initContainerStatuses,
    old.initContainerStatuses,
    {
      mayRestart: (name) => sidecars.has(name) || policy === 'Always',
      mayRestartOnFailure: policy !== 'Never',
      containers: oldPod.spec?.initContainers ?? [],
    },
  );
}

const mayBeginAnew = (spec: PodSpec | undefined): boolean =>
  [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  );

/** By its own policy and rules, whatever those of the pod are. */
function restartsItself({ restartPolicy, restartPolicyRules }: Container, exitCode: number): boolean {
  const rule = restartPolicyRules?.find(({ exitCodes }) => {
    const isIn = exitCodes?.values?.includes(exitCode) === true;
    return exitCodes?.operator === 'NotIn' ? !isIn : isIn;
  });
  if (rule?.action === 'Restart') return true;
  return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0);
}

function validateEnded(
  problems: Problems,
  field: string,
  statuses: readonly ContainerStatus[] = [],
  old: readonly ContainerStatus[] = [],
  rules: {
    readonly mayRestart: (name: string) => boolean;
    readonly mayRestartOnFailure: boolean;
    /** They may have policies of their own. */
    readonly containers: readonly Container[];
  },
): void {
  for (const before of old) {
    const ended = before.state?.terminated;
    if (ended === undefined || rules.mayRestart(before.name)) continue;
    if (ended.exitCode !== 0 && rules.mayRestartOnFailure) continue;
    const container = rules.containers.find(({ name }) => name === before.name);
    if (container?.restartPolicy !== undefined && restartsItself(container, ended.exitCode)) continue;
    const index = statuses.findIndex(({ name }) => name === before.name);
    if (index >= 0 && statuses[index]?.state?.terminated === undefined)
      problems.push(
        forbiddenField(`${field}[${index}].state`, 'may not be transitioned to non-terminated state'),
      );
  }
}
