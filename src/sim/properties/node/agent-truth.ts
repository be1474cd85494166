/** What runs on a machine is what the API says, nothing less and nothing more. */
import type { Pod } from '../../../api/index.ts';
import type { NodeMachine } from '../../node-machine.ts';
import type { Property } from '../../property.ts';
import { isGoing, isTerminal } from '../facts.ts';

export const agentTruth: Property = {
  name: 'node/agent-truth',
  source:
    'Kubernetes: the kubelet runs the pods bound to its node; mission C3 (self-healing), infrastructure invariant',
  statement:
    'Every restart is counted. When faults and users have stopped, soon the containers of every pod that lives on a node run there, once each, with its network, root and volumes; and nothing of any other pod is left on the machine.',
  check({ truth, machines }, broken) {
    return {
      onEvent({ kind, resource, name, object, previous }) {
        if (kind !== 'put' || resource !== 'pods' || previous?.metadata.uid !== object.metadata.uid) return;
        const before = (previous as Pod | undefined)?.status?.containerStatuses ?? [];
        for (const { name: container, restartCount, state } of (object as Pod).status?.containerStatuses ??
          []) {
          const last = before.find((one) => one.name === container);
          const counted = last?.restartCount ?? 0;
          if (restartCount < counted)
            broken(`${name} had restarted ${container} ${counted} times, and now ${restartCount}`);
          const [was, is] = [last?.state?.running?.startedAt, state?.running?.startedAt];
          if (was !== undefined && is !== undefined && was !== is && restartCount === counted)
            broken(`${name} started ${container} again at ${is}, and does not count it`);
        }
      },
      goal() {
        const pods = [...truth.objects<Pod>('pods').values()];
        for (const machine of machines()) {
          if (!machine.isReal) continue;
          const own = pods.filter((pod) => pod.spec?.nodeName === machine.name);
          const why = missing(machine, own) ?? left(machine, own);
          if (why !== undefined) return `${machine.name}: ${why}`;
        }
        return undefined;
      },
    };
  },
};

const uidOf = (pod: Pod): string => pod.metadata.uid ?? '';
const lives = (pod: Pod): boolean => !isTerminal(pod) && !isGoing(pod);

/** What should be there and is not. */
function missing(machine: NodeMachine, own: readonly Pod[]): string | undefined {
  const { host, network, images, disk } = machine;
  const containers = [...host.containers.values()];
  for (const pod of own) {
    if (pod.status?.phase !== 'Running' || !lives(pod)) continue;
    const uid = uidOf(pod);
    const name = pod.metadata.name ?? '';
    if (!host.sandboxes.has(uid)) return `${name} has no sandbox`;
    const attachment = network.attachments.get(uid);
    if (attachment?.isWhole !== true) return `${name} has no network`;
    if (attachment.addresses[0] !== pod.status.podIP)
      return `${name} says ${pod.status.podIP} and has ${attachment.addresses[0]}`;
    if (!disk.volumes.has(uid)) return `${name} has no volumes`;
    for (const { name: container } of pod.spec?.containers ?? []) {
      const running = containers.filter(
        ({ spec, state }) => spec.podUid === uid && spec.name === container && state === 'running',
      );
      if (running.length !== 1) return `${name} has ${running.length} containers ${container} that run`;
      const said = pod.status.containerStatuses?.find((one) => one.name === container);
      const { id, spec } = running[0] as (typeof running)[0];
      if (said?.containerID?.endsWith(id) !== true || said.restartCount !== spec.attempt)
        return `${name} says that ${said?.containerID} runs, ${id} does`;
      if (!images.roots.has(`${uid}/${container}/${spec.attempt}`)) return `${name} runs without a root`;
    }
  }
  return undefined;
}

/** What is there and should not be. */
function left(machine: NodeMachine, own: readonly Pod[]): string | undefined {
  const { host, network, images, disk } = machine;
  const bound = new Set(own.map(uidOf));
  const living = new Set(own.filter(lives).map(uidOf));
  for (const { spec, state } of host.containers.values()) {
    const what = `container ${spec.name}/${spec.attempt} of ${spec.podUid}`;
    if (!bound.has(spec.podUid)) return `${what} is left`;
    if (state === 'running' && !living.has(spec.podUid)) return `${what} still runs`;
  }
  for (const uid of host.sandboxes.keys()) if (!bound.has(uid)) return `sandbox of ${uid} is left`;
  for (const uid of network.attachments.keys()) if (!living.has(uid)) return `address of ${uid} is left`;
  for (const uid of new Set([...disk.volumes.keys(), ...disk.networkFiles.keys()]))
    if (!living.has(uid)) return `volumes of ${uid} are left`;
  const running = new Set(
    [...host.containers.values()]
      .filter(({ state }) => state === 'running')
      .map(({ spec }) => `${spec.podUid}/${spec.name}/${spec.attempt}`),
  );
  for (const key of images.roots.keys()) {
    const [uid = ''] = key.split('/');
    if (!living.has(uid)) return `root ${key} is left`;
    const waits = own.some((pod) => uidOf(pod) === uid && pod.status?.phase !== 'Running');
    if (!running.has(key) && !waits) return `root ${key} is left of an attempt that is over`;
  }
  return undefined;
}
