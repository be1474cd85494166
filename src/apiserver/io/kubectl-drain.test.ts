/** `kubectl drain` against budgets: what may go goes, the rest waits until others are there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { clientBinary } from '../../../tools/kubectl.ts';
import { createInformers } from '../../client/index.ts';
import { startControllers } from '../../controllers/index.ts';
import { silentLog } from '../../lib/index.ts';
import { realClock } from '../../lib/io/real-clock.ts';
import { realRandom } from '../../lib/io/real-random.ts';
import { kubeconfigText } from '../../main/kubeconfig.ts';
import { startTestServer } from './test-server.ts';

const binary = clientBinary('kubectl');
const here = '/api/v1/namespaces/default/pods';
const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';

test('kubectl drain waits for what a budget keeps', {
  skip: binary === undefined ? 'kubectl is not here' : false,
}, async (t) => {
  const { api, server, pki, call } = await startTestServer(t);
  const common = { client: api.client(), clock: realClock, random: realRandom, log: silentLog };
  const informers = createInformers(common);
  const { registry } = api.context;
  const controllers = startControllers({ ...common, informers, registry, rootCaPem: 'PEM' });
  const folder = mkdtempSync(join(tmpdir(), 'caelum-drain-'));
  t.after(() => {
    controllers.stop();
    informers.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const name of ['n', 'm']) {
    await call('POST', '/api/v1/nodes', { body: { apiVersion: 'v1', kind: 'Node', metadata: { name } } });
    await call('PATCH', `/api/v1/nodes/${name}/status`, {
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Here' }] } },
    });
  }
  const addPod = async (name: string, nodeName: string): Promise<void> => {
    const spec = { nodeName, containers: [{ name: 'c', image: 'x' }] };
    const metadata = { name, labels: { app: 'web' } };
    const made = await call('POST', here, { body: { apiVersion: 'v1', kind: 'Pod', metadata, spec } });
    assert.equal(made.status, 201, made.text);
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await call('PATCH', `${here}/${name}/status`, {
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { status },
    });
  };
  await addPod('a', 'n');
  await addPod('b', 'n');
  const spec = { minAvailable: 1, selector: { matchLabels: { app: 'web' } } };
  const made = await call('POST', budgets, {
    body: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'web' }, spec },
  });
  assert.equal(made.status, 201, made.text);
  const allowed = async (): Promise<unknown> =>
    (await call('GET', `${budgets}/web`)).body.status.disruptionsAllowed;
  for (let tries = 0; (await allowed()) !== 1; tries++) {
    assert.ok(tries < 3000, 'the budget is counted');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(server.url, pki));
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: folder };
  const words = ['drain', 'n', '--force', '--grace-period=0', '--timeout=60s'];
  let printed = '';
  const code = await new Promise<unknown>((resolve) => {
    const child = execFile(binary ?? '', words, { env, timeout: 90_000 }, (error) =>
      resolve(error?.code ?? 0),
    );
    const take = (text: string): void => {
      const before = printed.includes('will retry after 5s');
      printed += text;
      // Another one elsewhere: now the second may go.
      if (!before && printed.includes('will retry after 5s')) void addPod('c', 'm');
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
  });
  assert.equal(code, 0, printed);
  assert.match(
    printed,
    /error when evicting pods\/"[ab]" -n "default" \(will retry after 5s\): Cannot evict pod as it would violate the pod's disruption budget\./,
  );
  assert.match(printed, /node\/n drained/);
  const left = await call('GET', here);
  assert.deepEqual(
    left.body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name),
    ['c'],
  );
});
