/**
 * By which strategy each pod is placed: as the pod asks, else by the type of its workload, else as the profile of its scheduler's name says. Pure.
 *
 *   profiles (objects) ─▶ Profiles.set ─▶ scorerOf(pod): one scorer for each profile and strategy, made when the first pod needs it
 *
 * Invariant: a scorer is the same object until its profile or what it goes by (usage of nodes) changes.
 */
import type {
  CustomScoring,
  Pod,
  SchedulingProfile,
  SchedulingProfileSpec,
  StrategyName,
} from '../../api/index.ts';
import { compileCustomScore, strategyNames } from '../../api/index.ts';
import { FragmentationScorer } from '../devices/fragmentation.ts';
import type { Policy, Scorer } from '../scorer.ts';
import { defaultPolicy, defaultWeights, leastAllocated, type Weights } from '../scores.ts';
import { byCost } from './cost.ts';
import { byExpression, byFunction, type ScoreFunction } from './custom.ts';
import { fitScoreOf } from './fit-score.ts';
import { byHash, clientKeyOf, hashKeyOf } from './hash.ts';
import { leastConnections, leastLoaded, leastResponseTime, type NodeFigures } from './load.ts';
import { byLocation, nearKeyOf } from './location.ts';
import { type OwnScore, type Strategy, StrategyScorer } from './strategy.ts';
import { takeTurns } from './turns.ts';
import { workloadTypeOf } from './workload-type.ts';

/** Of a pod: the strategy that it asks for. */
export const strategyAnnotation = 'scheduling.caelum.dev/strategy';

export interface ProfileOptions {
  /** Custom scores that are functions, by name. */
  readonly functions?: Readonly<Record<string, ScoreFunction>>;
  readonly nowMs: () => number;
  /** A custom score failed for a node. `pod`: for which; undefined for none in particular. */
  readonly tell: (profile: string, problem: string, pod: Pod) => void;
  /** A pod asks for a strategy that goes by how busy nodes are, and nobody measures. */
  readonly measure?: () => void;
}

/** One that is in use, and what was made of it. */
interface InUse {
  readonly name: string;
  readonly spec: SchedulingProfileSpec;
  readonly weights: Weights;
  readonly custom: CustomScoring | undefined;
  readonly scorers: Map<StrategyName, Scorer>;
}

const noFigures: NodeFigures = new Map();
const measured: ReadonlySet<StrategyName> = new Set(['LeastConnections', 'LeastLoaded', 'LeastResponseTime']);
/** For so long after a pod has asked for it, nodes are measured. */
const askedMs = 600_000;
const defaultName = 'default-scheduler';
/** Only to tell apart what a strategy holds for equal. */
const tieWeight = 0.01;

/** As the scheduler places pods by these profiles, but for what only it knows: how busy nodes are, whose turn it is, functions of its program. */
export function policyOf(profiles: readonly SchedulingProfile[]): Policy {
  if (profiles.length === 0) return defaultPolicy;
  const policy = new Profiles({ nowMs: () => 0, tell() {} });
  policy.set(profiles);
  return policy;
}

