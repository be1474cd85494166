/** What Kubernetes' conformance suite asks of single kinds, entry by entry of its ledger, beyond what `api-operations.test.ts` asks of every kind. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { certificateRequest } from './test-kinds.ts';
import { configMap, here, pod } from './test-objects.ts';
import { openLines, startTestServer, type TestServer } from './test-server.ts';

const merge = { 'content-type': 'application/merge-patch+json' };
const json = { 'content-type': 'application/json-patch+json' };

interface Event {
  readonly type: string;
  readonly object: {
    readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels?: object };
  };
}

async function follow({ connection }: TestServer, path: string) {
  const lines = await openLines({ ...connection(), path });
  assert.equal(lines.status, 200, path);
  const next = async (): Promise<Event> => (await lines.next()) as Event;
  return { next, close: lines.close, told: async () => (await next()).type };
}

const names = (body: { items: readonly { metadata: { name: string } }[] }): readonly string[] =>
  body.items.map(({ metadata }) => metadata.name);

test('namespaces, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;
  const path = '/api/v1/namespaces/one';
  await call('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'one' } },
  });

  // conformance: [sig-api-machinery] Namespaces [Serial] should patch a Namespace
  // conformance: [sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace
  await t.test('a namespace is patched and updated', async () => {
    const patched = await call('PATCH', path, {
      body: { metadata: { labels: { testLabel: 'testValue' } } },
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    });
    assert.equal(patched.body.metadata.labels.testLabel, 'testValue');
    const { body } = await call('GET', path);
    body.metadata.labels['updated'] = 'yes';
    assert.equal((await call('PUT', path, { body })).body.metadata.labels.updated, 'yes');
  });

  // conformance: [sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status
  await t.test('its status is active, patched and updated', async () => {
    const { body } = await call('GET', `${path}/status`);
    assert.equal(body.status.phase, 'Active');
    const condition = { type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'Patched' };
    const patched = await call('PATCH', `${path}/status`, {
      body: { metadata: { annotations: { a: 'b' } }, status: { conditions: [condition] } },
      headers: merge,
    });
    assert.equal(patched.body.status.conditions[0].type, 'StatusPatch');
    assert.equal(patched.body.metadata.annotations.a, 'b');
    patched.body.status.conditions.push({ ...condition, type: 'StatusUpdate' });
    const updated = await call('PUT', `${path}/status`, { body: patched.body });
    assert.deepEqual(
      updated.body.status.conditions.map(({ type }: { type: string }) => type),
      ['StatusPatch', 'StatusUpdate'],
    );
  });

  // conformance: [sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace
  await t.test('a finalizer is put upon it, and taken away', async () => {
    const finalize = async (finalizers: readonly string[]) => {
      const { body } = await call('GET', path);
      const answer = await call('PUT', `${path}/finalize`, { body: { ...body, spec: { finalizers } } });
      assert.equal(answer.status, 200, answer.text);
      return (await call('GET', path)).body.spec.finalizers;
    };
    assert.deepEqual(await finalize(['kubernetes', 'e2e.example.com/fake']), [
      'kubernetes',
      'e2e.example.com/fake',
    ]);
    assert.deepEqual(await finalize(['kubernetes']), ['kubernetes']);
  });
});

test('access, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  await certificates(t, server);
  await accounts(t, server);
});

async function certificates(t: TestContext, { call }: TestServer): Promise<void> {
  const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
  // conformance: [sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations
  await t.test('requests of certificates are approved and given a status by their own paths', async () => {
    const { body: list } = await call('GET', '/apis/certificates.k8s.io/v1');
    for (const part of ['', '/approval', '/status'])
      assert.ok(
        list.resources.some(({ name }: { name: string }) => name === `certificatesigningrequests${part}`),
      );
    const spec = {
      request: certificateRequest,
      signerName: 'example.com/e2e',
      usages: ['digital signature', 'key encipherment', 'server auth'],
      expirationSeconds: 3600,
    };
    const made = await call('POST', path, {
      body: {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { generateName: 'e2e-' },
        spec,
      },
    });
    assert.equal(made.status, 201, made.text);
    const one = `${path}/${made.body.metadata.name}`;
    const approval = await call('GET', `${one}/approval`);
    assert.equal(approval.body.metadata.uid, made.body.metadata.uid);
    const condition = (type: string) => ({ type, status: 'True', reason: 'E2E', message: 'by a test' });
    const patched = await call('PATCH', `${one}/approval`, {
      headers: merge,
      body: {
        metadata: { annotations: { patchedapproval: 'yes' } },
        status: { conditions: [condition('ApprovalPatch')] },
      },
    });
    assert.equal(patched.body.status.conditions[0].type, 'ApprovalPatch', patched.text);
    patched.body.status.conditions.push(condition('Approved'));
    const updated = await call('PUT', `${one}/approval`, { body: patched.body });
    assert.equal(updated.body.status.conditions.length, 2, updated.text);
    const status = await call('PATCH', `${one}/status`, {
      headers: merge,
      body: { metadata: { annotations: { patchedstatus: 'yes' } } },
    });
    assert.equal(status.body.metadata.annotations.patchedstatus, 'yes');
    status.body.status.conditions.push(condition('StatusUpdate'));
    assert.equal(
      (await call('PUT', `${one}/status`, { body: status.body })).body.status.conditions.length,
      3,
    );
    assert.equal((await call('DELETE', one)).status, 200);
  });
}

async function accounts(t: TestContext, server: TestServer): Promise<void> {
  const { call } = server;
  const path = `${here}/serviceaccounts`;
  // conformance: [sig-auth] ServiceAccounts should run through the lifecycle of a ServiceAccount
  // conformance: [sig-auth] ServiceAccounts should update a ServiceAccount
  await t.test('a service account comes, is patched, updated, found and goes', async () => {
    const watch = await follow(server, `${path}?watch=1&labelSelector=static%3Dyes`);
    await call('POST', path, {
      body: {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'life', labels: { static: 'yes' } },
      },
    });
    assert.equal(await watch.told(), 'ADDED');
    const patched = await call('PATCH', `${path}/life`, {
      headers: merge,
      body: { automountServiceAccountToken: false },
    });
    assert.equal(patched.body.automountServiceAccountToken, false);
    const updated = await call('PUT', `${path}/life`, {
      body: { ...patched.body, automountServiceAccountToken: true },
    });
    assert.equal(updated.body.automountServiceAccountToken, true);
    const { body } = await call('GET', '/api/v1/serviceaccounts?labelSelector=static%3Dyes');
    assert.deepEqual([names(body), body.items[0].automountServiceAccountToken], [['life'], true]);
    await call('DELETE', `${path}?labelSelector=static%3Dyes`);
    for (const type of ['MODIFIED', 'MODIFIED', 'DELETED']) assert.equal(await watch.told(), type);
    watch.close();
  });

  // conformance: [sig-auth] ServiceAccounts should allow opting out of API token automount
  await t.test('a token is mounted unless the pod, or else its account, says no', async () => {
    const says = [undefined, true, false] as const;
    for (const [n, ofAccount] of says.entries())
      for (const [m, ofPod] of says.entries()) {
        const account = `mount-${n}`;
        await call('POST', path, {
          body: {
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: { name: account },
            automountServiceAccountToken: ofAccount,
          },
        });
        const { spec } = pod('p') as { spec: object };
        const { body } = await call('POST', `${here}/pods`, {
          body: {
            apiVersion: 'v1',
            kind: 'Pod',
            metadata: { name: `${account}-${m}` },
            spec: { ...spec, serviceAccountName: account, automountServiceAccountToken: ofPod },
          },
        });
        const mounts: readonly { mountPath: string }[] = body.spec.containers[0].volumeMounts ?? [];
        const isMounted = mounts.some(
          ({ mountPath }) => mountPath === '/var/run/secrets/kubernetes.io/serviceaccount',
        );
        assert.equal(isMounted, ofPod ?? ofAccount ?? true, `account ${ofAccount}, pod ${ofPod}`);
      }
  });

  // conformance: [sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview
  await t.test('a token of a service account is reviewed', async () => {
    await call('POST', path, {
      body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'robot' } },
    });
    const asked = await call('POST', `${path}/robot/token`, {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { name: 'robot' },
        spec: {},
      },
    });
    const { token } = asked.body.status;
    assert.ok(token.length > 20);
    const review = await call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
    });
    assert.equal(review.status, 201);
    assert.deepEqual([review.body.status.authenticated, review.body.status.error], [true, undefined]);
    assert.equal(review.body.status.user.username, 'system:serviceaccount:default:robot');
  });

  // conformance: [sig-auth] SubjectReview should support SubjectReview API operations
  await t.test('what a review says of a service account is what it may', async () => {
    const user = 'system:serviceaccount:default:robot';
    const impersonated = await call('GET', `${here}/pods`, { headers: { 'impersonate-user': user } });
    const resourceAttributes = { verb: 'list', resource: 'pods', namespace: 'default', version: 'v1' };
    for (const [kind, at] of [
      ['SubjectAccessReview', ''],
      ['LocalSubjectAccessReview', '/namespaces/default'],
    ] as const) {
      const review = await call('POST', `/apis/authorization.k8s.io/v1${at}/${kind.toLowerCase()}s`, {
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind,
          metadata: at === '' ? {} : { namespace: 'default' },
          spec: { resourceAttributes, user },
        },
      });
      assert.equal(review.status, 201, review.text);
      assert.equal(review.body.status.allowed, impersonated.status === 200);
    }
    assert.equal(impersonated.status, 403);
  });
}

test('small kinds, as conformance asks', async (t) => {
  const server = await startTestServer(t);
  const { call } = server;

  // conformance: [sig-node] ConfigMap should fail to create ConfigMap with empty key
  await t.test('keys of a config map are not empty', async () => {
    const refused = await call('POST', `${here}/configmaps`, { body: configMap('empty', { '': 'x' }) });
    assert.equal(refused.status, 422);
  });

  // conformance: [sig-storage] Secrets should be immutable if `immutable` field is set
  // conformance: [sig-storage] ConfigMap should be immutable if `immutable` field is set
  await t.test('what is immutable stays as it is, but for its metadata', async () => {
    for (const [resource, kind] of [
      ['secrets', 'Secret'],
      ['configmaps', 'ConfigMap'],
    ] as const) {
      const one = `${here}/${resource}/fixed`;
      const value = (text: string): string => (kind === 'Secret' ? btoa(text) : text);
      const change = async (body: object) => (await call('PATCH', one, { headers: merge, body })).status;
      await call('POST', `${here}/${resource}`, {
        body: { apiVersion: 'v1', kind, metadata: { name: 'fixed' }, data: { a: value('1') } },
      });
      assert.equal(await change({ data: { a: value('2') } }), 200);
      assert.equal(await change({ immutable: true }), 200);
      assert.equal(await change({ data: { a: value('3') } }), 422);
      assert.equal(await change({ immutable: false }), 422);
      assert.equal(await change({ metadata: { labels: { a: 'b' } } }), 200);
      assert.equal((await call('DELETE', one)).status, 200);
    }
  });

  // conformance: [sig-apps] ReplicaSet Replicaset should have a working scale subresource
  // conformance, partly (without its pods): [sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should have a working scale subresource
  await t.test('scales are read, updated and patched', async () => {
    const spec = {
      replicas: 1,
      selector: { matchLabels: { a: 'b' } },
      template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    };
    for (const [resource, kind] of [
      ['deployments', 'Deployment'],
      ['replicasets', 'ReplicaSet'],
      ['statefulsets', 'StatefulSet'],
    ]) {
      const path = `/apis/apps/v1/namespaces/default/${resource}`;
      await call('POST', path, {
        body: {
          apiVersion: 'apps/v1',
          kind,
          metadata: { name: 's' },
          spec: { ...spec, ...(kind === 'StatefulSet' ? { serviceName: 's' } : {}) },
        },
      });
      const scale = await call('GET', `${path}/s/scale`);
      assert.deepEqual(
        [scale.body.kind, scale.body.spec.replicas, scale.body.status.selector],
        ['Scale', 1, 'a=b'],
        scale.text,
      );
      scale.body.spec.replicas = 2;
      assert.equal((await call('PUT', `${path}/s/scale`, { body: scale.body })).body.spec.replicas, 2);
      await call('PATCH', `${path}/s/scale`, { headers: merge, body: { spec: { replicas: 4 } } });
      assert.equal((await call('GET', `${path}/s`)).body.spec.replicas, 4);
    }
  });

  // conformance: [sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods
  await t.test('a priority class may be described anew, and never be worth another number', async () => {
    const path = '/apis/scheduling.k8s.io/v1/priorityclasses';
    const { body } = await call('POST', path, {
      body: { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'p1' }, value: 1 },
    });
    assert.ok(names((await call('GET', path)).body).includes('p1'));
    assert.equal(
      (await call('PUT', `${path}/p1`, { body: { ...body, description: 'updated' } })).status,
      200,
    );
    assert.equal(
      (await call('PATCH', `${path}/p1`, { headers: merge, body: { description: 'patched' } })).status,
      200,
    );
    assert.equal(
      (
        await call('PATCH', `${path}/p1`, {
          headers: json,
          body: [{ op: 'replace', path: '/value', value: 9 }],
        })
      ).status,
      422,
    );
    const current = (await call('GET', `${path}/p1`)).body;
    assert.equal((await call('PUT', `${path}/p1`, { body: { ...current, value: 9 } })).status, 422);
  });

  // conformance: [sig-node] Pods should delete a collection of pods
  // conformance, partly (no kubelet runs it): [sig-node] Pods should patch a pod status
  await t.test('pods are deleted by label, and their status is patched', async () => {
    for (const name of ['p1', 'p2', 'p3']) {
      const body = pod(name) as { metadata: object };
      assert.equal(
        (
          await call('POST', `${here}/pods`, {
            body: { ...body, metadata: { name, labels: { type: 'Testing' } } },
          })
        ).status,
        201,
      );
    }
    const patched = await call('PATCH', `${here}/pods/p1/status`, {
      headers: merge,
      body: { status: { message: 'Patched by a test', reason: 'E2E' } },
    });
    assert.deepEqual([patched.body.status.message, patched.body.status.reason], ['Patched by a test', 'E2E']);
    await call('DELETE', `${here}/pods?labelSelector=type%3DTesting`);
    assert.equal((await call('GET', `${here}/pods?labelSelector=type%3DTesting`)).body.items.length, 0);
  });
});
