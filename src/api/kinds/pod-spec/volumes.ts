/**
 * What the volumes of a pod may be. Those of storage systems that nobody here provides are let through: whoever shall mount them tells.
 * Source: Kubernetes 1.36, pkg/apis/core/validation, as behaviour.
 */
import type {
  DownwardAPIVolumeFile,
  HostPathVolumeSource,
  KeyToPath,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
} from '../../types/core.v1.ts';
import { labelName } from '../../validation/names.ts';
import {
  duplicate,
  forbiddenField,
  oneOf,
  type Problems,
  required,
  wrong,
} from '../../validation/problems.ts';
import { validateFieldReference, validateResourceReference, volumeFields } from './environment.ts';
import { validateFilePath, validateMode, validateNoBacksteps } from './paths.ts';

/** Validates all; answers their names. */
export function validateVolumes(
  problems: Problems,
  field: string,
  volumes: readonly Volume[],
): ReadonlySet<string> {
  const names = new Set<string>();
  volumes.forEach((volume, index) => {
    const at = `${field}[${index}]`;
    validateSource(problems, at, volume);
    const { name = '' } = volume;
    if (name === '') problems.push(required(`${at}.name`));
    else for (const why of labelName(name)) problems.push(wrong(`${at}.name`, name, why));
    if (names.has(name)) problems.push(duplicate(`${at}.name`, name));
    names.add(name);
  });
  return names;
}

type Sources = Omit<Volume, 'name'>;
type Rules = {
  readonly [Name in keyof Sources]?: (
    problems: Problems,
    field: string,
    source: NonNullable<Sources[Name]>,
  ) => void;
};

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

