/**
 * Is the machine going down, so that pods are to end in order? Asked by our processes when they are told to stop: the agent ends pods then, and the others
 * wait for it, since it says through them what became of its pods. Told by a mark of `caelum down --graceful`, or by systemd.
 *
 * Where the node's configuration has no shutdownGracePeriod nothing is asked, and nobody waits.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Log } from '../lib/index.ts';
import type { Layout } from './layout.ts';
import { waitForExit } from './process-identity.ts';
import { processesOf } from './process-list.ts';
import type { Settings } from './settings.ts';

const systemdFolder = '/run/systemd/system';
const askWithinMs = 2000;
/** What an agent needs beside the time of its pods. */
export const lastWordsMs = 10_000;

/** How long pods have to end; 0: they are left alone. */
export async function timeForPods(layout: Layout, { shutdownMs = 0, agent }: Settings): Promise<number> {
  if (shutdownMs === 0 || !agent) return 0;
  return existsSync(layout.goingDown) || (await isSystemStopping()) ? shutdownMs : 0;
}

/** For those that the agent needs until its end. */
export async function awaitAgent(layout: Layout, settings: Settings, log: Log): Promise<void> {
  const timeMs = await timeForPods(layout, settings);
  if (timeMs === 0) return;
  const agent = processesOf(layout).find(({ name }) => name === 'node-agent');
  if (agent === undefined) return;
  log.info('waiting for the node to end its pods');
  await waitForExit(agent, timeMs + lastWordsMs);
}

const isSystemStopping = (): Promise<boolean> =>
  new Promise((resolve) => {
    if (!existsSync(systemdFolder)) return resolve(false);
    // It ends with 1 for every state but "running".
    execFile('systemctl', ['is-system-running'], { timeout: askWithinMs }, (_error, stdout) =>
      resolve(stdout.trim() === 'stopping'),
    );
  });
