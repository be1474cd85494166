/**
 * MutatingAdmissionPolicy: changes in expressions, made to what is to be stored.
 *
 *   policies, bindings ─▶ that match ─▶ parameters ─▶ conditions ─▶ each mutation: a configuration laid over the object, or a JSON patch
 *
 * Policies that have seen the object before another one changed it are run once more where they wish to be (reinvocationPolicy).
 * Source: Kubernetes 1.36, k8s.io/apiserver/pkg/admission/plugin/policy/mutating, as behaviour.
 */
import {
  cel,
  checkShape,
  jsonPatch,
  type Mutation,
  type OwnershipShape,
  overlay,
  shapeOfMessage,
} from '../../../api/index.ts';
import { CaelumError, isError, sameJson } from '../../../lib/index.ts';
import type { DraftObject, Resource } from '../../resource.ts';
import type { Admission, AdmissionContext, AdmissionStep } from '../chain.ts';
import { nameFor } from '../refusal.ts';
import { convertDraft } from '../webhooks/convert.ts';
import { isExempt } from '../webhooks/match.ts';
import { AccessQuestions } from './activation.ts';
import { type Binding, type BoundPolicy, PolicyBook } from './book.ts';
import {
  type Application,
  activated,
  applicationsOf,
  evaluated,
  type Matched,
  matchedPolicies,
  seenAs,
} from './dispatch.ts';

/** What happened to one request between policies. */
interface Story {
  changes: number;
  /** Policy → how many changes there were when it had run. */
  readonly seen: Map<string, number>;
  left: DraftObject | undefined;
}

export function mutatingPolicies(context: AdmissionContext): AdmissionStep {
  const book = new PolicyBook(context, 'mutating');
  const stories = new WeakMap<Admission, Story>();
  return {
    name: 'MutatingAdmissionPolicy',
    concerns: (resource, _, operation) => operation !== 'DELETE' && !isExempt(resource),
    handles: ({ object }) => object !== undefined && book.bound.length > 0,
    mutate(admission) {
      const policies = matchedPolicies(context, book.bound, admission);
      if (policies === undefined) return undefined;
      let story = stories.get(admission);
      if (story === undefined) {
        story = { changes: 0, seen: new Map(), left: undefined };
        stories.set(admission, story);
      } else if (!sameJson(story.left, admission.object)) story.changes++;
      return mutateAll(context, policies, admission, story);
    },
  };
}

/** Of one policy, by one binding. */
interface Failure {
  readonly message: string;
  /** '': as of what is forbidden. */
  readonly reason: string;
}

async function mutateAll(
  context: AdmissionContext,
  policies: readonly Matched[],
  admission: Admission,
  story: Story,
): Promise<void> {
  const questions = new AccessQuestions(context, admission);
  const failures: Failure[] = [];
  const failed = (policy: BoundPolicy, binding: Binding | undefined, why: string, reason = ''): void => {
    if (policy.spec.failurePolicy === 'Ignore') return;
    const by = binding === undefined ? `"${policy.name}"` : `'${policy.name}' with binding '${binding.name}'`;
    const message = `policy ${by} denied request: ${why}`;
    failures.push({ message, reason });
  };
  for (const application of await applicationsOf(context, policies, admission, failed)) {
    const { policy, binding, params } = application;
    const { namespace = '', name = '' } = params?.metadata ?? {};
    const key = `${policy.name}/${binding.name}/${namespace}/${name}`;
    const before = story.seen.get(key);
    if (admission.round > 0) {
      const wishes = policy.spec.reinvocationPolicy === 'IfNeeded';
      if (before === undefined || !wishes || before === story.changes) continue;
    }
    const changed = await apply(context, admission, application, questions, (why) => {
      failed(policy, binding, why, 'Invalid');
    });
    if (changed) {
      story.changes++;
      admission.again();
    }
    story.seen.set(key, story.changes);
  }
  if (failures.length > 0) throw refusal(admission, failures);
  story.left = admission.object === undefined ? undefined : structuredClone(admission.object);
}

