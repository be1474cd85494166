/** Metrics and autoscaling with real containers: one that burns CPU, one whose program tells figures over HTTP. One cloud for all of it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type CloudUnderTest,
  eventually,
  logsOf,
  startCloud,
  whyNoKubectl,
  whyNotReal,
} from './cloud-under-test.ts';

const skip = whyNotReal() ?? whyNoKubectl() ?? false;
const patienceMs = 120_000;
let cloud: CloudUnderTest;

const manifest = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: burner }
spec:
  replicas: 1
  selector: { matchLabels: { app: burner } }
  template:
    metadata: { labels: { app: burner } }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: fire
        image: host.local/busybox
        command: [sh, -c, 'while true; do :; done']
        resources: { requests: { cpu: 50m }, limits: { cpu: 100m } }
      - name: rest
        image: host.local/busybox
        command: [sleep, '3600']
        resources: { requests: { cpu: 50m } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: page }
data:
  metrics: |
    # TYPE jobs_waiting gauge
    jobs_waiting{queue="a"} 7
    jobs_waiting{queue="b"} 5
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: teller }
spec:
  replicas: 1
  selector: { matchLabels: { app: teller } }
  template:
    metadata:
      labels: { app: teller }
      annotations: { prometheus.io/scrape: 'true', prometheus.io/port: '8080' }
    spec:
      terminationGracePeriodSeconds: 0
      volumes: [{ name: page, configMap: { name: page } }]
      containers:
      - name: tell
        image: host.local/busybox
        command: [busybox, httpd, -f, -p, '8080', -h, /page]
        volumeMounts: [{ name: page, mountPath: /page }]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: teller }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: teller }
  # Each tells twice of what is wanted, however many there are: it stays at the most.
  maxReplicas: 2
  metrics:
  - type: Pods
    pods:
      metric: { name: jobs_waiting, selector: { matchLabels: { queue: a } } }
      target: { type: AverageValue, averageValue: '3500m' }
`;

async function ok(line: string): Promise<string> {
  const { code, stdout, stderr } = await cloud.shell(line);
  assert.equal(code, 0, `${line}\n${stdout}${stderr}\n${logsOf(cloud)}`);
  return stdout.trimEnd();
}

/** `300m` in thousandths. */
const milliOf = (text = ''): number => (text.endsWith('m') ? Number.parseInt(text, 10) : Number(text) * 1000);

before(async () => {
  if (skip !== false) return;
  cloud = await startCloud();
  writeFileSync(join(cloud.data, 'metrics.yaml'), manifest);
  await ok('kubectl apply -f "$DATA/metrics.yaml"');
  await ok(
    'kubectl rollout status deployment/burner --timeout=60s && kubectl rollout status deployment/teller --timeout=60s',
  );
});
after(async () => {
  if (skip === false) await cloud.remove();
});

test('what a container burns is told of it, of its pod and of its node', { skip }, async () => {
  await eventually('what it burns', patienceMs, async () => {
    const rows = (await ok('kubectl top pods -l app=burner --containers --no-headers'))
      .split('\n')
      .map((line) => line.split(/\s+/));
    const [fire, rest] = ['fire', 'rest'].map((name) => milliOf(rows.find(([, one]) => one === name)?.[2]));
    // Limited to a tenth of a core: kept to within what a second of measuring allows. Others may take its turn for a while.
    assert.ok(fire !== undefined && fire > 50 && fire < 160, JSON.stringify(rows));
    assert.ok(rest !== undefined && rest < 20, JSON.stringify(rows));
    const [, cpu] = (await ok('kubectl top nodes --no-headers')).split(/\s+/);
    assert.ok(milliOf(cpu) >= fire / 2, String(cpu));
    return true;
  });
  const memory = await ok(
    "kubectl get podmetrics -l app=burner -o jsonpath='{.items[0].containers[*].usage.memory}'",
  );
  assert.match(memory, /^\d+Ki \d+Ki$/);
  const text = await ok(
    "kubectl get --raw /api/v1/nodes/$(kubectl get nodes -o jsonpath='{.items[0].metadata.name}')/proxy/metrics/resource",
  );
  assert.match(
    text,
    /^container_cpu_usage_seconds_total\{container="fire",namespace="default",pod="burner-[^"]+"\} \d/m,
  );
  assert.match(text, /^node_cpu_usage_seconds_total \d/m);
});

