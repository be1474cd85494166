/**
 * A KubeSchedulerConfiguration, as people have it for kube-scheduler, as profiles of ours: and what of it has none. Pure.
 * Source: kubescheduler.config.k8s.io/v1.
 */
import type { SchedulingProfile, SchedulingProfileSpec, ScoringStrategy } from '../../api/index.ts';
import { CaelumError } from '../../lib/index.ts';
import { defaultWeights, type Weights } from '../scores.ts';

interface Plugin {
  readonly name?: string;
  readonly weight?: number;
}

interface PluginSet {
  readonly enabled?: readonly Plugin[];
  readonly disabled?: readonly Plugin[];
}

interface Profile {
  readonly schedulerName?: string;
  readonly plugins?: Readonly<Record<string, PluginSet>>;
  readonly pluginConfig?: readonly {
    readonly name?: string;
    readonly args?: Readonly<Record<string, unknown>>;
  }[];
}

export interface Understood {
  readonly profiles: readonly SchedulingProfile[];
  /** What has no equivalent here, and what happens instead. */
  readonly remarks: readonly string[];
}

const group = 'kubescheduler.config.k8s.io';
const scorePoints: ReadonlySet<string> = new Set(['score', 'multiPoint']);
/** That have no meaning here, and nothing is lost by it. */
const harmless: ReadonlySet<string> = new Set([
  'apiVersion',
  'kind',
  'profiles',
  'clientConnection',
  'leaderElection',
  'parallelism',
  'percentageOfNodesToScore',
  'enableProfiling',
  'enableContentionProfiling',
]);
const instead: Readonly<Record<string, string>> = {
  extenders: 'no other program is asked; a custom score can be an expression',
  podInitialBackoffSeconds: 'pods are tried again when something has changed that may help them',
  podMaxBackoffSeconds: 'pods are tried again when something has changed that may help them',
};
const argumentsInstead: Readonly<Record<string, string>> = {
  PodTopologySpread: 'replicas of one owner are spread over hosts and zones without constraints',
  InterPodAffinity: 'required affinity of pods that are there counts 1, and their preferences are heeded',
  NodeAffinity: 'name what you add in the pods, or by a MutatingAdmissionPolicy',
  NodeResourcesBalancedAllocation: 'cpu and memory are balanced',
  DefaultPreemption: 'a tenth of the nodes, at least 100, are compared',
  VolumeBinding: 'volumes are waited for as long as it takes',
};

/** Throws CaelumError `invalid` where it is none. */
export function understandConfiguration(document: unknown): Understood {
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new CaelumError('invalid', 'Cannot read the configuration: it is no object');
  const { apiVersion = '', kind = '', profiles = [{}] } = document as Record<string, unknown>;
  if (kind !== 'KubeSchedulerConfiguration' || !String(apiVersion).startsWith(`${group}/`))
    throw new CaelumError(
      'invalid',
      `Cannot read the configuration: it is ${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}, and KubeSchedulerConfiguration of ${group}/v1 is meant`,
    );
  if (!Array.isArray(profiles))
    throw new CaelumError('invalid', 'Cannot read the configuration: profiles must be a list');
  const remarks: string[] = [];
  for (const name of Object.keys(document))
    if (!harmless.has(name)) remarks.push(`${name}: not heeded${because(instead[name])}`);
  return { profiles: (profiles as readonly Profile[]).map((one) => profileOf(one, remarks)), remarks };
}

const because = (text: string | undefined): string => (text === undefined ? '' : `: ${text}`);

function profileOf(profile: Profile, remarks: string[]): SchedulingProfile {
  const { schedulerName = 'default-scheduler', plugins = {}, pluginConfig = [] } = profile ?? {};
  const remark = (text: string): void => void remarks.push(`profile ${schedulerName}: ${text}`);
  const weights = weightsOf(plugins, remark);
  const isUsual = Object.entries(weights).every(
    ([name, weight]) => defaultWeights[name as keyof Weights] === weight,
  );
  const spec: SchedulingProfileSpec = {
    schedulerName,
    ...(isUsual ? {} : { weights: { ...weights } }),
    ...scoringOf(pluginConfig, remark),
  };
  return {
    apiVersion: 'scheduling.caelum.dev/v1',
    kind: 'SchedulingProfile',
    metadata: { name: schedulerName.toLowerCase() },
    spec,
  };
}

/** What counts how much: `multiPoint` first, then `score`, which is more exact. */
function weightsOf(plugins: Readonly<Record<string, PluginSet>>, remark: (text: string) => void): Weights {
  const weights: Record<string, number> = { ...defaultWeights };
  const isOurs = (name: string): boolean => Object.hasOwn(defaultWeights, name);
  for (const point of ['multiPoint', 'score']) {
    const { enabled = [], disabled = [] } = plugins[point] ?? {};
    for (const { name = '' } of disabled) {
      if (name === '*') for (const one of Object.keys(weights)) weights[one] = 0;
      else if (isOurs(name)) weights[name] = 0;
      else remark(`plugin ${name} (${point}) cannot be switched off`);
      if (point === 'multiPoint' && (name === '*' || isOurs(name)))
        remark(`filters are not switched off with ${name === '*' ? 'all plugins' : name}`);
    }
    for (const { name = '', weight } of enabled) {
      if (isOurs(name)) weights[name] = weight || defaultWeights[name as keyof Weights];
      else if (point === 'score') remark(`plugin ${name} is not known: its score does not count`);
    }
  }
  for (const point of Object.keys(plugins))
    if (!scorePoints.has(point)) remark(`plugins.${point}: not heeded: all filters are always asked`);
  return weights as unknown as Weights;
}

function scoringOf(
  configs: NonNullable<Profile['pluginConfig']>,
  remark: (text: string) => void,
): Pick<SchedulingProfileSpec, 'scoringStrategy'> {
  let found: Pick<SchedulingProfileSpec, 'scoringStrategy'> = {};
  for (const { name = '', args = {} } of configs) {
    const rest = Object.keys(args).filter((one) => !['apiVersion', 'kind', 'scoringStrategy'].includes(one));
    if (name === 'NodeResourcesFit' && args['scoringStrategy'] !== undefined)
      found = { scoringStrategy: args['scoringStrategy'] as ScoringStrategy };
    if (rest.length > 0)
      remark(`arguments of ${name} (${rest.join(', ')}): not heeded${because(argumentsInstead[name])}`);
  }
  return found;
}
