/** Devices: each is one claim's, a pod has what it claims before it has a node, and what nobody holds is given back. */
import type { DynamicResourceClaim, Pod, ResourceSlice } from '../../../api/index.ts';
import type { Checked, Property } from '../../property.ts';
import { controllerOf, isGoing, isTerminal } from '../facts.ts';

const claims = 'resourceclaims.resource.k8s.io';
const slices = 'resourceslices.resource.k8s.io';
const classes = 'deviceclasses.resource.k8s.io';

type Claim = DynamicResourceClaim;

const devicesOf = ({ status }: Claim): readonly string[] =>
  (status?.allocation?.devices?.results ?? []).map((one) => `${one.pool}/${one.device}`);

/** In these worlds a pool is called as its node. */
const nodeOf = (claim: Claim): string | undefined => devicesOf(claim)[0]?.split('/')[0];

/** By its own names; undefined: it is not there yet. */
function claimsOf({ truth }: Checked, { metadata, spec, status }: Pod): readonly (Claim | undefined)[] {
  return (spec?.resourceClaims ?? []).map(({ name, resourceClaimName }) => {
    const told = status?.resourceClaimStatuses?.find((one) => one.name === name)?.resourceClaimName;
    return truth.objects<Claim>(claims).get(`${metadata.namespace}/${resourceClaimName ?? told ?? ''}`);
  });
}

/** The devices of a node that are nobody's. */
function freeOn({ truth }: Checked, nodeName: string): number {
  const taken = new Set([...truth.objects<Claim>(claims).values()].flatMap(devicesOf));
  const there = [...truth.objects<ResourceSlice>(slices).values()].filter(
    ({ spec }) => spec.nodeName === nodeName,
  );
  const names = there.flatMap(({ spec }) =>
    (spec.devices ?? []).map(({ name }) => `${spec.pool.name}/${name}`),
  );
  return names.filter((name) => !taken.has(name)).length;
}

/** Whether a node has the devices that a pod waits for, as far as anybody can say. */
export function hasDevices(world: Checked, pod: Pod, nodeName: string): boolean {
  return claimsOf(world, pod).every((claim) => {
    if (claim === undefined || isGoing(claim)) return false;
    if (claim.status?.allocation !== undefined) return nodeOf(claim) === nodeName;
    const requests = claim.spec.devices?.requests ?? [];
    if (!requests.every((one) => world.truth.objects(classes).has(one.exactly?.deviceClassName ?? '')))
      return false;
    const asked = requests.reduce((sum, { exactly }) => sum + (exactly?.count ?? 0), 0);
    return freeOn(world, nodeName) >= asked;
  });
}

export const devicesHeldOnce: Property = {
  name: 'scheduler/devices-held-once',
  source: 'Kubernetes: dynamic resource allocation',
  statement:
    'No device is allocated to two claims; a pod that gets a node holds its claims, whose devices are of that node; no claim loses its devices while a pod that may run holds it.',
  check(world, broken) {
    const { truth } = world;
    return {
      onEvent({ kind, resource, name, object, previous }) {
        if (resource === claims && kind !== 'delete') {
          const claim = object as Claim;
          const before = previous as Claim | undefined;
          for (const device of before?.status?.allocation === undefined ? devicesOf(claim) : [])
            for (const [other, one] of truth.objects<Claim>(claims))
              if (other !== name && devicesOf(one).includes(device))
                broken(`${device} was allocated to ${name}, and is allocated to ${other}`);
          if (before?.status?.allocation === undefined || claim.status?.allocation !== undefined) return;
          for (const { name: podName, uid } of before.status.reservedFor ?? []) {
            const pod = truth.objects<Pod>('pods').get(`${claim.metadata.namespace}/${podName}`);
            if (pod?.metadata.uid === uid && pod.spec?.nodeName && !isTerminal(pod))
              broken(`${name} lost its devices, and ${podName} on ${pod.spec.nodeName} holds it`);
          }
        }
        if (resource !== 'pods' || kind === 'delete') return;
        const pod = object as Pod;
        if (!pod.spec?.nodeName || (previous as Pod | undefined)?.spec?.nodeName) return;
        for (const claim of claimsOf(world, pod)) {
          if (claim === undefined) broken(`${name} got a node, and a claim of it is not there`);
          else if (!claim.status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid))
            broken(`${name} got a node, and does not hold ${claim.metadata.name}`);
          else if (nodeOf(claim) !== pod.spec.nodeName)
            broken(`${name} got ${pod.spec.nodeName}, and its devices are on ${nodeOf(claim)}`);
        }
      },
    };
  },
};

export const devicesGivenBack: Property = {
  name: 'scheduler/devices-given-back',
  source: 'Kubernetes: dynamic resource allocation; mission C3 (convergence)',
  statement:
    'When faults and users have stopped, soon every claim that has devices is held by a pod that is there, and no claim is left of a pod that is not.',
  check(world) {
    const { truth } = world;
    return {
      goal() {
        for (const [name, claim] of truth.objects<Claim>(claims)) {
          const { allocation, reservedFor = [] } = claim.status ?? {};
          const holders = reservedFor.map(({ name: pod, uid }) => {
            const found = truth.objects<Pod>('pods').get(`${claim.metadata.namespace}/${pod}`);
            return found?.metadata.uid === uid ? found : undefined;
          });
          if (holders.some((pod) => pod === undefined || isTerminal(pod)))
            return `${name} is held by a pod that is no more`;
          if (allocation !== undefined && holders.length === 0)
            return `${name} has devices, and nobody holds it`;
          const owner = controllerOf(claim);
          if (owner === undefined) continue;
          const pod = truth.objects<Pod>('pods').get(`${claim.metadata.namespace}/${owner.name}`);
          if (pod?.metadata.uid !== owner.uid) return `${name} is left of ${owner.name}`;
        }
        return undefined;
      },
    };
  },
};
