/**
 * What writes of built-in kinds are warned of: they are taken, and the answer says what is odd about them, in a Warning header that kubectl shows. Pure.
 * Source: WarningsOnCreate and WarningsOnUpdate of each kind's strategy in k8s.io/kubernetes/pkg/registry.
 */

import type { StatefulSet } from '../types/apps.v1.ts';
import type { CronJob, Job, JobSpec } from '../types/batch.v1.ts';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodTemplate,
  PodTemplateSpec,
  Service,
} from '../types/core.v1.ts';
import type { Ingress } from '../types/networking.v1.ts';
import type { RuntimeClass } from '../types/node.v1.ts';
import type { StorageClass } from '../types/storage.v1.ts';
import { labelName } from '../validation/names.ts';
import { claimWarnings, nodeTermWarnings, oldNodeLabel, oldVolumes, podWarnings, type Say } from './pod.ts';

interface Written {
  readonly metadata: { readonly name?: string; readonly generation?: number };
}

type Rule = (say: Say, object: never, old: Written | undefined) => void;

/** What is odd about `object`. `old`: what it was; undefined when it is made. */
export function writeWarnings(
  groupResource: string,
  object: Written,
  old: Written | undefined,
): readonly string[] {
  const rule = rules[groupResource];
  if (rule === undefined) return none;
  let warnings: string[] | undefined;
  rule(
    (warning) => {
      warnings ??= [];
      warnings.push(warning);
    },
    object as never,
    old,
  );
  return warnings ?? none;
}

const none: readonly string[] = [];

const templateOf = (object: unknown): PodTemplateSpec | undefined =>
  (object as { readonly spec?: { readonly template?: PodTemplateSpec } }).spec?.template;

function templateWarnings(say: Say, at: string, template: PodTemplateSpec | undefined): void {
  if (template?.spec !== undefined) podWarnings(say, at, template.metadata, template.spec);
}

/** Names that pods get a host name from, and that are none. */
function nameWarning(say: Say, { metadata }: Written, of = 'this is used in Pod names and hostnames'): void {
  const problems = labelName(metadata.name ?? '');
  if (problems.length > 0)
    say(
      `metadata.name: ${of}, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
    );
}

/** Made now, or changed in more than its status and metadata. */
const isNew = (object: Written, old: Written | undefined): boolean =>
  old === undefined || old.metadata.generation !== object.metadata.generation;

/** Of a kind with a template: when it is made, and when more than its status or metadata changes. */
function workload(hasName: boolean, more?: Rule): Rule {
  return (say, object: Written, old) => {
    if (old === undefined && hasName) nameWarning(say, object);
    if (!isNew(object, old)) return;
    templateWarnings(say, 'spec.template.', templateOf(object));
    more?.(say, object as never, old);
  };
}

const manyCompletions = 100_000;
const manyAtOnce = 10_000;

function jobWarnings(say: Say, at: string, spec: JobSpec | undefined): void {
  const { completionMode, completions = 0, parallelism = 0, template } = spec ?? {};
  if (completionMode === 'Indexed' && completions > manyCompletions && parallelism > manyAtOnce)
    say(
      `${at}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
    );
  templateWarnings(say, `${at}.template.`, template);
}

function volumeWarnings(say: Say, { metadata, spec }: PersistentVolume): void {
  for (const [field, why] of oldVolumes)
    if ((spec as unknown as Readonly<Record<string, unknown>> | undefined)?.[field] !== undefined)
      say(`spec.${field}: ${why}`);
  const { annotations = {} } = metadata;
  for (const [name, since, use] of [
    ['storage-class', 'v1.8', 'storageClassName'],
    ['mount-options', 'v1.31', 'mountOptions'],
  ] as const)
    if (annotations[`volume.beta.kubernetes.io/${name}`] !== undefined)
      say(
        `metadata.annotations[volume.beta.kubernetes.io/${name}]: deprecated since ${since}; use "${use}" attribute instead`,
      );
  if (spec?.persistentVolumeReclaimPolicy === 'Recycle')
    say(
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
    );
  spec?.nodeAffinity?.required?.nodeSelectorTerms?.forEach((term, index) => {
    nodeTermWarnings(say, `spec.nodeAffinity.required.nodeSelectorTerms[${index}]`, term);
  });
}

