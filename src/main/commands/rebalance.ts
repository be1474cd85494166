/**
 * `caelum rebalance`: which pods would be better off elsewhere; with --apply they are moved, by evictions.
 *
 * Without more it looks for what is against the rules. --policy takes what a policy says; --strategy and --drain say it here. A drain goes on, round by round, until
 * nothing is left to be moved: budgets allow a few at a time.
 */
import {
  type Node,
  nodes,
  type Pod,
  pods,
  type RebalancePolicy,
  type RebalancePolicySpec,
  type RebalanceStrategy,
  rebalancePolicies,
} from '../../api/index.ts';
import { type Arguments, textTable, usage } from '../../cli/index.ts';
import { createEventRecorder, type HttpClient } from '../../client/index.ts';
import { CaelumError, silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { realRandom } from '../../lib/io/real-random.ts';
import {
  type Applied,
  applyMoves,
  type MovePlan,
  movesOf,
  planMoves,
  readWorld,
  recordMove,
  statusOf,
  tellStatus,
} from '../../scheduler/index.ts';
import { allOf, withCloud } from '../cloud-client.ts';
import { dataOption, outputOption, print, printJson, type RunnableCommand, say } from '../command.ts';

/** What is against a rule; nothing that is a matter of taste. */
const repairs = ['NodeTaints', 'NodeAffinity', 'AntiAffinity', 'SpreadRepair', 'Duplicates'];
const nextRoundMs = 1000;
const movesMost = 10_000;

export const rebalance: RunnableCommand = {
  name: 'rebalance',
  summary: 'Shows which pods would be better off elsewhere, and why others stay; moves them with --apply.',
  options: [
    dataOption,
    outputOption,
    { name: 'policy', value: 'NAME', help: 'do what this RebalancePolicy says' },
    { name: 'drain', value: 'NODE', help: 'empty this node (and cordon it); as often as there are' },
    {
      name: 'strategy',
      value: 'TYPE',
      help: `Defragment, ${repairs.join(', ')}; as often as there are, in this order (default: all but Defragment)`,
    },
    {
      name: 'allow',
      value: 'PODS',
      help: 'BarePods, JobPods, LocalStorage or SystemCritical: move these too',
    },
    {
      name: 'moves',
      value: 'N',
      help: 'how many at most (default: 20, or as the policy says; all of a drain)',
    },
    { name: 'apply', help: 'do it; without it the plan is only shown' },
    { name: 'timeout', value: 'SECONDS', help: 'how long a drain goes on (default: 300)' },
  ],
  notes:
    'Pods are moved by evictions: disruption budgets are kept. Exit code 1 when something was to be moved and could not be.',
  run: (given) => withCloud(given, (client) => run(client, given)),
};

async function run(client: HttpClient, given: Arguments): Promise<number> {
  const { spec, policy } = await specOf(client, given);
  const isDrain = given.values('drain').length > 0;
  const plan = await planned(client, spec);
  if (!given.flag('apply')) {
    if (policy !== undefined) await tell(client, policy, plan, undefined);
    if (given.value('output') === 'json') printJson({ applied: false, ...plan });
    else print(planText(plan, false));
    return 0;
  }
  if (isDrain) await cordon(client, given.values('drain'));
  const endMs = realClock.monotonicMs() + 1000 * (given.integer('timeout', 1, 86_400) ?? 300);
  const all: { done: Applied['done'][number][]; failed: Applied['failed'][number][] } = {
    done: [],
    failed: [],
  };
  let last = plan;
  for (;;) {
    const applied = await carriedOut(client, last, policy?.metadata.name);
    all.done.push(...applied.done);
    all.failed = [...applied.failed];
    if (policy !== undefined) await tell(client, policy, last, applied);
    if (!isDrain || realClock.monotonicMs() > endMs) break;
    await realClock.sleep(nextRoundMs);
    last = await planned(client, spec);
    // Budgets allow more when those that were moved are ready.
    if (movesOf(last).length === 0 && !isWaitingForBudgets(last)) break;
  }
  const isLeft = all.failed.length > 0 || (isDrain && last.stays.length > 0);
  if (given.value('output') === 'json') printJson({ applied: true, ...all, stays: last.stays });
  else print(doneText(all, last));
  return isLeft ? 1 : 0;
}

async function specOf(
  client: HttpClient,
  given: Arguments,
): Promise<{ readonly spec: RebalancePolicySpec; readonly policy?: RebalancePolicy }> {
  const name = given.value('policy');
  const [drains, types, allow] = [given.values('drain'), given.values('strategy'), given.values('allow')];
  const moves = given.integer('moves', 1, movesMost);
  if (name !== undefined) {
    if (drains.length + types.length > 0)
      throw usage(rebalance, '--policy says what is looked for: leave out --drain and --strategy');
    const policy = await client.get<RebalancePolicy>(rebalancePolicies, undefined, name);
    const limits = { ...policy.spec.limits, ...(moves === undefined ? {} : { moves }) };
    return { spec: { ...policy.spec, limits, allow: [...(policy.spec.allow ?? []), ...allow] }, policy };
  }
  const known = [...repairs, 'Defragment'];
  for (const type of types)
    if (!known.includes(type))
      throw usage(rebalance, `there is no strategy "${type}" (${known.join(', ')}); others need a policy`);
  const names = new Set((await allOf<Node>(client, nodes)).map(({ metadata }) => metadata.name));
  for (const node of drains)
    if (!names.has(node)) throw new CaelumError('notFound', `nodes "${node}" not found`);
  const wanted = types.length > 0 || drains.length > 0 ? types : repairs;
  const strategies: readonly RebalanceStrategy[] = [
    ...(drains.length > 0 ? [{ type: 'Drain', nodeNames: drains }] : []),
    ...wanted.map((type) => ({ type })),
  ];
  const most = moves ?? (drains.length > 0 ? movesMost : 20);
  // Of a drain this says which node: others that are cordoned are left alone.
  return { spec: { strategies, limits: { moves: most }, allow } };
}

async function planned(client: HttpClient, spec: RebalancePolicySpec): Promise<MovePlan> {
  const [nodeList, podList] = await Promise.all([allOf<Node>(client, nodes), allOf<Pod>(client, pods)]);
  return planMoves(await readWorld(client, nodeList, podList, realClock.nowMs()), spec);
}

async function carriedOut(client: HttpClient, plan: MovePlan, policy: string | undefined): Promise<Applied> {
  const common = { client, clock: realClock, random: realRandom, log: silentLog };
  const events = createEventRecorder({ ...common, component: 'rebalancer' });
  const by = policy === undefined ? 'caelum rebalance' : `policy ${policy}`;
  try {
    return await applyMoves(
      {
        ...common,
        onMove: (move) => {
          say(`${move.pod}  ${move.from} → ${move.to}`);
          recordMove(events, move, by);
        },
      },
      plan,
    );
  } finally {
    await events.whenIdle();
    events.stop();
  }
}

async function cordon(client: HttpClient, names: readonly string[]): Promise<void> {
  for (const name of names)
    await client.patch(nodes, undefined, name, 'merge', { spec: { unschedulable: true } });
}

async function tell(
  client: HttpClient,
  policy: RebalancePolicy,
  plan: MovePlan,
  applied: Applied | undefined,
): Promise<void> {
  const nowMs = realClock.nowMs();
  await tellStatus(client, policy, statusOf(policy, plan, nowMs, applied, nowMs));
}

const isWaitingForBudgets = ({ stays }: MovePlan): boolean =>
  stays.some(({ reason }) => reason.startsWith('its disruption budget'));

function planText(plan: MovePlan, isDone: boolean): string {
  const moves = movesOf(plan);
  const lines: string[] = [];
  if (moves.length === 0) lines.push('Nothing is to be moved.');
  else {
    lines.push(
      `${moves.length} ${moves.length === 1 ? 'pod' : 'pods'} would be moved${isDone ? '' : ' (--apply does it)'}:`,
      '',
    );
    lines.push(
      textTable(
        ['POD', 'FROM', 'TO', 'STRATEGY', 'REASON'],
        moves.map((one) => [one.pod, one.from, one.to === '' ? '<none>' : one.to, one.strategy, one.reason]),
      ).trimEnd(),
    );
  }
  return `${[...lines, ...staysText(plan)].join('\n')}\n`;
}

function doneText({ done, failed }: Applied, plan: MovePlan): string {
  const lines = [
    done.length === 0
      ? 'Nothing was moved.'
      : `${done.length} ${done.length === 1 ? 'pod was' : 'pods were'} moved.`,
  ];
  for (const { move, reason } of failed) lines.push(`${move.pod} stays on ${move.from}: ${reason}`);
  return `${[...lines, ...staysText(plan)].join('\n')}\n`;
}

const staysShown = 3;

function staysText({ stays }: MovePlan): readonly string[] {
  if (stays.length === 0) return [];
  return [
    '',
    'What stays:',
    ...stays.map(({ reason, pods: keys }) => {
      const more = keys.length > staysShown ? ` and ${keys.length - staysShown} more` : '';
      return `  ${reason}: ${keys.slice(0, staysShown).join(', ')}${more}`;
    }),
  ];
}
