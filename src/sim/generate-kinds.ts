/**
 * What users do with the kinds beside Deployments, from draws of its own: a plan without them is the plan that it would be if these were not.
 * As everywhere, each seed has some of the habits.
 */
import type { Random } from '../lib/index.ts';
import type { OtherAction } from './plan.ts';

type Timed = OtherAction & { readonly atMs: number };
type Make = () => OtherAction;

const chance = (random: Random, of: number): boolean => random.float() < of;
const propagations = ['Background', 'Foreground', 'Orphan'] as const;

/** Short enough for a few, one after the other, to end before a world has to be at rest. */
const exitAfterMsMax = 8000;
const appCount = 4;

export function otherActions(random: Random, activeMs: number): readonly Timed[] {
  const families = [ofSets, ofDaemons, ofBatches, ofCrons, ofBudgets, ofAutoscalers].filter(() =>
    chance(random, 0.35),
  );
  return families.flatMap((family) => family(random, activeMs));
}

/** One after the other, at random distances. */
function habit(random: Random, activeMs: number, fromMs: number, makes: readonly Make[]): Timed[] {
  const gapMs = [4000, 12_000, 30_000][random.integer(3)] as number;
  const actions: Timed[] = [];
  let atMs = fromMs;
  while (actions.length < 40) {
    atMs += 1 + Math.floor(-Math.log(1 - random.float()) * gapMs);
    if (atMs >= activeMs) break;
    const make = makes[random.integer(makes.length)] as Make;
    actions.push({ ...make(), atMs });
  }
  return actions;
}

const propagation = (random: Random) => propagations[random.integer(3)] ?? 'Background';

function ofSets(random: Random, activeMs: number): readonly Timed[] {
  const count = 1 + random.integer(2);
  const number = (): number => random.integer(count);
  const deploy = (which: number): OtherAction => ({
    kind: 'deploySet',
    number: which,
    set: {
      replicas: random.integer(5),
      isParallel: chance(random, 0.4),
      start: chance(random, 0.2) ? 3 : 0,
    },
  });
  const first = Array.from({ length: count }, (_, which): Timed => {
    const atMs = random.integer(10_000);
    return { ...deploy(which), atMs };
  });
  const more = habit(random, activeMs, 10_000, [
    () => ({ kind: 'scaleSet', number: number(), replicas: random.integer(6) }),
    () => ({ kind: 'scaleSet', number: number(), replicas: random.integer(6) }),
    () => ({
      kind: 'rollSet',
      number: number(),
      image: random.integer(6),
      partition: chance(random, 0.2) ? random.integer(3) : 0,
    }),
    () => ({ kind: 'dropSet', number: number(), propagation: propagation(random) }),
    () => deploy(number()),
    () => deploy(number()),
  ]);
  return [...first, ...more];
}

const claimedFrom = 8;

/** Sets whose pods have claims: `set-8`, `set-9`. From draws of their own again. */
export function claimActions(random: Random, activeMs: number): readonly Timed[] {
  if (!chance(random, 0.35)) return [];
  const count = 1 + random.integer(2);
  const number = (): number => claimedFrom + random.integer(count);
  const policy = () => (chance(random, 0.5) ? 'Delete' : 'Retain');
  const deploy = (which: number): OtherAction => ({
    kind: 'deploySet',
    number: which,
    set: {
      replicas: random.integer(4),
      isParallel: chance(random, 0.5),
      start: 0,
      claims: { whenScaled: policy(), whenDeleted: policy() },
    },
  });
  const first = Array.from({ length: count }, (_, which): Timed => {
    const atMs = random.integer(10_000);
    return { ...deploy(claimedFrom + which), atMs };
  });
  const scale: Make = () => ({ kind: 'scaleSet', number: number(), replicas: random.integer(5) });
  const more = habit(random, activeMs, 10_000, [
    scale,
    scale,
    () => ({ kind: 'growClaim', number: number(), gibibytes: 1 + random.integer(8) }),
    () => ({ kind: 'dropSet', number: number(), propagation: propagation(random) }),
    () => deploy(number()),
    () => deploy(number()),
  ]);
  return [...first, ...more];
}

