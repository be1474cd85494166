/**
 * The start of each of our processes: `process.ts NAME DATA`. Loads only what that process needs, tells its parent how the start went,
 * and keeps an eye on the supervisor.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { CaelumError, createLog, explainError, type Log } from '../lib/index.ts';
import { realClock } from '../lib/io/real-clock.ts';
import { type Layout, layoutOf } from './layout.ts';
import { processTitle } from './process-list.ts';
import type { Running } from './running.ts';
import { readSettings } from './settings.ts';
import { liveProcess, type ProcessName, readState } from './state.ts';
import { processCommand, type StartMessage } from './supervisor.ts';

const supervisorPollMs = 1000;
const channelGraceMs = 50;

const name = process.argv[2] as ProcessName;
const layout = layoutOf(process.argv[3] ?? '');
process.title = processTitle(name, layout);
const log = createLog({
  clock: realClock,
  sink: (line) => process.stderr.write(`${line}\n`),
  fields: { process: name },
});

// A programmer's error ends the process, with its reason in the log; the supervisor starts it again.
process.on('uncaughtException', (error) => {
  log.error('crashed', { error, stack: error instanceof Error ? error.stack : undefined });
  process.exit(70);
});

try {
  const running = await start(name);
  tell({ kind: 'ready' });
  process.channel?.unref();
  giveBackStartMemory();
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      running.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          log.error('cannot stop cleanly', { error });
          process.exit(1);
        },
      );
    });
  }
  if (name !== 'supervisor') watchSupervisor(layout, log);
} catch (error) {
  log.error('cannot start', { error, stack: error instanceof Error ? error.stack : undefined });
  const message: StartMessage = {
    kind: 'failed',
    code: error instanceof CaelumError ? error.code : 'internal',
    message: error instanceof CaelumError ? error.message : explainError(error),
  };
  if (process.send === undefined) process.exit(1);
  else process.send(message, () => process.exit(1));
}

async function start(which: ProcessName): Promise<Running> {
  switch (which) {
    case 'supervisor':
      return (await import('./supervise.ts')).runSupervisor(layout, log, process.channel !== undefined);
    case 'control-plane':
      return (await import('./control-plane.ts')).startControlPlane(layout, readSettings(layout), log);
    case 'node-agent':
      return (await import('./node-agent.ts')).startNodeAgent(layout, readSettings(layout), log);
    default:
      throw new CaelumError('usage', `Cannot run process "${String(which)}": there is none of that name`);
  }
}

/** What only the start needed (sources, certificates, the first lists) goes back to the system: V8 by itself would keep it while idle. */
function giveBackStartMemory(): void {
  realClock.after(2000, () => {
    const collect = (globalThis as { gc?: () => void }).gc;
    collect?.();
    collect?.();
  });
}

function tell(message: StartMessage): void {
  // The parent may be gone: then nobody waits for the word.
  process.send?.(message, () => {});
}

/**
 * Starts a new supervisor when the old one has died and nobody is stopping the cloud. Who comes second finds the name held and ends. The children of a supervisor hear its
 * end at once by their channel; those that it adopted look once a second, and twice before they believe it.
 */
function watchSupervisor(of: Layout, to: Log): void {
  let missed = 0;
  const look = (timesEnough: number): void => {
    const gone =
      liveProcess(readState(of), 'supervisor') === undefined &&
      !existsSync(of.stopping) &&
      existsSync(of.settings);
    missed = gone ? missed + 1 : 0;
    if (missed >= timesEnough) {
      missed = 0;
      to.warn('the supervisor is gone: starting a new one');
      spawn(process.execPath, processCommand('supervisor', of), {
        detached: true,
        cwd: '/',
        stdio: ['ignore', 'inherit', 'inherit'],
      }).unref();
    }
  };
  const lookAgain = (): void => {
    look(2);
    realClock.after(supervisorPollMs, lookAgain);
  };
  realClock.after(supervisorPollMs, lookAgain);
  // The kernel closes the channel a moment before the process is gone.
  process.once('disconnect', () => realClock.after(channelGraceMs, () => look(1)));
}
