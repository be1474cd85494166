import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cel } from '../../../api/index.ts';
import type { Attributes } from '../../access/rules.ts';
import type { Admission, AdmissionContext } from '../chain.ts';
import { AccessQuestions, Activation, conditionsHold, untilAnswered } from './activation.ts';

function programOf(expression: string): cel.Program {
  const { program, text } = cel.compile(expression, {
    variables: { authorizer: cel.authorizerType, object: cel.dyn, variables: cel.dyn },
  });
  assert.ok(program !== undefined, text ?? '');
  return program;
}

/** Decisions come later, or not at all. */
function slowAccess(asked: string[]): AdmissionContext {
  const ask = async (_: unknown, attributes: Attributes) => {
    asked.push(attributes.kind === 'resource' ? attributes.resource : attributes.path);
    await Promise.resolve();
    if (attributes.kind === 'path') throw new Error('nobody answers');
    return { allowed: attributes.resource === 'pods', because: 'so it is' };
  };
  return { access: { ask } } as unknown as AdmissionContext;
}

const admission = { identity: { user: 'u', groups: [] } } as unknown as Admission;
const seen = { as: undefined as never, object: { a: 1 }, oldObject: undefined };

test('untilAnswered() evaluates again when who was asked has answered, and asks each question once', async () => {
  const asked: string[] = [];
  const context = slowAccess(asked);
  const questions = new AccessQuestions(context, admission);
  const check = (resource: string) => `authorizer.group('').resource('${resource}').check('get')`;
  // A question costs as much as Kubernetes says: an expression can ask two.
  for (const expression of [
    `${check('pods')}.allowed() && !${check('nodes')}.allowed()`,
    `${check('pods')}.reason() == 'so it is' && authorizer.path('/x').check('get').errored()`,
  ]) {
    const program = programOf(expression);
    const { value, error } = await untilAnswered(() =>
      new Activation(context, admission, seen, questions, undefined, []).evaluate(program),
    );
    assert.deepEqual([value, error], [true, undefined]);
  }
  assert.deepEqual(asked, ['pods', 'nodes', '/x']);
});

test('conditionsHold() lets one that does not hold settle it, whatever fails', () => {
  const context = slowAccess([]);
  const conditions = (...list: string[]) =>
    list.map((expression) => ({ expression, program: programOf(expression) }));
  const holds = (...list: string[]) =>
    conditionsHold(
      conditions(...list),
      new Activation(context, admission, seen, new AccessQuestions(context, admission), undefined, []),
    );
  assert.equal(holds('object.a == 1', 'true'), true);
  assert.equal(holds('object.nope == 1', 'object.a == 2'), false);
  assert.throws(() => holds('object.a == 1', 'object.nope == 1'), {
    message: "expression 'object.nope == 1' resulted in error: no such key: nope",
  });
});

test('an Activation evaluates variables once, and bounds what all expressions cost together', () => {
  const context = slowAccess([]);
  const object = { list: Array.from({ length: 100_000 }, (_, index) => index) };
  const of = (name: string, expression: string) => ({
    of: { name, expression },
    compiled: cel.compile(expression, { variables: { object: cel.dyn, variables: cel.dyn } }),
  });
  const activation = new Activation(
    context,
    admission,
    { ...seen, object },
    new AccessQuestions(context, admission),
    undefined,
    [of('sum', 'object.list.all(x, x >= 0)'), of('bad', '1 / (variables.sum ? 0 : 1)')],
  );
  const first = activation.evaluate(programOf('variables.sum')).cost;
  assert.ok(activation.evaluate(programOf('variables.sum')).cost <= first, 'known by now');
  assert.equal(
    activation.evaluate(programOf('variables.bad == 1')).error,
    'composited variable "bad" fails to evaluate: division by zero',
  );
  const dear = programOf('object.list.all(x, x >= 0)');
  assert.throws(
    () => {
      for (let round = 0; round < 100; round++) assert.equal(activation.evaluate(dear).error, undefined);
    },
    {
      message: 'validation failed due to running out of cost budget, no further validation rules will be run',
    },
  );
});
