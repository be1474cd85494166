/**
 * Priority classes: which pods go first, and whose place they may take. Those of the system itself are above all that users can ask for.
 * Source: Kubernetes 1.36, pkg/apis/scheduling, as behaviour.
 */
import type { PriorityClass } from '../types/scheduling.v1.ts';
import {
  forbiddenField,
  immutableWhy,
  notSupported,
  type Problems,
  required,
  wrong,
} from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

/** What users can ask for at most. */
export const userPriorityMax = 1_000_000_000;

/** Of the parts that the cluster cannot live without; there from the start. */
export const systemPriorityClasses: readonly (PriorityClass & { readonly value: number })[] = [
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'system-node-critical' },
    value: 2 * userPriorityMax + 1000,
    description: 'For system pods that their node cannot do without.',
  },
  {
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: 'system-cluster-critical' },
    value: 2 * userPriorityMax,
    description: 'For system pods that the cluster cannot do without, on whichever node.',
  },
];

const systemPrefix = 'system-';
const preemptionPolicies = ['PreemptLowerPriority', 'Never'];

export const priorityClass = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  resource: 'priorityclasses',
  message: 'scheduling.v1.PriorityClass',
  description: 'PriorityClass is a name for how important pods are.',
  shortNames: ['pc'],
  namespaced: false,
  hasGeneration: true,
  columns: [
    nameColumn,
    column<PriorityClass>('Value', 'The higher, the more important.', ({ value }) => value ?? 0, 'integer'),
    column<PriorityClass>(
      'Global-Default',
      'Whether it is for pods that name no class.',
      ({ globalDefault }) => globalDefault ?? false,
      'boolean',
    ),
    ageColumn,
    column<PriorityClass>(
      'PreemptionPolicy',
      'Whether its pods take the place of others.',
      ({ preemptionPolicy }) => preemptionPolicy ?? '',
    ),
  ],
  applyDefaults(object) {
    object.preemptionPolicy ??= 'PreemptLowerPriority';
  },
  validate(object) {
    const problems: Problems = [];
    const { metadata, value = 0, preemptionPolicy: policy } = object;
    if (metadata.name?.startsWith(systemPrefix)) {
      const why = strangeness(object);
      if (why !== undefined)
        problems.push(
          forbiddenField(
            'metadata.name',
            `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${why}`,
          ),
        );
    } else if (value > userPriorityMax)
      problems.push(
        forbiddenField('value', `maximum allowed value of a user defined priority is ${userPriorityMax}`),
      );
    if (policy === '') problems.push(required('preemptionPolicy'));
    else if (policy !== undefined && !preemptionPolicies.includes(policy))
      problems.push(notSupported('preemptionPolicy', policy, preemptionPolicies));
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    if ((object.value ?? 0) !== (old.value ?? 0))
      problems.push(forbiddenField('value', 'may not be changed in an update.'));
    if (object.preemptionPolicy !== old.preemptionPolicy)
      problems.push(wrong('preemptionPolicy', object.preemptionPolicy, immutableWhy));
    return problems;
  },
});

/** In what it differs from the system's class of its name. */
function strangeness({ metadata, value = 0, globalDefault = false }: PriorityClass): string | undefined {
  const name = metadata.name ?? '';
  const known = systemPriorityClasses.find((one) => one.metadata.name === name);
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known.value) return `value of ${name} PriorityClass must be ${known.value}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}
