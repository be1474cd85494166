/**
 * `caelum down`: stops everything that this cloud started, whatever state it is in: also when its processes were killed.
 *
 *   marker (nobody restarts anything) ─▶ processes ─▶ containers, sandboxes, roots, mounts ─▶ network, rules ─▶ with --purge: files
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CaelumError, silentLog } from '../../lib/index.ts';
import { type CloudNetwork, isTakenByAnother, keptNetwork, releaseNetwork } from '../cloud-network.ts';
import { dataOption, print, type RunnableCommand } from '../command.ts';
import { lastWordsMs, timeForPods } from '../going-down.ts';
import { dataDirectoryOf, type Layout, layoutOf } from '../layout.ts';
import { processesOf } from '../process-list.ts';
import { readSettings, type Settings } from '../settings.ts';
import type { ProcessName } from '../state.ts';
import { stopProcesses } from '../supervisor.ts';

const containerGraceMs = 2000;

export const down: RunnableCommand = {
  name: 'down',
  summary: 'Stops everything that this cloud started. Objects stay: "caelum up" brings them back.',
  options: [
    dataOption,
    { name: 'purge', help: 'also delete its data: objects, images, certificates' },
    {
      name: 'graceful',
      help: 'pods end first, the less important before the others, as for a shutdown of the machine (shutdownGracePeriod of the node configuration)',
    },
  ],
  async run(given) {
    const layout = layoutOf(dataDirectoryOf(given.value('data')));
    const purge = given.flag('purge');
    if (!existsSync(layout.data)) {
      print(`nothing to stop: there is no cloud in ${layout.data}\n`);
      return 0;
    }
    if (purge) checkIsOurs(layout);
    const settings = settingsOf(layout);
    const graceful = given.flag('graceful');
    if (graceful) checkShutdown(settings);
    mkdirSync(dirname(layout.stopping), { recursive: true });
    writeFileSync(layout.stopping, '');
    if (graceful && settings !== undefined) await endPods(layout, settings);
    await stopAll(layout);
    rmSync(layout.goingDown, { force: true });
    const network = settings?.agent === true ? settings.network : formerNetwork(layout);
    if (network !== undefined) await removeNode(layout, network);
    rmSync(layout.state, { force: true });
    if (purge) {
      releaseNetwork(layout);
      checkNothingMounted(layout.data);
      rmSync(layout.data, { recursive: true, force: true });
    } else rmSync(layout.stopping, { force: true });
    print(purge ? `stopped; ${layout.data} is deleted\n` : 'stopped\n');
    return 0;
  },
};

/** Who asks for it would believe that pods had their time. */
function checkShutdown(settings: Settings | undefined): void {
  if (settings?.agent === true && (settings.shutdownMs ?? 0) === 0)
    throw new CaelumError(
      'badRequest',
      'Cannot end pods in order: the node configuration says nothing of shutdownGracePeriod; start the cloud with: caelum up --node-config FILE',
    );
}

/** The agent alone is told first: control plane and network are there until it has said what became of its pods. */
async function endPods(layout: Layout, settings: Settings): Promise<void> {
  writeFileSync(layout.goingDown, '');
  const timeMs = await timeForPods(layout, settings);
  const agents = processesOf(layout).filter(({ name }) => name === 'node-agent');
  if (timeMs > 0) await stopProcesses(agents, timeMs + lastWordsMs);
}

/** Deleting a folder wants certainty that it is a cloud's. */
function checkIsOurs(layout: Layout): void {
  if (
    existsSync(layout.settings) ||
    existsSync(layout.pki) ||
    existsSync(layout.store) ||
    existsSync(layout.logs)
  )
    return;
  throw new CaelumError(
    'badRequest',
    `Cannot purge "${layout.data}": it does not look like a cloud's data directory`,
  );
}

function settingsOf(layout: Layout): Settings | undefined {
  try {
    return readSettings(layout);
  } catch {
    return undefined;
  }
}

/** The supervisor first, so that it does not restart the others. Again until none is left: one may have been starting just then. */
async function stopAll(layout: Layout): Promise<void> {
  const order: readonly ProcessName[] = ['supervisor', 'node-agent', 'control-plane'];
  for (let round = 0; round < 5; round++) {
    const alive = processesOf(layout).toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
    if (alive.length === 0) return;
    await stopProcesses(alive);
  }
}

/** Of a cloud that runs without a node now, and had one before: its containers, mounts and rules may be there still. */
const formerNetwork = (layout: Layout): CloudNetwork | undefined =>
  process.getuid?.() === 0 ? keptNetwork(layout) : undefined;

async function removeNode(layout: Layout, network: CloudNetwork): Promise<void> {
  const { openNode } = await import('../node-parts.ts');
  const { removeServiceRules } = await import('../../services/index.ts');
  const node = await openNode(layout, network, silentLog);
  const containers = await node.runtime.listContainers();
  await Promise.all(
    containers.map(async ({ id, state }) => {
      if (state === 'running') await node.runtime.stopContainer(id, containerGraceMs);
      await node.runtime.removeContainer(id);
    }),
  );
  const sandboxes = await node.runtime.listSandboxes();
  await Promise.all(sandboxes.map(({ podUid }) => node.runtime.removeSandbox(podUid)));
  await Promise.all((await node.images.listRoots()).map((key) => node.images.unmountRoot(key)));
  if (!isTakenByAnother(layout, network.slot)) {
    await removeServiceRules({
      table: network.serviceTable,
      serviceCidr: network.serviceCidr,
      bridge: network.bridgeName,
    });
    await node.network.destroy();
  }
  await node.runtime.close();
  await node.images.close();
  unmountBelow(layout.data);
  removeCgroups(`caelum-${layout.id}`);
}

/** The cloud's own groups, in every hierarchy of this machine. They are empty by now; the kernel refuses to remove what is not. */
function removeCgroups(name: string): void {
  const root = '/sys/fs/cgroup';
  const hierarchies = [
    root,
    ...readdirSync(root, { withFileTypes: true })
      .filter((one) => one.isDirectory())
      .map((one) => join(root, one.name)),
  ];
  const remove = (folder: string): void => {
    for (const one of readdirSync(folder, { withFileTypes: true }))
      if (one.isDirectory()) remove(join(folder, one.name));
    rmdirSync(folder);
  };
  for (const hierarchy of hierarchies) {
    const folder = join(hierarchy, name);
    if (existsSync(folder)) remove(folder);
  }
}

/** Whatever is still mounted below the data directory: volumes in memory, roots of containers that are gone. Deepest first. */
function unmountBelow(directory: string): void {
  for (const point of mountsBelow(directory)) {
    try {
      execFileSync('umount', ['-l', point], { stdio: 'ignore' });
    } catch {
      // Gone with one above it.
    }
  }
}

/** What is mounted there is somebody's: it must not be deleted with the folder. */
function checkNothingMounted(directory: string): void {
  const [point] = mountsBelow(directory);
  if (point !== undefined)
    throw new CaelumError('unavailable', `Cannot delete "${directory}": "${point}" is still mounted`);
}

function mountsBelow(directory: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) =>
      (line.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_all, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    )
    .filter((point) => point.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
}
