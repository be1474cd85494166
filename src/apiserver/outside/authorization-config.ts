/**
 * The file that says who is asked what may be done, and in which order: an AuthorizationConfiguration; and asking a webhook.
 *
 *   identity, attributes ─▶ do its match conditions hold? ─▶ known from a moment ago? ─▶ POST SubjectAccessReview ─▶ yes, no, no opinion
 *
 * Pure: `post` does the rest. Source: Kubernetes 1.36, apiserver.config.k8s.io/v1, as behaviour.
 */
import { cel } from '../../api/index.ts';
import { CaelumError, type Clock, type Log } from '../../lib/index.ts';
import type { Authorizer, Authorizers, Decision } from '../access/access.ts';
import type { Attributes } from '../access/rules.ts';
import type { Identity } from '../identity.ts';
import type { Post } from '../webhook.ts';
import { Answers, postTo, type WebhookConnection } from './webhook-connection.ts';

interface WebhookSettings {
  readonly timeout?: string;
  readonly subjectAccessReviewVersion?: string;
  readonly matchConditionSubjectAccessReviewVersion?: string;
  readonly authorizedTTL?: string;
  readonly unauthorizedTTL?: string;
  readonly cacheAuthorizedRequests?: boolean;
  readonly cacheUnauthorizedRequests?: boolean;
  readonly failurePolicy?: string;
  readonly connectionInfo?: { readonly type?: string; readonly kubeConfigFile?: string };
  readonly matchConditions?: readonly { readonly expression?: string }[];
}

export interface AuthorizationOptions {
  /** Reads a kubeconfig. Throws where it cannot. */
  readonly connect: (file: string) => WebhookConnection;
  readonly post: Post;
  readonly clock: Clock;
  readonly log: Log;
}

const versions = ['v1', 'v1beta1'].map((version) => `apiserver.config.k8s.io/${version}`);
const answersMax = 8192;
/** What is longer is asked anew each time. */
const keyLengthMax = 10_000;

/** Throws `invalid` with every problem. */
export function readAuthorizationConfig(value: unknown, options: AuthorizationOptions): Authorizers {
  const problems: string[] = [];
  const problem = (field: string, why: string): void => void problems.push(`${field}: ${why}`);
  const {
    apiVersion = '',
    kind = '',
    authorizers = [],
  } = (value ?? {}) as {
    apiVersion?: string;
    kind?: string;
    authorizers?: readonly { type?: string; name?: string; webhook?: WebhookSettings }[];
  };
  if (!versions.includes(apiVersion) || kind !== 'AuthorizationConfiguration')
    problem(
      'kind',
      `Invalid value: "${apiVersion}, ${kind}": must be AuthorizationConfiguration of ${versions.join(' or ')}`,
    );
  if (authorizers.length === 0)
    problem('authorizers', 'Required value: at least one authorization mode must be defined');
  const names = new Set<string>();
  const read = authorizers.map(({ type = '', name = '', webhook }, index): Authorizers[number] => {
    const at = `authorizers[${index}]`;
    if (name === '') problem(`${at}.name`, 'Required value');
    else if (names.has(name)) problem(`${at}.name`, `Duplicate value: ${JSON.stringify(name)}`);
    names.add(name);
    switch (type) {
      case 'Node':
        return 'node';
      case 'RBAC':
        return 'rbac';
      case 'AlwaysAllow':
        return { name, ask: () => ({ allowed: true, because: '' }) };
      case 'AlwaysDeny':
        return { name, ask: () => ({ allowed: false, because: 'Everything is forbidden.' }) };
      case 'Webhook':
        return webhookOf(name, webhook ?? {}, `${at}.webhook`, problem, options);
      default:
        problem(
          `${at}.type`,
          `Unsupported value: ${JSON.stringify(type)}: supported values: "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"`,
        );
        return 'rbac';
    }
  });
  if (problems.length > 0)
    throw new CaelumError('invalid', `Cannot use authorization configuration: ${problems.join('; ')}`);
  return read;
}

