/** Tokens that a webhook knows: a TokenReview is posted to it, and what it says believed for a while. Pure: `post` does the rest. */
import type { TokenReview } from '../../api/index.ts';
import { CaelumError, type Clock } from '../../lib/index.ts';
import type { Identity } from '../identity.ts';
import type { Post } from '../webhook.ts';
import { Answers, postTo, type WebhookConnection } from './webhook-connection.ts';

const keptMs = 120_000;
const answersMax = 4096;
const timeoutMs = 10_000;

interface Bearer {
  readonly identity: Identity;
  readonly audiences: readonly string[];
}

/** `hash`: of a token, so that none is kept. */
export function tokenWebhook(
  connection: WebhookConnection,
  post: Post,
  clock: Clock,
  hash: (text: string) => string,
): (token: string, audiences: readonly string[]) => Bearer | Promise<Bearer | undefined> {
  const answers = new Answers<Bearer>(answersMax);
  const ask = async (
    token: string,
    audiences: readonly string[],
    key: string,
  ): Promise<Bearer | undefined> => {
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token, audiences },
    };
    const { status } = ((await postTo(post, connection, body, timeoutMs)) ?? {}) as Partial<TokenReview>;
    if (status?.authenticated !== true) {
      if ((status?.error ?? '') === '') return undefined;
      throw new CaelumError('unauthorized', String(status?.error));
    }
    const { username = '', groups = [], uid, extra } = status.user ?? {};
    // A webhook that knows nothing of audiences speaks for this API alone.
    const common =
      status.audiences === undefined
        ? audiences.slice(0, 1)
        : audiences.filter((one) => status.audiences?.includes(one));
    if (username === '' || common.length === 0) return undefined;
    const bearer: Bearer = {
      identity: {
        user: username,
        groups: [...new Set([...groups, 'system:authenticated'])],
        ...(uid === undefined || uid === '' ? {} : { uid }),
        ...(extra === undefined ? {} : { extra }),
      },
      audiences: common,
    };
    answers.keep(key, bearer, clock.monotonicMs() + keptMs);
    return bearer;
  };
  return (token, audiences) => {
    const key = `${hash(token)} ${audiences.join(' ')}`;
    return answers.get(key, clock.monotonicMs())?.value ?? ask(token, audiences, key);
  };
}
