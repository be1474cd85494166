/** A service leads to who can serve, from every node, while there is anybody. */
import type { EndpointSlice, KubeObject, Pod, Service } from '../../api/index.ts';
import { rulesFor, wholeTable } from '../../services/index.ts';
import type { NodeMachine } from '../node-machine.ts';
import type { Checked, Property } from '../property.ts';
import { podRange, rulesTable } from '../real-node.ts';
import { RuleTable } from '../rule-table.ts';
import type { Version } from '../truth.ts';
import { isGoing, isReady, isTerminal } from './facts.ts';

/** From a pod to its slice to the rules: two hearings, not one. */
const twoHopsMs = 5000;
/** A proxy that has just come back loads its rules as soon as it has read; one whose kernel refused them tries again within this. */
const proxyMs = 30_000;

const fits = (pod: Pod, service: Service): boolean =>
  pod.metadata.namespace === service.metadata.namespace &&
  Object.entries(service.spec?.selector ?? {}).every(([key, value]) => pod.metadata.labels?.[key] === value);

const serves = (pod: Pod, service: Service): boolean =>
  isReady(pod) && !isGoing(pod) && !isTerminal(pod) && fits(pod, service);

/** Whether every version since then is like this. What is older than what is remembered does not count. */
function wasAlways(
  versions: readonly Version[],
  sinceMs: number,
  holds: (object: KubeObject | undefined) => boolean,
): boolean {
  for (let i = versions.length - 1; i >= 0; i--) {
    const { object, atMs } = versions[i] as Version;
    if (!holds(object)) return false;
    if (atMs <= sinceMs) return true;
  }
  return false;
}

/** The pod's process really listens: by what the machine knows, where there is one. */
function reallyRuns(pod: Pod, machines: ReadonlyMap<string, NodeMachine>): boolean {
  const machine = machines.get(pod.spec?.nodeName ?? '');
  if (machine?.isReal !== true) return true;
  const running = [...machine.host.containers.values()].filter(
    ({ spec, state }) => spec.podUid === pod.metadata.uid && state === 'running',
  );
  return running.length === (pod.spec?.containers ?? []).length;
}

export const serviceAvailable: Property = {
  name: 'service/available',
  source:
    'Kubernetes: virtual IPs and service proxies; mission theorem of availability (a service answers while one healthy instance does)',
  statement:
    'A service with an endpoint that has been healthy for as long as all parts need to hear of it leads, in the rules of every node whose proxy runs, to at least one such endpoint.',
  check(world, broken) {
    const { truth } = world;
    return {
      onSecond() {
        const sinceMs = knownMs(world);
        if (sinceMs <= 0) return;
        const machines = new Map([...world.machines()].map((machine) => [machine.name, machine]));
        for (const [name, service] of truth.objects<Service>('services')) {
          const address = service.spec?.clusterIP ?? 'None';
          const sameService = (other: KubeObject | undefined): boolean =>
            other?.metadata.uid === service.metadata.uid && !isGoing(other as Service);
          if (service.spec?.selector === undefined || address === 'None') continue;
          if (!wasAlways(truth.versions('services', name), sinceMs, sameService)) continue;
          const healthy = new Set<string>();
          for (const [podName, pod] of truth.objects<Pod>('pods')) {
            const always = (one: KubeObject | undefined): boolean =>
              one?.metadata.uid === pod.metadata.uid && serves(one as Pod, service);
            if (!serves(pod, service) || !reallyRuns(pod, machines)) continue;
            if (wasAlways(truth.versions('pods', podName), sinceMs, always))
              healthy.add(pod.status?.podIP ?? '');
          }
          if (healthy.size === 0) continue;
          for (const machine of machines.values())
            for (const { port } of service.spec.ports ?? []) {
              const to = machine.rules.destinationOf(address, 'tcp', port);
              const reached =
                to.kind === 'endpoints' ? to.endpoints.map((one) => one.split(':')[0] ?? '') : [];
              if (!reached.some((one) => healthy.has(one)))
                broken(
                  `${name} has healthy pods at ${[...healthy]}, and leads to ${to.kind} ${reached} on ${machine.name}`,
                );
            }
        }
      },
    };
  },
};

