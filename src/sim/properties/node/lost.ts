/** A node that is silent is called lost, and so are its pods. */
import type { KubeObject, Node, Pod } from '../../../api/index.ts';
import type { Property } from '../../property.ts';
import { isReady, isTerminal, undisturbedMs } from '../facts.ts';

/** Grace of the controller: 50 s; and time to come to know and to write. */
const silentMsMax = 60_000;
const slackMs = 15_000;
/** How long nothing but nodes has been broken: all watches are whole again, and controllers have listened for their grace. */
const quietMs = 100_000;

const isLost = (node: KubeObject | undefined): boolean =>
  node === undefined ||
  ((node as Node).status?.conditions?.find(({ type }) => type === 'Ready')?.status !== 'True' &&
    (node as Node).spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/unreachable') === true);

const isOut = (pod: KubeObject | undefined): boolean => pod === undefined || !isReady(pod as Pod);

export const lostIsTold: Property = {
  name: 'node/lost-is-told',
  source: 'Kubernetes: node life cycle, node-monitor-grace-period; mission T3',
  statement:
    'A node that has not renewed its lease for 75 s, while all else is well, is not Ready, bears the taint for it, and none of its pods is Ready.',
  check(world, broken) {
    const { truth } = world;
    const renewedMs = new Map<string, number>();
    return {
      onEvent({ kind, resource, object, atMs }) {
        if (resource !== 'leases.coordination.k8s.io' || kind !== 'put') return;
        if (object.metadata.namespace === 'kube-node-lease') renewedMs.set(object.metadata.name ?? '', atMs);
      },
      onSecond() {
        if (undisturbedMs(world) < quietMs) return;
        const nowMs = world.nowMs();
        for (const [name, atMs] of renewedMs) {
          const silentMs = nowMs - atMs;
          if (silentMs < silentMsMax + slackMs) continue;
          const told = `${name}, silent for ${Math.round(silentMs / 1000)} s,`;
          if (!truth.heldSince('nodes', name, nowMs - slackMs, isLost)) broken(`${told} is not called lost`);
          for (const [podName, pod] of truth.objects<Pod>('pods')) {
            if (pod.spec?.nodeName !== name || isTerminal(pod)) continue;
            if (!truth.heldSince('pods', podName, nowMs - slackMs, isOut))
              broken(`${told} has the pod ${podName}, which is still called Ready`);
          }
        }
      },
    };
  },
};
