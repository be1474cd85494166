/** The DaemonSet controller: one pod on each node that fits. Decisions are in `plan.ts`. */
import type { ControllerRevision, DaemonSet, Node, Pod } from '../../api/index.ts';
import { type Change, type Informers, keyOf } from '../../client/index.ts';
import { type Clock, sameJson } from '../../lib/index.ts';
import { controllerOf, Family } from '../ownership.ts';
import { controllerRevisionsRef, daemonSetsRef, nodesRef, podsRef } from '../resources.ts';
import { type Controller, watch } from '../shell.ts';
import { HoldBack } from './hold-back.ts';
import { targetOf, verdictOf } from './placement.ts';
import { conclude, type Observed, plan } from './plan.ts';

export function daemonSetController(informers: Informers, clock: Clock): Controller<Observed> {
  const podFamily = new Family<DaemonSet, Pod>(informers, daemonSetsRef, podsRef);
  const revisionFamily = new Family<DaemonSet, ControllerRevision>(
    informers,
    daemonSetsRef,
    controllerRevisionsRef,
  );
  const daemonSets = informers.informer<DaemonSet>(daemonSetsRef);
  const nodes = informers.informer<Node>(nodesRef);
  const revisions = informers.informer<ControllerRevision>(controllerRevisionsRef);
  const holdBack = new HoldBack();

  /** Those for which it makes a difference. Most changes of a node are signs of life. */
  const concernedBy = (change: Change<Node>): readonly string[] => {
    const { object } = change;
    const previous = change.kind === 'updated' ? change.previous : undefined;
    if (
      previous !== undefined &&
      sameJson(previous.spec?.taints, object.spec?.taints) &&
      sameJson(previous.metadata.labels, object.metadata.labels)
    )
      return [];
    const keys: string[] = [];
    for (const daemonSet of daemonSets.list()) {
      const { template } = daemonSet.spec ?? {};
      if (template === undefined) continue;
      const now = verdictOf(template, object);
      const before = previous === undefined ? undefined : verdictOf(template, previous);
      const makesDifference =
        before === undefined
          ? now.mayGoOn
          : before.shouldRun !== now.shouldRun || before.mayGoOn !== now.mayGoOn;
      if (makesDifference) keys.push(keyOf(daemonSet));
    }
    return keys;
  };

  return {
    name: 'daemonset-controller',
    watches: [
      watch<DaemonSet>(informers, daemonSetsRef, (change) => [keyOf(change.object)]),
      watch<Pod>(informers, podsRef, (change) => {
        const { object } = change;
        if (change.kind === 'deleted' && object.status?.phase === 'Failed') {
          const owner = controllerOf(object);
          const nodeName = targetOf(object);
          if (owner?.kind === 'DaemonSet' && nodeName !== undefined)
            holdBack.failed(owner.uid, nodeName, clock.nowMs());
        }
        return podFamily.ownersOf(change);
      }),
      // One that has an owner from the first is nothing new to it, or somebody else's affair until the next look: as in Kubernetes.
      watch<ControllerRevision>(informers, controllerRevisionsRef, (change) =>
        change.kind === 'added' && controllerOf(change.object) !== undefined
          ? []
          : revisionFamily.ownersOf(change),
      ),
      watch<Node>(informers, nodesRef, concernedBy),
    ],
    observe(key) {
      const daemonSet = daemonSets.get(key);
      if (daemonSet === undefined) return undefined;
      const { namespace, uid = '' } = daemonSet.metadata;
      return {
        daemonSet,
        nodes: [...nodes.list()],
        pods: podFamily.candidatesOf(daemonSet),
        revisions: revisionFamily.candidatesOf(daemonSet),
        findRevision: (name) => revisions.get(`${namespace}/${name}`),
        holdBackMs: (nodeName, nowMs) => holdBack.waitMs(uid, nodeName, nowMs),
      };
    },
    plan,
    conclude,
  };
}
