/** How a webhook of access is reached: what a kubeconfig says, as one POST needs it. Pure. */
import { CaelumError } from '../../lib/index.ts';
import type { Post, Posting } from '../webhook.ts';

export interface WebhookConnection {
  /** URL. */
  readonly server: string;
  /** PEM. */
  readonly ca?: string;
  readonly client?: { readonly cert: string; readonly key: string };
  readonly token?: () => string;
}

/** Answers the body, parsed. Throws `unavailable`, `timeout`. */
export function postTo(
  post: Post,
  connection: WebhookConnection,
  body: object,
  timeoutMs: number,
): Promise<unknown> {
  const url = URL.parse(connection.server);
  if (url === null || url.protocol !== 'https:')
    throw new CaelumError(
      'unavailable',
      `cannot call ${JSON.stringify(connection.server)}: it is no https URL`,
    );
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const posting: Posting = {
    url: url.href,
    addresses: [{ host, port: url.port === '' ? 443 : Number(url.port) }],
    path: `${url.pathname}${url.search}`,
    serverName: host,
    ca: connection.ca,
    body: JSON.stringify(body),
    timeoutMs,
    ...(connection.client === undefined ? {} : { client: connection.client }),
    ...(connection.token === undefined ? {} : { headers: { Authorization: `Bearer ${connection.token()}` } }),
  };
  return post(posting);
}

/** What was answered not long ago. Bounded: the oldest goes first. */
export class Answers<T> {
  readonly #kept = new Map<string, { readonly value: T; readonly untilMs: number }>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, nowMs: number): { readonly value: T } | undefined {
    const found = this.#kept.get(key);
    return found !== undefined && found.untilMs > nowMs ? found : undefined;
  }

  keep(key: string, value: T, untilMs: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { value, untilMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= this.#max) break;
      this.#kept.delete(oldest);
    }
  }
}
