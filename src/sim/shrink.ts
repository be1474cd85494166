/**
 * Makes a failing plan small: fewer things that happen, fewer machines, plainer faults, less time. Pure: `fails` runs a candidate and says whether the
 * same property is broken.
 *
 *   plan ─▶ what happens (delta debugging) ─▶ machines ─▶ faults ─▶ workloads ─▶ habits of the world ─▶ time ─▶ what happens, again ─▶ small plan
 *
 * Source of the first step: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002 (ddmin).
 * Invariant: every candidate is a fair plan: what a user has closed is opened again in the end, and all faults end in time.
 */
import { type Action, type Fault, nodeName, proxyName, type SimPlan } from './plan.ts';

export interface ShrinkOptions {
  /** At most so many candidates are run. Default 200. */
  readonly runsMax?: number;
  /** Told of each smaller plan that still fails. */
  readonly onSmaller?: (plan: SimPlan, runs: number) => void;
  /** Asked before each run: true ends the search. */
  readonly isOver?: () => boolean;
}

export interface Shrunk {
  readonly plan: SimPlan;
  readonly runs: number;
}

export async function shrink(
  plan: SimPlan,
  fails: (candidate: SimPlan) => Promise<boolean>,
  options: ShrinkOptions = {},
): Promise<Shrunk> {
  const search = new Search(plan, fails, options);
  await search.run();
  return { plan: search.best, runs: search.runs };
}

/** Something that happens in a plan: what delta debugging leaves out. */
type Happening =
  | { readonly kind: 'action'; readonly action: Action }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** Longer than it takes to notice that nothing more happens. */
const tailMs = 1000;

class Search {
  best: SimPlan;
  runs = 0;
  readonly #fails: (candidate: SimPlan) => Promise<boolean>;
  readonly #options: ShrinkOptions;
  readonly #tried = new Set<string>();

  constructor(plan: SimPlan, fails: (candidate: SimPlan) => Promise<boolean>, options: ShrinkOptions) {
    this.best = plan;
    this.#fails = fails;
    this.#options = options;
    this.#tried.add(JSON.stringify(plan));
  }

  get #isOver(): boolean {
    return this.runs >= (this.#options.runsMax ?? 200) || this.#options.isOver?.() === true;
  }

  async run(): Promise<void> {
    await this.#happenings();
    await this.#machines();
    await this.#faults();
    await this.#workloads();
    await this.#habits();
    await this.#time();
    await this.#happenings();
  }

  /** Keeps the candidate when it still fails. */
  async #try(candidate: SimPlan): Promise<boolean> {
    const text = JSON.stringify(candidate);
    if (this.#isOver || this.#tried.has(text)) return false;
    this.#tried.add(text);
    this.runs++;
    if (!(await this.#fails(candidate))) return false;
    this.best = candidate;
    this.#options.onSmaller?.(candidate, this.runs);
    return true;
  }

  async #happenings(): Promise<void> {
    let all = happeningsOf(this.best);
    let parts = 2;
    while (all.length > 0 && !this.#isOver) {
      const size = Math.ceil(all.length / parts);
      let smaller: readonly Happening[] | undefined;
      for (let at = 0; at < all.length && smaller === undefined; at += size) {
        const rest = [...all.slice(0, at), ...all.slice(at + size)];
        if (await this.#try(withHappenings(this.best, rest))) smaller = rest;
      }
      if (smaller !== undefined) {
        all = smaller;
        parts = Math.max(2, parts - 1);
      } else if (size === 1) return;
      else parts = Math.min(all.length, parts * 2);
    }
  }

  async #machines(): Promise<void> {
    for (let at = this.best.nodes.length - 1; at >= 0 && this.best.nodes.length > 1; at--)
      await this.#try(withoutNode(this.best, at));
  }

  async #faults(): Promise<void> {
    for (let at = 0; at < this.best.faults.length; at++)
      for (const plainer of plainerFaults(this.best.faults[at] as Fault)) {
        const faults = this.best.faults.map((fault, index) => (index === at ? plainer : fault));
        if (await this.#try({ ...this.best, faults })) break;
      }
  }

  async #workloads(): Promise<void> {
    for (let at = 0; at < this.best.actions.length; at++)
      for (const plainer of plainerActions(this.best.actions[at] as Action)) {
        const actions = this.best.actions.map((action, index) => (index === at ? plainer : action));
        if (await this.#try({ ...this.best, actions })) break;
      }
  }

  async #habits(): Promise<void> {
    await this.#try({ ...this.best, startDelayMs: 0, stopDelayMs: 0 });
    await this.#try({ ...this.best, startDelayMs: 0 });
    await this.#try({ ...this.best, stopDelayMs: 0 });
    await this.#try({ ...this.best, historyEvents: 20_000 });
    await this.#try({
      ...this.best,
      nodes: this.best.nodes.map((node) => ({ ...node, agent: 'hollow' as const })),
    });
  }

  async #time(): Promise<void> {
    const lastMs = Math.max(
      0,
      ...openActions(this.best).map(({ atMs }) => atMs),
      ...this.best.faults.map(({ atMs, forMs }) => atMs + forMs),
    );
    if (lastMs + tailMs < this.best.activeMs) await this.#try(within(this.best, lastMs + tailMs));
    // Faults may be cut short by it; they end when the time is over.
    for (const part of [0.5, 0.75]) await this.#try(within(this.best, Math.ceil(this.best.activeMs * part)));
  }
}

