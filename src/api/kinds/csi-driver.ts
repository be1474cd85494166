/**
 * CSI drivers: what a driver of storage can do, and what it wants to be told.
 * Source: Kubernetes 1.36, pkg/apis/storage, as behaviour.
 */
import { sameJson } from '../../lib/index.ts';
import type { FieldProblem } from '../kind.ts';
import type { CSIDriver, CSIDriverSpec, TokenRequest } from '../types/storage.v1.ts';
import { duplicate, immutableWhy, notSupported, type Problems, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn, none } from './cells.ts';
import { defineKind } from './define.ts';

const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const modes = ['Persistent', 'Ephemeral'];
const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;
const periodSecondsMin = 10;

const flag = (name: string, description: string, of: (spec: CSIDriverSpec) => boolean | undefined) =>
  column<CSIDriver>(name, description, ({ spec }) => of(spec ?? {}) ?? false, 'boolean');

export const csiDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  resource: 'csidrivers',
  message: 'storage.v1.CSIDriver',
  description: 'CSIDriver says what a driver of storage can do, and what it wants to be told.',
  returnsDeleted: true,
  namespaced: false,
  columns: [
    nameColumn,
    flag(
      'AttachRequired',
      'Whether volumes have to be attached.',
      ({ attachRequired }) => attachRequired ?? true,
    ),
    flag('PodInfoOnMount', 'Whether it is told about pods.', ({ podInfoOnMount }) => podInfoOnMount),
    flag('StorageCapacity', 'Whether it says how much is left.', ({ storageCapacity }) => storageCapacity),
    column<CSIDriver>(
      'TokenRequests',
      'For whom it wants tokens.',
      ({ spec }) => spec?.tokenRequests?.map(({ audience }) => audience).join(',') ?? '<unset>',
    ),
    flag('RequiresRepublish', 'Whether it is called again.', ({ requiresRepublish }) => requiresRepublish),
    column<CSIDriver>(
      'Modes',
      'How long its volumes live.',
      ({ spec }) => spec?.volumeLifecycleModes?.join(',') || none,
    ),
    ageColumn,
  ],
  applyDefaults(object) {
    object.spec ??= {};
    const { spec } = object;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if ((spec.volumeLifecycleModes?.length ?? 0) === 0) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  prepareUpdate(object, old) {
    // Counted are only those changes that are felt while volumes are in use.
    const felt = ({ tokenRequests, requiresRepublish, seLinuxMount }: CSIDriverSpec) => [
      tokenRequests ?? [],
      requiresRepublish ?? false,
      seLinuxMount ?? false,
    ];
    if (!sameJson(felt(object.spec ?? {}), felt(old.spec ?? {})))
      object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  },
  validate({ spec }) {
    const problems: Problems = [];
    const { fsGroupPolicy, tokenRequests = [], volumeLifecycleModes = [] } = spec ?? {};
    if (fsGroupPolicy !== undefined && !groupPolicies.includes(fsGroupPolicy))
      problems.push(notSupported('spec.fsGroupPolicy', fsGroupPolicy, groupPolicies));
    validateTokens(problems, 'spec.tokenRequests', tokenRequests);
    for (const mode of volumeLifecycleModes)
      if (!modes.includes(mode)) problems.push(notSupported('spec.volumeLifecycleModes', mode, modes));
    const period = spec?.nodeAllocatableUpdatePeriodSeconds;
    if (period !== undefined && period < periodSecondsMin)
      problems.push(
        wrong(
          'spec.nodeAllocatableUpdatePeriodSeconds',
          period,
          `must be greater than or equal to ${periodSecondsMin} seconds`,
        ),
      );
    return problems;
  },
  validateUpdate({ spec }, old) {
    const problems: FieldProblem[] = [];
    // Kubernetes calls the field so.
    if (spec?.attachRequired !== old.spec?.attachRequired)
      problems.push(wrong('spec.attachedRequired', spec?.attachRequired, immutableWhy));
    if (!sameJson(spec?.volumeLifecycleModes ?? [], old.spec?.volumeLifecycleModes ?? []))
      problems.push(wrong('spec.volumeLifecycleModes', spec?.volumeLifecycleModes, immutableWhy));
    return problems;
  },
});

function validateTokens(problems: Problems, field: string, requests: readonly TokenRequest[]): void {
  const audiences = new Set<string>();
  requests.forEach(({ audience, expirationSeconds: seconds }, index) => {
    const at = `${field}[${index}]`;
    if (audiences.has(audience)) {
      problems.push(duplicate(`${at}.audience`, audience));
      return;
    }
    audiences.add(audience);
    if (seconds === undefined) return;
    if (seconds < tokenSecondsMin)
      problems.push(
        wrong(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'),
      );
    if (seconds > tokenSecondsMax)
      problems.push(
        wrong(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'),
      );
  });
}
