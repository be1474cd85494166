/** Trouble in the control plane takes nobody out of service who serves. */
import type { KubeObject, Pod, Service } from '../../api/index.ts';
import type { Property } from '../property.ts';
import { isGoing, isReady, isTerminal } from './facts.ts';

interface Steady {
  readonly uid: string;
  readonly labels: string;
  readonly address: string;
  readonly nodeName: string;
}

const labelsOf = ({ metadata }: KubeObject): string => JSON.stringify(metadata.labels ?? {});

function isSelected({ labels }: Steady, { spec }: Service): boolean {
  const own = JSON.parse(labels) as Readonly<Record<string, string>>;
  return Object.entries(spec?.selector ?? {}).every(([key, value]) => own[key] === value);
}

export const keptWhileHealthy: Property = {
  name: 'service/kept-while-healthy',
  source: 'Kubernetes: the data plane outlives the control plane; mission theorem of availability',
  statement:
    'Once a node leads a service to a pod, it goes on with that as long as the pod stays ready and the service as it is, whatever else is killed, cut off or slow; only the loss of the node itself ends it.',
  check(world, broken) {
    const { truth } = world;
    /** Pods that have been ready from the first time on, by address. One that ever was not is not among them: who heard late may think of then. */
    const steady = new Map<string, Steady>();
    const unsteady = new Set<string>();
    /** Names of services that were deleted: the next one of that name has the slices of the last one for a moment. */
    const renewed = new Set<string>();
    /** `machine/boot service-uid` ▶ uids of the pods that it led to. */
    let before = new Map<string, ReadonlySet<string>>();

    const follow = (pod: Pod): void => {
      const { uid = '' } = pod.metadata;
      const address = pod.status?.podIP ?? '';
      const serves = isReady(pod) && !isGoing(pod) && !isTerminal(pod) && address !== '';
      const known = steady.get(address);
      if (known?.uid === uid && (!serves || known.labels !== labelsOf(pod))) {
        steady.delete(address);
        unsteady.add(uid);
      } else if (serves && known?.uid !== uid && !unsteady.has(uid))
        steady.set(address, { uid, labels: labelsOf(pod), address, nodeName: pod.spec?.nodeName ?? '' });
    };
    return {
      onEvent({ kind, resource, object, name }) {
        if (resource === 'services' && kind === 'delete') renewed.add(name);
        // Who takes a node out of the cloud takes its pods out of service.
        if (resource === 'nodes' && kind === 'delete')
          for (const { uid, address, nodeName } of [...steady.values()])
            if (nodeName === object.metadata.name) {
              steady.delete(address);
              unsteady.add(uid);
            }
        if (resource !== 'pods') return;
        const address = (object as Pod).status?.podIP ?? '';
        if (kind === 'put') follow(object as Pod);
        else if (steady.get(address)?.uid === object.metadata.uid) steady.delete(address);
      },
      onSecond() {
        const now = new Map<string, ReadonlySet<string>>();
        for (const machine of world.machines())
          for (const [name, service] of truth.objects<Service>('services')) {
            const ports = service.spec?.ports ?? [];
            const ip = service.spec?.clusterIP ?? 'None';
            if (
              renewed.has(name) ||
              isGoing(service) ||
              ip === 'None' ||
              service.spec?.selector === undefined
            )
              continue;
            const key = `${machine.name}/${machine.boots} ${service.metadata.uid}`;
            const reached = new Set<string>();
            for (const { port } of ports) {
              const to = machine.rules.destinationOf(ip, 'tcp', port);
              for (const endpoint of to.kind === 'endpoints' ? to.endpoints : []) {
                const pod = steady.get(endpoint.split(':')[0] ?? '');
                // An address may be another's by now, of whom the node has not heard.
                if (pod !== undefined && isSelected(pod, service)) reached.add(pod.uid);
              }
            }
            const living = new Set([...steady.values()].map(({ uid }) => uid));
            for (const uid of before.get(key) ?? [])
              if (living.has(uid) && !reached.has(uid))
                broken(
                  `${machine.name} led ${name} to the pod ${uid}, which is ready still, and does no more`,
                );
            now.set(key, reached);
          }
        before = now;
      },
    };
  },
};
