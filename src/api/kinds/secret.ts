/** Secrets: settings that are shown to as few as possible. `stringData` is written as `data` and never kept. */
import type { Secret } from '../types/core.v1.ts';
import { binaryBytes, entriesBytesMax, validateKeys, validateSealed } from '../validation/entries.ts';
import { immutableWhy, type Problems, required, tooLong, wrong } from '../validation/problems.ts';
import { ageColumn, column, nameColumn } from './cells.ts';
import { defineKind } from './define.ts';

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  resource: 'secrets',
  message: 'core.v1.Secret',
  description: 'Secret holds confidential data that pods read.',
  columns: [
    nameColumn,
    column<Secret>('Type', 'What it is for.', ({ type }) => type ?? ''),
    column<Secret>('Data', 'How many entries it has.', ({ data = {} }) => Object.keys(data).length),
    ageColumn,
  ],
  selectableFields: { type: ({ type }) => type ?? '' },
  applyDefaults(object) {
    object.type ||= 'Opaque';
    if (object.stringData === undefined) return;
    for (const [key, value] of Object.entries(object.stringData)) {
      object.data ??= {};
      object.data[key] = Buffer.from(value).toString('base64');
    }
    delete object.stringData;
  },
  validate(object) {
    const problems: Problems = [];
    validateKeys(problems, 'data', object.data);
    if (binaryBytes(object.data) > entriesBytesMax) problems.push(tooLong('data', entriesBytesMax));
    validateByType(problems, object);
    return problems;
  },
  validateUpdate(object, old) {
    const problems: Problems = [];
    if (object.type !== old.type) problems.push(wrong('type', object.type, immutableWhy));
    validateSealed(problems, object, old, ['data']);
    return problems;
  },
});

const accountName = 'kubernetes.io/service-account.name';

/** Secrets of a well-known type have the entries that their readers expect. */
function validateByType(problems: Problems, { type, data = {}, metadata }: Secret): void {
  const need = (key: string, field = `data[${key}]`): void => {
    if (!Object.hasOwn(data, key)) problems.push(required(field));
  };
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if (!metadata.annotations?.[accountName])
        problems.push(required(`metadata.annotations[${accountName}]`));
      break;
    case 'kubernetes.io/dockercfg':
      validateJson(problems, data, '.dockercfg');
      break;
    case 'kubernetes.io/dockerconfigjson':
      validateJson(problems, data, '.dockerconfigjson');
      break;
    case 'kubernetes.io/basic-auth':
      // The odd field names are Kubernetes' own.
      if (!Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
        need('username', 'data[%s][username]');
        need('password', 'data[%s][password]');
      }
      break;
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) problems.push(required('data[%s][ssh-privatekey]'));
      break;
    case 'kubernetes.io/tls':
      need('tls.crt');
      need('tls.key');
  }
}

function validateJson(problems: Problems, data: Readonly<Record<string, string>>, key: string): void {
  const text = data[key];
  if (text === undefined) {
    problems.push(required(`data[${key}]`));
    return;
  }
  try {
    JSON.parse(Buffer.from(text, 'base64').toString());
  } catch {
    // What it says must not be shown.
    problems.push(wrong(`data[${key}]`, '<secret contents redacted>', 'not valid JSON'));
  }
}
