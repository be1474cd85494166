import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { APIService, EndpointSlice, Service } from '../../api/index.ts';
import { whereabouts } from './backend.ts';
import { automanaged, localService, planLocal } from './local-services.ts';
import { mergeAggregated, mergeGroup, mergeGroups, type RemoteVersion } from './merged-discovery.ts';

const api = (port = 443): APIService => ({
  metadata: { name: 'v1.x' },
  spec: { service: { namespace: 'n', name: 's', port }, groupPriorityMinimum: 1, versionPriority: 1 },
});
const service = (spec: object): Service => ({ metadata: { name: 's', namespace: 'n' }, spec }) as Service;
const slice = (ports: object[], endpoints: object[]): EndpointSlice =>
  ({ metadata: { name: 's-1', namespace: 'n' }, addressType: 'IPv4', ports, endpoints }) as EndpointSlice;

test('whereabouts() finds the ready endpoints of the port that is meant, or says in Kubernetes words why not', () => {
  const https = [{ name: 'https', port: 443 }];
  const ready = { addresses: ['10.0.0.1'], conditions: { ready: true } };
  const cases: readonly (readonly [Service | undefined, readonly EndpointSlice[], string])[] = [
    [undefined, [], 'ServiceNotFound: service/s in "n" is not present'],
    [
      service({ ports: [{ port: 80 }] }),
      [],
      'ServicePortError: service/s in "n" is not listening on port 443',
    ],
    [service({ ports: https }), [], 'EndpointsNotFound: cannot find endpoints for service/s in "n"'],
    [
      service({ ports: https }),
      [slice([{ name: 'https', port: 8443 }], [{ addresses: ['10.0.0.2'], conditions: { ready: false } }])],
      'MissingEndpoints: endpoints for service/s in "n" have no addresses with port name "https"',
    ],
    [
      service({ ports: https }),
      [slice([{ name: 'http', port: 80 }], [ready])],
      'MissingEndpoints: endpoints for service/s in "n" have no addresses with port name "https"',
    ],
    [service({ ports: https }), [slice([{ name: 'https', port: 8443 }], [ready])], '10.0.0.1:8443'],
    [service({ type: 'ExternalName', externalName: 'x.example.com' }), [], 'x.example.com:443'],
  ];
  for (const [found, slices, expected] of cases) {
    const where = whereabouts(api(), { service: () => found, slices: () => slices });
    const text =
      where.kind === 'at'
        ? where.addresses.map(({ host, port }) => `${host}:${port}`).join()
        : `${where.verdict.reason}: ${where.verdict.message}`;
    assert.equal(text, expected);
  }
});

test('planLocal() makes what is missing, removes what has gone, and lets be what is somebody else’s', () => {
  const apps = { group: 'apps', version: 'v1', isCustom: false };
  const custom = { group: 'x.example.com', version: 'v1', isCustom: true };
  const first = planLocal([apps, custom], []);
  assert.deepEqual(
    first.create.map(({ metadata, spec }) => [
      metadata.name,
      metadata.labels?.[automanaged],
      spec?.groupPriorityMinimum,
      spec?.versionPriority,
    ]),
    [
      ['v1.apps', 'onstart', 17_800, 15],
      ['v1.x.example.com', 'true', 1000, 100],
    ],
  );
  assert.deepEqual(planLocal([apps, custom], first.create), { create: [], remove: [] });
  assert.deepEqual(planLocal([apps], first.create).remove, ['v1.x.example.com']);
  const theirs = localService(custom);
  const taken: APIService = {
    ...theirs,
    spec: { ...theirs.spec, ...api().spec } as APIService['spec'] & object,
  };
  assert.deepEqual(planLocal([apps], [localService(apps), taken]).remove, []);
});

const remote = (group: string, version: string, more: Partial<RemoteVersion> = {}): RemoteVersion => ({
  group,
  version,
  groupPriority: 100,
  versionPriority: 10,
  resources: [{ name: 'stars', kind: 'Star', verbs: ['get'] }],
  isCurrent: true,
  ...more,
});

test('discovery is merged: groups of others after ours by their priority, versions of one group together', () => {
  const own = {
    kind: 'APIGroupList',
    groups: [
      {
        name: 'apps',
        versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
        preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
      },
    ],
  };
  const others = [
    remote('low.example.com', 'v1', { groupPriority: 1 }),
    remote('high.example.com', 'v1beta1', { versionPriority: 5 }),
    remote('high.example.com', 'v1', { versionPriority: 15 }),
    remote('apps', 'v2'),
  ];
  const { groups } = mergeGroups(own, others) as {
    groups: { name: string; versions: { version: string }[]; preferredVersion: { version: string } }[];
  };
  assert.deepEqual(
    groups.map(({ name, versions, preferredVersion }) => [
      name,
      versions.map((one) => one.version),
      preferredVersion.version,
    ]),
    [
      ['apps', ['v1', 'v2'], 'v1'],
      ['high.example.com', ['v1', 'v1beta1'], 'v1'],
      ['low.example.com', ['v1'], 'v1'],
    ],
  );
  assert.equal(mergeGroup(undefined, 'none.example.com', others), undefined);
  assert.equal((mergeGroup(undefined, 'low.example.com', others) as { kind: string }).kind, 'APIGroup');
  const aggregated = mergeAggregated({ kind: 'APIGroupDiscoveryList', items: [] }, [
    remote('a.example.com', 'v1', { isCurrent: false }),
    remote('b.example.com', 'v1', { resources: undefined, isCurrent: false }),
  ]) as { items: { versions: { freshness: string; resources: object[] }[] }[] };
  assert.deepEqual(
    aggregated.items.map(({ versions: [one] }) => [one?.freshness, one?.resources.length]),
    [
      ['Stale', 1],
      ['Stale', 0],
    ],
  );
});
