/** Which kinds of situations a run has been in: what changed, how a workload stood, what was broken at the time. Told as short texts, counted as a set. */
import type { Deployment } from '../api/index.ts';
import type { TruthEvent } from './truth.ts';
import type { World } from './world.ts';

export class Coverage {
  readonly states = new Set<string>();

  onEvent(event: TruthEvent, world: World): void {
    const down = [...world.processes.values()]
      .filter((one) => !one.isUp)
      .map((one) => one.name.replace(/-\d+$/, ''));
    const around = `${world.calmSinceMs() === undefined ? 'trouble' : 'calm'}${down.length === 0 ? '' : ` without ${[...new Set(down)].join('+')}`}`;
    const change = `${event.kind}${event.previous === undefined ? ' new' : ''} ${event.resource}`;
    this.states.add(`${change} in ${around}`);
    if (event.resource === 'deployments.apps')
      this.states.add(`${standing(event.object as Deployment)} in ${around}`);
  }
}

function standing({ metadata, spec, status }: Deployment): string {
  const wanted = spec?.replicas ?? 1;
  const of = (count = 0): string =>
    count === 0 ? 'none' : count < wanted ? 'some' : count === wanted ? 'all' : 'more';
  const { replicas, updatedReplicas, availableReplicas } = status ?? {};
  return `deployment ${of(replicas)}/${of(updatedReplicas)}/${of(availableReplicas)}${metadata.deletionTimestamp === undefined ? '' : ' going'}${spec?.paused === true ? ' paused' : ''}`;
}
