/** How admission says no. Pure. Source: k8s.io/apiserver/pkg/admission/errors. */
import { forbidden } from '../../api/index.ts';
import type { CaelumError } from '../../lib/index.ts';
import type { Admission } from './chain.ts';

/** 403: `pods "x" is forbidden: <why>`. */
export function refused(admission: Admission, why: string): CaelumError {
  return forbidden(admission.resource.ref, nameFor(admission), why);
}

/** The name, or what it will be made from. */
export function nameFor({ name, object }: Pick<Admission, 'name' | 'object'>): string {
  if (name !== '') return name;
  const { name: own, generateName } = object?.metadata ?? {};
  if (own !== undefined && own !== '') return own;
  return generateName === undefined || generateName === '' ? 'Unknown!' : generateName;
}
