/** The chain: who is asked, in which order, how often; and that every passage is settled. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ConfigMap, type KubeObject, type Pod, pods, services } from '../../api/index.ts';
import type { Client } from '../../client/index.ts';
import { CaelumError, SeededRandom, SimulatedClock, silentLog } from '../../lib/index.ts';
import { createMemoryStore } from '../../store/index.ts';
import { type Api, createApi } from '../api.ts';
import type { ApiContext } from '../context.ts';
import { systemIdentity } from '../identity.ts';
import { createLocalClient } from '../local-client.ts';
import { type Admission, AdmissionChain, type AdmissionStep } from './chain.ts';
import { pluginNames } from './plugin-names.ts';
import { messageOf, objectOf, podOf, refTo, startApi } from './test-admission.ts';

const configMaps = refTo('', 'configmaps');

/** A client of the same cloud whose writes only pass these steps. */
function withSteps({ context }: Api, ...steps: readonly AdmissionStep[]): Client {
  const changed: ApiContext = { ...context, admission: new AdmissionChain(steps) };
  return createLocalClient(changed, systemIdentity);
}

const step = (name: string, more: Partial<AdmissionStep>): AdmissionStep => ({
  name,
  handles: () => true,
  ...more,
});

test('the steps are in Kubernetes’ order, and may be turned on and off', async (t) => {
  const { api } = await startApi(t);
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  t.after(() => store.close());
  const common = { store, clock, random: new SeededRandom(1), log: silentLog, serviceCidr: '10.131.0.0/24' };
  const off = ['AlwaysPullImages', 'DenyServiceExternalIPs', 'ExtendedResourceToleration'];
  const namesOf = ({ context }: Api): readonly string[] => context.admission.steps.map(({ name }) => name);
  assert.deepEqual(
    namesOf(api),
    pluginNames.filter((name) => !off.includes(name)),
  );
  const all = createApi({ ...common, admission: { enable: off, disable: [] } });
  assert.deepEqual(namesOf(all), pluginNames);
  const few = createApi({ ...common, admission: { enable: [], disable: ['PodSecurity'] } });
  assert.ok(!namesOf(few).includes('PodSecurity'));
});

test('those that change come first and see defaults, those that refuse see what will be stored', async (t) => {
  const { api } = await startApi(t);
  const seen: string[] = [];
  const note = (what: string, { object }: Admission): void => {
    const pod = object as unknown as Pod;
    seen.push(
      `${what} ${pod.spec?.restartPolicy} ${pod.metadata.uid === undefined ? 'new' : 'named'} ${Object.keys(pod.metadata.labels ?? {}).join()}`,
    );
  };
  const client = withSteps(
    api,
    step('a', {
      async mutate(admission) {
        note('a', admission);
        await Promise.resolve();
        admission.object = {
          ...structuredClone(admission.object),
          spec: { containers: [{ name: 'other', image: 'y' }] },
        } as never;
      },
      validate: (admission) => note('a?', admission),
    }),
    step('b', {
      mutate(admission) {
        note('b', admission);
        if (admission.object !== undefined) admission.object.metadata.labels = { b: '' };
      },
    }),
    step('c', { handles: () => false, mutate: () => assert.fail('it is none of its business') }),
  );
  const made = await client.create<Pod>(pods, podOf('p'));
  assert.deepEqual(seen, ['a Always new ', 'b Always new ', 'a? Always named b']);
  // What is put in the object's place is whole again.
  assert.equal(made.spec?.containers?.[0]?.terminationMessagePolicy, 'File');
});

test('every passage is settled once, whatever becomes of it', async (t) => {
  const { api } = await startApi(t);
  const ends: string[] = [];
  const client = withSteps(
    api,
    step('watcher', {
      validate: (admission) =>
        admission.afterwards((stored) =>
          ends.push(`${admission.operation} ${admission.dryRun ? 'dry ' : ''}${stored}`),
        ),
    }),
    step('refusing', {
      handles: ({ name }) => name === 'refused',
      validate: () => {
        throw new CaelumError('forbidden', 'no');
      },
    }),
  );
  const make = (name: string, dryRun = false) =>
    client.create(configMaps, objectOf('v1', 'ConfigMap', name), { dryRun });
  await make('a');
  await make('b', true);
  await messageOf(make('a'));
  await messageOf(make('refused'));
  await client.patch(configMaps, 'default', 'a', 'merge', { data: { a: 'b' } });
  await client.patch(configMaps, 'default', 'a', 'merge', { data: { a: 'b' } });
  await client.delete(configMaps, 'default', 'a', { dryRun: true });
  await client.delete(configMaps, 'default', 'a');
  assert.deepEqual(ends, [
    'CREATE true',
    'CREATE dry false',
    'CREATE false',
    'CREATE false',
    'UPDATE true',
    'UPDATE false',
    'DELETE dry false',
    'DELETE true',
  ]);
});

