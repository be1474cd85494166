import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ago,
  created,
  kindOf,
  lines,
  refusals,
  row,
  type Tree,
  updateRefusals,
  withDefaults,
} from './test-submission.ts';

const group = 'admissionregistration.k8s.io';
const mutating = kindOf('mutatingwebhookconfigurations', group);
const validating = kindOf('validatingwebhookconfigurations', group);
const policies = kindOf('validatingadmissionpolicies', group);
const bindings = kindOf('validatingadmissionpolicybindings', group);
const mutations = kindOf('mutatingadmissionpolicies', group);
const mutationBindings = kindOf('mutatingadmissionpolicybindings', group);

const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const clientConfig = { service: { namespace: 'x', name: 'hook' } };
const hook = (more: Tree = {}): Tree => ({
  name: 'a.example.com',
  clientConfig,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
});
const hooks = (...webhooks: Tree[]): Tree => ({ webhooks });
const called = (config: Tree): Tree => hooks(hook({ clientConfig: config }));
const policy = (spec: Tree): Tree => ({
  spec: {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression: 'true' }],
    ...spec,
  },
});
const binding = (spec: Tree): Tree => ({
  spec: { policyName: 'p', validationActions: ['Deny'], ...spec },
});
const mutation = (...list: Tree[]): Tree => ({
  spec: { matchConstraints: { resourceRules: [rule] }, reinvocationPolicy: 'Never', mutations: list },
});

test('a webhook is asked for ten seconds, and must answer', () => {
  const [made] = created(mutating, hooks(hook({ rules: [rule] })))['webhooks'] as Tree[];
  assert.deepEqual(made, {
    ...hook(),
    clientConfig: { service: { namespace: 'x', name: 'hook', port: 443 } },
    rules: [{ ...rule, scope: '*' }],
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    reinvocationPolicy: 'Never',
  });
  const [other] = created(validating, hooks(hook()))['webhooks'] as Tree[];
  assert.equal(other?.['reinvocationPolicy'], undefined);
});

test('a configuration counts the changes of its webhooks', () => {
  const old = created(validating, hooks(hook()));
  old.metadata.generation = 1;
  for (const [object, generation] of [
    [hooks(hook({ timeoutSeconds: 5 })), 2],
    [hooks(hook()), 1],
  ] as const) {
    const draft = withDefaults(validating, object);
    validating.prepareUpdate(draft, old, { nowMs: 0 });
    assert.equal(draft.metadata.generation, generation);
  }
});

test('a policy must be kept, by equivalent requests too', () => {
  const match = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} };
  const { failurePolicy, matchConstraints } = created(policies, policy({}))['spec'] as Tree;
  assert.equal(failurePolicy, 'Fail');
  assert.deepEqual(matchConstraints, { ...match, resourceRules: [{ ...rule, scope: '*' }] });
  const bound = created(mutationBindings, { spec: { policyName: 'p', matchResources: {} } });
  assert.deepEqual((bound['spec'] as Tree)['matchResources'], match);
});

const form = 'desired format: https://host[/path]';
const identifierWhy = 'name is not a valid CEL identifier';
const either = 'validations or auditAnnotations must contain at least one item';
const label = (text: string) =>
  `${text}a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`;

