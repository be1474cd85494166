/**
 * MutatingAdmissionWebhook and ValidatingAdmissionWebhook: whoever has registered is asked before something is stored.
 *
 *   configurations, by name ─▶ hooks that match ─▶ asked: one after the other to change it, all at once to refuse it
 *
 * A hook that cannot be asked, or answers nonsense, lets the request fail or pass as its failurePolicy says. Hooks that have seen the object before another hook
 * changed it are asked once more where they wish to be (reinvocationPolicy). Calling is passed in.
 * Source: Kubernetes 1.36, k8s.io/apiserver/pkg/admission/plugin/webhook, as behaviour.
 */
import {
  draftOf,
  jsonPatch,
  type MatchCondition,
  type MutatingWebhook,
  type MutatingWebhookConfiguration,
  type ValidatingWebhook,
  type ValidatingWebhookConfiguration,
} from '../../../api/index.ts';
import { CaelumError, isError, sameJson } from '../../../lib/index.ts';
import type { DraftObject, Resource } from '../../resource.ts';
import type { Admission, AdmissionContext, AdmissionStep } from '../chain.ts';
import { Following } from '../following.ts';
import { recordWebhooks, type WebhookRecorder } from '../metrics.ts';
import { convertDraft } from './convert.ts';
import { isExempt, resourceFor, selectorsMatch } from './match.ts';
import { denial, noDryRun, reviewOf, reviewVersion, type Verdict, verdictOf } from './review.ts';

/** Whether all of a hook's conditions hold. Throws where one cannot be answered; the hook's failurePolicy then decides. */
export type ConditionsHold = (
  conditions: readonly MatchCondition[],
  admission: Admission,
) => boolean | Promise<boolean>;

interface Hook {
  /** configuration/hook. */
  readonly key: string;
  readonly configuration: string;
  readonly webhook: MutatingWebhook & ValidatingWebhook;
}

type Kind = 'mutating' | 'validating';
type Configuration = MutatingWebhookConfiguration | ValidatingWebhookConfiguration;

const group = 'admissionregistration.k8s.io';

/** The hooks of all configurations of one kind, in the order in which they are asked. */
class Hooks {
  readonly #following: Following<Configuration>;
  #hooks: readonly Hook[] | undefined;

