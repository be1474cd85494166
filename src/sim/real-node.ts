/**
 * A node whose agent is the real one, over a simulated machine; and the proxy beside it, which keeps the kernel's rules for services.
 * What they change on the machine stays when they are killed.
 */
import { AgentCore, type NodeUsageNow, readUsageOf } from '../agent/index.ts';
import type { Client, Informers } from '../client/index.ts';
import type { Log, Random } from '../lib/index.ts';
import { RuleKeeper, type RuleKernel } from '../services/index.ts';
import type { NodeMachine } from './node-machine.ts';
import type { NodePlan } from './plan.ts';
import type { Machine } from './process.ts';
import { tether } from './tether.ts';

interface Parts {
  readonly client: Client;
  readonly informers: Informers;
  readonly random: Random;
  readonly log: Log;
}

export const podRange = '10.44.0.0/16';
export const rulesTable = 'caelum-services';
const plenty = { bytes: { available: 2 ** 40, capacity: 2 ** 40 }, inodes: undefined };
/** More is left of everything than anybody needs. */
const calmReading = {
  memory: { available: 2 ** 40, capacity: 2 ** 40 },
  nodeFiles: plenty,
  imageFiles: plenty,
  hasImageFiles: false,
  pids: undefined,
};

/** Resolves when the node is registered and Ready and its pods are looked after, with how to ask what they use. */
export async function runAgent(
  process: Machine,
  machine: NodeMachine,
  node: NodePlan,
  parts: Parts,
): Promise<() => Promise<NodeUsageNow>> {
  const { clock, life } = process;
  const random = parts.random.stream('machine');
  const tied = <T extends object>(target: T, ...instant: string[]): T =>
    tether(target, { machine: process, random, errors: () => machine.weather.errors, instant });
  const runtime = machine.openRuntime(clock);
  life.onEnd(() => void runtime.close());
  const core = new AgentCore({
    ...parts,
    clock,
    runtime: tied(runtime, 'describe'),
    network: tied(machine.network),
    images: tied(machine.images),
    disk: tied(machine.disk, 'logPath'),
    probeRunner: {
      run: async (_action, { containerId }) => {
        const ok = machine.host.containers.get(containerId)?.state === 'running';
        return { ok, output: ok ? '' : 'connection refused' };
      },
    },
    nodeName: machine.name,
    nodeAddress: machine.address,
    dns: { servers: ['10.96.0.10'], domain: 'cluster.local' },
    labels: { 'topology.kubernetes.io/zone': node.zone },
    facts: {
      machineId: machine.name,
      systemUuid: machine.name,
      bootId: `${machine.name}/${machine.boots}`,
      kernelVersion: '6.1.0',
      osImage: 'Simulated',
      architecture: 'amd64',
      cpuCount: node.cpuCount,
      memoryBytes: node.memoryGiB * 2 ** 30,
      ephemeralStorageBytes: 1024 * 2 ** 30,
    },
    gauge: async () => calmReading,
  });
  await core.start(10_250);
  return () =>
    readUsageOf({
      shell: core.shell,
      runtime,
      nodeName: machine.name,
      nowMs: () => clock.nowMs(),
      readMachine: async () => undefined,
      readConnections: async () => undefined,
    });
}

/** Resolves when the rules of all services have been loaded once. */
export async function runProxy(process: Machine, machine: NodeMachine, parts: Parts): Promise<void> {
  const random = parts.random.stream('machine');
  const kernel: RuleKernel = {
    prepare: async () => {},
    load: async (text) => machine.rules.load(text),
    check: async () => {
      if (!machine.rules.isThere) throw new Error('no such table');
    },
    forget: async () => {},
  };
  const keeper = new RuleKeeper({
    ...parts,
    clock: process.clock,
    kernel: tether(kernel, {
      machine: process,
      random,
      // Few calls, each of them a whole transaction: they fail more often.
      errors: () => Math.min(0.7, machine.weather.errors * 3),
      instant: [],
    }),
    nodeName: machine.name,
    table: rulesTable,
    podCidr: podRange,
    guardsLocalhost: true,
  });
  await keeper.settled();
}