const rules: Rules = {
  emptyDir(problems, field, { sizeLimit }) {
    if (sizeLimit?.startsWith('-'))
      problems.push(
        forbiddenField(`${field}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'),
      );
  },
  hostPath: validateHostPath,
  secret(problems, field, { secretName = '', defaultMode, items }) {
    if (secretName === '') problems.push(required(`${field}.secretName`));
    validateMode(problems, `${field}.defaultMode`, defaultMode);
    validateItems(problems, field, items);
  },
  configMap(problems, field, { name = '', defaultMode, items }) {
    if (name === '') problems.push(required(`${field}.name`));
    validateMode(problems, `${field}.defaultMode`, defaultMode);
    validateItems(problems, field, items);
  },
  downwardAPI(problems, field, { defaultMode, items }) {
    validateMode(problems, `${field}.defaultMode`, defaultMode);
    validateDownwardFiles(problems, field, items);
  },
  projected: validateProjected,
  persistentVolumeClaim(problems, field, { claimName }) {
    if (claimName === '') problems.push(required(`${field}.claimName`));
  },
  nfs(problems, field, { server, path }) {
    if (server === '') problems.push(required(`${field}.server`));
    if (path === '') problems.push(required(`${field}.path`));
    else if (!path.startsWith('/')) problems.push(wrong(`${field}.path`, path, 'must be an absolute path'));
  },
  csi(problems, field, { driver }) {
    if (driver === '') problems.push(required(`${field}.driver`));
  },
  image(problems, field, { reference = '', pullPolicy }) {
    if (reference === '') problems.push(required(`${field}.reference`));
    oneOf(problems, `${field}.pullPolicy`, pullPolicy, ['Always', 'IfNotPresent', 'Never'], true);
  },
};

function validateSource(problems: Problems, field: string, volume: Volume): void {
  let count = 0;
  for (const name in volume) {
    if (name === 'name') continue;
    const source = volume[name as keyof Sources];
    if (source === undefined) continue;
    if (count++ > 0) {
      problems.push(forbiddenField(`${field}.${name}`, 'may not specify more than 1 volume type'));
      continue;
    }
    const rule = rules[name as keyof Sources] as
      | ((problems: Problems, field: string, source: unknown) => void)
      | undefined;
    rule?.(problems, `${field}.${name}`, source);
  }
  if (count === 0) problems.push(required(field, 'must specify a volume type'));
}

function validateHostPath(problems: Problems, field: string, { path, type }: HostPathVolumeSource): void {
  if (path === '') {
    problems.push(required(`${field}.path`));
    return;
  }
  validateNoBacksteps(problems, `${field}.path`, path);
  oneOf(problems, `${field}.type`, type, hostPathTypes);
}

function validateItems(problems: Problems, field: string, items: readonly KeyToPath[] = []): void {
  items.forEach(({ key, path, mode }, index) => {
    const at = `${field}.items[${index}]`;
    if (key === '') problems.push(required(`${at}.key`));
    if (path === '') problems.push(required(`${at}.path`));
    validateFilePath(problems, `${at}.path`, path);
    validateMode(problems, `${at}.mode`, mode);
  });
}

function validateDownwardFiles(
  problems: Problems,
  field: string,
  files: readonly DownwardAPIVolumeFile[] = [],
): void {
  for (const file of files) {
    if (file.path === '') problems.push(required(`${field}.path`));
    validateFilePath(problems, `${field}.path`, file.path);
    if (file.fieldRef !== undefined) {
      validateFieldReference(problems, `${field}.fieldRef`, file.fieldRef, volumeFields);
      if (file.resourceFieldRef !== undefined)
        problems.push(
          wrong(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'),
        );
    } else if (file.resourceFieldRef !== undefined)
      validateResourceReference(problems, `${field}.resourceFieldRef`, file.resourceFieldRef, true);
    else problems.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
    validateMode(problems, `${field}.mode`, file.mode);
  }
}

function validateProjected(
  problems: Problems,
  field: string,
  { defaultMode, sources = [] }: ProjectedVolumeSource,
): void {
  validateMode(problems, `${field}.defaultMode`, defaultMode);
  const paths = new Set<string>();
  const take = (at: string, path: string | undefined, shown: string): void => {
    if (path === undefined || path === '') return;
    if (paths.has(path)) problems.push(wrong(at, shown, 'conflicting duplicate paths'));
    paths.add(path);
  };
  sources.forEach((source, index) => {
    const at = `${field}.sources[${index}]`;
    const given = Object.entries(source).filter(([, value]) => value !== undefined);
    for (const [name] of given.slice(1))
      problems.push(forbiddenField(`${at}.${name}`, 'may not specify more than 1 volume type per source'));
    if (given.length === 0) problems.push(required(at, 'one of the projection sources is required'));
    for (const name of ['secret', 'configMap'] as const) {
      const one = source[name];
      if (one === undefined) continue;
      if ((one.name ?? '') === '') problems.push(required(`${at}.${name}.name`));
      validateItems(problems, `${at}.${name}`, one.items);
      for (const item of one.items ?? []) take(field, item.path, one.name ?? '');
    }
    if (source.downwardAPI !== undefined) {
      validateDownwardFiles(problems, `${at}.downwardAPI`, source.downwardAPI.items);
      for (const item of source.downwardAPI.items ?? []) take(field, item.path, item.path);
    }
    if (source.serviceAccountToken !== undefined) {
      validateToken(problems, `${at}.serviceAccountToken`, source.serviceAccountToken);
      take(field, source.serviceAccountToken.path, source.serviceAccountToken.path);
    }
  });
}

const tokenSecondsMin = 600;
const tokenSecondsMax = 2 ** 32;

function validateToken(
  problems: Problems,
  field: string,
  { expirationSeconds, path }: ServiceAccountTokenProjection,
): void {
  if (expirationSeconds !== undefined && expirationSeconds < tokenSecondsMin)
    problems.push(
      wrong(
        `${field}.expirationSeconds`,
        expirationSeconds,
        'may not specify a duration less than 10 minutes',
      ),
    );
  if (expirationSeconds !== undefined && expirationSeconds > tokenSecondsMax)
    problems.push(
      wrong(
        `${field}.expirationSeconds`,
        expirationSeconds,
        'may not specify a duration larger than 2^32 seconds',
      ),
    );
  if ((path ?? '') === '') problems.push(required(`${field}.path`));
  else validateFilePath(problems, `${field}.path`, path);
}
