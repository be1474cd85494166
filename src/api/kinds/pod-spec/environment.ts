/**
 * The environment of a container, and references to a pod's own fields and resources, which volumes share.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import { canonicalQuantity } from '../../schema/quantity-text.ts';
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../types/core.v1.ts';
import { configKey, environmentName, qualifiedName } from '../../validation/names.ts';
import { notSupported, type Problems, required, wrong } from '../../validation/problems.ts';

/** Which fields of its pod an environment variable may hold. */
const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** And which a file of a volume. */
export const volumeFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];
const knownFields = new Set([
  ...environmentFields,
  ...volumeFields,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);
const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

export function validateEnvironment(problems: Problems, field: string, variables: readonly EnvVar[]): void {
  variables.forEach(({ name = '', value = '', valueFrom }, index) => {
    const at = `${field}[${index}]`;
    if (name === '') problems.push(required(`${at}.name`));
    else for (const why of environmentName(name)) problems.push(wrong(`${at}.name`, name, why));
    if (valueFrom !== undefined) validateValueFrom(problems, `${at}.valueFrom`, value, valueFrom);
  });
}

function validateValueFrom(problems: Problems, field: string, value: string, from: EnvVarSource): void {
  let count = 0;
  if (from.fieldRef !== undefined) {
    count++;
    validateFieldReference(problems, `${field}.fieldRef`, from.fieldRef, environmentFields);
  }
  if (from.resourceFieldRef !== undefined) {
    count++;
    validateResourceReference(problems, `${field}.resourceFieldRef`, from.resourceFieldRef, false);
  }
  for (const name of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const reference = from[name];
    if (reference === undefined) continue;
    count++;
    const at = `${field}.${name}`;
    if ((reference.name ?? '') === '') problems.push(required(`${at}.name`));
    if (reference.key === '') problems.push(required(`${at}.key`));
    else for (const why of configKey(reference.key)) problems.push(wrong(`${at}.key`, reference.key, why));
  }
  if (from.fileKeyRef !== undefined) count++;
  if (count === 0)
    problems.push(
      wrong(
        field,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  if (value !== '') {
    if (count > 0) problems.push(wrong(field, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1)
    problems.push(wrong(field, '', 'may not have more than one field specified at a time'));
}

export function validateEnvironmentSources(
  problems: Problems,
  field: string,
  sources: readonly EnvFromSource[],
): void {
  sources.forEach(({ prefix = '', configMapRef, secretRef }, index) => {
    const at = `${field}[${index}]`;
    if (prefix !== '')
      for (const why of environmentName(prefix)) problems.push(wrong(`${at}.prefix`, prefix, why));
    if (configMapRef !== undefined && (configMapRef.name ?? '') === '')
      problems.push(required(`${at}.configMapRef.name`));
    if (secretRef !== undefined && (secretRef.name ?? '') === '')
      problems.push(required(`${at}.secretRef.name`));
    if (configMapRef === undefined && secretRef === undefined)
      problems.push(wrong(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    if (configMapRef !== undefined && secretRef !== undefined)
      problems.push(wrong(field, '', 'may not have more than one field specified at a time'));
  });
}

export function validateFieldReference(
  problems: Problems,
  field: string,
  { apiVersion = '', fieldPath = '' }: ObjectFieldSelector,
  supported: readonly string[],
): void {
  if (apiVersion === '') {
    problems.push(required(`${field}.apiVersion`));
    return;
  }
  if (fieldPath === '') {
    problems.push(required(`${field}.fieldPath`));
    return;
  }
  const subscripted = /^(metadata\.(?:annotations|labels))\['(.*)'\]$/.exec(fieldPath);
  if (subscripted !== null) {
    const [, path = '', key = ''] = subscripted;
    for (const why of qualifiedName(path === 'metadata.labels' ? key : key.toLowerCase()))
      problems.push(wrong(field, key, why));
  } else if (!knownFields.has(fieldPath))
    problems.push(
      wrong(
        `${field}.fieldPath`,
        fieldPath,
        `error converting fieldPath: field label not supported: ${fieldPath}`,
      ),
    );
  else if (!supported.includes(fieldPath))
    problems.push(notSupported(`${field}.fieldPath`, fieldPath, supported));
}

const cpuDivisors = ['1m', '1'];
const byteDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** In a volume, the container has to be named. */
export function validateResourceReference(
  problems: Problems,
  field: string,
  { containerName = '', resource = '', divisor = '0' }: ResourceFieldSelector,
  isVolume: boolean,
): void {
  const isHugePages = /^(limits|requests)\.hugepages-/.test(resource);
  if (isVolume && containerName === '') problems.push(required(`${field}.containerName`));
  else if (resource === '') problems.push(required(`${field}.resource`));
  else if (!resourceFields.includes(resource) && !isHugePages)
    problems.push(notSupported(`${field}.resource`, resource, resourceFields));
  const canonical = canonicalQuantity(divisor);
  if (canonical === '0' || typeof canonical !== 'string') return;
  const short = resource.slice(resource.indexOf('.') + 1);
  const allowed = short === 'cpu' ? cpuDivisors : byteDivisors;
  if (!allowed.includes(canonical))
    problems.push(
      wrong(
        `${field}.divisor`,
        short,
        `only divisor's values ${short === 'cpu' ? '1m and 1' : byteDivisors.join(', ')} are supported with the ${isHugePages ? 'hugepages' : short === 'ephemeral-storage' ? 'local ephemeral storage' : short} resource`,
      ),
    );
}
