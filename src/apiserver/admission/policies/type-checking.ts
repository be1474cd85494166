/**
 * Looks at the types of a validating policy's expressions, and tells in its status what would never work.
 *
 *   policy written ─▶ kinds that its rules name ─▶ each expression compiled against each ─▶ status.typeChecking, observedGeneration
 *
 * Policies run without types, so nothing here keeps one from running. Source: Kubernetes 1.36, plugin/policy/validating/typechecking, as behaviour.
 */
import {
  type CustomResourceDefinition,
  cel,
  compilePolicy,
  expressionsOf,
  type KnownTypes,
  type PolicySpec,
  type ValidatingAdmissionPolicy,
} from '../../../api/index.ts';
import { explainError, isError } from '../../../lib/index.ts';
import type { ApiContext, WriteRequest } from '../../context.ts';
import { systemIdentity } from '../../identity.ts';
import { changeObject } from '../../operations/update.ts';
import type { DraftObject, Resource } from '../../resource.ts';
import type { AdmissionContext } from '../chain.ts';
import { gvkText, resourceOf } from './params.ts';

const typesMax = 10;
const retryMs = 1000;

interface Warning {
  readonly fieldRef: string;
  readonly warning: string;
}

type Context = Pick<AdmissionContext, 'resources' | 'store'>;

/** What would never work, for which kind. */
export function typeWarnings(context: Context, { spec }: ValidatingAdmissionPolicy): readonly Warning[] {
  if (spec === undefined) return [];
  const kinds = namedResources(context, spec).slice(0, typesMax);
  const { paramKind } = spec;
  const paramResource =
    paramKind === undefined
      ? undefined
      : resourceOf(context, paramKind.apiVersion ?? '', paramKind.kind ?? '');
  const params = paramResource === undefined ? undefined : typeOfResource(context, paramResource);
  const found = new Map<string, string>();
  for (const resource of kinds) {
    const object = typeOfResource(context, resource);
    const known: KnownTypes = {
      ...(object === undefined ? {} : { object }),
      ...(params === undefined ? {} : { params }),
    };
    for (const { field, compiled } of expressionsOf(compilePolicy(spec as PolicySpec, known))) {
      if (compiled.text === undefined) continue;
      const text = compiled.text.replace(/^compilation failed: /, '');
      const line = `${gvkText(resource.apiVersion, resource.kind.kind)}: ${text}\n`;
      found.set(field, (found.get(field) ?? '') + line);
    }
  }
  return [...found].map(([fieldRef, warning]) => ({ fieldRef, warning }));
}

/** Those that the rules name in full; what stands for many is not gone through. */
function namedResources(
  { resources }: Context,
  spec: NonNullable<ValidatingAdmissionPolicy['spec']>,
): readonly Resource[] {
  const found = new Set<Resource>();
  for (const { apiGroups = [], apiVersions = [], resources: names = [] } of spec.matchConstraints
    ?.resourceRules ?? [])
    for (const group of apiGroups)
      for (const version of apiVersions)
        for (const name of names) {
          const resource = resources.find(group, version, name);
          if (resource !== undefined) found.add(resource);
        }
  return [...found];
}

function typeOfResource({ resources, store }: Context, { kind }: Resource): cel.CelType | undefined {
  if (kind.custom === undefined) return cel.typeOfMessage(kind.message);
  const definitions = resources.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
  const stored = definitions && store.latest(definitions.key('', `${kind.resource}.${kind.group}`));
  const definition = stored?.object() as CustomResourceDefinition | undefined;
  const schema = definition?.spec.versions.find(({ name }) => name === kind.version)?.schema?.openAPIV3Schema;
  if (schema === undefined) return undefined;
  const own = cel.typeOfSchema(schema, { isRoot: true, name: kind.kind });
  const metadata = cel.typeOfMessage('meta.v1.ObjectMeta');
  if (own.kind !== 'object' || metadata === undefined) return own;
  return {
    ...own,
    field: (name) => (name === 'metadata' ? { json: name, type: metadata } : own.field(name)),
  };
}

/** Follows the policies, and writes the status of those that have changed. */
export function followPolicyTypes(context: ApiContext): void {
  const resource = context.resources.find(
    'admissionregistration.k8s.io',
    'v1',
    'validatingadmissionpolicies',
  );
  if (resource === undefined) return;
  const { store, log, clock } = context;
  const isOpen = ({ metadata, status }: ValidatingAdmissionPolicy): boolean =>
    metadata.deletionTimestamp === undefined && status?.observedGeneration !== metadata.generation;
  let isStopped = false;
  const settle = (policy: ValidatingAdmissionPolicy): void => {
    if (isStopped || !isOpen(policy)) return;
    writeStatus(context, resource, policy).catch((error: unknown) => {
      if (isStopped) return;
      log.warn('cannot write the status of a policy', {
        name: policy.metadata.name,
        error: explainError(error),
      });
      clock.after(retryMs, () => {
        const stored = store.latest(resource.key('', policy.metadata.name ?? ''));
        if (stored !== undefined) settle(stored.object() as ValidatingAdmissionPolicy);
      });
    });
  };
  const listing = store.list(resource.prefix);
  for (const stored of listing.items) settle(stored.object() as ValidatingAdmissionPolicy);
  store.watch(resource.prefix, listing.revision, {
    onEvents: (events) => {
      for (const { kind, current } of events)
        if (kind === 'put') settle(current.object() as ValidatingAdmissionPolicy);
    },
    onEnd: (error) => {
      isStopped = true;
      if (error !== undefined) log.error('validating admission policies are no longer followed', { error });
    },
  });
}

const request: WriteRequest = {
  identity: systemIdentity,
  namespace: '',
  dryRun: false,
  fieldValidation: 'Ignore',
};

/** Of that very policy only: another one has an event of its own. */
async function writeStatus(
  context: ApiContext,
  resource: Resource,
  policy: ValidatingAdmissionPolicy,
): Promise<void> {
  const { name = '', resourceVersion = '', generation } = policy.metadata;
  const warnings = typeWarnings(context, policy);
  try {
    await changeObject(context, resource, request, {
      name,
      part: 'exact',
      subresource: 'status',
      admission: 'admitted',
      resourceVersion,
      make: (old, copy) => {
        const draft = copy() as DraftObject;
        draft['status'] = {
          ...(old as ValidatingAdmissionPolicy).status,
          observedGeneration: generation,
          typeChecking: warnings.length === 0 ? {} : { expressionWarnings: [...warnings] },
        };
        return draft;
      },
    });
  } catch (error) {
    if (!isError(error, 'conflict', 'notFound')) throw error;
  }
}
