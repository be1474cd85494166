/** Deployments `scaled-N` and who scales them, in the plainest words. */
import type {
  Deployment,
  ElasticityPolicy,
  HorizontalPodAutoscaler,
  KubeObject,
  Pod,
} from '../../../api/index.ts';
import { sameJson } from '../../../lib/index.ts';
import { scaledLabel, takesLoad } from '../../load.ts';
import type { Checked } from '../../property.ts';
import type { TruthEvent } from '../../truth.ts';
import { milli, wanted } from '../facts.ts';

export const autoscalersOf = 'horizontalpodautoscalers.autoscaling';
export const policiesOf = 'elasticitypolicies.autoscale.caelum.dev';
export const verticalsOf = 'verticalpodautoscalers.autoscaling.k8s.io';

export type Scaler =
  | { readonly by: 'autoscaler'; readonly object: HorizontalPodAutoscaler; readonly resource: string }
  | { readonly by: 'policy'; readonly object: ElasticityPolicy; readonly resource: string };

/** `default/scaled-3`. undefined: not one of these. */
export const workloadOf = (deployment: string): string | undefined =>
  deployment.startsWith('default/scaled-') ? deployment.slice('default/'.length) : undefined;

const scalerOf = (workload: string): string => `default/${workload.replace('scaled', 'scaler')}`;

/** Who scales it now. */
export function scalerNow({ truth }: Checked, workload: string): Scaler | undefined {
  const name = scalerOf(workload);
  const autoscaler = truth.objects<HorizontalPodAutoscaler>(autoscalersOf).get(name);
  if (autoscaler !== undefined) return { by: 'autoscaler', object: autoscaler, resource: autoscalersOf };
  const policy = truth.objects<ElasticityPolicy>(policiesOf).get(name);
  return policy && { by: 'policy', object: policy, resource: policiesOf };
}

export const boundsOf = ({ by, object }: Scaler): readonly [min: number, max: number] =>
  by === 'autoscaler'
    ? [object.spec.minReplicas ?? 1, object.spec.maxReplicas]
    : [object.spec.constraints.minReplicas ?? 1, object.spec.constraints.maxReplicas];

export function podsOf({ truth }: Checked, workload: string): readonly Pod[] {
  return [...truth.objects<Pod>('pods').values()].filter(
    ({ metadata }) => metadata.labels?.[scaledLabel] === workload && metadata.namespace === 'default',
  );
}

/** Pods that have taken load without a break since then. */
export function longReady(world: Checked, workload: string, sinceMs: number): readonly Pod[] {
  return podsOf(world, workload).filter(
    (pod) =>
      takesLoad(pod) &&
      !world.truth.heldSince(
        'pods',
        `default/${pod.metadata.name ?? ''}`,
        sinceMs,
        (object) => object === undefined || !takesLoad(object),
      ),
  );
}

export const requestMilliOf = (pod: Pod): number =>
  (pod.spec?.containers ?? []).reduce((sum, { resources }) => sum + milli(resources?.requests?.['cpu']), 0);

/** A change of the number that was not made with the object. */
export interface Change {
  readonly workload: string;
  readonly atMs: number;
  readonly was: number;
  readonly is: number;
}

export function changeOf(event: TruthEvent): Change | undefined {
  const { kind, resource, name, object, previous, atMs } = event;
  if (kind === 'delete' || resource !== 'deployments.apps' || previous === undefined) return undefined;
  const workload = workloadOf(name);
  if (workload === undefined || object.metadata.uid !== previous.metadata.uid) return undefined;
  const [was, is] = [wanted(previous as Deployment), wanted(object as Deployment)];
  return was === is ? undefined : { workload, atMs, was, is };
}

/** When what a scaler is to do was changed last, by workload. */
export class ScalerChanges {
  readonly #atMs = new Map<string, number>();

  onEvent({ resource, name, object, previous, kind, atMs }: TruthEvent): void {
    if (resource !== autoscalersOf && resource !== policiesOf) return;
    const isSame =
      kind === 'put' &&
      previous?.metadata.uid === object.metadata.uid &&
      sameJson(specOf(previous), specOf(object));
    if (!isSame) this.#atMs.set(name, atMs);
  }

  lastMs(workload: string): number {
    return this.#atMs.get(scalerOf(workload)) ?? 0;
  }
}

const specOf = (object: KubeObject | undefined): unknown => (object as { spec?: unknown } | undefined)?.spec;

/** Whether clocks were wrong at some time: how old a figure is then nobody can tell. */
export const hasWrongClocks = ({ plan }: Checked): boolean =>
  plan.faults.some(({ kind }) => kind === 'clockJump' || kind === 'clockDrift');
