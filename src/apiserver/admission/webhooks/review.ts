/**
 * What a webhook is asked and what it answers: AdmissionReview. Pure.
 *
 *   admission ─▶ request ─▶ webhook ─▶ answer checked ─▶ allowed, patch, warnings, annotations, or a refusal
 */
import { badRequest, type KubeObject } from '../../../api/index.ts';
import { CaelumError } from '../../../lib/index.ts';
import type { Resource } from '../../resource.ts';
import { userInfo } from '../../reviews.ts';
import type { Admission } from '../chain.ts';

export interface Verdict {
  readonly allowed: boolean;
  /** JSON Patch. */
  readonly patch: unknown;
  readonly warnings: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly status: SaidStatus | undefined;
}

interface SaidStatus {
  readonly code?: number;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: unknown;
}

/** Of the versions that a webhook understands, the first that we speak. */
export function reviewVersion(versions: readonly string[]): string | undefined {
  return versions.find((one) => one === 'v1' || one === 'v1beta1');
}

/** What is asked: `as` is the resource that the webhook's rules name. */
export interface Question {
  readonly uid: string;
  readonly version: string;
  readonly as: Resource;
  readonly object: object | undefined;
  readonly oldObject: object | undefined;
}

export function reviewOf(admission: Admission, { uid, version, as, object, oldObject }: Question): object {
  const { resource, subresource, name, namespace, operation, identity, dryRun, options } = admission;
  const kindOf = (of: Resource) => {
    const { group, version: ofVersion, kind } = of.kind;
    const shown = (admission.object ?? admission.oldObject) as Partial<KubeObject> | undefined;
    // Through a subresource comes a kind of its own.
    if (shown?.kind !== undefined && shown.kind !== resource.kind.kind) return gvkOf(shown);
    return { group, version: ofVersion, kind };
  };
  const resourceOf = ({ kind }: Resource) => ({
    group: kind.group,
    version: kind.version,
    resource: kind.resource,
  });
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    request: {
      uid,
      kind: kindOf(as),
      resource: resourceOf(as),
      ...(subresource === '' ? {} : { subResource: subresource }),
      requestKind: kindOf(resource),
      requestResource: resourceOf(resource),
      ...(subresource === '' ? {} : { requestSubResource: subresource }),
      ...(name === '' ? {} : { name }),
      ...(namespaceFor(admission) === '' ? {} : { namespace: namespaceFor(admission) }),
      operation,
      userInfo: userInfo(identity),
      object: object ?? null,
      oldObject: oldObject ?? null,
      dryRun,
      options: options ?? null,
    },
  };

  function namespaceFor({ resource: of }: Admission): string {
    // A namespace counts as lying in itself.
    return of.groupResource === 'namespaces' ? name : namespace;
  }
}

function gvkOf({ apiVersion = '', kind = '' }: Partial<KubeObject>) {
  const slash = apiVersion.indexOf('/');
  return { group: slash < 0 ? '' : apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind };
}

interface Said {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly response?: {
    readonly uid?: unknown;
    readonly allowed?: unknown;
    readonly patch?: unknown;
    readonly patchType?: unknown;
    readonly warnings?: unknown;
    readonly auditAnnotations?: unknown;
    readonly status?: SaidStatus;
  } | null;
}

/** Throws `unavailable`, in words that follow "failed calling webhook". */
export function verdictOf(answer: unknown, { uid, version }: Pick<Question, 'uid' | 'version'>): Verdict {
  const { apiVersion, kind, response } = (
    typeof answer === 'object' && answer !== null ? answer : {}
  ) as Said;
  const bad = (why: string) => new CaelumError('unavailable', `received invalid webhook response: ${why}`);
  if (response === undefined || response === null || typeof response !== 'object')
    throw bad('webhook response was absent');
  const expected = `admission.k8s.io/${version}`;
  // The older version was never checked for these.
  if (version === 'v1') {
    if (apiVersion !== expected || kind !== 'AdmissionReview')
      throw bad(
        `expected webhook response of ${expected}, Kind=AdmissionReview, got ${text(apiVersion)}, Kind=${text(kind)}`,
      );
    if (response.uid !== uid)
      throw bad(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(text(response.uid))}`);
  }
  const { patch, patchType, warnings, auditAnnotations } = response;
  const hasPatch = typeof patch === 'string' && patch !== '';
  if (version === 'v1') {
    if (hasPatch && patchType === undefined)
      throw bad('webhook returned response.patch but not response.patchType');
    if (!hasPatch && patchType !== undefined)
      throw bad('webhook returned response.patchType but not response.patch');
  }
  if (patchType !== undefined && patchType !== 'JSONPatch')
    throw bad(`invalid webhook response.patchType of ${JSON.stringify(text(patchType))}`);
  return {
    allowed: response.allowed === true,
    patch: hasPatch ? patchIn(patch) : undefined,
    warnings: Array.isArray(warnings) ? warnings.filter((one) => typeof one === 'string') : [],
    annotations: textsOf(auditAnnotations),
    status: response.status,
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function patchIn(base64: string): unknown {
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as unknown;
  } catch (cause) {
    throw new CaelumError(
      'unavailable',
      `received undecodable patch in webhook response: ${(cause as Error).message}`,
    );
  }
}

/** The webhook says no: its own number, reason and words, where it has said some. */
export function denial(hook: string, status: SaidStatus | undefined): CaelumError {
  const by = `admission webhook ${JSON.stringify(hook)} denied the request`;
  const { message, reason, details } = status ?? {};
  const why =
    typeof message === 'string' && message !== ''
      ? `: ${message}`
      : typeof reason === 'string' && reason !== ''
        ? `: ${reason}`
        : ' without explanation';
  const code =
    typeof status?.code === 'number' && status.code >= 400 && status.code < 600 ? status.code : 400;
  return new CaelumError('forbidden', `${by}${why}`, {
    details: {
      said: {
        code,
        ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
        ...(details === undefined || details === null ? {} : { details }),
      },
    },
  });
}

export const noDryRun = (hook: string): CaelumError =>
  badRequest(`admission webhook ${JSON.stringify(hook)} does not support dry run`);
