/**
 * Changing what a running pod has: CPU and memory of its containers, while it runs.
 * Source: Kubernetes 1.36, pkg/apis/core/validation and pkg/registry/core/pod, as behaviour.
 */
import { sameJson } from '../../../lib/index.ts';
import type { ObjectPart } from '../../kind.ts';
import { copyOf } from '../../merge/json.ts';
import type { Draft } from '../../object.ts';
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../types/core.v1.ts';
import { forbiddenField, type Problems, wrong } from '../../validation/problems.ts';
import { qualityOfService } from './quality-of-service.ts';

const lists = ['containers', 'initContainers'] as const;
type ListName = (typeof lists)[number];
type Amounts = Readonly<Record<string, string>>;

const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always';

/** Other containers, or in another order: nothing can be taken, all is refused. */
const sameNames = (spec: PodSpec, old: PodSpec): boolean =>
  lists.every((list) =>
    sameJson(
      (spec[list] ?? []).map(({ name }) => name),
      (old[list] ?? []).map(({ name }) => name),
    ),
  );

function take(object: Draft<Pod>, wanted: Pod): void {
  const { spec } = wanted;
  if (spec === undefined || object.spec === undefined) return;
  if (!sameNames(spec, object.spec as PodSpec)) {
    for (const list of lists) {
      const containers = spec[list];
      if (containers === undefined) delete object.spec[list];
      else object.spec[list] = copyOf(containers) as Draft<Container>[];
    }
    return;
  }
  for (const list of lists)
    object.spec[list]?.forEach((container, index) => {
      const source = spec[list]?.[index] as Draft<Container> | undefined;
      if (source !== undefined) takeFields(container, source, ['resources', 'resizePolicy']);
    });
  takeFields(object.spec, spec as Draft<PodSpec>, ['resources']);
}

function takeFields<T extends object>(to: T, from: T, names: readonly (keyof T)[]): void {
  for (const name of names)
    if (from[name] === undefined) delete to[name];
    else to[name] = copyOf(from[name]);
}

function validateUpdate(pod: Pod, oldPod: Pod): Problems {
  const problems: Problems = [];
  const [spec, old] = [pod.spec ?? { containers: [] }, oldPod.spec ?? { containers: [] }];
  validateNames(problems, spec, old);
  if (problems.length > 0) return problems;
  if (oldPod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    return [forbiddenField('', 'static pods cannot be resized')];
  if (old.os?.name === 'windows') return [forbiddenField('', 'windows pods cannot be resized')];
  const before = oldPod.status?.qosClass ?? qualityOfService(old);
  if (qualityOfService(spec) !== before)
    problems.push(wrong('spec', before, 'Pod QOS Class may not change as a result of resizing'));
  if (!isSupported(oldPod))
    problems.push(forbiddenField('spec', 'Pod running on node without support for resize'));
  for (const list of ['initContainers', 'containers'] as const) validateRemovals(problems, list, spec, old);
  validateResources(problems, 'spec.resources', spec.resources, old.resources);
  validateKeptResources(problems, spec, old);
  return problems;
}

function validateNames(problems: Problems, spec: PodSpec, old: PodSpec): void {
  for (const list of lists) {
    const [containers, before] = [spec[list] ?? [], old[list] ?? []];
    if (containers.length !== before.length)
      problems.push(forbiddenField(`spec.${list}`, 'containers may not be added or removed on resize'));
    else
      containers.forEach(({ name }, index) => {
        if (name !== before[index]?.name)
          problems.push(
            forbiddenField(
              `spec.${list}[${index}].name`,
              'containers may not be renamed or reordered on resize',
            ),
          );
      });
  }
}

/** The agent of the pod's node says what containers have only if it knows how to change it. */
function isSupported({ status }: Pod): boolean {
  const running = status?.containerStatuses?.find(({ state }) => state?.running !== undefined);
  return running === undefined || running.resources !== undefined;
}

function validateRemovals(problems: Problems, list: ListName, spec: PodSpec, old: PodSpec): void {
  old[list]?.forEach((container, index) => {
    if (list === 'initContainers' && !isSidecar(container)) return;
    validateResources(
      problems,
      `spec.${list}[${index}].resources`,
      spec[list]?.[index]?.resources,
      container.resources,
    );
  });
}

function validateResources(
  problems: Problems,
  field: string,
  resources: ResourceRequirements = {},
  old: ResourceRequirements = {},
): void {
  for (const part of ['requests', 'limits'] as const)
    if (Object.keys(old[part] ?? {}).some((name) => resources[part]?.[name] === undefined))
      problems.push(forbiddenField(`${field}.${part}`, `resource ${part} cannot be removed`));
}

/** Whatever is neither CPU nor memory stays; containers that are to end before the pod begins keep all. */
function validateKeptResources(problems: Problems, spec: PodSpec, old: PodSpec): void {
  spec.containers.forEach((container, index) => {
    if (!isSame(container, old.containers[index]))
      problems.push(forbiddenField('spec', 'only cpu and memory resources are mutable'));
  });
  spec.initContainers?.forEach((container, index) => {
    const before = old.initContainers?.[index];
    if (isSidecar(container)) {
      if (!isSame(container, before))
        problems.push(
          forbiddenField('spec', 'only cpu and memory resources for sidecar containers are mutable'),
        );
    } else if (!sameJson(container, before))
      problems.push(forbiddenField('spec', 'resources for non-sidecar init containers are immutable'));
  });
  if (problems.length === 0 && !sameJson(others(spec.resources), others(old.resources)))
    problems.push(forbiddenField('spec', 'only cpu and memory resources are mutable'));
}

const isSame = (container: Container, old: Container | undefined): boolean =>
  sameJson(
    { ...container, resources: others(container.resources) },
    { ...old, resources: others(old?.resources) },
  );

function others(resources: ResourceRequirements | undefined): object {
  const rest = (amounts: Amounts = {}) =>
    Object.fromEntries(Object.entries(amounts).filter(([name]) => name !== 'cpu' && name !== 'memory'));
  return {
    requests: rest(resources?.requests),
    limits: rest(resources?.limits),
    claims: resources?.claims ?? [],
  };
}

export const resizePart: ObjectPart = { name: 'resize', take, validateUpdate };
