/**
 * What the expressions of a policy see of a request, and what they may cost. Pure.
 *
 * Everything is made when an expression first looks at it; variables are evaluated once. One budget for all expressions of one policy: what runs it out fails.
 * Who decides about access may take time: the expression is given up, the answer waited for, and all is evaluated again.
 */
import { type CompiledPart, cel, type KubeObject, type Variable } from '../../../api/index.ts';
import type { Attributes } from '../../access/rules.ts';
import type { Identity } from '../../identity.ts';
import type { Resource } from '../../resource.ts';
import type { Admission, AdmissionContext } from '../chain.ts';
import { reviewOf } from '../webhooks/review.ts';

/** An answer that is to come; thrown out of an expression. */
class Waiting {
  readonly answer: Promise<unknown>;
  constructor(answer: Promise<unknown>) {
    this.answer = answer;
  }
}

/** Runs it, and again whenever an answer that it waited for has come. */
export function untilAnswered<T>(run: () => T): T | Promise<T> {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof Waiting)) throw error;
    return error.answer.then(() => untilAnswered(run));
  }
}

/** Who is asked about access during one request, and what was answered. */
export class AccessQuestions {
  readonly #context: AdmissionContext;
  readonly #admission: Admission;
  readonly #answers = new Map<string, cel.AccessDecision>();

  constructor(context: AdmissionContext, admission: Admission) {
    this.#context = context;
    this.#admission = admission;
  }

  readonly decide: cel.Decide = (question) => {
    const key = JSON.stringify(question);
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const { serviceAccount } = question;
    const identity =
      serviceAccount === undefined
        ? this.#admission.identity
        : serviceAccountIdentity(serviceAccount.namespace, serviceAccount.name);
    const note = (decision: { readonly allowed: boolean; readonly because: string }): cel.AccessDecision => {
      const noted = { allowed: decision.allowed, reason: decision.because };
      this.#answers.set(key, noted);
      return noted;
    };
    const answer = this.#context.access.ask(identity, attributesOf(question));
    if (!(answer instanceof Promise)) return note(answer);
    throw new Waiting(
      answer.then(note, (error: unknown) => {
        this.#answers.set(key, { allowed: false, reason: '', error: (error as Error).message });
      }),
    );
  };
}

const serviceAccountIdentity = (namespace: string, name: string): Identity => ({
  user: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});

function attributesOf({ verb, path, resource }: cel.AccessQuestion): Attributes {
  if (resource === undefined) return { kind: 'path', verb, path: path ?? '' };
  const { fieldSelector, labelSelector, ...rest } = resource;
  const selectors = {
    ...(fieldSelector === '' ? {} : { field: fieldSelector }),
    ...(labelSelector === '' ? {} : { label: labelSelector }),
  };
  return { kind: 'resource', verb, ...rest, ...(Object.keys(selectors).length === 0 ? {} : { selectors }) };
}

const noBudgetWhy =
  'validation failed due to running out of cost budget, no further validation rules will be run';

export interface Seen {
  readonly as: Resource;
  readonly object: object | undefined;
  readonly oldObject: object | undefined;
}

export class Activation {
  readonly #context: AdmissionContext;
  readonly #admission: Admission;
  readonly #seen: Seen;
  readonly #questions: AccessQuestions;
  #request: unknown;
  #namespace: unknown;
  readonly params: unknown;
  readonly variables: object = {};
  #budget = cel.requestCostMax;

  constructor(
    context: AdmissionContext,
    admission: Admission,
    seen: Seen,
    questions: AccessQuestions,
    params: KubeObject | undefined,
    variables: readonly CompiledPart<Variable>[],
  ) {
    this.#context = context;
    this.#admission = admission;
    this.#seen = seen;
    this.#questions = questions;
    this.params = params ?? null;
    for (const variable of variables) this.#define(variable);
  }

  get object(): unknown {
    return this.#seen.object ?? null;
  }

  get oldObject(): unknown {
    return this.#seen.oldObject ?? null;
  }

  get request(): unknown {
    if (this.#request === undefined) {
      const question = { uid: '', version: 'v1', as: this.#seen.as, object: undefined, oldObject: undefined };
      const { request } = reviewOf(this.#admission, question) as { readonly request: object };
      this.#request = request;
    }
    return this.#request;
  }

  get namespaceObject(): unknown {
    if (this.#namespace === undefined) {
      const { namespace, resource } = this.#admission;
      const stored =
        namespace === '' || !resource.kind.namespaced
          ? undefined
          : this.#context.store.latest(this.#context.resources.core('namespaces').key('', namespace));
      this.#namespace = stored?.object() ?? null;
    }
    return this.#namespace;
  }

  get authorizer(): unknown {
    return cel.authorizerOf(this.#questions.decide);
  }

  get 'authorizer.requestResource'(): unknown {
    const { resource, subresource, namespace, name } = this.#admission;
    const { group, resource: plural } = resource.kind;
    const asked = {
      group,
      resource: plural,
      subresource,
      namespace,
      name,
      fieldSelector: '',
      labelSelector: '',
    };
    return cel.resourceCheckOf(this.#questions.decide, asked);
  }

  /** Throws a fault where the budget of all expressions together runs out. */
  evaluate(program: cel.Program): cel.Evaluation {
    const costLimit = Math.min(cel.callCostMax, this.#budget);
    const evaluation = program.evaluate(this as unknown as Readonly<Record<string, unknown>>, { costLimit });
    this.#budget -= evaluation.cost;
    if (evaluation.isOverLimit === true && (costLimit < cel.callCostMax || evaluation.error === noBudgetWhy))
      throw new cel.Fault(noBudgetWhy, true);
    return evaluation;
  }

  #define({ of: { name }, compiled: { program } }: CompiledPart<Variable>): void {
    let known: cel.Evaluation | undefined;
    Object.defineProperty(this.variables, name, {
      enumerable: true,
      get: () => {
        known ??= program === undefined ? { error: 'it does not compile', cost: 0 } : this.evaluate(program);
        const { error, value, isOverLimit = false } = known;
        if (error !== undefined)
          throw new cel.Fault(
            `composited variable ${JSON.stringify(name)} fails to evaluate: ${error}`,
            isOverLimit,
          );
        return value;
      },
    });
  }
}

/** All conditions hold. One that does not settles it; otherwise one that fails does, by throwing. */
export function conditionsHold(
  conditions: readonly { readonly expression: string; readonly program: cel.Program | undefined }[],
  activation: Activation,
): boolean {
  const failures: string[] = [];
  for (const { expression, program } of conditions) {
    const { value, error } =
      program === undefined
        ? { value: undefined, error: 'it does not compile' }
        : activation.evaluate(program);
    if (value === false) return false;
    if (error !== undefined) failures.push(`expression '${expression}' resulted in error: ${error}`);
  }
  if (failures.length > 0)
    throw new cel.Fault(failures.length === 1 ? (failures[0] ?? '') : `[${failures.join(', ')}]`);
  return true;
}
