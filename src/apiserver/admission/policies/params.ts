/** The parameters of a policy's binding: which objects, read from the store. Source: Kubernetes 1.36, plugin/policy/generic, as behaviour. */
import { type KubeObject, labelPredicate, type ParamKind } from '../../../api/index.ts';
import type { Stored } from '../../../store/index.ts';
import type { Resource } from '../../resource.ts';
import type { Admission, AdmissionContext } from '../chain.ts';
import type { BindingSpec } from './book.ts';

/** The binding or its policy says something that cannot be followed; the policy's failurePolicy decides what that means. */
export class Misconfigured extends Error {
  /** Whatever the binding. */
  readonly isOfPolicy: boolean;
  constructor(message: string, isOfPolicy = false) {
    super(message);
    this.isOfPolicy = isOfPolicy;
  }
}

/** Each set that the policy is evaluated with: one without parameters where it takes none; none where they may be missing and are. */
export async function paramsFor(
  context: AdmissionContext,
  kind: ParamKind | undefined,
  { paramRef }: BindingSpec,
  admission: Admission,
): Promise<readonly (KubeObject | undefined)[]> {
  if (kind === undefined || paramRef === undefined) return [undefined];
  const { apiVersion = '', kind: name = '' } = kind;
  const resource = resourceOf(context, apiVersion, name);
  if (resource === undefined)
    throw new Misconfigured(
      `failed to configure policy: failed to find resource referenced by paramKind: '${gvkText(apiVersion, name)}'`,
      true,
    );
  const namespace = namespaceFor(resource, paramRef.namespace, admission);
  const stored =
    paramRef.selector === undefined
      ? one(context, resource, namespace, paramRef.name ?? '')
      : [...context.store.list(resource.prefixOf(namespace)).items];
  if (stored.length > 0) await resource.prepare?.(stored);
  let found = stored.map((item) => resource.objectOf(item));
  if (paramRef.selector !== undefined) {
    const matches = labelPredicate(paramRef.selector);
    found = found.filter(({ metadata }) => matches(metadata.labels));
  }
  if (found.length === 0 && paramRef.parameterNotFoundAction !== 'Allow')
    throw new Misconfigured(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    );
  return found;
}

function one(
  { store }: AdmissionContext,
  resource: Resource,
  namespace: string,
  name: string,
): readonly Stored[] {
  const stored = store.latest(resource.key(namespace, name));
  return stored === undefined ? [] : [stored];
}

function namespaceFor(resource: Resource, named: string | undefined, admission: Admission): string {
  if (!resource.kind.namespaced) {
    if (named !== undefined && named !== '')
      throw new Misconfigured(
        'failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
      );
    return '';
  }
  if (named !== undefined && named !== '') return named;
  if (admission.namespace === '')
    throw new Misconfigured(
      'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    );
  return admission.namespace;
}

/** The resource in which objects of a kind are kept. */
export function resourceOf(
  { resources }: Pick<AdmissionContext, 'resources'>,
  apiVersion: string,
  kind: string,
): Resource | undefined {
  for (const resource of resources.all())
    if (resource.kind.kind === kind && resource.apiVersion === apiVersion) return resource;
  return undefined;
}

/** As messages name it: `apps/v1, Kind=Deployment`. */
export function gvkText(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}