/** What opens nodes again when users and faults have had their time. */
const isClosing = (plan: SimPlan, action: Action): boolean =>
  action.atMs >= plan.activeMs &&
  (action.kind === 'dropCron' ||
    ((action.kind === 'cordon' || action.kind === 'taint' || action.kind === 'suspendBatch') && !action.on));

const openActions = (plan: SimPlan): readonly Action[] =>
  plan.actions.filter((action) => !isClosing(plan, action));

const happeningsOf = (plan: SimPlan): readonly Happening[] => [
  ...openActions(plan).map((action): Happening => ({ kind: 'action', action })),
  ...plan.faults.map((fault): Happening => ({ kind: 'fault', fault })),
];

function withHappenings(plan: SimPlan, happenings: readonly Happening[]): SimPlan {
  const actions = happenings.flatMap((one) => (one.kind === 'action' ? [one.action] : []));
  const faults = happenings.flatMap((one) => (one.kind === 'fault' ? [one.fault] : []));
  return { ...plan, actions: [...actions, ...closingOf(actions, plan.activeMs)], faults };
}

/** Opens whatever these close. */
function closingOf(actions: readonly Action[], atMs: number): readonly Action[] {
  const closing = new Map<string, Action>();
  for (const action of actions) {
    if (action.kind === 'cordon' && action.on)
      closing.set(`cordon ${action.node}`, { kind: 'cordon', node: action.node, on: false, atMs });
    if (action.kind === 'taint' && action.on) {
      const { node, effect } = action;
      closing.set(`taint ${node} ${effect}`, { kind: 'taint', node, on: false, effect, atMs });
    }
    if (action.kind === 'suspendBatch' && action.on)
      closing.set(`batch ${action.number}`, { ...action, on: false, atMs });
    if (action.kind === 'cron')
      closing.set(`cron ${action.number}`, { kind: 'dropCron', number: action.number, atMs });
  }
  return [...closing.values()];
}

/** What happened to that node alone does not happen; the ones after it move up. */
function withoutNode(plan: SimPlan, gone: number): SimPlan {
  const moved = (node: number): number => (node > gone ? node - 1 : node);
  const names = new Map<string, string | undefined>();
  for (const [index] of plan.nodes.entries())
    for (const name of [nodeName, proxyName])
      names.set(name(index), index === gone ? undefined : name(moved(index)));
  const actions = plan.actions.flatMap((action): Action[] => {
    if (!('node' in action)) return [action];
    return action.node === gone ? [] : [{ ...action, node: moved(action.node) }];
  });
  const faults = plan.faults.flatMap((fault): Fault[] => {
    if (!('process' in fault) || !names.has(fault.process)) return [fault];
    const process = names.get(fault.process);
    return process === undefined ? [] : [{ ...fault, process }];
  });
  return { ...plan, nodes: plan.nodes.filter((_, index) => index !== gone), actions, faults };
}

/** Plainest first. */
function plainerFaults(fault: Fault): readonly Fault[] {
  const shorter = [200, 1000, 5000, 20_000].filter((forMs) => forMs < fault.forMs);
  const plain: Fault[] = fault.kind === 'kill' && fault.afterSends > 0 ? [{ ...fault, afterSends: 0 }] : [];
  return [
    ...plain.flatMap((one) => [...shorter.slice(0, 2).map((forMs) => ({ ...one, forMs })), one]),
    ...shorter.map((forMs) => ({ ...fault, forMs })),
  ];
}

function plainerActions(action: Action): readonly Action[] {
  if (action.kind === 'scale') return fewer(action.replicas).map((replicas) => ({ ...action, replicas }));
  if (action.kind === 'namespace') return fewer(action.apps).map((apps) => ({ ...action, apps }));
  if (action.kind !== 'deploy') return [];
  const { workload } = action;
  const plain = { ...workload, placement: 'anywhere' as const, cpuMilli: 10, memoryMiB: 8 };
  const isPlain = JSON.stringify(plain) === JSON.stringify(workload);
  const counts = fewer(workload.replicas);
  return [
    ...counts.map((replicas) => ({ ...action, workload: { ...plain, replicas } })),
    ...(isPlain ? [] : [{ ...action, workload: plain }]),
    ...(isPlain ? [] : counts.map((replicas) => ({ ...action, workload: { ...workload, replicas } }))),
  ];
}

const fewer = (count: number): readonly number[] =>
  [...new Set([1, 2, Math.floor(count / 2), count - 1])].filter((one) => one > 0 && one < count);

/** The same with less time: what would come later does not come. */
function within(plan: SimPlan, activeMs: number): SimPlan {
  const actions = openActions(plan).filter(({ atMs }) => atMs < activeMs);
  const faults = plan.faults
    .filter(({ atMs }) => atMs + tailMs <= activeMs)
    .map((fault) => ({ ...fault, forMs: Math.min(fault.forMs, activeMs - fault.atMs) }));
  return { ...plan, activeMs, actions: [...actions, ...closingOf(actions, activeMs)], faults };
}
