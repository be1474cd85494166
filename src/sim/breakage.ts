/** Carries out faults on a world, and takes them back when their time is over. */
import { fairMachine, type MachineWeather } from './node-machine.ts';
import type { Fault } from './plan.ts';
import type { World } from './world.ts';

/** Breaks it now. Answers how to mend it. */
export function breakIt(world: World, fault: Fault): () => void {
  const { network, disk } = world;
  world.count(`fault: ${fault.kind}`);
  switch (fault.kind) {
    case 'kill': {
      const victim = world.process(fault.process);
      victim?.hold(fault.afterSends);
      return () => victim?.release();
    }
    case 'cut': {
      const ways: [string, string][] = [];
      if (fault.way !== 'in') ways.push([fault.process, 'api']);
      if (fault.way !== 'out') ways.push(['api', fault.process]);
      for (const [from, to] of ways) network.cut(from, to);
      return () => {
        for (const [from, to] of ways) network.mend(from, to);
      };
    }
    case 'slow': {
      network.weather.slow = fault.chance;
      network.weather.slowMs = fault.slowMs;
      return () => {
        network.weather.slow = 0;
      };
    }
    case 'loss':
      network.weather.loss = fault.chance;
      return () => {
        network.weather.loss = 0;
      };
    case 'repeat':
      network.weather.repeat = fault.chance;
      return () => {
        network.weather.repeat = 0;
      };
    case 'breakStreams':
      // And none can be opened for a while: the world goes on meanwhile, and what it was is forgotten.
      network.breakStreams(fault.process);
      network.cut(fault.process, 'api');
      return () => network.mend(fault.process, 'api');
    case 'compact': {
      const { store } = world;
      store?.compact(store.revision());
      return () => {};
    }
    case 'diskFull':
      disk.weather.isFull = true;
      return () => {
        disk.weather.isFull = false;
      };
    case 'diskRefuse':
      disk.weather.refusesWrites = true;
      return () => {
        disk.weather.refusesWrites = false;
      };
    case 'diskStall':
      disk.weather.stalledUntilMs = world.clock.monotonicMs() + fault.forMs;
      return () => {};
    case 'syncFails':
      disk.weather.failsSync = true;
      return () => {
        disk.weather.failsSync = false;
      };
    case 'bitFlip': {
      const api = world.process('api');
      api?.hold(0);
      disk.flipBit(world.random.stream(`flip/${fault.atMs}`));
      return () => api?.release();
    }
    case 'clockJump': {
      const machine = world.process(fault.process);
      if (machine !== undefined) machine.skew.offsetMs += fault.byMs;
      return () => {};
    }
    case 'clockDrift': {
      const machine = world.process(fault.process);
      if (machine === undefined) return () => {};
      const before = machine.skew.drift;
      machine.skew.drift = fault.drift;
      return () => {
        machine.skew.drift = before;
      };
    }
    case 'crashNode': {
      const machine = world.machines.get(fault.process);
      const victims = [fault.process, machine?.proxy ?? ''].map((name) => world.process(name));
      for (const victim of victims) victim?.hold(0);
      machine?.powerCut();
      return () => {
        for (const victim of victims) victim?.release();
      };
    }
    case 'containerExits':
      world.machines.get(fault.process)?.exitOne(fault.pick, fault.exitCode);
      return () => {};
    case 'slowPull':
      return change(world.machines.get(fault.process)?.weather, { pullMs: fault.pullMs });
    case 'machineErrors':
      return change(world.machines.get(fault.process)?.weather, { errors: fault.chance });
    case 'metrics':
      return change(world.machines.get(fault.process)?.weather, { tells: fault.tells });
  }
}

/** Sets what it says until it is mended: to fair weather, whatever was before, since faults may overlap. */
function change(weather: MachineWeather | undefined, by: Partial<MachineWeather>): () => void {
  if (weather === undefined) return () => {};
  Object.assign(weather, by);
  return () => void Object.assign(weather, fairMachine);
}
