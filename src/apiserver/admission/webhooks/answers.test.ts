/** What webhooks answer may be anything: every request still ends with an object or with a reason, and nothing breaks. Seeded. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { jsonPatch, type KubeObject, pods } from '../../../api/index.ts';
import type { Client } from '../../../client/index.ts';
import { isError, SeededRandom, SimulatedClock, silentLog } from '../../../lib/index.ts';
import { createMemoryStore } from '../../../store/index.ts';
import { createApi } from '../../api.ts';
import { createFirstObjects } from '../../bootstrap.ts';
import { httpStatusOf, statusOf } from '../../status.ts';
import { objectOf, podOf, refTo } from '../test-admission.ts';

const configMaps = refTo('', 'configmaps');
const configurations = refTo('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', false);

/** A cloud with one mutating webhook for everything, which answers as told. */
async function start(t: TestContext, answer: (uid: string) => unknown): Promise<Client> {
  const clock = new SimulatedClock();
  const store = createMemoryStore({ clock });
  t.after(() => store.close());
  const post = async ({ body }: { readonly body: string }): Promise<unknown> =>
    answer((JSON.parse(body) as { request: { uid: string } }).request.uid);
  const random = new SeededRandom(1);
  const api = createApi({ store, clock, random, log: silentLog, serviceCidr: '10.131.0.0/24', post });
  const client = api.client();
  await createFirstObjects(client, { address: '192.0.2.1', port: 6443, clusterIp: api.apiAddress });
  await client.create(configurations, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'm' },
    webhooks: [
      {
        name: 'm.example.com',
        clientConfig: { url: 'https://hook.example.com/' },
        rules: [
          { operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps', 'pods'] },
        ],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  } as KubeObject);
  return client;
}

const words = [
  '',
  'a',
  'metadata',
  'kind',
  'apiVersion',
  'data',
  'spec',
  'name',
  'namespace',
  'uid',
  'labels',
  'containers',
  '0',
  '-',
  '__proto__',
  'ownerReferences',
  'finalizers',
  'resourceVersion',
  'image',
  '~1',
  '\u0000',
];

function anything(random: SeededRandom, depth = 0): unknown {
  switch (random.integer(depth > 3 ? 6 : 9)) {
    case 0:
      return null;
    case 1:
      return random.integer(2) === 0;
    case 2:
      return random.integer(1000) - 500;
    case 3:
    case 4:
    case 5:
      return words[random.integer(words.length)];
    case 6:
      return Array.from({ length: random.integer(4) }, () => anything(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: random.integer(4) }, () => [
          words[random.integer(words.length)],
          anything(random, depth + 1),
        ]),
      );
  }
}

/** That are there, or can be. */
const places = [
  '/data',
  '/data/a',
  '/data/b',
  '/kind',
  '/metadata',
  '/metadata/annotations',
  '/metadata/finalizers',
  '/metadata/labels',
  '/metadata/name',
  '/metadata/namespace',
  '/metadata/ownerReferences',
  '/metadata/uid',
  '/spec',
  '/spec/containers/-',
  '/spec/containers/0',
  '/spec/containers/0/image',
  '/spec/tolerations',
  '/spec/volumes',
  '/status',
];

function anyPatch(random: SeededRandom): unknown {
  const pointer = (): string =>
    random.integer(3) === 0
      ? Array.from({ length: random.integer(4) }, () => `/${words[random.integer(words.length)]}`).join('')
      : (places[random.integer(places.length)] ?? '');
  return Array.from({ length: 1 + random.integer(2) }, () => ({
    op: ['add', 'remove', 'replace', 'move', 'copy', 'test', 'add', 'add'][random.integer(8)],
    path: pointer(),
    from: pointer(),
    value: anything(random),
  }));
}

/** An answer that looks like one, but for a part. */
function anyAnswer(random: SeededRandom, uid: string): unknown {
  const response: Record<string, unknown> = {
    uid,
    allowed: true,
    ...(random.integer(5) === 0
      ? {}
      : {
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(anyPatch(random))).toString('base64'),
        }),
  };
  const answer: Record<string, unknown> = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response,
  };
  if (random.integer(3) === 0) {
    const part =
      ['uid', 'allowed', 'patchType', 'patch', 'status', 'warnings', 'auditAnnotations'][random.integer(7)] ??
      '';
    response[part] = anything(random);
  }
  if (random.integer(12) === 0) return anything(random);
  if (random.integer(12) === 0) answer['response'] = anything(random);
  return answer;
}

for (const seed of [1, 2, 3])
  test(`whatever a webhook answers, there is an object or a reason (seed ${seed})`, async (t) => {
    const random = new SeededRandom(seed);
    const client = await start(t, (uid) => anyAnswer(random, uid));
    let made = 0;
    for (let round = 0; round < 400; round++) {
      const name = `x${round}`;
      const write =
        random.integer(2) === 0
          ? client.create(pods, podOf(name))
          : random.integer(2) === 0
            ? client.create(configMaps, objectOf('v1', 'ConfigMap', name, { data: { a: 'b' } }))
            : client.patch(configMaps, 'default', `x${random.integer(round + 1)}`, 'merge', {
                data: { c: name },
              });
      try {
        const { kind, metadata } = await write;
        assert.ok(
          (kind === 'Pod' || kind === 'ConfigMap') && metadata.namespace === 'default',
          `seed ${seed}, round ${round}`,
        );
        made++;
      } catch (error) {
        assert.ok(isError(error), `seed ${seed}, round ${round}: ${(error as Error).stack}`);
        assert.ok(httpStatusOf(error) >= 400 && typeof statusOf(error).message === 'string');
      }
    }
    assert.ok(made > 20 && made < 390, `seed ${seed}: ${made} of 400`);
  });

test('jsonPatch() does not double documents without end', () => {
  const patch = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  assert.throws(
    () => jsonPatch({ a: ['x'] }, patch),
    (error) =>
      isError(error, 'invalid') &&
      /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/.test(
        error.details.causes?.[0]?.message ?? '',
      ),
  );
});
