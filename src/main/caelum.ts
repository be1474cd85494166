/**
 * The program: `caelum COMMAND …`. Finds the command, loads it alone, turns errors into a line and an exit code:
 * 0 done, 1 failed, 2 wrong usage.
 */
import { helpFor, parseArguments, suggestion, textTable } from '../cli/index.ts';
import { CaelumError, explainError, isError } from '../lib/index.ts';
import { print, type RunnableCommand, say } from './command.ts';

const commands: Readonly<Record<string, { readonly summary: string; load(): Promise<RunnableCommand> }>> = {
  up: { summary: 'start a cloud on this machine', load: async () => (await import('./commands/up.ts')).up },
  down: {
    summary: 'stop everything that this cloud started',
    load: async () => (await import('./commands/down.ts')).down,
  },
  status: {
    summary: 'what runs, since when, with what CPU and memory',
    load: async () => (await import('./commands/status.ts')).status,
  },
  kubeconfig: {
    summary: "print an administrator's kubeconfig",
    load: async () => (await import('./commands/kubeconfig.ts')).kubeconfig,
  },
  image: {
    summary: 'list, pull, push, import, export and remove images',
    load: async () => (await import('./commands/image.ts')).image,
  },
  snapshot: {
    summary: "save or restore the cloud's objects",
    load: async () => (await import('./commands/snapshot.ts')).snapshot,
  },
  explain: {
    summary: 'why an object is as it is',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  verify: {
    summary: 'whether what runs where is right: capacity, isolation, fairness',
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  rebalance: {
    summary: 'which pods would be better off elsewhere, and move them',
    load: async () => (await import('./commands/rebalance.ts')).rebalance,
  },
  'scheduling-profiles': {
    summary: "what kube-scheduler's configuration is here",
    load: async () => (await import('./commands/scheduling-profiles.ts')).schedulingProfiles,
  },
  bench: {
    summary: 'measure this machine, side by side with peers',
    load: async () => (await import('./commands/bench.ts')).bench,
  },
  sim: {
    summary: 'run the cloud under simulated time and faults',
    load: async () => (await import('../sim/io/command.ts')).sim,
  },
  test: { summary: "run the project's tests", load: async () => (await import('./commands/test.ts')).test },
};

/** Programs of others, with words and help of their own. */
const programs: Readonly<Record<string, string>> = {
  kubectl: 'the kubectl that came along, spoken to this cloud',
  helm: 'the Helm that came along, spoken to this cloud',
};

// Ends also when something is still open: a command that is over is over.
process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    print(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version' || name === 'version') {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
    print(`caelum ${manifest.version}\n`);
    return 0;
  }
  try {
    if (name === 'kubectl' || name === 'helm') {
      const { runClientProgram } = await import('./commands/client-program.ts');
      return await runClientProgram(name, rest);
    }
    const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (entry === undefined)
      throw new CaelumError(
        'usage',
        `Cannot run "caelum ${name}": there is no such command${suggestion(name, [...Object.keys(commands), ...Object.keys(programs)])}. See "caelum --help".`,
      );
    const command = await entry.load();
    if (rest.includes('--help') || rest.includes('-h')) {
      print(helpFor(command));
      return 0;
    }
    return await command.run(parseArguments(command, rest));
  } catch (error) {
    say(
      error instanceof CaelumError ? withCause(error) : `Cannot run "caelum ${name}": ${explainError(error)}`,
    );
    if (process.env['CAELUM_DEBUG'] !== undefined) say(error instanceof Error ? (error.stack ?? '') : '');
    return isError(error, 'usage') ? 2 : 1;
  }
}

function withCause(error: CaelumError): string {
  return error.cause === undefined
    ? error.message
    : `${error.message}\n  because: ${explainError(error.cause)}`;
}

function overview(): string {
  const rows = [
    ...Object.entries(commands).map(([name, { summary }]) => [`  ${name}`, summary] as const),
    ...Object.entries(programs).map(([name, summary]) => [`  ${name}`, summary] as const),
  ];
  return `Caelum: a whole cloud in one program.\n\n  caelum COMMAND [options]\n\n${textTable(['Commands:', ''], rows)}\nMore on one: caelum COMMAND --help\n`;
}