/** The first failure names the whole; all of them are its causes. */
function refusal(admission: Admission, failures: readonly Failure[]): CaelumError {
  const { group, resource } = admission.resource.kind;
  const { message = '', reason = '' } = failures[0] ?? {};
  const said = {
    code: 403,
    reason: reason === '' ? 'Forbidden' : reason,
    details: {
      name: nameFor(admission),
      ...(group === '' ? {} : { group }),
      kind: resource,
      causes: failures.map((failure) => ({ message: failure.message })),
    },
  };
  return new CaelumError('forbidden', message, { details: { said } });
}

/** Makes its mutations one after the other, where its conditions hold. Whether they have changed the object. */
async function apply(
  context: AdmissionContext,
  admission: Admission,
  application: Application,
  questions: AccessQuestions,
  failed: (why: string) => void,
): Promise<boolean> {
  const { policy, as } = application;
  let changed = false;
  const attempt = async (step: () => Promise<void>): Promise<boolean> => {
    try {
      await step();
      return true;
    } catch (error) {
      if (!(error instanceof cel.Fault) && !isError(error, 'invalid', 'badRequest', 'internal')) throw error;
      failed(error.message);
      return false;
    }
  };
  let holds = false;
  await attempt(async () => {
    const seen = await seenAs(admission, as);
    holds = (await evaluated(context, admission, application, seen, questions, () => true)) === true;
  });
  if (!holds) return false;
  for (const { of, compiled } of policy.compiled.mutations)
    await attempt(async () => {
      const seen = await seenAs(admission, as);
      const { value, error } = await activated(
        context,
        admission,
        application,
        seen,
        questions,
        (activation): cel.Evaluation =>
          compiled.program === undefined
            ? { error: compiled.text, cost: 0 }
            : activation.evaluate(compiled.program),
      );
      const { expression = '' } = of.jsonPatch ?? of.applyConfiguration ?? {};
      if (error !== undefined) throw new cel.Fault(`expression '${expression}' resulted in error: ${error}`);
      const shown = seen.object as DraftObject;
      const result = patched(of, as, shown, cel.toJson(value));
      if (sameJson(result, shown)) return;
      admission.object = await convertDraft(as, admission.resource, result);
      changed = true;
    });
  return changed;
}

/** A copy of the object, changed. Throws `invalid` where that is not possible. */
function patched({ patchType }: Mutation, as: Resource, object: DraftObject, patch: unknown): DraftObject {
  if (patchType === 'JSONPatch') {
    const result = jsonPatch(structuredClone(object), patch);
    if (typeof result !== 'object' || result === null || Array.isArray(result))
      throw new CaelumError('invalid', 'the patch leaves no object');
    return structuredClone(result) as DraftObject;
  }
  const over = { ...(patch as Readonly<Record<string, unknown>>) };
  for (const name of ['apiVersion', 'kind'] as const) {
    const own = over[name];
    if (own !== undefined && own !== object[name])
      throw new CaelumError('invalid', `error applying patch: ${name} may not be changed`);
  }
  const { unknown, problems } = checkShape(as.message, structuredClone(over));
  const [wrong = unknown[0] === undefined ? undefined : `.${unknown[0]}: field not declared in schema`] =
    problems;
  if (wrong !== undefined)
    throw new CaelumError(
      'invalid',
      `error applying patch: failed to convert patch object to typed object: ${wrong}`,
    );
  const shape = shapeOfMessage(as.message);
  const atomic = atomicPaths(over, shape, '');
  if (atomic.length > 0)
    throw new CaelumError(
      'invalid',
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`,
    );
  return structuredClone(overlay(object, over, shape)) as DraftObject;
}

/** What would be replaced as a whole: an expression that names a part of it would wipe out the rest. */
function atomicPaths(value: unknown, shape: OwnershipShape, path: string): readonly string[] {
  if (Array.isArray(value)) {
    if (shape.kind === 'whole') return [path];
    return shape.kind === 'list'
      ? value.flatMap((item, index) => atomicPaths(item, shape.element, `${path}[${index}]`))
      : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (shape.kind === 'whole') return [path];
  if (shape.kind !== 'object') return [];
  return Object.entries(value).flatMap(([name, below]) =>
    atomicPaths(below, shape.shapeOf(name), `${path}.${name}`),
  );
}
