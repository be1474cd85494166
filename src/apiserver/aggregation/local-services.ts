/**
 * Which APIService objects stand for what this server serves itself, and what has to be done that they are there. Pure.
 * Source: kube-aggregator's registration of local services; the order of groups as kube-apiserver has it.
 */
import type { APIService } from '../../api/index.ts';

export const automanaged = 'kube-aggregator.kubernetes.io/automanaged';

export interface GroupVersion {
  readonly group: string;
  readonly version: string;
  /** Brought by a definition: it goes with it. */
  readonly isCustom: boolean;
}

/** Priority of a group, and of its versions where that is not 15. Custom ones come last. */
const priorities: Readonly<Record<string, number>> = {
  '': 18_000,
  'apiregistration.k8s.io': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 16_200,
};
const versionPriorities: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
};
const customPriority = { group: 1000, version: 100 };
const otherPriority = 1000;

export const nameOf = ({ group, version }: Pick<GroupVersion, 'group' | 'version'>): string =>
  `${version}.${group}`;

export function localService(of: GroupVersion): APIService {
  const { group, version, isCustom } = of;
  const versionPriority = versionPriorities[`${group}/${version}`] ?? 15;
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: nameOf(of), labels: { [automanaged]: isCustom ? 'true' : 'onstart' } },
    spec: {
      ...(group === '' ? {} : { group }),
      version,
      groupPriorityMinimum: isCustom ? customPriority.group : (priorities[group] ?? otherPriority),
      versionPriority: isCustom ? customPriority.version : versionPriority,
    },
  };
}

export interface LocalPlan {
  readonly create: readonly APIService[];
  /** Names. */
  readonly remove: readonly string[];
}

/** What somebody has pointed at a service of the cluster is his, whatever its labels say. */
export function planLocal(wanted: readonly GroupVersion[], there: readonly APIService[]): LocalPlan {
  const present = new Set(there.map(({ metadata }) => metadata.name));
  const names = new Set(wanted.map(nameOf));
  return {
    create: wanted.filter((one) => !present.has(nameOf(one))).map(localService),
    remove: there
      .filter(
        ({ metadata, spec }) =>
          metadata.labels?.[automanaged] === 'true' &&
          spec?.service === undefined &&
          !names.has(metadata.name ?? ''),
      )
      .map(({ metadata }) => metadata.name ?? ''),
  };
}
