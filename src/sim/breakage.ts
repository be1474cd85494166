/** Carries out faults on a world, and takes them back when their time is over. */
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
      network.breakStreams(fault.process);
      return () => {};
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
  }
}
