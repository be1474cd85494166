/**
 * /livez, /readyz, /healthz: named checks, printed as Kubernetes prints them.
 *
 *   /livez ─▶ ok │ 500 and the list        ?verbose: the list        ?exclude=NAME: not asked        /livez/NAME: one alone
 *
 * The list says which failed, never why: reasons are in the log. Source: k8s.io/apiserver/pkg/server/healthz, as behaviour.
 */
import type { ServerResponse } from 'node:http';
import type { Clock, Log } from '../../lib/index.ts';
import type { Store } from '../../store/index.ts';
import type { Query } from '../router.ts';
import { sendBytes } from './answers.ts';

export interface HealthCheck {
  readonly name: string;
  /** Other names under which it may be asked for. */
  readonly aliases?: readonly string[];
  /** Only whether requests should be sent here; a process that fails it need not be restarted. */
  readonly readyOnly?: boolean;
  /** undefined: well. Otherwise the reason, for the log. */
  check(): string | undefined | Promise<string | undefined>;
}

const plain = 'text/plain; charset=utf-8';
const storeWaitMs = 2000;

export const ping: HealthCheck = { name: 'ping', check: () => undefined };

/** All that was accepted becomes durable in time. The same as Kubernetes' check of etcd, by whose name it can be asked for too. */
export function storeCheck(store: Store, clock: Clock): HealthCheck {
  return {
    name: 'store',
    aliases: ['etcd', 'etcd-readiness'],
    check: () =>
      new Promise((resolve) => {
        const timer = clock.after(storeWaitMs, () =>
          resolve(`nothing has become durable for ${storeWaitMs} ms`),
        );
        const settle = (why: string | undefined): void => {
          timer.cancel();
          resolve(why);
        };
        store.transact([]).then(
          () => settle(undefined),
          (error: unknown) => settle(error instanceof Error ? error.message : String(error)),
        );
      }),
  };
}

export class Health {
  readonly #checks: readonly HealthCheck[];
  readonly #log: Log;

  constructor(checks: readonly HealthCheck[], log: Log) {
    this.#checks = checks;
    this.#log = log;
  }

  /** False: there is no such check. `top`: livez, readyz or healthz. */
  async serve(top: string, name: string, query: Query, response: ServerResponse): Promise<boolean> {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const checks = this.#checks.filter((one) => top !== 'livez' || one.readyOnly !== true);
    if (name !== '') {
      const found = checks.find((one) => isNamed(one, name));
      if (found === undefined) return false;
      const why = await found.check();
      if (why === undefined) sendBytes(response, 200, 'ok', plain);
      else {
        this.#tell(found.name, why);
        sendBytes(response, 500, 'internal server error: reason withheld\n', plain);
      }
      return true;
    }
    const excluded = new Set(query.all('exclude'));
    const lines: string[] = [];
    const failed: string[] = [];
    await Promise.all(
      checks.map(async (one, index) => {
        const names = [one.name, ...(one.aliases ?? [])].filter((each) => excluded.delete(each));
        if (names.length > 0) {
          lines[index] = `[+]${one.name} excluded: ok\n`;
          return;
        }
        const why = await one.check();
        lines[index] = why === undefined ? `[+]${one.name} ok\n` : `[-]${one.name} failed: reason withheld\n`;
        if (why === undefined) return;
        failed.push(one.name);
        this.#tell(one.name, why);
      }),
    );
    const unknown = [...excluded].map((one) => JSON.stringify(one)).join(',');
    const warning =
      unknown === '' ? '' : `warn: some health checks cannot be excluded: no matches for ${unknown}\n`;
    const text = `${lines.join('')}${warning}`;
    if (failed.length > 0) sendBytes(response, 500, `${text}${top} check failed\n`, plain);
    else if (query.flag('verbose') !== true) sendBytes(response, 200, 'ok', plain);
    else sendBytes(response, 200, `${text}${top} check passed\n`, plain);
    return true;
  }

  #tell(check: string, why: string): void {
    this.#log.warn('a health check fails', { check, why });
  }
}

const isNamed = ({ name, aliases = [] }: HealthCheck, asked: string): boolean =>
  name === asked || aliases.includes(asked);