const cases: readonly (readonly [string, typeof mutating, Tree, readonly string[]])[] = [
  ['a webhook', mutating, hooks(hook({ rules: [rule] })), []],
  ['no webhooks', validating, {}, []],
  [
    'bad names',
    validating,
    hooks(hook({ name: '' }), hook({ name: 'a.b' }), hook(), hook()),
    [
      'webhooks[0].name: Required value',
      'webhooks[1].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots',
      'webhooks[3].name: Duplicate value: "a.example.com"',
    ],
  ],
  [
    'unknown words',
    mutating,
    hooks(
      hook({
        failurePolicy: 'x',
        matchPolicy: 'x',
        sideEffects: 'Some',
        timeoutSeconds: 31,
        reinvocationPolicy: 'x',
        admissionReviewVersions: ['v2', 'v2', '1'],
      }),
    ),
    [
      'webhooks[0].failurePolicy: Unsupported value: "x": supported values: "Fail", "Ignore"',
      'webhooks[0].matchPolicy: Unsupported value: "x": supported values: "Equivalent", "Exact"',
      'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
      'webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds',
      'webhooks[0].reinvocationPolicy: Unsupported value: "x": supported values: "IfNeeded", "Never"',
      'webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version',
      label('webhooks[0].admissionReviewVersions[2]: Invalid value: "1": '),
      'webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2","1"]: must include at least one of v1, v1beta1',
    ],
  ],
  [
    'nothing said',
    validating,
    hooks({ name: 'a.example.com', clientConfig: {}, admissionReviewVersions: [] }),
    [
      'webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun',
      'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
      'webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1',
    ],
  ],
  [
    'a bad URL',
    validating,
    called({ url: 'http://me:you@/x?y#z' }),
    [
      `webhooks[0].clientConfig.url: Invalid value: "http": 'https' is the only allowed URL scheme; ${form}`,
      `webhooks[0].clientConfig.url: Invalid value: "": host must be provided; ${form}`,
      'webhooks[0].clientConfig.url: Invalid value: "me:you": user information is not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "z": fragments are not permitted in the URL',
      'webhooks[0].clientConfig.url: Invalid value: "y": query parameters are not permitted in the URL',
    ],
  ],
  ['a URL', validating, called({ url: 'https://a.example:8443/x' }), []],
  [
    'no URL',
    validating,
    called({ url: 'https://a b' }),
    [
      `webhooks[0].clientConfig.url: Required value: url must be a valid URL: parse "https://a b": invalid character " " in host name; ${form}`,
    ],
  ],
  [
    'a bad service',
    validating,
    called({ service: { namespace: '', name: '', port: 70000, path: 'a/B/' } }),
    [
      'webhooks[0].clientConfig.service.name: Required value: service name is required',
      'webhooks[0].clientConfig.service.namespace: Required value: service namespace is required',
      'webhooks[0].clientConfig.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
      `webhooks[0].clientConfig.service.path: Invalid value: "a/B/": must start with a '/'`,
      'webhooks[0].clientConfig.service.path: Invalid value: "a/B/": segment[0] may not be empty',
      `webhooks[0].clientConfig.service.path: Invalid value: "a/B/": segment[1]: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
    ],
  ],
  [
    'bad rules',
    mutating,
    hooks(
      hook({
        rules: [
          {},
          {
            operations: ['*', 'READ'],
            apiGroups: ['*', ''],
            apiVersions: ['*', ''],
            resources: ['*', 'pods', 'a/*', 'a/b', '*/b', 'c/b', ''],
            scope: 'x',
          },
          { ...rule, resources: ['*/*', 'a'] },
        ],
      }),
    ),
    [
      'webhooks[0].rules[0].operations: Required value',
      'webhooks[0].rules[0].apiGroups: Required value',
      'webhooks[0].rules[0].apiVersions: Required value',
      'webhooks[0].rules[0].resources: Required value',
      `webhooks[0].rules[1].operations: Invalid value: ["*","READ"]: if '*' is present, must not specify other operations`,
      'webhooks[0].rules[1].operations[1]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
      `webhooks[0].rules[1].apiGroups: Invalid value: ["*",""]: if '*' is present, must not specify other API groups`,
      `webhooks[0].rules[1].apiVersions: Invalid value: ["*",""]: if '*' is present, must not specify other API versions`,
      'webhooks[0].rules[1].apiVersions[1]: Required value',
      `webhooks[0].rules[1].resources[3]: Invalid value: "a/b": if 'a/*' is present, must not specify a/b`,
      `webhooks[0].rules[1].resources[5]: Invalid value: "c/b": if '*/b' is present, must not specify c/b`,
      'webhooks[0].rules[1].resources[6]: Required value',
      `webhooks[0].rules[1].resources: Invalid value: ["*","pods","a/*","a/b","*/b","c/b",""]: if '*' is present, must not specify other resources without subresources`,
      'webhooks[0].rules[1].scope: Unsupported value: "x": supported values: "*", "Cluster", "Namespaced"',
      `webhooks[0].rules[2].resources: Invalid value: ["*/*","a"]: if '*/*' is present, must not specify other resources`,
    ],
  ],
  [
    'bad conditions',
    validating,
    hooks(
      hook({
        matchConditions: [
          { name: '', expression: ' ' },
          { name: 'a', expression: 'true' },
          { name: 'a', expression: 'true' },
        ],
      }),
    ),
    [
      'webhooks[0].matchConditions[0].expression: Required value',
      'webhooks[0].matchConditions[0].name: Required value',
      'webhooks[0].matchConditions[2].name: Duplicate value: "a"',
    ],
  ],
  [
    'too many conditions',
    validating,
    hooks(
      hook({
        matchConditions: Array.from({ length: 65 }, (_, n) => ({ name: `a${n}`, expression: 'true' })),
      }),
    ),
    ['webhooks[0].matchConditions: Too many: 65: must have at most 64 items'],
  ],
  ['a rule', policies, policy({}), []],
  [
    'nothing',
    policies,
    {},
    [
      'spec.matchConstraints: Required value',
      `spec.validations: Required value: ${either}`,
      `spec.auditAnnotations: Required value: ${either}`,
    ],
  ],
  [
    'nothing to match',
    policies,
    policy({ failurePolicy: 'x', matchConstraints: { matchPolicy: 'y' } }),
    [
      'spec.failurePolicy: Unsupported value: "x": supported values: "Fail", "Ignore"',
      'spec.matchConstraints.matchPolicy: Unsupported value: "y": supported values: "Equivalent", "Exact"',
      'spec.matchConstraints.resourceRules: Required value',
    ],
  ],
  [
    'bad names of resources',
    policies,
    policy({ matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a/b', 'c', 'c'] }] } }),
    [
      `spec.matchConstraints.resourceRules[0].resourceNames[0]: Invalid value: "a/b": may not contain '/'`,
      'spec.matchConstraints.resourceRules[0].resourceNames[2]: Duplicate value: "c"',
    ],
  ],
  [
    'bad variables',
    policies,
    policy({
      variables: [
        { name: ' ', expression: '' },
        { name: 'a-b', expression: '1' },
        { name: 'in', expression: '1' },
      ],
    }),
    [
      'spec.variables[0].name: Required value: name is not specified',
      'spec.variables[0].expression: Required value: expression is not specified',
      `spec.variables[1].name: Invalid value: "a-b": ${identifierWhy}`,
      `spec.variables[2].name: Invalid value: "in": ${identifierWhy}`,
    ],
  ],
  [
    'bad rules',
    policies,
    policy({
      validations: [
        { expression: '', message: ' ', messageExpression: ' ', reason: 'x' },
        { expression: 'true', message: 'a\nb' },
      ],
    }),
    [
      'spec.validations[0].expression: Required value: expression is not specified',
      'spec.validations[0].messageExpression: Invalid value: " ": must be non-empty if specified',
      'spec.validations[0].message: Invalid value: " ": message must be non-empty if specified',
      'spec.validations[0].reason: Unsupported value: "x": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      'spec.validations[1].message: Invalid value: "a\\nb": message must not contain line breaks',
    ],
  ],
  [
    'bad annotations',
    policies,
    policy({
      auditAnnotations: [
        { key: 'k', valueExpression: '' },
        { key: 'k', valueExpression: `'${'x'.repeat(5 * 1024)}'` },
      ],
    }),
    [
      'spec.auditAnnotations[0].valueExpression: Required value: valueExpression is not specified',
      'spec.auditAnnotations[1].valueExpression: Required value: must not exceed 5120 bytes in length',
      'spec.auditAnnotations[1].key: Duplicate value: "k"',
    ],
  ],
  ['parameters', policies, policy({ paramKind: { apiVersion: 'example.com/v1', kind: 'Limits' } }), []],
  [
    'no parameters',
    policies,
    policy({ paramKind: {} }),
    ['spec.paramKind.apiVersion: Required value', 'spec.paramKind.kind: Required value'],
  ],
  [
    'bad parameters',
    policies,
    policy({ paramKind: { apiVersion: 'a/b/c', kind: 'a.b' } }),
    [
      'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
      label('spec.paramKind.kind: Invalid value: "a.b": may have mixed case, but should otherwise match: '),
    ],
  ],
  ['actions', bindings, binding({ validationActions: ['Deny', 'Audit'] }), []],
  [
    'nothing',
    bindings,
    {},
    [
      'spec.policyName: Required value',
      'spec.validationActions: Required value: at least one validation action is required',
    ],
  ],
  [
    'bad actions',
    bindings,
    binding({ validationActions: ['Deny', 'Warn', 'Warn', 'Log'] }),
    [
      'spec.validationActions[2]: Duplicate value: "Warn"',
      'spec.validationActions[3]: Unsupported value: "Log": supported values: "Audit", "Deny", "Warn"',
      'spec.validationActions: Invalid value: ["Deny","Warn","Warn","Log"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
    ],
  ],
  [
    'parameters in two ways',
    bindings,
    binding({ paramRef: { name: 'a/b', selector: {}, parameterNotFoundAction: 'x' } }),
    [
      `spec.paramRef.name: Invalid value: "a/b": may not contain '/'`,
      'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
      'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
      'spec.paramRef.parameterNotFoundAction: Unsupported value: "x": supported values: "Deny", "Allow"',
    ],
  ],
  [
    'parameters in no way',
    mutationBindings,
    { spec: { policyName: 'p', paramRef: {} } },
    [
      'spec.paramRef: Required value: one of name or selector must be specified',
      'spec.paramRef.parameterNotFoundAction: Required value',
    ],
  ],
  ['a patch', mutations, mutation({ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }), []],
  [
    'nothing',
    mutations,
    {},
    [
      'spec.matchConstraints: Required value',
      'spec.mutations: Required value: mutations must contain at least one item',
      'spec.reinvocationPolicy: Required value',
    ],
  ],
  [
    'a deletion to change',
    mutations,
    {
      spec: {
        matchConstraints: { resourceRules: [{ ...rule, operations: ['DELETE'] }] },
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
      },
    },
    [
      'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ],
  ],
  [
    'a deletion to change',
    mutationBindings,
    { spec: { policyName: 'p', matchResources: { resourceRules: [{ ...rule, operations: ['DELETE'] }] } } },
    [
      'spec.matchResources.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
    ],
  ],
  [
    'bad patches',
    mutations,
    mutation(
      { patchType: '' },
      { patchType: 'Merge' },
      { patchType: 'JSONPatch', applyConfiguration: { expression: '1' } },
      { patchType: 'ApplyConfiguration', applyConfiguration: {} },
    ),
    [
      'spec.mutations[0].patchType: Required value',
      'spec.mutations[1].patchType: Unsupported value: "Merge": supported values: "ApplyConfiguration", "JSONPatch"',
      'spec.mutations[2].jsonPatch: Required value: must be specified when patchType is JSONPatch',
      'spec.mutations[2].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      'spec.mutations[3].applyConfiguration.expression: Required value',
    ],
  ],
];

for (const [name, kind, object, expected] of cases)
  test(`a ${kind.kind} with ${name}`, () => assert.deepEqual(refusals(kind, object), expected));

test('configurations and policies may change', () => {
  assert.deepEqual(updateRefusals(mutating, hooks(hook()), hooks(hook({ timeoutSeconds: 3 }))), []);
  assert.deepEqual(updateRefusals(policies, policy({}), policy({ failurePolicy: 'Ignore' })), []);
});

test('the status of a policy tells of expressions and conditions', () => {
  const object = created(policies, policy({}));
  const condition = { type: 'a', status: 'Yes', reason: '1', message: 'x'.repeat(32 * 1024 + 1) };
  object['status'] = {
    typeChecking: { expressionWarnings: [{ fieldRef: '', warning: '' }] },
    conditions: [condition, { type: 'a', status: 'True', lastTransitionTime: ago(1), reason: 'R' }],
  };
  assert.deepEqual(lines(policies.validateStatusUpdate(object, object)), [
    'status.typeChecking.expressionWarnings[0].warning: Required value',
    'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
    'status.conditions[0].status: Unsupported value: "Yes": supported values: "False", "True", "Unknown"',
    'status.conditions[0].lastTransitionTime: Required value: must be set',
    `status.conditions[0].reason: Invalid value: "1": a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')`,
    'status.conditions[0].message: Too long: may not be more than 32768 bytes',
    'status.conditions[1].type: Duplicate value: "a"',
  ]);
});

const metadata = { name: 'a', creationTimestamp: ago(60) };
const rows: readonly (readonly [typeof mutating, Tree, string])[] = [
  [mutating, { metadata, webhooks: [{}, {}] }, 'a | 2 | 60s'],
  [validating, { metadata }, 'a | 0 | 60s'],
  [policies, { metadata, spec: { validations: [{}] } }, 'a | 1 | <unset> | 60s'],
  [mutations, { metadata, spec: { paramKind: { apiVersion: 'v1', kind: 'K' } } }, 'a | 0 | v1/K | 60s'],
  [bindings, { metadata, spec: { policyName: 'p' } }, 'a | p | <unset> | 60s'],
  [bindings, { metadata, spec: { policyName: 'p', paramRef: { name: 'n' } } }, 'a | p | */n | 60s'],
  [
    mutationBindings,
    { metadata, spec: { policyName: 'p', paramRef: { name: 'n', namespace: 'x' } } },
    'a | p | x/n | 60s',
  ],
];

for (const [kind, object, expected] of rows)
  test(`a row of ${kind.resource}: ${expected}`, () => assert.equal(row(kind, object), expected));
