/**
 * Priority: the number behind a pod's priority class, and that there is one default class at most. Pure.
 * Source: Kubernetes 1.36, plugin/pkg/admission/priority, as behaviour.
 */
import {
  type Draft,
  type Pod,
  type PodGroup,
  type PriorityClass,
  systemPriorityClasses,
} from '../../api/index.ts';
import type { Admission, AdmissionContext, AdmissionStep } from './chain.ts';
import { Following } from './following.ts';
import { refused } from './refusal.ts';

const podGroups = 'podgroups.scheduling.k8s.io';

export function priority(context: AdmissionContext): AdmissionStep {
  const resource = context.resources.find('scheduling.k8s.io', 'v1', 'priorityclasses');
  const classes = new Following<PriorityClass>(context, resource);
  return {
    name: 'Priority',
    concerns: ({ groupResource }, subresource, operation) =>
      subresource === '' &&
      (operation === 'CREATE' || operation === 'UPDATE') &&
      (groupResource === 'pods' ||
        groupResource === 'priorityclasses.scheduling.k8s.io' ||
        groupResource === podGroups),
    handles: () => true,
    mutate(admission) {
      if (admission.resource.groupResource === podGroups) {
        if (admission.operation === 'CREATE') setGroupPriority(admission, classes);
        return;
      }
      if (admission.resource.groupResource !== 'pods') return;
      if (admission.operation === 'CREATE') setPriority(admission, classes);
      else keepPriority(admission);
    },
    validate(admission) {
      if (admission.resource.groupResource !== 'priorityclasses.scheduling.k8s.io') return;
      const { metadata, globalDefault } = admission.object as unknown as PriorityClass;
      if (globalDefault !== true) return;
      const other = defaultOf(classes);
      if (other !== undefined && other.metadata.name !== metadata.name)
        throw refused(
          admission,
          `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
        );
    },
  };
}

/** The one with the lowest value, should there be several. */
function defaultOf(classes: Following<PriorityClass>): PriorityClass | undefined {
  let found: PriorityClass | undefined;
  for (const one of classes.in('').values())
    if (one.globalDefault === true && (found === undefined || (one.value ?? 0) < (found.value ?? 0)))
      found = one;
  return found;
}

/** The class that it names, or else the default one, which is then named. */
function findClass(
  admission: Admission,
  classes: Following<PriorityClass>,
  spec: { priorityClassName?: string | undefined },
): PriorityClass | undefined {
  const name = spec.priorityClassName ?? '';
  if (name === '') {
    const found = defaultOf(classes);
    if (found?.metadata.name !== undefined) spec.priorityClassName = found.metadata.name;
    return found;
  }
  const found = classes.get('', name) ?? systemPriorityClasses.find((one) => one.metadata.name === name);
  if (found === undefined) throw refused(admission, `no PriorityClass with name ${name} was found`);
  return found;
}

function setGroupPriority(admission: Admission, classes: Following<PriorityClass>): void {
  const { spec } = admission.object as unknown as Draft<PodGroup>;
  if (spec === undefined) return;
  const value = findClass(admission, classes, spec)?.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== value)
    throw refused(
      admission,
      `the integer value of priority (${spec.priority}) must not be provided in pod group spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  spec.priority = value;
}

function setPriority(admission: Admission, classes: Following<PriorityClass>): void {
  const { spec } = admission.object as unknown as Draft<Pod>;
  if (spec === undefined) return;
  const found = findClass(admission, classes, spec);
  const value = found?.value ?? 0;
  const policy = found?.preemptionPolicy ?? 'PreemptLowerPriority';
  if (spec.priority !== undefined && spec.priority !== value)
    throw refused(
      admission,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy)
    throw refused(
      admission,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  spec.priority = value;
  spec.preemptionPolicy = policy;
}

/** Who says nothing of it leaves it as it is. */
function keepPriority({ object, oldObject }: Admission): void {
  const { spec } = object as unknown as Draft<Pod>;
  const old = (oldObject as Pod | undefined)?.spec;
  if (spec === undefined || old === undefined) return;
  if (spec.priority === undefined && old.priority !== undefined) spec.priority = old.priority;
  if (spec.preemptionPolicy === undefined && old.preemptionPolicy !== undefined)
    spec.preemptionPolicy = old.preemptionPolicy;
}