export class Profiles implements Policy {
  readonly #options: ProfileOptions;
  readonly #inUse = new Map<string, InUse>();
  /** For pods of a name without a profile that ask for a strategy. */
  #plain: InUse = made('default', {});
  #figures: NodeFigures = noFigures;
  #askedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: ProfileOptions) {
    this.#options = options;
  }

  /** Whether pods of that scheduler's name are ours. */
  has(schedulerName: string): boolean {
    return this.#inUse.has(schedulerName);
  }

  /** All that there are. Of several for one name the oldest counts: the others are answered, by name, with the one that does. */
  set(profiles: readonly SchedulingProfile[]): ReadonlyMap<string, string> {
    const shadowed = new Map<string, string>();
    const kept = new Map<string, InUse>();
    for (const { metadata, spec = {} } of [...profiles].sort(byAge)) {
      const name = metadata.name ?? '';
      const schedulerName = spec.schedulerName ?? defaultName;
      const other = kept.get(schedulerName);
      if (other !== undefined) {
        shadowed.set(name, other.name);
        continue;
      }
      const before = this.#inUse.get(schedulerName);
      kept.set(schedulerName, before?.name === name && before.spec === spec ? before : made(name, spec));
    }
    this.#inUse.clear();
    for (const [name, one] of kept) this.#inUse.set(name, one);
    return shadowed;
  }

  /** What is known of how busy nodes are. */
  setFigures(figures: NodeFigures): void {
    this.#figures = figures;
    for (const { scorers } of [...this.#inUse.values(), this.#plain])
      for (const name of measured) scorers.delete(name);
  }

  /** Whether any profile goes by how busy nodes are, or a pod has asked of late for what does. */
  get isMeasured(): boolean {
    if (this.#options.nowMs() < this.#askedUntilMs) return true;
    for (const { spec } of this.#inUse.values())
      for (const name of [spec.strategy, ...(spec.workloads ?? []).map(({ strategy }) => strategy)])
        if (measured.has(name as StrategyName)) return true;
    return false;
  }

  scorerOf(pod: Pod): Scorer {
    const asked = pod.metadata.annotations?.[strategyAnnotation];
    if (this.#inUse.size === 0 && asked === undefined) return defaultPolicy.scorerOf(pod);
    const profile = this.#inUse.get(pod.spec?.schedulerName ?? defaultName);
    if (profile === undefined && asked === undefined) return defaultPolicy.scorerOf(pod);
    const one = profile ?? this.#plain;
    const strategy = this.#strategyOf(one, pod, asked);
    if (asked !== undefined && measured.has(strategy)) this.#noteAsked();
    return this.#scorer(one, strategy);
  }

  /** Why a pod does not get the strategy that it asks for. Undefined: it gets it, or asks for none. */
  refusedStrategy(pod: Pod): string | undefined {
    const asked = pod.metadata.annotations?.[strategyAnnotation];
    if (asked === undefined) return undefined;
    const { name, spec } = this.#inUse.get(pod.spec?.schedulerName ?? defaultName) ?? this.#plain;
    if (spec.allowPodStrategy === false)
      return `SchedulingProfile "${name}" does not let pods choose their strategy`;
    const known = strategyNames.find((one) => plainName(one) === plainName(asked));
    if (known === undefined)
      return `there is no strategy "${asked}": those that there are: ${strategyNames.join(', ')}`;
    if (known === 'Custom' && spec.custom === undefined)
      return `the strategy Custom needs a custom score, and SchedulingProfile "${name}" has none`;
    return undefined;
  }

  #noteAsked(): void {
    const wasMeasured = this.isMeasured;
    this.#askedUntilMs = this.#options.nowMs() + askedMs;
    if (!wasMeasured) this.#options.measure?.();
  }

  #strategyOf({ spec }: InUse, pod: Pod, asked: string | undefined): StrategyName {
    if (asked !== undefined && spec.allowPodStrategy !== false) {
      const known = strategyNames.find((name) => plainName(name) === plainName(asked));
      // One that is not there, or that the profile says nothing for, is not heeded.
      if (known !== undefined && (known !== 'Custom' || spec.custom !== undefined)) return known;
    }
    const { workloads = [], strategy = 'Default' } = spec;
    const type = workloads.length === 0 ? undefined : workloadTypeOf(pod);
    const own = type === undefined ? undefined : workloads.find((one) => one.type === type);
    return (own?.strategy ?? strategy) as StrategyName;
  }

  #scorer(profile: InUse, name: StrategyName): Scorer {
    let scorer = profile.scorers.get(name);
    if (scorer === undefined) {
      scorer = this.#make(profile, name);
      profile.scorers.set(name, scorer);
    }
    return scorer;
  }

  #make(profile: InUse, strategy: StrategyName): Scorer {
    const { spec, weights } = profile;
    const label = `${strategy} (${profile.name})`;
    if (strategy === 'FragmentationAware') return new FragmentationScorer(label, weights);
    const weight = spec.strategyWeight ?? 10;
    return new StrategyScorer(label, this.#define(profile, strategy, weight), weights, weight);
  }

  #define(profile: InUse, strategy: StrategyName, weight: number): Strategy {
    const { spec, weights } = profile;
    const figures = this.#figures;
    const usual = {
      fit: weights.NodeResourcesFit,
      balanced: weights.NodeResourcesBalancedAllocation,
      owners: weights.PodTopologySpread,
    };
    const alone = { fit: tieWeight, balanced: 0, owners: 0 };
    const fit = spec.scoringStrategy === undefined ? leastAllocated : fitScoreOf(spec.scoringStrategy);
    const rest = { name: strategy, fit };
    switch (strategy) {
      case 'Spread':
        return { ...rest, base: { ...usual, owners: usual.owners * weight } };
      case 'BinPack': {
        const packed = spec.scoringStrategy === undefined ? mostAllocated : fit;
        return {
          ...rest,
          fit: packed,
          base: { fit: weight, balanced: usual.balanced, owners: 0 },
          packs: true,
        };
      }
      case 'RoundRobin':
      case 'WeightedRoundRobin':
        return {
          ...rest,
          base: { ...alone, fit: 0 },
          start: (question) =>
            takeTurns(
              question,
              `${profile.name} ${strategy}`,
              strategy === 'WeightedRoundRobin',
              (pod) => this.scorerOf(pod) === profile.scorers.get(strategy),
            ),
        };
      case 'LeastLoaded':
        return { ...rest, base: alone, start: (question) => leastLoaded(question, figures) };
      case 'LeastConnections':
        return { ...rest, base: alone, start: (question) => leastConnections(question, figures) };
      case 'LeastResponseTime':
        return { ...rest, base: alone, start: (question) => leastResponseTime(question, figures) };
      case 'ConsistentHash':
        return { ...rest, ...hashed(hashKeyOf) };
      case 'IPHash':
        return { ...rest, ...hashed(clientKeyOf) };
      case 'CostAware':
        return {
          ...rest,
          fit: mostAllocated,
          base: usual,
          start: (question) => byCost(question, spec.prices ?? []),
        };
      case 'LocationAware':
        return {
          ...rest,
          base: usual,
          start: (question) => byLocation(question, spec.locations ?? {}),
          keyOf: nearKeyOf,
        };
      case 'Custom':
        return { ...rest, base: alone, ...this.#custom(profile) };
      default:
        return { ...rest, base: usual };
    }
  }

  #custom({ name, spec, custom }: InUse): Pick<Strategy, 'start' | 'keyOf'> {
    const { nowMs, tell, functions = {} } = this.#options;
    const called = spec.custom?.function;
    const annotations = (pod: Pod): string => JSON.stringify(pod.metadata.annotations ?? {});
    if (custom !== undefined) {
      const start: Strategy['start'] = (question) =>
        byExpression(question, custom, (problem) => tell(name, problem, question.pod));
      return custom.usesAnnotations ? { start, keyOf: annotations } : { start };
    }
    const score = called !== undefined && Object.hasOwn(functions, called) ? functions[called] : undefined;
    if (score === undefined)
      return {
        start: ({ pod }): OwnScore => {
          tell(name, `there is no function "${called}" in this program`, pod);
          return {};
        },
      };
    return {
      start: (question) => byFunction(question, score, (problem) => tell(name, problem, question.pod), nowMs),
      keyOf: annotations,
    };
  }
}

const mostAllocated = fitScoreOf({
  type: 'MostAllocated',
  resources: [
    { name: 'cpu', weight: 1 },
    { name: 'memory', weight: 1 },
  ],
});

const hashed = (keyOf: (pod: Pod) => string): Pick<Strategy, 'base' | 'start' | 'keyOf'> => ({
  base: { fit: 0, balanced: 0, owners: 0 },
  start: (question) => byHash(question, keyOf(question.pod)),
  keyOf,
});

function made(name: string, spec: SchedulingProfileSpec): InUse {
  const expression = spec.custom?.expression;
  const weights: Weights = { ...defaultWeights, ...spec.weights };
  const custom = expression === undefined ? undefined : compileCustomScore(expression).scoring;
  return { name, spec, weights, custom, scorers: new Map() };
}

/** However it is written: `BinPack`, `bin-pack`, `bin_pack`. */
const plainName = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, '');

function byAge(a: SchedulingProfile, b: SchedulingProfile): number {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (x !== y) return x < y ? -1 : 1;
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
}