type Problem = (field: string, why: string) => void;

function webhookOf(
  name: string,
  settings: WebhookSettings,
  at: string,
  problem: Problem,
  options: AuthorizationOptions,
): Authorizer {
  const one = (field: keyof WebhookSettings, values: readonly string[]): void => {
    const value = String(settings[field] ?? '');
    const list = values.map((text) => JSON.stringify(text)).join(', ');
    if (!values.includes(value))
      problem(
        `${at}.${field}`,
        value === ''
          ? 'Required value'
          : `Unsupported value: ${JSON.stringify(value)}: supported values: ${list}`,
      );
  };
  one('subjectAccessReviewVersion', ['v1']);
  one('failurePolicy', ['Deny', 'NoOpinion']);
  const { matchConditions = [], connectionInfo = {} } = settings;
  if (matchConditions.length > 0) one('matchConditionSubjectAccessReviewVersion', ['v1']);
  const timeoutMs = durationMs(settings.timeout, `${at}.timeout`, problem) ?? 0;
  if (timeoutMs <= 0 || timeoutMs > 30_000)
    problem(`${at}.timeout`, 'Invalid value: must be > 0s and <= 30s');
  const conditions = matchConditions.map(({ expression = '' }, index) => {
    const { program, text } = cel.compile(expression, { variables: { request: cel.dyn }, result: cel.bool });
    if (program === undefined)
      problem(
        `${at}.matchConditions[${index}].expression`,
        `Invalid value: ${JSON.stringify(expression)}: ${text}`,
      );
    return program;
  });
  const { type = '', kubeConfigFile = '' } = connectionInfo;
  let connection: WebhookConnection = { server: '' };
  if (type !== 'KubeConfigFile')
    problem(
      `${at}.connectionInfo.type`,
      `Unsupported value: ${JSON.stringify(type)}: supported values: "KubeConfigFile"`,
    );
  else
    try {
      connection = options.connect(kubeConfigFile);
    } catch (error) {
      problem(
        `${at}.connectionInfo.kubeConfigFile`,
        `Invalid value: ${JSON.stringify(kubeConfigFile)}: ${(error as Error).message}`,
      );
    }
  return new AccessWebhook(name, {
    connection,
    conditions: conditions.filter((one) => one !== undefined),
    timeoutMs,
    yesMs:
      settings.cacheAuthorizedRequests === false
        ? 0
        : (durationMs(settings.authorizedTTL, `${at}.authorizedTTL`, problem) ?? 300_000),
    noMs:
      settings.cacheUnauthorizedRequests === false
        ? 0
        : (durationMs(settings.unauthorizedTTL, `${at}.unauthorizedTTL`, problem) ?? 30_000),
    deniesOnFailure: settings.failurePolicy === 'Deny',
    options,
  });
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `3s`, `5m`, `1m30s`. */
function durationMs(text: string | undefined, field: string, problem: Problem): number | undefined {
  if (text === undefined) return undefined;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    problem(field, `Invalid value: ${JSON.stringify(text)}: time: invalid duration`);
    return undefined;
  }
  let sum = 0;
  for (const [, amount = '', , unit = ''] of text.matchAll(/(\d+(\.\d+)?)(ms|s|m|h)/g))
    sum += Number(amount) * (unitsMs[unit] ?? 0);
  return sum;
}

interface AccessWebhookOptions {
  readonly connection: WebhookConnection;
  readonly conditions: readonly cel.Program[];
  readonly timeoutMs: number;
  /** How long a yes counts, and how long a no. */
  readonly yesMs: number;
  readonly noMs: number;
  readonly deniesOnFailure: boolean;
  readonly options: AuthorizationOptions;
}

class AccessWebhook implements Authorizer {
  readonly name: string;
  readonly #options: AccessWebhookOptions;
  readonly #answers = new Answers<Decision | undefined>(answersMax);

  constructor(name: string, options: AccessWebhookOptions) {
    this.name = name;
    this.#options = options;
  }