test('whoever asks again is obeyed once', async (t) => {
  const { api } = await startApi(t);
  const rounds: string[] = [];
  const client = withSteps(
    api,
    step('first', { mutate: ({ round }) => void rounds.push(`first ${round}`) }),
    step('again', {
      mutate(admission) {
        rounds.push(`again ${admission.round}`);
        admission.again();
      },
    }),
  );
  await client.create(configMaps, objectOf('v1', 'ConfigMap', 'a'));
  assert.deepEqual(rounds, ['first 0', 'again 0', 'first 1', 'again 1']);
});

test('a write that comes between is seen: admission is asked about the newest state', async (t) => {
  const { api, client: other } = await startApi(t);
  await other.create(configMaps, objectOf('v1', 'ConfigMap', 'a', { data: { n: '0' } }));
  const seen: string[] = [];
  const client = withSteps(
    api,
    step('slow', {
      async validate({ oldObject }) {
        seen.push((oldObject as ConfigMap).data?.['n'] ?? '');
        if (seen.length === 1) await other.patch(configMaps, 'default', 'a', 'merge', { data: { n: '1' } });
      },
    }),
  );
  const changed = await client.patch<ConfigMap>(configMaps, 'default', 'a', 'merge', { data: { m: 'x' } });
  assert.deepEqual(seen, ['0', '1']);
  assert.deepEqual(changed.data, { n: '1', m: 'x' });
});

test('bindings, evictions and tokens are shown as what was sent', async (t) => {
  const { api, client: admin } = await startApi(t);
  const seen: string[] = [];
  const client = withSteps(
    api,
    step('watcher', {
      validate: ({ operation, resource, subresource, name, object }) =>
        void seen.push(`${operation} ${resource.groupResource}/${subresource} ${name} ${object?.kind}`),
    }),
  );
  await admin.create(pods, podOf('p'));
  await client.createSubresource(pods, 'default', 'p', 'binding', {
    ...objectOf('v1', 'Binding', 'p'),
    target: { kind: 'Node', name: 'n' },
  } as KubeObject);
  await client.createSubresource(pods, 'default', 'p', 'eviction', objectOf('policy/v1', 'Eviction', 'p'));
  await client.patch(
    pods,
    'default',
    'p',
    'merge',
    { status: { phase: 'Running' } },
    { subresource: 'status' },
  );
  assert.deepEqual(seen, [
    'CREATE pods/binding p Binding',
    'CREATE pods/eviction p Eviction',
    'UPDATE pods/status p Pod',
  ]);
});

test('optional steps: images are always pulled, addresses from outside are denied', async (t) => {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  t.after(() => store.close());
  const enable = ['AlwaysPullImages', 'DenyServiceExternalIPs', 'ExtendedResourceToleration'];
  const api = createApi({
    store,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
    serviceCidr: '10.131.0.0/24',
    admission: { enable, disable: [] },
  });
  const client = api.client();
  await client.create(refTo('', 'namespaces', false), {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
  });
  const gpu = { 'example.com/gpu': '1' };
  const made = await client.create<Pod>(
    pods,
    podOf('p', { imagePullPolicy: 'Never', resources: { limits: gpu, requests: gpu } }),
  );
  assert.equal(made.spec?.containers?.[0]?.imagePullPolicy, 'Always');
  assert.ok(
    made.spec?.tolerations?.some((one) => one.key === 'example.com/gpu' && one.operator === 'Exists'),
  );
  const service = objectOf('v1', 'Service', 's', {
    spec: { ports: [{ port: 80 }], externalIPs: ['192.0.2.9'] },
  });
  assert.match(
    await messageOf(client.create(services, service)),
    /^services "s" is forbidden: Use of external IPs is denied by admission control/,
  );
});
