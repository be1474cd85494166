/**
 * Whether a caller who is not the API server may see what an agent tells of its node: by a certificate or a token of the cloud, and by roles. So do
 * metrics-server and Prometheus ask kubelets.
 *
 *   certificate │ token ─▶ TokenReview ─▶ who ─▶ SubjectAccessReview: get nodes/metrics, nodes/stats, nodes/pods, nodes/healthz; or else nodes/proxy ─▶ yes or no
 *
 * Answers are kept for a while, as the kubelet keeps them. Owns no sockets; nothing of this is asked for the API server's own certificate.
 */
import type { SubjectAccessReview, TokenReview, UserInfo } from '../../api/index.ts';
import type { Client, ResourceRef } from '../../client/index.ts';
import { CaelumError, type Clock, isError, NewestMap } from '../../lib/index.ts';

const tokenReviews: ResourceRef = {
  group: 'authentication.k8s.io',
  version: 'v1',
  resource: 'tokenreviews',
  namespaced: false,
};
const accessReviews: ResourceRef = {
  group: 'authorization.k8s.io',
  version: 'v1',
  resource: 'subjectaccessreviews',
  namespaced: false,
};
const knownMs = 120_000;
/** A role that was just given counts soon. */
const refusedMs = 10_000;
const answersMax = 1_000;
const tokenLengthMax = 16 * 1024;

/** What is told under these paths; everything else is for the API server alone. */
const subresources: Readonly<Record<string, string>> = {
  metrics: 'metrics',
  stats: 'stats',
  pods: 'pods',
  healthz: 'healthz',
};

export interface CallerAccessOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly nodeName: string;
}

interface Kept<T> {
  readonly answer: T;
  readonly untilMs: number;
}

export class CallerAccess {
  readonly #options: CallerAccessOptions;
  /** undefined: it is nobody's. */
  readonly #users = new NewestMap<string, Kept<UserInfo | undefined>>(answersMax);
  readonly #answers = new NewestMap<string, Kept<boolean>>(answersMax);

  constructor(options: CallerAccessOptions) {
    this.#options = options;
  }

  /** `certified`: whom a certificate of the cloud names; `first`: of the path. Rejects with `unauthorized`, `forbidden`, `unavailable`. */
  async check(
    certified: UserInfo | undefined,
    authorization: string | undefined,
    first: string,
  ): Promise<void> {
    try {
      await this.#check(certified ?? (await this.#bearer(authorization)), first);
    } catch (error) {
      if (isError(error, 'unauthorized', 'forbidden')) throw error;
      throw new CaelumError('unavailable', 'Cannot ask whether you may: the API server does not say', {
        cause: error,
      });
    }
  }

  async #check(user: UserInfo | undefined, first: string): Promise<void> {
    if (user === undefined) throw new CaelumError('unauthorized', 'Unauthorized');
    const subresource = Object.hasOwn(subresources, first) ? subresources[first] : undefined;
    // Roles that are older than the finer rights say `nodes/proxy`.
    const isAllowed =
      subresource !== undefined && ((await this.#may(user, subresource)) || (await this.#may(user, 'proxy')));
    if (!isAllowed)
      throw new CaelumError(
        'forbidden',
        `Forbidden (user=${user.username ?? ''}, verb=get, resource=nodes, subresource(s)=[${subresource ?? 'proxy'}${subresource === undefined ? '' : ' proxy'}])`,
      );
  }

  async #bearer(authorization: string | undefined): Promise<UserInfo | undefined> {
    const [, token = ''] = /^Bearer +(\S+)$/i.exec(authorization ?? '') ?? [];
    return token === '' || token.length > tokenLengthMax ? undefined : this.#user(token);
  }

  async #user(token: string): Promise<UserInfo | undefined> {
    const { client, clock } = this.#options;
    const kept = this.#users.get(token);
    if (kept !== undefined && clock.monotonicMs() < kept.untilMs) return kept.answer;
    const { status } = await client.create<TokenReview>(tokenReviews, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
    const answer = status?.authenticated === true ? (status.user ?? {}) : undefined;
    const untilMs = clock.monotonicMs() + (answer === undefined ? refusedMs : knownMs);
    this.#users.set(token, { answer, untilMs });
    return answer;
  }

  async #may({ username = '', uid, groups = [], extra }: UserInfo, subresource: string): Promise<boolean> {
    const { client, clock, nodeName } = this.#options;
    const key = JSON.stringify([username, uid, groups, extra, subresource]);
    const kept = this.#answers.get(key);
    if (kept !== undefined && clock.monotonicMs() < kept.untilMs) return kept.answer;
    const { status } = await client.create<SubjectAccessReview>(accessReviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: username,
        groups,
        ...(uid === undefined ? {} : { uid }),
        ...(extra === undefined ? {} : { extra }),
        resourceAttributes: { verb: 'get', version: 'v1', resource: 'nodes', subresource, name: nodeName },
      },
    });
    const answer = status?.allowed === true;
    this.#answers.set(key, { answer, untilMs: clock.monotonicMs() + (answer ? knownMs : refusedMs) });
    return answer;
  }
}