  constructor(context: AdmissionContext, kind: Kind) {
    const resource = context.resources.find(group, 'v1', `${kind}webhookconfigurations`);
    this.#following = new Following<Configuration>(context, resource, () => {
      this.#hooks = undefined;
    });
  }

  get all(): readonly Hook[] {
    this.#hooks ??= [...this.#following.in('').values()]
      .sort((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
      .flatMap(({ metadata: { name = '' }, webhooks }) =>
        ((webhooks ?? []) as readonly (MutatingWebhook & ValidatingWebhook)[]).map((webhook) => ({
          key: `${name}/${webhook.name}`,
          configuration: name,
          webhook,
        })),
      );
    return this.#hooks;
  }
}

/** What happened to one request between hooks. */
interface Story {
  changes: number;
  /** Hook → how many changes there were when it had been asked. */
  readonly seen: Map<string, number>;
  /** The object when the last hook of the first round was through. */
  left: object | undefined;
}

export function admissionWebhooks(
  context: AdmissionContext,
  conditionsHold: ConditionsHold | undefined,
): { readonly mutating: AdmissionStep; readonly validating: AdmissionStep } {
  const calling = new Calling(context, conditionsHold);
  const mutators = new Hooks(context, 'mutating');
  const validators = new Hooks(context, 'validating');
  const stories = new WeakMap<Admission, Story>();
  return {
    mutating: {
      name: 'MutatingAdmissionWebhook',
      concerns: (resource) => !isExempt(resource),
      handles: () => mutators.all.length > 0,
      mutate(admission) {
        const hooks = mutators.all.filter(
          (hook) => resourceFor(context, hook.webhook, admission) !== undefined,
        );
        if (hooks.length === 0) return undefined;
        let story = stories.get(admission);
        if (story === undefined) {
          story = { changes: 0, seen: new Map(), left: undefined };
          stories.set(admission, story);
        } else if (!sameJson(story.left, admission.object)) story.changes++;
        return mutateAll(calling, hooks, admission, story);
      },
    },
    validating: {
      name: 'ValidatingAdmissionWebhook',
      concerns: (resource) => !isExempt(resource),
      handles: () => validators.all.length > 0,
      validate(admission) {
        const hooks = validators.all.filter(
          (hook) => resourceFor(context, hook.webhook, admission) !== undefined,
        );
        return hooks.length === 0 ? undefined : validateAll(calling, hooks, admission);
      },
    },
  };
}

async function mutateAll(
  calling: Calling,
  hooks: readonly Hook[],
  admission: Admission,
  story: Story,
): Promise<void> {
  for (const [index, hook] of hooks.entries()) {
    const before = story.seen.get(hook.key);
    if (admission.round > 0) {
      // The second time only who wishes to be asked again, has been asked, and has not seen all.
      const wishes = hook.webhook.reinvocationPolicy === 'IfNeeded';
      if (before === undefined || !wishes || before === story.changes) continue;
    }
    const changed = await calling.mutate(hook, index, admission);
    if (changed === undefined) continue;
    if (changed) {
      story.changes++;
      admission.again();
    }
    story.seen.set(hook.key, story.changes);
  }
  story.left = admission.object === undefined ? undefined : structuredClone(admission.object);
}

async function validateAll(calling: Calling, hooks: readonly Hook[], admission: Admission): Promise<void> {
  const answers = await Promise.allSettled(
    hooks.map((hook, index) => calling.validate(hook, index, admission)),
  );
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
}

class Calling {
  readonly #context: AdmissionContext;
  readonly #conditionsHold: ConditionsHold | undefined;
  readonly #recorder: WebhookRecorder;

  constructor(context: AdmissionContext, conditionsHold: ConditionsHold | undefined) {
    this.#context = context;
    this.#recorder = recordWebhooks(context.metrics);
    this.#conditionsHold = conditionsHold;
  }

  /** Whether it has changed the object; undefined: it was not asked. */
  async mutate(hook: Hook, index: number, admission: Admission): Promise<boolean | undefined> {
    const asked = await this.#ask('mutating', hook, index, admission);
    if (asked === undefined) return undefined;
    const { verdict, as, shown } = asked;
    let changed = false;
    if (verdict.patch !== undefined && admission.object === undefined)
      throw new CaelumError(
        'internal',
        `Internal error occurred: admission webhook ${JSON.stringify(hook.webhook.name)} attempted to modify the object, which is not supported for this operation`,
      );
    if (verdict.patch !== undefined && admission.object !== undefined) {
      const result = await this.#patched(hook, index, admission, verdict.patch, shown, as);
      if (result !== undefined && !sameJson(result, admission.object)) {
        admission.object = result;
        changed = true;
      }
    }
    admission.annotate(
      `mutation.webhook.admission.k8s.io/round_${admission.round}_index_${index}`,
      JSON.stringify({ configuration: hook.configuration, webhook: hook.webhook.name, mutated: changed }),
    );
    return changed;
  }

  async validate(hook: Hook, index: number, admission: Admission): Promise<void> {
    await this.#ask('validating', hook, index, admission);
  }

  /** undefined: none of its business, or it cannot be asked and that does not matter. Throws what the request is refused with. */
  async #ask(
    kind: Kind,
    hook: Hook,
    index: number,
    admission: Admission,
  ): Promise<{ verdict: Verdict; as: Resource; shown: DraftObject | undefined } | undefined> {
    const { webhook } = hook;
    const as = resourceFor(this.#context, webhook, admission);
    if (as === undefined || !selectorsMatch(this.#context, webhook, admission)) return undefined;
    if (!(await this.#holds(hook, admission))) return undefined;
    if (admission.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun')
      throw noDryRun(webhook.name);
    let answer: { verdict: Verdict; shown: DraftObject | undefined };
    const { operation } = admission;
    const { clock } = this.#context;
    const startMs = clock.monotonicMs();
    const took = (): number => (clock.monotonicMs() - startMs) / 1000;
    try {
      answer = await this.#call(hook, admission, as);
    } catch (error) {
      const isFatal = webhook.failurePolicy !== 'Ignore';
      this.#recorder.called(webhook.name, kind, operation, isFatal, took());
      if (isFatal) this.#recorder.rejected(webhook.name, kind, operation, 'calling_webhook_error', 500);
      else this.#recorder.failedOpen(webhook.name, kind);
      this.#failed(kind, hook, index, admission, error);
      return undefined;
    }
    const { verdict, shown } = answer;
    this.#recorder.called(webhook.name, kind, operation, !verdict.allowed, took());
    if (!verdict.allowed)
      this.#recorder.rejected(webhook.name, kind, operation, 'no_error', verdict.status?.code ?? 403);
    for (const [key, value] of Object.entries(verdict.annotations))
      admission.annotate(`${webhook.name}/${key}`, value);
    for (const warning of verdict.warnings) admission.warn(warning);
    if (!verdict.allowed) throw denial(webhook.name, verdict.status);
    return { verdict, as, shown };
  }

  async #holds({ webhook }: Hook, admission: Admission): Promise<boolean> {
    const { matchConditions = [] } = webhook;
    if (matchConditions.length === 0) return true;
    try {
      if (this.#conditionsHold === undefined)
        throw new CaelumError('internal', 'match conditions are not evaluated here');
      return await this.#conditionsHold(matchConditions, admission);
    } catch (error) {
      if (webhook.failurePolicy === 'Ignore') return false;
      const { resource, name } = admission;
      throw new CaelumError(
        'forbidden',
        `${resource.groupResource} ${JSON.stringify(name)} is forbidden: ${(error as Error).message}`,
        { cause: error, details: { group: resource.kind.group, kind: resource.kind.resource, name } },
      );
    }
  }

  async #call(hook: Hook, admission: Admission, as: Resource) {
    const { webhook } = hook;
    const version = reviewVersion(webhook.admissionReviewVersions);
    if (version === undefined)
      throw new CaelumError(
        'unavailable',
        `could not get REST client: webhook does not accept known AdmissionReview versions (v1, v1beta1)`,
      );
    const { resource, object, oldObject } = admission;
    const shown = object === undefined ? undefined : await convertDraft(resource, as, object);
    const old =
      oldObject === undefined
        ? undefined
        : await convertDraft(resource, as, draftOf(oldObject) as DraftObject);
    const uid = this.#context.random.uuid();
    const body = reviewOf(admission, { uid, version, as, object: shown, oldObject: old });
    let answer: unknown;
    try {
      answer = await this.#context.callWebhook({
        target: webhook.clientConfig,
        body,
        timeoutMs: (webhook.timeoutSeconds ?? 10) * 1000,
        tellsTimeout: true,
      });
    } catch (error) {
      throw new CaelumError('unavailable', `failed to call webhook: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return { verdict: verdictOf(answer, { uid, version }), shown };
  }

  /** Throws where its failure is the request's. */
  #failed(kind: Kind, { webhook }: Hook, index: number, admission: Admission, error: unknown): void {
    if (!isError(error, 'unavailable')) throw error;
    const text = `failed calling webhook ${JSON.stringify(webhook.name)}: ${error.message}`;
    if (webhook.failurePolicy !== 'Ignore')
      throw new CaelumError('internal', `Internal error occurred: ${text}`, {
        cause: error,
        details: { causes: [{ reason: '', message: text, field: '' }] },
      });
    const round = kind === 'mutating' ? admission.round : 0;
    admission.annotate(
      `failed-open.${kind === 'mutating' ? 'mutation' : 'validating'}.webhook.admission.k8s.io/round_${round}_index_${index}`,
      webhook.name,
    );
    this.#context.log.warn('a webhook failed and is ignored', {
      webhook: webhook.name,
      error: error.message,
    });
  }

  /** undefined: the patch does not apply, and that does not matter. */
  async #patched(
    hook: Hook,
    index: number,
    admission: Admission,
    patch: unknown,
    shown: DraftObject | undefined,
    as: Resource,
  ): Promise<DraftObject | undefined> {
    let patched: unknown;
    try {
      patched = jsonPatch(shown, patch);
      if (typeof patched !== 'object' || patched === null || Array.isArray(patched))
        throw new CaelumError('invalid', 'the patch leaves no object');
    } catch (error) {
      this.#failed(
        'mutating',
        hook,
        index,
        admission,
        new CaelumError('unavailable', (error as Error).message),
      );
      return undefined;
    }
    const wanted = structuredClone(patched) as DraftObject;
    if (wanted.kind !== shown?.kind || wanted.apiVersion !== shown?.apiVersion)
      throw new CaelumError(
        'internal',
        `Internal error occurred: admission webhook ${JSON.stringify(hook.webhook.name)} made a ${wanted.apiVersion}, Kind=${wanted.kind} of a ${shown?.apiVersion}, Kind=${shown?.kind}`,
      );
    return convertDraft(as, admission.resource, wanted);
  }
}
