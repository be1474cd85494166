/** The contract on the fake, under simulated time; and what only the fake can do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom, SimulatedClock } from '../../lib/index.ts';
import { acts, type ContractHarness, containerSpec, runtimeContract, sandboxSpec } from './contract.ts';
import { createFakeRuntime, FakeHost, type FakeProgram } from './fake-runtime.ts';
import type { ContainerSpec, Runtime } from './runtime.ts';

/** Acts the contract's commands. */
function perform(spec: ContainerSpec): FakeProgram {
  const exec = (
    args: readonly string[],
    stdin: string,
  ): { exitCode: number; stdout?: string; stderr?: string; afterMs?: number } => {
    if (args[0] === '/bin/cat') return { exitCode: 0, stdout: stdin };
    if (args[0] === '/bin/sleep') return { exitCode: 0, afterMs: Number(args[1]) * 1000 };
    const code = Number(/exit (\d+)/.exec(args[2] ?? '')?.[1] ?? 0);
    return args === acts.speaks ? { exitCode: code, stdout: 'out\n', stderr: 'err\n' } : { exitCode: code };
  };
  const script = spec.args[2] ?? '';
  if (spec.args[0] === acts.missing[0]) return { failToStart: `executable file ${spec.args[0]} not found` };
  if (script === acts.polite[2]) return { terminate: { afterMs: 5, exitCode: 7 }, exec };
  if (script === acts.stubborn[2]) return { terminate: 'ignore', exec };
  if (script.startsWith('exit ')) return { exitAfterMs: 3, exitCode: Number(script.slice(5)), exec };
  return { exec };
}

function createHarness(clock: SimulatedClock, seed: string): ContractHarness {
  const host = new FakeHost();
  let pods = 0;
  return {
    open: async () => createFakeRuntime({ clock, random: new SeededRandom(seed), host, program: perform }),
    rootPath: () => '/',
    logPath: (name) => `/tmp/${name}.log`,
    podUid: () => `uid-${pods++}`,
    until: async (what, done) => {
      for (let step = 0; step < 1000; step++) {
        if (await done()) return;
        await clock.advance(1);
      }
      assert.fail(`never: ${what}`);
    },
  };
}

for (const { name, run } of runtimeContract)
  test(`fake runtime: ${name}`, async () => {
    const seed = name;
    const clock = new SimulatedClock();
    let isDone = false;
    const work = run(createHarness(clock, seed)).finally(() => {
      isDone = true;
    });
    // Nobody else moves the clock: let time pass while the case waits.
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(10);
    }
    await work;
  });

test('createFakeRuntime() with the same seed takes the same time to start', async () => {
  const times = [];
  for (let round = 0; round < 2; round++) {
    const clock = new SimulatedClock();
    const runtime: Runtime = createFakeRuntime({
      clock,
      random: new SeededRandom(42),
      startDelayMs: [10, 5000],
    });
    await runtime.createSandbox(sandboxSpec('a'));
    const harness = createHarness(clock, '42');
    const started = runtime.startContainer(containerSpec(harness, 'a', acts.forever));
    await clock.advance(6000);
    times.push((await started).startedAtMs);
  }
  assert.equal(times[0], times[1]);
});

test('exitContainer() ends a container as its program would', async () => {
  const clock = new SimulatedClock();
  const runtime = createFakeRuntime({ clock, random: new SeededRandom(1), startDelayMs: [0, 0] });
  await runtime.createSandbox(sandboxSpec('a'));
  const starting = runtime.startContainer(containerSpec(createHarness(clock, '1'), 'a', acts.forever));
  await clock.advance(1);
  const { id } = await starting;
  runtime.exitContainer(id, 137, 'OOMKilled');
  const status = await runtime.status(id);
  assert.equal(status?.reason, 'OOMKilled');
  assert.equal(status?.exitCode, 137);
});

test('a container goes on by the time of its machine when its agent is gone; one that was only being made is not there', async () => {
  const machineClock = new SimulatedClock();
  const clock = new SimulatedClock();
  const host = new FakeHost();
  const program = (spec: ContainerSpec): FakeProgram => (spec.name === 'short' ? { exitAfterMs: 50 } : {});
  const open = () =>
    createFakeRuntime({
      clock,
      machineClock,
      random: new SeededRandom(1),
      host,
      program,
      startDelayMs: [5, 5],
    });
  const agent = open();
  await agent.createSandbox(sandboxSpec('a'));
  const spec = (name: string) => ({ ...containerSpec(createHarness(clock, '1'), 'a', acts.forever), name });
  const short = agent.startContainer(spec('short'));
  await clock.advance(10);
  await short;
  void agent.startContainer(spec('late'));
  await machineClock.advance(100);
  const [found, ...others] = await open().listContainers();
  assert.deepEqual(others, []);
  assert.equal(found?.state, 'exited');
});

test('powerCut() ends containers as nobody knows, and takes the sandboxes', async () => {
  for (const forgets of [true, false]) {
    const clock = new SimulatedClock();
    const host = new FakeHost();
    const runtime = createFakeRuntime({ clock, random: new SeededRandom(1), host, startDelayMs: [0, 0] });
    await runtime.createSandbox(sandboxSpec('a'));
    const starting = runtime.startContainer(containerSpec(createHarness(clock, '1'), 'a', acts.forever));
    await clock.advance(1);
    await starting;
    const told: unknown[] = [];
    runtime.onExit((status) => told.push(status));
    host.powerCut(clock.nowMs(), forgets);
    await clock.advance(100);
    assert.deepEqual(told, []);
    assert.deepEqual(await runtime.listSandboxes(), []);
    const codes = (await runtime.listContainers()).map(({ exitCode }) => exitCode);
    assert.deepEqual(codes, forgets ? [] : [255]);
  }
});