test('an agent tells its figures to whom roles let see them, as metrics-server asks kubelets', {
  skip,
}, async () => {
  const [host, port] = (
    await ok(
      'kubectl get nodes -o jsonpath=\'{.items[0].status.addresses[?(@.type=="InternalIP")].address} {.items[0].status.daemonEndpoints.kubeletEndpoint.Port}\'',
    )
  ).split(' ');
  await ok('kubectl create serviceaccount scraper');
  const token = await ok('kubectl create token scraper');
  const ask = (
    path: string,
    authorization?: string,
  ): Promise<{ readonly status: number; readonly text: string }> =>
    new Promise((resolve, reject) => {
      const headers = authorization === undefined ? {} : { authorization };
      const options = { host, port: Number(port), path, headers, rejectUnauthorized: false, agent: false };
      get(options, (answer) => {
        let text = '';
        answer.on('data', (part) => {
          text += String(part);
        });
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      }).once('error', reject);
    });
  assert.equal((await ask('/metrics/resource')).status, 401);
  assert.equal((await ask('/metrics/resource', 'Bearer none')).status, 401);
  await ok('kubectl create clusterrole scraper --verb=get --resource=nodes/metrics');
  await ok(
    'kubectl create clusterrolebinding scraper --clusterrole=scraper --serviceaccount=default:scraper',
  );
  const text = await eventually('the role counts', patienceMs, async () => {
    const answer = await ask('/metrics/resource', `Bearer ${token}`);
    return answer.status === 200 ? answer.text : undefined;
  });
  assert.match(text, /^pod_memory_working_set_bytes\{namespace="default",pod="burner-/m);
  assert.match((await ask('/metrics', `Bearer ${token}`)).text, /^kubelet_running_pods \d+$/m);
  for (const path of ['/pods', '/containerLogs/default/x/fire', '/stats/summary'])
    assert.equal((await ask(path, `Bearer ${token}`)).status, 403, path);
});

test('an autoscaler follows what is burnt, and stops when what burns is gone', { skip }, async () => {
  // 100m of the 100m that the pod requests, where half is wanted.
  await ok('kubectl autoscale deployment burner --cpu=50% --min=1 --max=2');
  await eventually('two pods burn', patienceMs, async () => {
    const text = await ok("kubectl get deployment burner -o jsonpath='{.status.readyReplicas}'");
    return text === '2' ? true : undefined;
  });
  await eventually('it is told', patienceMs, async () => {
    const text = await ok(
      "kubectl get events --field-selector reason=SuccessfulRescale,involvedObject.name=burner -o jsonpath='{.items[*].message}'",
    );
    const words = /^New size: 2; reason: cpu resource utilization \(percentage of request\) above target$/;
    return words.test(text) ? true : undefined;
  });
  assert.match(await ok('caelum explain hpa burner'), /2/);
  await ok('kubectl scale deployment burner --replicas=0');
  await eventually('it says that it is off', patienceMs, async () => {
    const text = await ok(
      'kubectl get hpa burner -o jsonpath=\'{.status.conditions[?(@.type=="ScalingActive")].reason}\'',
    );
    return text === 'ScalingDisabled' ? true : undefined;
  });
  // What is gone has no figures.
  await eventually('no figures', patienceMs, async () =>
    (await ok('kubectl get podmetrics -l app=burner -o name')) === '' ? true : undefined,
  );
});

test('an autoscaler follows what programs tell over HTTP', { skip }, async () => {
  await eventually('two pods tell', patienceMs, async () => {
    const text = await ok("kubectl get deployment teller -o jsonpath='{.status.readyReplicas}'");
    return text === '2' ? true : undefined;
  });
  await eventually('both are known', patienceMs, async () => {
    const text = await ok(
      'kubectl get --raw "/apis/custom.metrics.k8s.io/v1beta1/namespaces/default/pods/*/jobs_waiting"',
    );
    return text.split('"value":"12"').length === 3 ? true : undefined;
  });
  // Where nobody listens any more the autoscaler says so, and changes nothing.
  await ok(
    'kubectl patch deployment teller --type=merge -p \'{"spec":{"template":{"metadata":{"annotations":{"prometheus.io/port":"8081"}}}}}\' && kubectl rollout status deployment/teller --timeout=60s',
  );
  const message = await eventually('it says why', patienceMs, async () => {
    const text = await ok(
      'kubectl get hpa teller -o jsonpath=\'{.status.conditions[?(@.type=="ScalingActive")].message}\'',
    );
    return text.includes('ECONNREFUSED') ? text : undefined;
  });
  assert.match(
    message,
    /unable to get metric jobs_waiting: unable to fetch metrics from custom metrics API: the server could not find the metric jobs_waiting for pods: pod teller-\S+: cannot read http:\/\/[\d.]+:8081\/metrics: connect ECONNREFUSED/,
  );
  assert.equal(await ok("kubectl get deployment teller -o jsonpath='{.spec.replicas}'"), '2');
});
