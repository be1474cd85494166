/** `caelum status`: what runs, since when, and what it uses. */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { formatBytes, formatDuration, textTable } from '../../cli/index.ts';
import { readIfThere } from '../../lib/io/durable-file.ts';
import { dataOption, outputOption, print, printJson, type RunnableCommand, say } from '../command.ts';
import { dataDirectoryOf, type Layout, layoutOf } from '../layout.ts';
import { useOf } from '../process-identity.ts';
import { readState, type State } from '../state.ts';

export interface ProcessReport {
  readonly name: string;
  readonly pid: number;
  readonly since: string;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

export const status: RunnableCommand = {
  name: 'status',
  summary:
    'Shows what runs, since when, and the CPU and memory of each process. Exit code 1 when the cloud is not ready.',
  options: [dataOption, outputOption],
  async run(given) {
    const layout = layoutOf(dataDirectoryOf(given.value('data')));
    const state = readState(layout);
    const ready = state !== undefined && (await isReady(layout, state));
    const processes = reportOf(state);
    if (given.value('output') === 'json') {
      printJson({ ready, apiUrl: state?.apiUrl ?? null, processes });
      return ready ? 0 : 1;
    }
    if (state === undefined || processes.length === 0) {
      say(`no cloud runs in ${layout.data}; start one with: caelum up --data ${layout.data}`);
      return 1;
    }
    print(`${ready ? 'ready' : 'not ready'}  ${state.apiUrl}\n\n`);
    const rows = processes.map((one) => [
      one.name,
      String(one.pid),
      formatDuration(Date.now() - Date.parse(one.since)),
      `${one.cpuSeconds.toFixed(1)} s`,
      formatBytes(one.residentBytes),
    ]);
    print(textTable(['PROCESS', 'PID', 'AGE', 'CPU', 'MEMORY'], rows));
    return ready ? 0 : 1;
  },
};

function reportOf(state: State | undefined): readonly ProcessReport[] {
  return (state?.processes ?? []).flatMap((record) => {
    const use = useOf(record);
    if (use === undefined) return [];
    const { cpuSeconds, residentBytes } = use;
    return [{ name: record.name, pid: record.pid, since: record.since, cpuSeconds, residentBytes }];
  });
}

function isReady(layout: Layout, state: State): Promise<boolean> {
  const ca = readIfThere(join(layout.pki, 'ca.crt'));
  if (ca === undefined) return Promise.resolve(false);
  return new Promise((resolve) => {
    const asked = request(
      `${state.apiUrl}/readyz`,
      {
        ca,
        cert: readFileSync(join(layout.pki, 'admin.crt')),
        key: readFileSync(join(layout.pki, 'admin.key')),
        timeout: 5000,
        agent: false,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