function ofDaemons(random: Random, activeMs: number): readonly Timed[] {
  const number = (): number => random.integer(2);
  const deploy = (which: number): OtherAction => ({
    kind: 'daemon',
    number: which,
    daemon: chance(random, 0.3)
      ? { maxSurge: 1, maxUnavailable: 0 }
      : { maxSurge: 0, maxUnavailable: 1 + random.integer(2) },
  });
  const first: Timed = { ...deploy(0), atMs: random.integer(10_000) };
  const more = habit(random, activeMs, 10_000, [
    () => ({ kind: 'rollDaemon', number: number(), image: random.integer(6) }),
    () => ({ kind: 'rollDaemon', number: number(), image: random.integer(6) }),
    () => ({ kind: 'dropDaemon', number: number(), propagation: propagation(random) }),
    () => deploy(number()),
  ]);
  return [first, ...more];
}

function ofBatches(random: Random, activeMs: number): readonly Timed[] {
  const number = (): number => random.integer(4);
  const start: Make = () => ({
    kind: 'batch',
    number: number(),
    batch: {
      completions: 1 + random.integer(6),
      parallelism: 1 + random.integer(4),
      isIndexed: chance(random, 0.5),
      backoffLimit: random.integer(3),
      exitAfterMs: random.integer(exitAfterMsMax),
      exitCode: chance(random, 0.2) ? 1 : 0,
    },
  });
  const actions = habit(random, activeMs, 2000, [
    start,
    start,
    start,
    () => ({ kind: 'suspendBatch', number: number(), on: chance(random, 0.5) }),
    () => ({ kind: 'dropBatch', number: number(), propagation: propagation(random) }),
  ]);
  // In the end none waits for a word.
  const resumed = [0, 1, 2, 3].map(
    (which): Timed => ({ kind: 'suspendBatch', number: which, on: false, atMs: activeMs }),
  );
  return [...actions, ...resumed];
}

function ofCrons(random: Random, activeMs: number): readonly Timed[] {
  const policies = ['Allow', 'Forbid', 'Replace'] as const;
  const start = (which: number): OtherAction => ({
    kind: 'cron',
    number: which,
    cron: {
      concurrency: policies[random.integer(3)] ?? 'Allow',
      // Some run into the next minute.
      exitAfterMs: chance(random, 0.3) ? 60_000 + random.integer(20_000) : random.integer(exitAfterMsMax),
    },
  });
  const first: Timed = { ...start(0), atMs: random.integer(20_000) };
  const more = habit(random, activeMs, 60_000, [
    () => ({ kind: 'dropCron', number: random.integer(2) }),
    () => start(random.integer(2)),
  ]);
  // A world with a clock that strikes is never at rest.
  const dropped = [0, 1].map((which): Timed => ({ kind: 'dropCron', number: which, atMs: activeMs }));
  return [first, ...more, ...dropped];
}

function ofBudgets(random: Random, activeMs: number): readonly Timed[] {
  const app = (): number => random.integer(appCount);
  const start: Make = () => ({
    kind: 'budget',
    app: app(),
    minAvailable: chance(random, 0.3) ? '50%' : random.integer(4),
  });
  const evict: Make = () => ({ kind: 'evict', pick: random.integer(1000) });
  const first: Timed = { ...start(), atMs: random.integer(10_000) };
  const more = habit(random, activeMs, 5000, [
    start,
    evict,
    evict,
    evict,
    evict,
    () => ({ kind: 'dropBudget', app: app() }),
  ]);
  return [first, ...more];
}

function ofAutoscalers(random: Random, activeMs: number): readonly Timed[] {
  const app = (): number => random.integer(appCount);
  const start: Make = () => {
    const min = 1 + random.integer(4);
    return { kind: 'autoscale', app: app(), min, max: min + random.integer(6) };
  };
  const first: Timed = { ...start(), atMs: random.integer(20_000) };
  const more = habit(random, activeMs, 20_000, [start, () => ({ kind: 'dropAutoscale', app: app() })]);
  return [first, ...more];
}
