/** Admission as people see it: what kubectl says of quotas, limits, pod security and webhooks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { clientBinary } from '../../../tools/kubectl.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { startTestServer, type TestServer } from './test-server.ts';
import { answer, at, register, startHooks } from './test-webhooks.ts';

type Run = (...words: string[]) => Promise<string>;

/** Answers all that was printed. */
async function startKubectl(
  t: TestContext,
  binary: string,
): Promise<{ readonly server: TestServer; readonly run: Run; readonly folder: string }> {
  const server = await startTestServer(t);
  const folder = mkdtempSync(join(tmpdir(), 'caelum-kubectl-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.server.url, server.pki));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  const run: Run = (...words) =>
    new Promise((resolve) => {
      execFile(binary, words, { env, timeout: 120_000, encoding: 'utf8' }, (_error, stdout, stderr) =>
        resolve(`${stdout}${stderr}`),
      );
    });
  return { server, run, folder };
}

test('kubectl shows refusals and warnings of admission', async (t) => {
  const binary = clientBinary('kubectl');
  if (binary === undefined) {
    t.skip('no kubectl for this machine');
    return;
  }
  const { server, run, folder } = await startKubectl(t, binary);
  await run('create', 'namespace', 'team');
  const made = await run('create', 'quota', 'few', '--hard=pods=1,count/configmaps=1', '-n', 'team');
  assert.match(made, /resourcequota\/few created/);
  assert.match(await run('run', 'a', '--image=x', '-n', 'team'), /pod\/a created/);
  assert.match(
    await run('run', 'b', '--image=x', '-n', 'team'),
    /Error from server \(Forbidden\): pods "b" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1/,
  );
  const limits = join(folder, 'limits.yaml');
  writeFileSync(
    limits,
    `apiVersion: v1
kind: LimitRange
metadata: { name: l, namespace: default }
spec: { limits: [{ type: Container, min: { memory: 100Mi }, default: { memory: 200Mi } }] }
`,
  );
  assert.match(await run('apply', '-f', limits), /limitrange\/l created/);
  assert.match(await run('describe', 'limitrange', 'l'), /Container\s+memory\s+100Mi\s+-\s+200Mi\s+200Mi/);
  const overrides =
    '--overrides={"spec":{"containers":[{"name":"c","image":"x","resources":{"requests":{"memory":"50Mi"}}}]}}';
  assert.match(
    await run('run', 'c', '--image=x', overrides),
    /Error from server \(Forbidden\): pods "c" is forbidden: minimum memory usage per Container is 100Mi, but request is 50Mi/,
  );
  await run('label', 'namespace', 'default', 'pod-security.kubernetes.io/warn=restricted');
  assert.match(
    await run('create', 'deployment', 'web', '--image=x'),
    /Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "x" must set/,
  );
  const hooks = await startHooks(t, {
    no: (review) => answer(review, { allowed: false, status: { message: 'not today' } }),
  });
  const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['secrets'] }];
  await register(server, 'Validating', 'v', [{ ...at(hooks, 'no'), rules }]);
  assert.match(
    await run('create', 'secret', 'generic', 's', '--from-literal=a=b'),
    /error: failed to create secret admission webhook "no\.example\.com" denied the request: not today/,
  );
});
