import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Pod, Service } from '../../api/index.ts';
import { plan } from '../../controllers/endpointslice/plan.ts';
import type { Write } from '../../controllers/step.ts';
import { linesOf, linesWanted } from './endpoints.ts';
import { type Choices, forEachCase } from './test-cases.ts';

const endpointsMax = 100;
const noNodes = { zoneOf: () => undefined, hasNode: () => true, zoneShares: undefined };

function podOf(choices: Choices, index: number): Pod {
  const v4 = `10.0.${Math.floor(index / 250)}.${index % 250}`;
  const ips = choices.one([[v4], [v4], [v4, `fd00::${index}`], [`fd00::${index}`], []]);
  const port = () => ({
    name: choices.one(['web', 'admin']),
    containerPort: choices.one([80, 8080]),
    ...choices.maybe(0.3, 'protocol', () => choices.one(['TCP', 'UDP'])),
  });
  const containers = choices.list(1, 2, (at) => ({ name: `c${at}`, ports: choices.list(0, 2, port) }));
  const sidecar = { name: 's', ports: [port()], ...choices.maybe(0.7, 'restartPolicy', () => 'Always') };
  return {
    metadata: {
      name: `p${index}`,
      namespace: 'shop',
      uid: `u${index}`,
      ...choices.maybe(0.1, 'deletionTimestamp', () => '2026-01-01T00:00:00Z'),
    },
    spec: {
      containers,
      ...choices.maybe(0.2, 'initContainers', () => [sidecar]),
      ...choices.maybe(0.8, 'nodeName', () => choices.one(['a', 'b'])),
      ...choices.maybe(0.3, 'hostname', () => `h${index}`),
      ...choices.maybe(0.5, 'subdomain', () => choices.one(['web', 'other'])),
    },
    status: {
      phase: choices.one(['Running', 'Running', 'Running', 'Pending', 'Succeeded', 'Failed']),
      conditions: [{ type: 'Ready', status: choices.one(['True', 'True', 'False', 'Unknown']) }],
      ...(ips.length === 0 ? {} : { podIP: ips[0] as string, podIPs: ips.map((ip) => ({ ip })) }),
    },
  };
}

function serviceOf(choices: Choices): Service {
  const port = (at: number) => ({
    port: 80 + at,
    ...choices.maybe(0.8, 'name', () => `n${at}`),
    ...choices.maybe(0.8, 'targetPort', () => choices.one([80, 8080, 'web', 'admin'])),
    ...choices.maybe(0.5, 'protocol', () => choices.one(['TCP', 'UDP'])),
    ...choices.maybe(0.2, 'appProtocol', () => 'http'),
  });
  return {
    metadata: { name: 'web', namespace: 'shop', uid: 'service', labels: { team: 'one' } },
    spec: {
      selector: { app: 'web' },
      ports: choices.list(0, 3, port),
      ...choices.maybe(0.8, 'ipFamilies', () => choices.one([['IPv4'], ['IPv6'], ['IPv4', 'IPv6']])),
      ...choices.maybe(0.2, 'publishNotReadyAddresses', () => choices.chance(0.5)),
      ...choices.maybe(0.2, 'clusterIP', () => 'None'),
    },
  };
}

/** The slices after a plan's writes. */
function after(slices: readonly EndpointSlice[], writes: readonly Write[], round: number): EndpointSlice[] {
  const byName = new Map(slices.map((slice) => [slice.metadata.name ?? '', slice]));
  let made = 0;
  for (const write of writes) {
    if (write.kind === 'delete') byName.delete(write.name);
    else if (write.kind === 'update')
      byName.set(write.object.metadata.name ?? '', write.object as EndpointSlice);
    else if (write.kind === 'create') {
      const name = `slice-${round}-${made++}`;
      byName.set(name, {
        ...(write.object as EndpointSlice),
        metadata: { ...write.object.metadata, name, uid: name, resourceVersion: '1' },
      });
    }
  }
  return [...byName.values()];
}

const writesOf = (service: Service, pods: readonly Pod[], slices: readonly EndpointSlice[]): Write[] =>
  plan({ service, pods, slices, ...noNodes }).flatMap((step) =>
    step.kind === 'together' ? [...step.writes] : [],
  );

const placeOf = (slices: readonly EndpointSlice[]): Map<string, string> =>
  new Map(
    slices.flatMap(({ addressType, ports, endpoints, metadata }) =>
      (endpoints ?? []).map((endpoint) => [
        `${addressType} ${JSON.stringify(ports)} ${endpoint.targetRef?.uid} ${endpoint.addresses[0]}`,
        metadata.name ?? '',
      ]),
    ),
  );

test('EndpointSlice plan() says together what the reference says, through every change', (t) => {
  forEachCase(t, 400, (choices) => {
    let service = serviceOf(choices);
    const count = choices.one([3, 10, 90, 250]);
    let pods = choices.list(0, count, (at) => podOf(choices, at));
    let slices: EndpointSlice[] = [];
    for (let round = 0; round < 4; round++) {
      const before = placeOf(slices);
      slices = after(slices, writesOf(service, pods, slices), round);
      const told = JSON.stringify([service, pods]).slice(0, 4000);
      assert.deepEqual(linesOf(slices), linesWanted(service, pods), told);
      for (const { endpoints } of slices)
        assert.ok((endpoints?.length ?? 0) <= endpointsMax, `${endpoints?.length} in a slice`);
      assert.ok(slices.length > 0, 'a Service has a slice, if an empty one');
      assert.deepEqual(writesOf(service, pods, slices), [], 'at rest nothing is written');
      for (const [endpoint, slice] of placeOf(slices))
        assert.equal(before.get(endpoint) ?? slice, slice, `${endpoint} stays where it is`);
      // Some pods change, some go, some come; now and then the service.
      pods = pods
        .filter(() => !choices.chance(0.1))
        .map((pod, at) =>
          choices.chance(0.1) ? podOf(choices, Number(pod.metadata.name?.slice(1) ?? at)) : pod,
        );
      pods.push(...choices.list(0, 20, (at) => podOf(choices, 1000 + round * 100 + at)));
      if (choices.chance(0.2)) service = serviceOf(choices);
    }
  });
});
