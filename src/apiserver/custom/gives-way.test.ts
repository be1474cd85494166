/** Kinds of other projects that are built in give way to those projects' own definitions, and come back when these go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer } from '../io/test-server.ts';
import { conditionIn, definitionsPath, until } from './test-definition.ts';

const autoscalers = '/apis/autoscaling.k8s.io/v1/namespaces/default/verticalpodautoscalers';
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: 'verticalpodautoscalers.autoscaling.k8s.io',
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubernetes/kubernetes/pull/63797' },
  },
  spec: {
    group: 'autoscaling.k8s.io',
    scope: 'Namespaced',
    names: {
      kind: 'VerticalPodAutoscaler',
      listKind: 'VerticalPodAutoscalerList',
      plural: 'verticalpodautoscalers',
      singular: 'verticalpodautoscaler',
      shortNames: ['vpa'],
    },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          },
        },
      },
    ],
  },
};

const body = (name: string, more: object = {}) => ({
  apiVersion: 'autoscaling.k8s.io/v1',
  kind: 'VerticalPodAutoscaler',
  metadata: { name },
  spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, ...more },
});

test('a definition takes the place of a built-in kind that gives way; its objects stay', async (t) => {
  const { call } = await startTestServer(t);
  assert.equal((await call('POST', autoscalers, { body: body('a') })).status, 201);
  const wrong = { updatePolicy: { updateMode: 'Sometimes' } };
  assert.equal((await call('POST', autoscalers, { body: body('b', wrong) })).status, 422);

  assert.equal((await call('POST', definitionsPath, { body: definition })).status, 201);
  const path = `${definitionsPath}/${definition.metadata.name}`;
  await until(async () => {
    const { body: found } = await call('GET', path);
    return conditionIn(found, 'Established')?.status === 'True';
  });
  // By the definition's rules now, which have none for this.
  await until(async () => {
    const made = await call('POST', autoscalers, { body: body('b', wrong) });
    return made.status === 201;
  });
  assert.equal((await call('GET', `${autoscalers}/a`)).body.spec.targetRef.name, 'web');
  const resources = (await call('GET', '/apis/autoscaling.k8s.io/v1')).body.resources as { name: string }[];
  assert.deepEqual(
    resources.map(({ name }) => name).filter((name) => name.startsWith('verticalpodautoscalers')),
    ['verticalpodautoscalers'],
  );

  assert.equal((await call('DELETE', path)).status, 200);
  await until(async () => {
    const list = await call('GET', autoscalers);
    return list.status === 200 && list.body.items.length === 0 && (await call('GET', path)).status === 404;
  });
  assert.equal((await call('POST', autoscalers, { body: body('b', wrong) })).status, 422);
});
