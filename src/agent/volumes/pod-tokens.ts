/**
 * Service-account tokens of pods, asked from the API server and asked anew when four fifths of their time is over.
 * Kept in memory only: a restarted agent asks again.
 */
import type { Pod, TokenRequest } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import type { Clock } from '../../lib/index.ts';
import { serviceAccountsRef } from '../objects.ts';
import type { TokenSource } from './volume-content.ts';

interface Token {
  readonly text: string;
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

const keyOf = (source: TokenSource): string => `${source.audience ?? ''}/${source.expirationSeconds}`;

export class PodTokens {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Map<string, Token>>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Makes sure that each is there and fresh. Answers when to look again. Throws what the API server throws when one is needed and not to be had. */
  async ensure(pod: Pod, sources: readonly TokenSource[]): Promise<number | undefined> {
    const uid = pod.metadata.uid ?? '';
    const tokens = this.#tokens.get(uid) ?? new Map<string, Token>();
    this.#tokens.set(uid, tokens);
    await Promise.all(
      sources.map(async (source) => {
        const old = tokens.get(keyOf(source));
        const nowMs = this.#clock.nowMs();
        if (old !== undefined && nowMs < old.refreshAtMs) return;
        try {
          tokens.set(keyOf(source), await this.#request(pod, source));
        } catch (error) {
          // The old one still works for a while; try again soon.
          if (old === undefined || nowMs >= old.expiresAtMs) throw error;
          tokens.set(keyOf(source), { ...old, refreshAtMs: nowMs + 60_000 });
        }
      }),
    );
    const times = [...tokens.values()].map((token) => token.refreshAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  get(podUid: string, source: TokenSource): string {
    return this.#tokens.get(podUid)?.get(keyOf(source))?.text ?? '';
  }

  forget(podUid: string): void {
    this.#tokens.delete(podUid);
  }

  async #request(pod: Pod, source: TokenSource): Promise<Token> {
    const { namespace, name = '', uid = '' } = pod.metadata;
    const body: TokenRequest = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: source.audience === undefined ? [] : [source.audience],
        expirationSeconds: source.expirationSeconds,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
      },
    };
    const account = pod.spec?.serviceAccountName || 'default';
    const askedAtMs = this.#clock.nowMs();
    const answer = (await this.#client.createSubresource(
      serviceAccountsRef,
      namespace,
      account,
      'token',
      body,
    )) as TokenRequest;
    const expiresAtMs =
      Date.parse(answer.status?.expirationTimestamp ?? '') || askedAtMs + source.expirationSeconds * 1000;
    return {
      text: answer.status?.token ?? '',
      refreshAtMs: askedAtMs + (expiresAtMs - askedAtMs) * 0.8,
      expiresAtMs,
    };
  }
}
