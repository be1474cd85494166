/**
 * What the one who asks may do: `authorizer.group('apps').resource('deployments').namespace('a').check('create').allowed()`.
 * Who decides is passed in with the value of the variable (`authorizerOf`).
 */
import type { Definition } from '../function.ts';
import { type CelType, opaque } from '../type.ts';
import { Fault, Opaque } from '../value.ts';

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

export interface ResourceQuestion {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

/** A question to who decides. Without a service account it is about who made the request. */
export interface AccessQuestion {
  readonly verb: string;
  readonly path?: string;
  readonly resource?: ResourceQuestion;
  readonly serviceAccount?: ServiceAccountName;
}

export interface AccessDecision {
  readonly allowed: boolean;
  readonly reason: string;
  /** Why it could not be decided. */
  readonly error?: string;
}

export type Decide = (question: AccessQuestion) => AccessDecision;

interface Asking {
  readonly decide: Decide;
  readonly serviceAccount?: ServiceAccountName;
}
type Authorizer = Opaque<Asking>;
type PathCheck = Opaque<Asking & { readonly path: string }>;
type GroupCheck = Opaque<Asking & { readonly group: string }>;
type ResourceCheck = Opaque<Asking & { readonly resource: ResourceQuestion }>;
type Decision = Opaque<AccessDecision>;

const prefix = 'kubernetes.authorization.';
const named = <T>(name: string, value: T): Opaque<T> => new Opaque(`${prefix}${name}`, value);

/** The types of the variables `authorizer` and `authorizer.requestResource`. */
export const authorizerType: CelType = opaque(`${prefix}Authorizer`);
export const resourceCheckType: CelType = opaque(`${prefix}ResourceCheck`);

/** A value for the variable `authorizer`. */
export const authorizerOf = (decide: Decide): unknown => named('Authorizer', { decide });

/** A value for the variable `authorizer.requestResource`. */
export const resourceCheckOf = (decide: Decide, resource: ResourceQuestion): unknown =>
  named('ResourceCheck', { decide, resource });

function restricted(field: keyof ResourceQuestion): Definition {
  return [
    `resourceCheck . ${field}(string): resourceCheck`,
    ({ value }: ResourceCheck, text: string) =>
      named('ResourceCheck', { ...value, resource: { ...value.resource, [field]: text } }),
  ];
}

function serviceAccount({ value }: Authorizer, namespace: string, name: string): Authorizer {
  const rule = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
  if (!rule.test(namespace)) throw new Fault('Invalid service account namespace');
  if (!name.split('.').every((part) => rule.test(part))) throw new Fault('Invalid service account name');
  return named('Authorizer', { ...value, serviceAccount: { namespace, name } });
}

function check({ value }: PathCheck | ResourceCheck, verb: string): Decision {
  const { decide, ...question } = value;
  return named('Decision', decide({ verb, ...question }));
}

const nothing = { subresource: '', namespace: '', name: '', fieldSelector: '', labelSelector: '' };
/** As Kubernetes prices a question. */
const asking = { cost: () => 350_000 };

export const authorizerFunctions: readonly Definition[] = [
  [
    'authorizer . path(string): pathCheck',
    ({ value }: Authorizer, path: string) => {
      if (path.trim() === '') throw new Fault('path must not be empty');
      return named('PathCheck', { ...value, path });
    },
  ],
  [
    'authorizer . group(string): groupCheck',
    ({ value }: Authorizer, group: string) => named('GroupCheck', { ...value, group }),
  ],
  ['authorizer . serviceAccount(string, string): authorizer', serviceAccount],
  [
    'groupCheck . resource(string): resourceCheck',
    ({ value: { group, ...asked } }: GroupCheck, resource: string) =>
      named('ResourceCheck', { ...asked, resource: { ...nothing, group, resource } }),
  ],
  ...(['subresource', 'namespace', 'name', 'fieldSelector', 'labelSelector'] as const).map(restricted),
  ['pathCheck . check(string): decision', check, asking],
  ['resourceCheck . check(string): decision', check, asking],
  ['decision . allowed(): bool', ({ value }: Decision) => value.allowed],
  ['decision . reason(): string', ({ value }: Decision) => value.reason],
  ['decision . errored(): bool', ({ value }: Decision) => value.error !== undefined],
  ['decision . error(): string', ({ value }: Decision) => value.error ?? ''],
];
