/** For the tests of fairness: queues, pods and clouds in few words. */
import type { Pod, Queue, QueueSpec } from '../../api/index.ts';
import { GangBook } from '../gangs/gang-book.ts';
import type { WaitingPod } from '../plan.ts';
import { FairOrder } from './fair-order.ts';
import { Membership } from './membership.ts';
import { Tenants } from './tenants.ts';

/** A queue takes the namespace of its name, unless it says otherwise. */
export function queue(name: string, spec: QueueSpec = {}): Queue {
  return { metadata: { name, uid: name }, spec: { namespaces: [name], ...spec } };
}

export interface PodWords {
  readonly cpu?: number | string;
  readonly memory?: number | string;
  readonly extended?: Readonly<Record<string, string>>;
  readonly priority?: number;
  /** Seconds after midnight. */
  readonly created?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function podOf(namespace: string, name: string, words: PodWords = {}): Pod {
  const { cpu, memory, extended = {}, priority = 0, created = 0, labels, annotations } = words;
  const requests = {
    ...(cpu === undefined ? {} : { cpu: String(cpu) }),
    ...(memory === undefined ? {} : { memory: String(memory) }),
    ...extended,
  };
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + created * 1000).toISOString();
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      namespace,
      name,
      uid: `${namespace}/${name}`,
      creationTimestamp,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec: { priority, containers: [{ name: 'c', image: 'i', resources: { requests } }] },
  } as Pod;
}

export const waitingOf = (pod: Pod): WaitingPod => ({
  key: `${pod.metadata.namespace}/${pod.metadata.name}`,
  pod,
});

export interface FairCloud {
  readonly tenants: Tenants;
  readonly order: FairOrder;
  readonly nominated: Set<string>;
  readonly gangs: GangBook;
  add(pod: Pod): void;
  /** So many of them at once; they wait. */
  addGang(name: string, minCount: number, members: readonly Pod[]): void;
  /** It is there already. */
  place(pod: Pod): void;
}

/** `cpu` cores and `memory` bytes in all. */
export function fairCloud(queues: readonly Queue[], cpu: number, memory = 0): FairCloud {
  const tenants = new Tenants();
  const nominated = new Set<string>();
  const gangs = new GangBook();
  const order = new FairOrder(tenants, (key) => nominated.has(key), gangs);
  const membership = new Membership(queues, () => ({}));
  tenants.setQueues(queues, (pod) => membership.queueOf(pod));
  tenants.setCapacity([cpu * 1000, memory]);
  return {
    tenants,
    order,
    nominated,
    gangs,
    add: (pod) => order.add(waitingOf(pod)),
    addGang: (name, minCount, members) => {
      const rule = { minCount, since: '', goesTogether: false, wasScheduled: false };
      gangs.setRule(name, `PodGroup "${name}"`, 'pods', rule);
      for (const pod of members) gangs.join(name, waitingOf(pod).key, pod);
      for (const pod of members) order.add(waitingOf(pod));
    },
    place: (pod) => tenants.count(waitingOf(pod).key, pod, true),
  };
}