export const noneToTheGone: Property = {
  name: 'service/none-to-the-gone',
  source: 'Kubernetes: virtual IPs and service proxies; mission D1 (discover only the available)',
  statement:
    'In an undisturbed world no proxy leads to an address for longer than all parts need to hear that its pod is gone.',
  check(world, broken) {
    const { truth } = world;
    /** Address ▶ when the last pod that had it went. */
    const gone = new Map<string, number>();
    return {
      onEvent({ kind, resource, object, atMs }) {
        const address = resource === 'pods' ? (object as Pod).status?.podIP : undefined;
        if (address === undefined) return;
        if (kind === 'delete') gone.set(address, atMs);
        else gone.delete(address);
      },
      onSecond() {
        const sinceMs = knownMs(world);
        if (sinceMs <= 0 || gone.size === 0) return;
        for (const [name, service] of truth.objects<Service>('services'))
          for (const machine of world.machines())
            for (const { port } of service.spec?.ports ?? []) {
              const to = machine.rules.destinationOf(service.spec?.clusterIP ?? '', 'tcp', port);
              if (to.kind !== 'endpoints') continue;
              for (const endpoint of to.endpoints) {
                const goneMs = gone.get(endpoint.split(':')[0] ?? '');
                if (goneMs !== undefined && goneMs < sinceMs)
                  broken(
                    `${machine.name} leads ${name} to ${endpoint}, whose pod went ${Math.round((world.nowMs() - goneMs) / 1000)} s ago`,
                  );
              }
            }
      },
    };
  },
};

export const rulesReached: Property = {
  name: 'service/rules-reached',
  source: 'Kubernetes: virtual IPs and service proxies',
  statement:
    'When faults and users have stopped, soon the rules of every node are those of the services and slices that there are, and stay so.',
  check({ truth, machines, isAtRest }, broken) {
    /** Of each node's rules, by their version: what differed. Asked again only when rules, services or slices have changed. */
    const answers = new Map<RuleTable, { readonly version: number; readonly why: string | undefined }>();
    const differenceOf = (
      { name, rules }: NodeMachine,
      services: readonly Service[],
      slices: readonly EndpointSlice[],
    ): string | undefined => {
      const wanted = new RuleTable();
      const set = rulesFor(services, slices, { nodeName: name, podCidr: podRange });
      wanted.load(wholeTable(rulesTable, set, { guardsLocalhost: true }));
      const why = wanted.missingFrom(rules);
      return why === undefined ? undefined : `${name}: ${why}`;
    };
    const difference = (): string | undefined => {
      const services = [...truth.objects<Service>('services').values()];
      const slices = [...truth.objects<EndpointSlice>(slicesResource).values()];
      for (const machine of machines()) {
        const { version } = machine.rules;
        let answer = answers.get(machine.rules);
        if (answer?.version !== version) {
          answer = { version, why: differenceOf(machine, services, slices) };
          answers.set(machine.rules, answer);
        }
        if (answer.why !== undefined) return answer.why;
      }
      return undefined;
    };
    return {
      goal: difference,
      onEvent({ resource }) {
        if (resource === 'services' || resource === slicesResource) answers.clear();
      },
      onSecond() {
        const why = isAtRest() ? difference() : undefined;
        if (why !== undefined) broken(why);
      },
    };
  },
};

const slicesResource = 'endpointslices.discovery.k8s.io';

/** What was so before then is in the rules. 0: nothing can be said now. */
function knownMs(world: Checked): number {
  const calmMs = world.calmSinceMs();
  const knownMs = world.knownToAllMs();
  if (calmMs === undefined || knownMs <= 0) return 0;
  return world.nowMs() - calmMs < proxyMs ? 0 : knownMs - twoHopsMs;
}
