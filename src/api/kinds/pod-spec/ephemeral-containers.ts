/**
 * Ephemeral containers: put into a running pod to look around in it. They come through a subresource of their own and never change or go.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import { sameJson } from '../../../lib/index.ts';
import type { ObjectPart } from '../../kind.ts';
import { copyOf } from '../../merge/json.ts';
import type { Draft } from '../../object.ts';
import type { Container, Pod } from '../../types/core.v1.ts';
import { duplicate, forbiddenField, notFoundField, type Problems } from '../../validation/problems.ts';
import { changedFields } from '../field-changes.ts';
import { type SpecContext, validateContainer } from './containers.ts';

/** All else is for containers that the pod is about. */
const allowed = new Set([
  'name',
  'image',
  'command',
  'args',
  'workingDir',
  'env',
  'envFrom',
  'volumeMounts',
  'volumeDevices',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'securityContext',
  'stdin',
  'stdinOnce',
  'tty',
  'targetContainerName',
]);
const why = 'cannot be set for an Ephemeral Container';

const isSaid = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);

export function validateEphemeralContainers(problems: Problems, field: string, context: SpecContext): void {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = context.spec;
  const others = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(others);
  ephemeralContainers.forEach((container, index) => {
    const at = `${field}[${index}]`;
    const { name, targetContainerName = '' } = container;
    validateContainer(problems, at, container as Container, context);
    if (names.has(name)) problems.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (targetContainerName !== '' && !others.has(targetContainerName))
      problems.push(notFoundField(`${at}.targetContainerName`, targetContainerName));
    for (const [key, value] of Object.entries(container))
      if (!allowed.has(key) && isSaid(value)) problems.push(forbiddenField(`${at}.${key}`, why));
    container.volumeMounts?.forEach((mount, mountIndex) => {
      for (const key of ['subPath', 'subPathExpr'] as const)
        if ((mount[key] ?? '') !== '')
          problems.push(forbiddenField(`${at}.volumeMounts[${mountIndex}].${key}`, why));
    });
  });
}

function validateUpdate(pod: Pod, oldPod: Pod): Problems {
  const problems: Problems = [];
  const field = 'spec.ephemeralContainers';
  if (oldPod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined)
    problems.push(forbiddenField('', 'static pods do not support ephemeral containers'));
  const containers = new Map(pod.spec?.ephemeralContainers?.map((one) => [one.name, one]));
  for (const old of oldPod.spec?.ephemeralContainers ?? []) {
    const now = containers.get(old.name);
    const name = JSON.stringify(old.name);
    if (now === undefined)
      problems.push(forbiddenField(field, `existing ephemeral containers ${name} may not be removed\n`));
    else if (!sameJson(now, old))
      problems.push(
        forbiddenField(
          field,
          `existing ephemeral containers ${name} may not be changed\n${changedFields(now, old)
            .map((line) => `\t${line}`)
            .join('\n')}`,
        ),
      );
  }
  return problems;
}

export const ephemeralContainersPart: ObjectPart = {
  name: 'ephemeralcontainers',
  take(object: Draft<Pod>, wanted: Pod) {
    const containers = wanted.spec?.ephemeralContainers;
    object.spec ??= { containers: [] };
    if (containers === undefined) delete object.spec.ephemeralContainers;
    else object.spec.ephemeralContainers = copyOf(containers) as Draft<typeof containers>;
  },
  validateUpdate,
};