function serviceWarnings(say: Say, { spec }: Service): void {
  if (spec === undefined) return;
  const isHeadless = spec.clusterIP === 'None' && spec.type !== 'ExternalName';
  const hasAddresses = (spec.externalIPs?.length ?? 0) > 0;
  if (isHeadless) {
    const ignored = (field: string): void => say(`spec.${field} is ignored for headless services`);
    if ((spec.loadBalancerIP ?? '') !== '') ignored('loadBalancerIP');
    if (hasAddresses) ignored('externalIPs');
    if ((spec.sessionAffinity ?? 'None') !== 'None') ignored('SessionAffinity');
  }
  if (spec.type !== 'ExternalName' && (spec.externalName ?? '') !== '')
    say('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.type === 'ExternalName' && hasAddresses)
    say('spec.externalIPs is ignored when spec.type is "ExternalName"');
}

const classAnnotation = 'kubernetes.io/ingress.class';

const rules: Readonly<Record<string, Rule>> = {
  pods: (say, pod: Pod, old) => {
    if (old === undefined) nameWarning(say, pod, "this is used in the Pod's hostname");
    if (pod.spec !== undefined) podWarnings(say, '', pod.metadata, pod.spec);
  },
  podtemplates: (say, { template }: PodTemplate) => templateWarnings(say, 'template.', template),
  replicationcontrollers: workload(true),
  'deployments.apps': workload(true),
  'replicasets.apps': workload(true),
  'daemonsets.apps': workload(false),
  'statefulsets.apps': workload(true, (say, { spec }: StatefulSet) => {
    spec?.volumeClaimTemplates?.forEach((claim, index) => {
      if (claim.spec !== undefined)
        claimWarnings(say, `spec.volumeClaimTemplates[${index}].spec`, claim.spec);
    });
    if ((spec?.revisionHistoryLimit ?? 0) < 0)
      say(
        'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
      );
  }),
  'jobs.batch': (say, job: Job, old) => {
    if (old === undefined) nameWarning(say, job);
    if (isNew(job, old)) jobWarnings(say, 'spec', job.spec);
  },
  'cronjobs.batch': (say, cronJob: CronJob, old) => {
    if (old === undefined) nameWarning(say, cronJob);
    if (isNew(cronJob, old)) jobWarnings(say, 'spec.jobTemplate.spec', cronJob.spec?.jobTemplate?.spec);
  },
  services: serviceWarnings,
  'ingresses.networking.k8s.io': (say, { metadata, spec }: Ingress, old) => {
    if (old !== undefined || spec?.ingressClassName !== undefined) return;
    if (metadata.annotations?.[classAnnotation] !== undefined)
      say(`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`);
  },
  persistentvolumes: volumeWarnings,
  persistentvolumeclaims: (say, { spec }: PersistentVolumeClaim) => {
    if (spec !== undefined) claimWarnings(say, 'spec', spec);
  },
  'storageclasses.storage.k8s.io': (say, { allowedTopologies }: StorageClass) => {
    allowedTopologies?.forEach(({ matchLabelExpressions }, index) => {
      matchLabelExpressions?.forEach(({ key }, at) => {
        const why = oldNodeLabel(key);
        if (why !== undefined) say(`allowedTopologies[${index}].matchLabelExpressions[${at}].key: ${why}`);
      });
    });
  },
  'runtimeclasses.node.k8s.io': (say, { scheduling }: RuntimeClass) => {
    for (const label in scheduling?.nodeSelector) {
      const why = oldNodeLabel(label);
      if (why !== undefined) say(`scheduling.nodeSelector: ${why}`);
    }
  },
};
