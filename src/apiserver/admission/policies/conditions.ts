/** The match conditions of webhooks. Pure. */
import { compileCondition, type MatchCondition } from '../../../api/index.ts';
import type { Admission, AdmissionContext } from '../chain.ts';
import { AccessQuestions, Activation, conditionsHold, untilAnswered } from './activation.ts';

/** Whether all hold. Throws where one cannot be answered and none settles it; the webhook's failurePolicy then decides. */
export function matchConditions(context: AdmissionContext) {
  return (conditions: readonly MatchCondition[], admission: Admission): boolean | Promise<boolean> => {
    const compiled = conditions.map((condition) => ({
      expression: condition.expression,
      program: compileCondition(condition).program,
    }));
    const { resource: as, object, oldObject } = admission;
    const questions = new AccessQuestions(context, admission);
    return untilAnswered(() =>
      conditionsHold(
        compiled,
        new Activation(context, admission, { as, object, oldObject }, questions, undefined, []),
      ),
    );
  };
}
