/** A cloud in memory with the whole scheduler, for tests of groups and reservations. */
import type { TestContext } from 'node:test';
import {
  type Event,
  type Node,
  nodes as nodesRef,
  type Pod,
  type PodGroup,
  podGroups as podGroupsRef,
  pods as podsRef,
  type Reservation,
  reservations as reservationsRef,
} from '../../api/index.ts';
import { createFakeClient, createInformers } from '../../client/index.ts';
import { SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { startScheduler } from '../bind-loop.ts';

const eventsRef = { group: '', version: 'v1', resource: 'events', namespaced: true };

export function desk(t: TestContext) {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const client = createFakeClient({ clock });
  const informers = createInformers({ client, clock, random, log: silentLog });
  const scheduler = startScheduler({ client, informers, clock, random, log: silentLog });
  t.after(() => {
    scheduler.stop();
    informers.stop();
  });
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 50) await clock.advance(50);
  };
  const addNode = (name: string, cpu: string): void =>
    client.seed<Node>(nodesRef, {
      metadata: { name },
      status: { allocatable: { cpu, memory: '64Gi', pods: '110' } },
    });
  const addGroup = (name: string, minCount: number): void =>
    client.seed<PodGroup>(podGroupsRef, {
      metadata: { name, namespace: 'n' },
      spec: { schedulingPolicy: { gang: { minCount } } },
    });
  const addPod = (
    name: string,
    spec: Partial<NonNullable<Pod['spec']>> = {},
    metadata: Partial<Pod['metadata']> = {},
  ): void =>
    client.seed<Pod>(podsRef, {
      metadata: { name, namespace: 'n', ...metadata },
      spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1' } } }], ...spec },
      status: { phase: 'Pending' },
    });
  const addMember = (name: string, group = 'g'): void =>
    addPod(name, { schedulingGroup: { podGroupName: group } });
  const addReservation = (name: string, spec: Partial<Reservation['spec']> = {}): void =>
    client.seed<Reservation>(reservationsRef, {
      metadata: { name, namespace: 'n' },
      spec: {
        count: 2,
        template: { requests: { cpu: '1' } },
        mode: 'AllOrNone',
        whenRefused: 'Wait',
        ...spec,
      },
    });
  const reservation = (name: string): Reservation =>
    client.peek<Reservation>(reservationsRef, `n/${name}`) as Reservation;
  /** `Held 2/0: all 2 places are held [a:1 b:1(p)]` */
  const stands = (name: string): string => {
    const { phase, allocated, used, places = [], conditions = [] } = reservation(name).status ?? {};
    const where = places.map(({ node, count, pods = [] }) => `${node}:${count}(${pods.join(',')})`);
    return `${phase} ${allocated}/${used}: ${conditions[0]?.message} [${where.join(' ')}]`;
  };
  const pod = (name: string): Pod => client.peek<Pod>(podsRef, `n/${name}`) as Pod;
  const group = (name: string): string => {
    const found = client.peek<PodGroup>(podGroupsRef, `n/${name}`);
    const condition = found?.status?.conditions?.[0];
    return `${condition?.status} ${condition?.reason}: ${condition?.message}`;
  };
  const nodesOf = (): string =>
    client
      .objects<Pod>(podsRef)
      .map((one) => `${one.metadata.name}=${one.spec?.nodeName ?? ''}`)
      .sort()
      .join(' ');
  const why = (name: string): string | undefined => pod(name).status?.conditions?.[0]?.message;
  const events = (): string[] =>
    client.objects<Event>(eventsRef).map(({ reason, message }) => `${reason}: ${message}`);
  return {
    clock,
    client,
    scheduler,
    run,
    addNode,
    addGroup,
    addPod,
    addMember,
    addReservation,
    reservation,
    stands,
    pod,
    group,
    nodesOf,
    why,
    events,
  };
}
