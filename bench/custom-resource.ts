/**
 * What a custom resource costs beside a built-in kind: the same fields, once as Deployment, once under a definition with a schema, keyed lists, defaults and
 * a rule. Created through the API's operations, in memory, in turns in the same run.
 */
import type { JSONSchemaProps, KubeObject } from '../src/api/index.ts';
import { createApi, createFirstObjects } from '../src/apiserver/index.ts';
import type { ResourceRef } from '../src/client/index.ts';
import { silentLog } from '../src/lib/index.ts';
import { realClock } from '../src/lib/io/real-clock.ts';
import { realRandom } from '../src/lib/io/real-random.ts';
import { createMemoryStore } from '../src/store/index.ts';
import { type Benchmark, costFigure } from './benchmark.ts';

const rounds = 7;
const objectsPerRound = 1500;

const text: JSONSchemaProps = { type: 'string' };
const texts: JSONSchemaProps = { type: 'object', additionalProperties: text };
const object = (
  properties: Record<string, JSONSchemaProps>,
  more: JSONSchemaProps = {},
): JSONSchemaProps => ({
  type: 'object',
  properties,
  ...more,
});
const keyed = (key: string, properties: Record<string, JSONSchemaProps>): JSONSchemaProps => ({
  type: 'array',
  maxItems: 50,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': [key],
  items: object(properties, { required: [key] }),
});
const container = {
  name: { type: 'string', minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' },
  image: text,
  ports: keyed('containerPort', {
    containerPort: { type: 'integer', minimum: 1, maximum: 65535 },
    name: text,
    protocol: { type: 'string', enum: ['TCP', 'UDP'], default: 'TCP' },
  }),
  env: keyed('name', { name: text, value: text }),
  resources: object({ requests: texts, limits: texts }),
};
const schema = object({
  spec: object(
    {
      replicas: { type: 'integer', minimum: 0, default: 1 },
      selector: object({ matchLabels: texts }),
      template: object({
        metadata: object({ labels: texts }),
        spec: object({ containers: keyed('name', container) }),
      }),
    },
    { required: ['template'], 'x-kubernetes-validations': [{ rule: 'self.replicas <= 1000' }] },
  ),
});

const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'sets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'sets', kind: 'Set' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: schema },
      },
    ],
  },
};

const made = (apiVersion: string, kind: string, name: string) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'default', labels: { app: 'web' } },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: ['web', 'log'].map((one) => ({
          name: one,
          image: `registry.example/${one}:1.2.3`,
          ports: [{ name: 'http', containerPort: one === 'web' ? 8080 : 9090 }],
          env: [
            { name: 'MODE', value: 'fast' },
            { name: 'LEVEL', value: '3' },
          ],
          resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
        })),
      },
    },
  },
});

const definitions: ResourceRef = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
  namespaced: false,
};
const sets: ResourceRef = { group: 'example.com', version: 'v1', resource: 'sets', namespaced: true };
const deployments: ResourceRef = { group: 'apps', version: 'v1', resource: 'deployments', namespaced: true };

export const bench: Benchmark = {
  description: 'creating a custom resource beside a built-in kind with the same fields',
  seconds: 10,
  async run(say) {
    const store = createMemoryStore({ clock: realClock });
    const api = createApi({
      store,
      clock: realClock,
      random: realRandom,
      log: silentLog,
      serviceCidr: '10.131.0.0/16',
    });
    const client = api.client();
    await createFirstObjects(client, undefined);
    await client.create(definitions, definition as unknown as KubeObject);
    while (api.context.resources.find('example.com', 'v1', 'sets') === undefined)
      await new Promise((resolve) => setImmediate(resolve));
    let number = 0;
    const microseconds = async (ref: ResourceRef, apiVersion: string, kind: string): Promise<number> => {
      const before = process.cpuUsage();
      for (let i = 0; i < objectsPerRound; i++)
        await client.create(ref, made(apiVersion, kind, `o-${number++}`) as unknown as KubeObject);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / objectsPerRound;
    };
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let round = -1; round < rounds; round++) {
      const builtin = await microseconds(deployments, 'apps/v1', 'Deployment');
      const custom = await microseconds(sets, 'example.com/v1', 'Set');
      say(`${custom.toFixed(1)} µs; built in ${builtin.toFixed(1)} µs`);
      if (round < 0) continue;
      ours.push(custom);
      theirs.push(builtin);
    }
    await store.close();
    return [costFigure('create a custom resource, CPU', 'µs', ours, { name: 'a Deployment', runs: theirs })];
  },
};
