/**
 * The kernel's nftables table of Services, by nft(8): `rule-keeper.ts` says what is loaded and when.
 */
import { spawn } from 'node:child_process';
import type { Informers } from '../../client/index.ts';
import { CaelumError, type Clock, type Log } from '../../lib/index.ts';
import { RuleKeeper, type RuleKernel } from '../rule-keeper.ts';

export interface ServiceRulesOptions {
  readonly informers: Informers;
  readonly clock: Clock;
  readonly log: Log;
  readonly nodeName: string;
  /** Name of the nftables table (family `ip`), ours alone. */
  readonly table: string;
  /** Addresses of all pods. */
  readonly podCidr?: string;
  /** Addresses of Services. With `bridge`, a route for them is kept, so that they are reached on a machine without a default route. */
  readonly serviceCidr?: string;
  /** The bridge of this node's pods: may then route 127.0.0.1, so that node ports answer there. */
  readonly bridge?: string;
  /** Act in this network namespace instead of our own. */
  readonly namespacePath?: string;
}

export interface ServiceRules {
  /** Resolves when the kernel has what the informers hold now. Rejects when it was stopped before. */
  settled(): Promise<void>;
  /** Stops watching. The rules stay, and traffic goes on. */
  stop(): Promise<void>;
  /** Stops, and deletes the table and the route. */
  remove(): Promise<void>;
}

export function startServiceRules(options: ServiceRulesOptions): ServiceRules {
  const keeper = new RuleKeeper({
    ...options,
    kernel: new NftKernel(options),
    guardsLocalhost: options.bridge !== undefined,
  });
  return {
    settled: () => keeper.settled(),
    stop: () => keeper.stop(),
    remove: async () => {
      await keeper.stop();
      await removeServiceRules(options);
    },
  };
}

/** Deletes a table that a process before us left. Nothing to delete is fine. */
export async function removeServiceRules(options: {
  readonly table: string;
  readonly serviceCidr?: string;
  readonly bridge?: string;
  readonly namespacePath?: string;
}): Promise<void> {
  const { table, serviceCidr, bridge, namespacePath } = options;
  await runIn(namespacePath, 'nft', ['-f', '-'], `add table ip ${table}\ndelete table ip ${table}\n`);
  if (serviceCidr !== undefined && bridge !== undefined)
    await runIn(namespacePath, 'ip', ['route', 'del', serviceCidr, 'dev', bridge]).catch(() => undefined);
}

class NftKernel implements RuleKernel {
  readonly #options: ServiceRulesOptions;
  #hasConntrack: boolean | undefined;

  constructor(options: ServiceRulesOptions) {
    this.#options = options;
  }

  load(text: string): Promise<void> {
    return runIn(this.#options.namespacePath, 'nft', ['-f', '-'], text);
  }

  check(): Promise<void> {
    const { table, namespacePath } = this.#options;
    return runIn(namespacePath, 'nft', ['list', 'chain', 'ip', table, 'prerouting']);
  }

  async forget(flow: readonly string[]): Promise<void> {
    if (this.#hasConntrack === false) return;
    try {
      await runIn(this.#options.namespacePath, 'conntrack', flow);
    } catch (error) {
      // Exit 1 says that there was no such flow.
      this.#hasConntrack = (error as CaelumError).code !== 'notFound';
    }
  }

  /** The route to Services, and node ports on 127.0.0.1. Neither is worth failing for. */
  async prepare(): Promise<void> {
    const { bridge, serviceCidr, namespacePath, log } = this.#options;
    if (bridge === undefined) return;
    if (!/^[\w.-]{1,15}$/.test(bridge)) throw new CaelumError('badRequest', `Cannot use bridge "${bridge}"`);
    try {
      const path = `/proc/sys/net/ipv4/conf/${bridge}/route_localnet`;
      await runIn(namespacePath, 'sh', ['-c', `echo 1 > ${path}`]);
      if (serviceCidr !== undefined)
        await runIn(namespacePath, 'ip', ['route', 'replace', serviceCidr, 'dev', bridge]);
    } catch (error) {
      log.warn('the bridge could not be prepared for services', { bridge, error });
    }
  }
}

function runIn(
  namespacePath: string | undefined,
  command: string,
  args: readonly string[],
  input = '',
): Promise<void> {
  const [program, ...words] =
    namespacePath === undefined
      ? [command, ...args]
      : ['nsenter', `--net=${namespacePath}`, command, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < 2000) complaint += text;
    });
    child.on('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new CaelumError(cause.code === 'ENOENT' ? 'notFound' : 'unavailable', `Cannot run "${command}"`, {
          cause,
        }),
      ),
    );
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(new CaelumError('internal', `Cannot run "${command}": ${complaint.trim() || `exit ${code}`}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
