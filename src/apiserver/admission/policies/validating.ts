/**
 * ValidatingAdmissionPolicy: rules in expressions that decide whether something may be stored.
 *
 *   policies, bindings ─▶ that match ─▶ parameters ─▶ conditions ─▶ rules ─▶ denied, warned of, noted for the audit log
 *
 * Source: Kubernetes 1.36, k8s.io/apiserver/pkg/admission/plugin/policy/validating, as behaviour.
 */
import { type CompiledValidation, cel } from '../../../api/index.ts';
import { CaelumError } from '../../../lib/index.ts';
import type { Admission, AdmissionContext, AdmissionStep } from '../chain.ts';
import { nameFor } from '../refusal.ts';
import { isExempt } from '../webhooks/match.ts';
import { AccessQuestions, type Activation } from './activation.ts';
import { type BoundPolicy, PolicyBook } from './book.ts';
import {
  type Application,
  applicationsOf,
  evaluated,
  type Matched,
  matchedPolicies,
  seenAs,
} from './dispatch.ts';

export function validatingPolicies(context: AdmissionContext): AdmissionStep {
  const book = new PolicyBook(context, 'validating');
  return {
    name: 'ValidatingAdmissionPolicy',
    concerns: (resource) => !isExempt(resource),
    handles: () => book.bound.length > 0,
    validate(admission) {
      const policies = matchedPolicies(context, book.bound, admission);
      return policies === undefined ? undefined : validateAll(context, policies, admission);
    },
  };
}

interface Denial {
  readonly policy: string;
  /** undefined: whatever the binding. */
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

/** One rule that was not kept. */
interface Failure {
  readonly message: string;
  readonly reason: string;
  readonly index: number;
}

interface Outcome {
  readonly failures: readonly Failure[];
  readonly annotations: readonly (readonly [key: string, value: string])[];
}

async function validateAll(
  context: AdmissionContext,
  policies: readonly Matched[],
  admission: Admission,
): Promise<void> {
  const denials: Denial[] = [];
  const noted: object[] = [];
  const annotations = new Map<string, Set<string>>();
  const questions = new AccessQuestions(context, admission);
  const applications = await applicationsOf(context, policies, admission, (policy, binding, message) => {
    denials.push({ policy: policy.name, binding: binding?.name, message, reason: '' });
  });
  for (const application of applications) {
    const { policy, binding } = application;
    const { failures, annotations: made } = await outcomeOf(context, admission, application, questions);
    for (const [key, value] of made) {
      const name = `${policy.name}/${key}`;
      const values = annotations.get(name) ?? new Set();
      annotations.set(name, values.add(value));
    }
    for (const { message, reason, index } of failures)
      for (const action of binding.spec.validationActions ?? []) {
        if (action === 'Deny') denials.push({ policy: policy.name, binding: binding.name, message, reason });
        else if (action === 'Warn')
          admission.warn(
            `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}': ${message}`,
          );
        else if (action === 'Audit')
          noted.push({
            message,
            policy: policy.name,
            binding: binding.name,
            expressionIndex: index,
            validationActions: binding.spec.validationActions,
          });
      }
  }
  if (noted.length > 0)
    admission.annotate('validation.policy.admission.k8s.io/validation_failure', JSON.stringify(noted));
  for (const [key, values] of annotations) admission.annotate(key, [...values].join(', '));
  const [denial] = denials;
  if (denial !== undefined) throw refusal(admission, denial);
}

async function outcomeOf(
  context: AdmissionContext,
  admission: Admission,
  application: Application,
  questions: AccessQuestions,
): Promise<Outcome> {
  const { policy, as } = application;
  const seen = await seenAs(admission, as);
  const ignores = policy.spec.failurePolicy === 'Ignore';
  try {
    const outcome = await evaluated(context, admission, application, seen, questions, (activation) =>
      judge(policy, activation, ignores),
    );
    return outcome ?? { failures: [], annotations: [] };
  } catch (error) {
    if (!(error instanceof cel.Fault)) throw error;
    return { failures: ignores ? [] : [{ message: error.message, reason: '', index: 0 }], annotations: [] };
  }
}

function judge({ compiled }: BoundPolicy, activation: Activation, ignores: boolean): Outcome {
  const failures: Failure[] = [];
  const annotations: [string, string][] = [];
  for (const [index, validation] of compiled.validations.entries()) {
    const { of, compiled: rule } = validation;
    const { value, error } =
      rule.program === undefined ? { value: undefined, error: rule.text } : activation.evaluate(rule.program);
    if (error !== undefined) {
      if (!ignores)
        failures.push({
          message: `expression '${of.expression}' resulted in error: ${error}`,
          reason: '',
          index,
        });
    } else if (value !== true)
      failures.push({ message: messageOf(validation, activation), reason: of.reason ?? '', index });
  }
  for (const [index, { of, compiled: made }] of compiled.annotations.entries()) {
    const { value, error } =
      made.program === undefined ? { value: undefined, error: made.text } : activation.evaluate(made.program);
    if (error !== undefined) {
      if (!ignores)
        failures.push({
          message: `expression '${of.valueExpression}' resulted in error: ${error}`,
          reason: '',
          index,
        });
    } else if (typeof value === 'string' && value.trim() !== '')
      annotations.push([of.key, value.slice(0, annotationMax)]);
  }
  return { failures, annotations };
}

const annotationMax = 10 * 1024;
const messageMax = 5 * 1024;

/** The message's expression, where it gives one line of text; the message; or which expression failed. */
function messageOf({ of, message }: CompiledValidation, activation: Activation): string {
  if (message?.program !== undefined) {
    const { value } = activation.evaluate(message.program);
    const text = typeof value === 'string' ? value.trim() : '';
    if (text !== '' && text.length <= messageMax && !/[\n\r]/.test(text)) return text;
  }
  const own = (of.message ?? '').trim();
  return own === '' ? `failed expression: ${of.expression.trim()}` : own;
}

const codes: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

function refusal(admission: Admission, { policy, binding, message: why, reason }: Denial): CaelumError {
  const by = binding === undefined ? '' : ` with binding '${binding}'`;
  const message = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${why}`;
  const { kind, groupResource } = admission.resource;
  const name = nameFor(admission);
  const said = {
    code: codes[reason === '' ? 'Invalid' : reason] ?? 422,
    reason: reason === '' ? 'Invalid' : reason,
    details: {
      name,
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.resource,
      causes: [{ message }],
    },
  };
  return new CaelumError('forbidden', `${groupResource} ${JSON.stringify(name)} is forbidden: ${message}`, {
    details: { said },
  });
}
