/** What Kubernetes' conformance suite asks of kubectl together with controllers, on a whole cloud with simulated nodes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clientBinary } from '../../tools/kubectl.ts';
import { Cloud } from './index.ts';

const binary = clientBinary('kubectl') ?? '';
const skip = binary === '' ? 'kubectl is not here' : false;
const withinMs = 60_000;

const controller = `apiVersion: v1
kind: ReplicationController
metadata: { name: agnhost-primary, labels: { app: agnhost } }
spec:
  replicas: 2
  selector: { app: agnhost, role: primary }
  template:
    metadata: { labels: { app: agnhost, role: primary } }
    spec: { containers: [{ name: agnhost-primary, image: agnhost, ports: [{ name: server, containerPort: 6379 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: agnhost-primary, labels: { app: agnhost } }
spec: { selector: { app: agnhost, role: primary }, ports: [{ port: 6379, targetPort: server }] }
`;

describe('kubectl, as conformance asks', { skip, timeout: 480_000 }, () => {
  let cloud: Cloud;
  let folder: string;
  const kubectl = (...words: string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = { ...process.env, KUBECONFIG: join(folder, 'kubeconfig'), HOME: folder };
      execFile(binary, words, { env, timeout: withinMs, encoding: 'utf8' }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`kubectl ${words.join(' ')}\n${stdout}${stderr}`));
      });
    });
  const podsAre = async (count: number): Promise<void> => {
    const deadline = Date.now() + withinMs;
    const list = (): Promise<string> =>
      kubectl('get', 'pods', '-l', 'app=agnhost', '--field-selector=status.phase=Running', '-o', 'name');
    for (let lines = -1; lines !== count; lines = (await list()).split('\n').length - 1)
      assert.ok(Date.now() < deadline, `${lines} pods, not ${count}`);
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'caelum-kubectl-'));
    cloud = await Cloud.start({ hollow: 1, startDelayMs: 20 });
    writeFileSync(join(folder, 'kubeconfig'), cloud.kubeconfig());
    writeFileSync(join(folder, 'rc.yaml'), controller);
  });
  after(async () => {
    await cloud?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  // conformance: [sig-cli] Kubectl client Update Demo should create and stop a replication controller
  // conformance: [sig-cli] Kubectl client Update Demo should scale a replication controller
  test('a ReplicationController runs as many pods as it is scaled to', async () => {
    await kubectl('create', '-f', join(folder, 'rc.yaml'));
    await podsAre(2);
    await kubectl('scale', 'rc', 'agnhost-primary', '--replicas=1', '--timeout=60s');
    await podsAre(1);
    await kubectl('scale', 'rc', 'agnhost-primary', '--replicas=2', '--timeout=60s');
    await podsAre(2);
  });

  // conformance: [sig-cli] Kubectl client Kubectl describe should check if kubectl describe prints relevant information for rc and pods
  test('describe tells of controller, pod, service, node and namespace', async () => {
    // Events, endpoints and counts come a little after what they are of.
    const has = async (words: readonly string[], wanted: readonly RegExp[]): Promise<void> => {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const text = await kubectl('describe', ...words);
        const lacking = wanted.find((one) => !one.test(text));
        if (lacking === undefined) return;
        if (Date.now() > deadline) assert.match(text, lacking);
      }
    };
    await has(
      ['rc', 'agnhost-primary'],
      [
        /^Name: +agnhost-primary$/m,
        /^Namespace: +default$/m,
        /^Selector: +app=agnhost,role=primary$/m,
        /^Labels: +app=agnhost$/m,
        /^Replicas: +2 current \/ 2 desired$/m,
        /^Pods Status: +2 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m,
        /Pod Template:/,
        /Image: +agnhost/,
        /Events:[\s\S]*SuccessfulCreate/,
      ],
    );
    await has(
      ['pods', '-l', 'role=primary'],
      [
        /^Name: +agnhost-primary-/m,
        /^Node: +hollow-0/m,
        /role=primary/,
        /^Status: +Running$/m,
        /^IP: +\d/m,
        /^Controlled By: +ReplicationController\/agnhost-primary$/m,
        /Image: +agnhost/,
        /State: +Running/,
        /QoS Class: +BestEffort/,
      ],
    );
    await has(
      ['service', 'agnhost-primary'],
      [
        /^Selector: +app=agnhost,role=primary$/m,
        /^Type: +ClusterIP$/m,
        /^IP: +\d/m,
        /^Port: +<unset> +6379\/TCP$/m,
        /^Endpoints: +\d/m,
        /Session Affinity/,
      ],
    );
    await has(
      ['node', 'hollow-0'],
      [
        /^Name: +hollow-0$/m,
        /^Conditions:/m,
        /Type +Status/,
        /^Addresses:/m,
        /^Capacity:/m,
        /Kubelet Version/,
        /^Non-terminated Pods:/m,
      ],
    );
    await has(
      ['namespace', 'default'],
      [/^Name: +default$/m, /^Status: +Active$/m, /No resource quota/, /No LimitRange resource/],
    );
  });

  // conformance: [sig-cli] Kubectl client Kubectl expose should create services for rc
  test('a controller and a service are exposed', async () => {
    await kubectl('expose', 'rc', 'agnhost-primary', '--name=rm2', '--port=1234', '--target-port=6379');
    await kubectl('expose', 'service', 'rm2', '--name=rm3', '--port=2345', '--target-port=6379');
    for (const [name, port] of [
      ['rm2', '1234'],
      ['rm3', '2345'],
    ] as const) {
      const text = '{.spec.ports[0].port} {.spec.ports[0].targetPort}';
      assert.equal(await kubectl('get', 'service', name, '-o', `jsonpath=${text}`), `${port} 6379`);
      const deadline = Date.now() + withinMs;
      while (
        !(await kubectl('get', 'endpoints', name, '-o', 'jsonpath={.subsets[0].ports[0].port}')).includes(
          '6379',
        )
      )
        assert.ok(Date.now() < deadline, `${name} has endpoints`);
    }
  });

  // conformance: [sig-cli] Kubectl client Kubectl patch should add annotations for pods in rc
  test('pods of a controller are patched', async () => {
    const names = (await kubectl('get', 'pods', '-l', 'role=primary', '-o', 'name')).trim().split('\n');
    for (const name of names) await kubectl('patch', name, '-p', '{"metadata":{"annotations":{"x":"y"}}}');
    const found = await kubectl(
      'get',
      'pods',
      '-l',
      'role=primary',
      '-o',
      'jsonpath={.items[*].metadata.annotations.x}',
    );
    assert.equal(found, 'y y');
    await kubectl('delete', '-f', join(folder, 'rc.yaml'), '--grace-period=0', '--force');
    await podsAre(0);
  });
});