  ask(identity: Identity, asked: Attributes): Decision | undefined | Promise<Decision | undefined> {
    const spec = reviewOf(identity, asked);
    const { conditions, options } = this.#options;
    for (const condition of conditions) {
      const { value, error } = condition.evaluate({ request: spec }, { costLimit: cel.callCostMax });
      if (error !== undefined) return this.#failed(new Error(error));
      if (value !== true) return undefined;
    }
    const key = JSON.stringify(spec);
    const known = this.#answers.get(key, options.clock.monotonicMs());
    return known === undefined ? this.#asked(spec, key) : known.value;
  }

  async #asked(spec: object, key: string): Promise<Decision | undefined> {
    const { connection, timeoutMs, yesMs, noMs, options } = this.#options;
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec };
    let status: { allowed?: unknown; denied?: unknown; reason?: unknown };
    try {
      const said = (await postTo(options.post, connection, body, timeoutMs)) as {
        status?: typeof status;
      } | null;
      if (typeof said?.status !== 'object') throw new Error('the answer is no SubjectAccessReview');
      status = said.status;
      if (status.allowed === true && status.denied === true)
        throw new Error('webhook subject access review returned both allow and deny response');
    } catch (error) {
      return this.#failed(error);
    }
    const because = typeof status.reason === 'string' ? status.reason : '';
    const decision: Decision = {
      allowed: status.allowed === true,
      because,
      ...(status.denied === true ? { denied: true } : {}),
    };
    const keptMs = decision.allowed ? yesMs : noMs;
    if (keptMs > 0 && key.length <= keyLengthMax)
      this.#answers.keep(key, decision, options.clock.monotonicMs() + keptMs);
    return decision;
  }

  #failed(error: unknown): Decision | undefined {
    this.#options.options.log.warn('an authorization webhook has failed', { name: this.name, error });
    return this.#options.deniesOnFailure
      ? { allowed: false, denied: true, because: `authorization webhook "${this.name}" has failed` }
      : undefined;
  }
}

/** A SubjectAccessReview's spec. */
function reviewOf({ user, groups, uid, extra }: Identity, asked: Attributes): object {
  const who = {
    user,
    groups,
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
  if (asked.kind === 'path') return { nonResourceAttributes: { path: asked.path, verb: asked.verb }, ...who };
  const { namespace, verb, group, version = '', resource, subresource, name, selectors } = asked;
  return {
    resourceAttributes: {
      ...(namespace === '' ? {} : { namespace }),
      verb,
      ...(group === '' ? {} : { group }),
      ...(version === '' ? {} : { version }),
      resource,
      ...(subresource === '' ? {} : { subresource }),
      ...(name === '' ? {} : { name }),
      ...(selectors?.field === undefined
        ? {}
        : { fieldSelector: { requirements: requirements(selectors.field) } }),
      ...(selectors?.label === undefined
        ? {}
        : { labelSelector: { requirements: requirements(selectors.label) } }),
    },
    ...who,
  };
}

/** What can be told of a selector; the rest only narrows further, and is left out. */
function requirements(text: string): readonly object[] {
  const found: object[] = [];
  for (const part of text.match(/(?:[^,(]|\([^)]*\))+/g) ?? []) {
    const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(part);
    const equal = /^\s*([^\s!=]+)\s*(==|!=|=)\s*(.*?)\s*$/.exec(part);
    const presence = /^\s*(!?)\s*([^\s!=]+)\s*$/.exec(part);
    if (set !== null)
      found.push({
        key: set[1],
        operator: set[2] === 'in' ? 'In' : 'NotIn',
        values: (set[3] ?? '').split(',').map((one) => one.trim()),
      });
    else if (equal !== null)
      found.push({ key: equal[1], operator: equal[2] === '!=' ? 'NotIn' : 'In', values: [equal[3] ?? ''] });
    else if (presence !== null)
      found.push({ key: presence[2], operator: presence[1] === '!' ? 'DoesNotExist' : 'Exists' });
  }
  return found;
}
