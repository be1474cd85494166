/**
 * What Kubernetes' conformance suite asks of the life of a pod, with real containers: how it begins, what is asked of it while it runs,
 * how it changes, how it ends.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container, ContainerStatus, Node, Pod, PodSpec, Probe } from '../src/api/index.ts';
import type { WatchEvent } from '../src/client/index.ts';
import { isError } from '../src/lib/index.ts';
import { eventually, whyNotReal } from './cloud-under-test.ts';
import {
  busybox,
  core,
  forever,
  isReady,
  netContainer,
  netProgram,
  netVolume,
  patienceMs,
  pods,
  RealCloud,
  shellPod,
} from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const atOnce = { skip, concurrency: 4 };

let cloud: RealCloud;
before(async () => {
  if (skip === false) cloud = await RealCloud.start();
});
after(() => cloud?.remove());

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const restartsOf = (pod: Pod): number => pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
const conditionOf = (pod: Pod, type: string) => pod.status?.conditions?.find((one) => one.type === type);

/** All that a watch tells of one pod, from its making on. */
async function history(namespace: string, pod: Pod) {
  const made = await cloud.create(pods, namespace, pod);
  const seen: WatchEvent<Pod>[] = [];
  const watching = cloud.client.watch<Pod>(
    pods,
    {
      namespace,
      fieldSelector: `metadata.name=${made.metadata.name}`,
      resourceVersion: made.metadata.resourceVersion ?? '',
    },
    { onEvent: (event) => void seen.push(event), onEnd: () => undefined },
  );
  const states = (): Pod[] => seen.flatMap((one) => (one.type === 'BOOKMARK' ? [] : [one.object]));
  return { seen, states, stop: () => watching.cancel() };
}

describe('side by side', { skip, concurrency: 4 }, () => {
  describe('init containers', atOnce, () => {
    const init = (name: string, program: string): Container => ({ name, image: busybox, command: [program] });
    const podOf = (policy: string, programs: readonly string[], main: readonly string[]): Pod =>
      shellPod('inits', '', {
        spec: {
          restartPolicy: policy,
          initContainers: programs.map((program, n) => init(`init${n + 1}`, program)),
          containers: [{ name: 'run1', image: busybox, command: [...main] }],
        },
      });
    const isWaiting = (status: ContainerStatus | undefined): boolean =>
      status?.state?.waiting?.reason === 'PodInitializing';

    /** What is said is never ahead of what has happened. */
    function checkStates(states: readonly Pod[]): void {
      let wasInitialized = false;
      for (const { status } of states) {
        const inits = status?.initContainerStatuses ?? [];
        if (inits.length === 0) continue;
        const done = inits.filter((one) => one.state?.terminated?.exitCode === 0);
        const isInitialized = done.length === inits.length;
        for (const one of done) assert.equal(one.ready, true, JSON.stringify(status));
        const condition = status?.conditions?.find(({ type }) => type === 'Initialized');
        assert.equal(condition?.status, isInitialized ? 'True' : 'False', JSON.stringify(status));
        assert.notEqual(condition?.lastTransitionTime, undefined);
        if (!isInitialized)
          for (const one of status?.containerStatuses ?? []) assert.ok(isWaiting(one), JSON.stringify(one));
        // Whatever comes after one that is not done waits.
        const first = inits.findIndex((one) => one.state?.terminated?.exitCode !== 0);
        if (first >= 0)
          for (const one of inits.slice(first + 1)) assert.ok(isWaiting(one), JSON.stringify(status));
        assert.ok(isInitialized || !wasInitialized, 'once initialized, always');
        wasInitialized = isInitialized;
      }
    }

    // conformance: [sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartNever pod
    // conformance: [sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartAlways pod
    for (const policy of ['Never', 'Always'])
      test(`run one after the other, then the pod, with restart policy ${policy}`, async () => {
        const namespace = await cloud.namespace();
        const main = policy === 'Never' ? ['/bin/true'] : ['sh', '-c', forever];
        const { states, stop } = await history(namespace, podOf(policy, ['/bin/true', '/bin/true'], main));
        const phase = policy === 'Never' ? 'Succeeded' : 'Running';
        const ended = await cloud.until(
          namespace,
          'inits',
          `is ${phase}`,
          (pod) => pod.status?.phase === phase,
        );
        stop();
        checkStates([...states(), ended]);
        assert.equal(conditionOf(ended, 'Initialized')?.status, 'True');
        const inits = ended.status?.initContainerStatuses ?? [];
        assert.deepEqual(
          inits.map((one) => [one.ready, one.state?.terminated?.exitCode]),
          [
            [true, 0],
            [true, 0],
          ],
        );
      });

    // conformance: [sig-node] InitContainer [NodeConformance] should not start app containers and fail the pod if init containers fail on a RestartNever pod
    test('one that fails for good fails the pod', async () => {
      const namespace = await cloud.namespace();
      const pod = podOf('Never', ['/bin/true', '/bin/false'], ['/bin/true']);
      const { states, stop } = await history(namespace, pod);
      const ended = await cloud.ended(namespace, 'inits');
      stop();
      checkStates([...states(), ended]);
      assert.equal(ended.status?.phase, 'Failed');
      const { status, reason, message } = conditionOf(ended, 'Initialized') ?? {};
      const words = 'containers with incomplete status: [init2]';
      assert.deepEqual([status, reason, message], ['False', 'ContainersNotInitialized', words]);
      assert.notEqual(ended.status?.containerStatuses?.[0]?.state?.waiting, undefined);
    });

    // conformance: [sig-node] InitContainer [NodeConformance] should not start app containers if init containers fail on a RestartAlways pod
    test('one that fails is tried again, and nothing after it starts', async () => {
      const namespace = await cloud.namespace();
      const pod = podOf('Always', ['/bin/false', '/bin/true'], ['sh', '-c', forever]);
      const { states, stop } = await history(namespace, pod);
      const tried = await cloud.until(
        namespace,
        'inits',
        'has been tried three times more',
        ({ status }) => (status?.initContainerStatuses?.[0]?.restartCount ?? 0) >= 3,
      );
      stop();
      checkStates([...states(), tried]);
      assert.equal(tried.status?.phase, 'Pending');
      const { status, reason, message } = conditionOf(tried, 'Initialized') ?? {};
      const words = 'containers with incomplete status: [init1 init2]';
      assert.deepEqual([status, reason, message], ['False', 'ContainersNotInitialized', words]);
    });
  });

  describe('hooks', atOnce, () => {
    let namespace: string;
    let address: string;
    before(async () => {
      if (skip !== false) return;
      namespace = await cloud.namespace();
      await cloud.create(core('configmaps'), namespace, netProgram);
      const containers = [{ ...netContainer('main', 'http=8080'), ports: [{ containerPort: 8080 }] }];
      await cloud.create(
        pods,
        namespace,
        shellPod('server', '', { spec: { containers, volumes: [netVolume] } }),
      );
      address = (await cloud.ready(namespace, 'server')).status?.podIP ?? '';
      await eventually('the server answers', patienceMs, async () => {
        const { status } = await cloud.ask(
          'GET',
          `/api/v1/namespaces/${namespace}/pods/server/proxy/healthz`,
        );
        return status === 200 ? true : undefined;
      });
    });

    const heard = (line: string): Promise<true> =>
      eventually(`the server hears ${line}`, patienceMs, async () =>
        (await cloud.log(namespace, 'server', 'main')).split('\n').includes(line) ? true : undefined,
      );
    const exec = (message: string) => ({
      exec: { command: ['sh', '-c', `wget -q -O- http://${address}:8080/echo?msg=${message}`] },
    });
    const http = (message: string) => ({
      httpGet: { path: `/echo?msg=${message}`, host: address, port: 8080 },
    });

    // conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly [NodeConformance]
    // conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly [NodeConformance]
    // conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly [NodeConformance]
    // conformance: [sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly [NodeConformance]
    for (const [kind, handler] of Object.entries({ exec, http }))
      test(`postStart and preStop, by ${kind}`, async () => {
        const name = `with-${kind}`;
        const lifecycle = { postStart: handler(`poststart-${kind}`), preStop: handler(`prestop-${kind}`) };
        const pod = shellPod(name, forever, {
          container: { lifecycle },
          spec: { terminationGracePeriodSeconds: 30 },
        });
        await cloud.create(pods, namespace, pod);
        await cloud.ready(namespace, name);
        await heard(`GET /echo?msg=poststart-${kind}`);
        assert.ok(!(await cloud.log(namespace, 'server', 'main')).includes(`prestop-${kind}`));
        await cloud.client.delete(pods, namespace, name, { gracePeriodSeconds: 15 });
        await cloud.gone(pods, namespace, name);
        await heard(`GET /echo?msg=prestop-${kind}`);
      });

    // conformance: [sig-node] PreStop should call prestop when killing a pod
    test('preStop tells a server, which tells us', async () => {
      const url = `http://${address}:8080/write`;
      const command = ['wget', '-O-', '--post-data={"Source": "prestop"}', url];
      const container = { command: ['sleep', '600'], lifecycle: { preStop: { exec: { command } } } };
      // The program ignores SIGTERM, being the first of its kind: the grace period is all that there is.
      const pod = shellPod('tester', '', { container, spec: { terminationGracePeriodSeconds: 10 } });
      await cloud.create(pods, namespace, pod);
      await cloud.ready(namespace, 'tester');
      await cloud.client.delete(pods, namespace, 'tester');
      await eventually('the server was told', patienceMs, async () => {
        const path = `/api/v1/namespaces/${namespace}/pods/server/proxy/read`;
        const { Received } = JSON.parse((await cloud.ask('GET', path)).text) as {
          Received: Record<string, number>;
        };
        return Received['prestop'] === 1 ? true : undefined;
      });
      await cloud.gone(pods, namespace, 'tester');
    });
  });

  describe('probes', atOnce, () => {
    const web = (line: string): Partial<Container> => ({
      command: ['sh', '-c', `mkdir /www; echo ok > /www/healthz; echo ok > /www/index.html; ${line}`],
    });
    const serve = 'httpd -f -p 8080 -h /www';
    const failsLater = `httpd -p 8080 -h /www; sleep 3; rm /www/healthz; ${forever}`;
    const soon: Probe = { initialDelaySeconds: 1, periodSeconds: 1, failureThreshold: 1 };
    const calm: Probe = { ...soon, timeoutSeconds: 5, failureThreshold: 3 };
    const healthz = { httpGet: { path: '/healthz', port: 8080 } };
    const cat = { exec: { command: ['cat', '/tmp/health'] } };

    interface ProbeCase {
      readonly container: Partial<Container>;
      readonly net?: true;
      readonly restarts: boolean;
      readonly says?: RegExp;
    }
    /** Where nothing is to fail: looked at when the program is up, however long that takes. */
    const onceUp = (probe: Probe): Partial<Container> => ({
      startupProbe: { ...probe, periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 60 },
      livenessProbe: { ...calm, ...probe },
    });
    const cases: Readonly<Record<string, ProbeCase>> = {
      // conformance: [sig-node] Probing container should be restarted with a /healthz http liveness probe [NodeConformance]
      'HTTP that fails later': {
        container: { ...web(failsLater), livenessProbe: { ...soon, ...healthz } },
        restarts: true,
        says: /Liveness probe failed: HTTP probe failed with statuscode: 404/,
      },
      // conformance: [sig-node] Probing container should *not* be restarted with a /healthz http liveness probe [NodeConformance]
      'HTTP that goes on': {
        container: { ...web(serve), ...onceUp({ httpGet: { path: '/', port: 8080 } }) },
        restarts: false,
      },
      // conformance: [sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe [NodeConformance]
      'a file that goes': {
        container: {
          command: ['/bin/sh', '-c', `echo ok >/tmp/health; sleep 3; rm -rf /tmp/health; ${forever}`],
          livenessProbe: { ...soon, timeoutSeconds: 5, ...cat },
        },
        restarts: true,
        says: /Liveness probe failed: cat: can't open '\/tmp\/health'/,
      },
      // conformance: [sig-node] Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe [NodeConformance]
      'a file that stays': {
        container: {
          command: ['/bin/sh', '-c', `echo ok >/tmp/health; ${forever}`],
          ...onceUp(cat),
        },
        restarts: false,
      },
      // conformance: [sig-node] Probing container should *not* be restarted with a tcp:8080 liveness probe [NodeConformance]
      'a port that stays open, whatever is said there': {
        container: { ...web(failsLater), ...onceUp({ tcpSocket: { port: 8080 } }) },
        restarts: false,
      },
      // conformance: [sig-node] Probing container should *not* be restarted with a GRPC liveness probe [NodeConformance]
      'gRPC that goes on': {
        container: onceUp({ grpc: { port: 5000 } }),
        net: true,
        restarts: false,
      },
      // conformance: [sig-node] Probing container should be restarted with a GRPC liveness probe [NodeConformance]
      'gRPC at the wrong port': {
        container: {
          livenessProbe: { ...soon, initialDelaySeconds: 3, timeoutSeconds: 5, grpc: { port: 2333 } },
        },
        net: true,
        restarts: true,
        says: /Liveness probe failed: /,
      },
      'exec that takes too long': {
        container: {
          command: ['/bin/sh', '-c', forever],
          livenessProbe: { ...soon, exec: { command: ['sleep', '30'] } },
        },
        restarts: true,
        says: /Liveness probe failed: command timed out/,
      },
      'startup that fails': {
        container: {
          command: ['/bin/sh', '-c', forever],
          livenessProbe: { ...soon, exec: { command: ['true'] } },
          startupProbe: { ...soon, failureThreshold: 2, exec: { command: ['false'] } },
        },
        restarts: true,
        says: /Startup probe failed: /,
      },
    };
    for (const [what, { container, net, restarts, says }] of Object.entries(cases))
      test(`liveness: ${what}`, async () => {
        const namespace = await cloud.namespace();
        if (net === true) await cloud.create(core('configmaps'), namespace, netProgram);
        const main: Container =
          net === true
            ? { ...netContainer('main', 'grpc=5000'), ...container }
            : { name: 'main', image: busybox, ...container };
        const spec = { restartPolicy: 'Always', containers: [main], ...(net && { volumes: [netVolume] }) };
        const { states, stop } = await history(namespace, shellPod('probed', '', { spec }));
        await cloud.until(namespace, 'probed', 'runs', ({ status }) => status?.phase === 'Running');
        const began = await eventually('its beginning is seen', patienceMs, async () =>
          states().find(({ status }) => status?.phase === 'Running'),
        );
        stop();
        assert.equal(restartsOf(began), 0);
        if (!restarts) {
          await cloud.until(
            namespace,
            'probed',
            'is up',
            ({ status }) => status?.containerStatuses?.[0]?.started === true,
          );
          await pause(8000);
          assert.equal(restartsOf(await cloud.pod(namespace, 'probed')), 0);
          return;
        }
        const { status } = await cloud.until(
          namespace,
          'probed',
          'is restarted',
          (pod) => restartsOf(pod) > 0,
        );
        assert.notEqual(status?.containerStatuses?.[0]?.lastState?.terminated, undefined);
        await eventually('it is told why', patienceMs, async () => {
          const { items } = await cloud.client.list(core('events'), { namespace });
          const messages = items.map((one) => (one as unknown as { message?: string }).message ?? '');
          return messages.some((text) => says?.test(text)) ? true : undefined;
        });
        await cloud.client.delete(pods, namespace, 'probed', { gracePeriodSeconds: 0 });
      });

    // conformance, partly (three restarts, not five): [sig-node] Probing container should have monotonically increasing restart count [NodeConformance]
    test('each failure is one restart more', async () => {
      const namespace = await cloud.namespace();
      const container = { ...web(`httpd -p 8080 -h /www; sleep 2; rm /www/healthz; ${forever}`) };
      const pod = shellPod('probed', '', {
        container: { ...container, livenessProbe: { ...soon, ...healthz } },
        spec: { restartPolicy: 'Always' },
      });
      const { states, stop } = await history(namespace, pod);
      await cloud.until(namespace, 'probed', 'is restarted three times', (found) => restartsOf(found) >= 3);
      stop();
      const counts = states().map(restartsOf);
      for (const [at, count] of counts.entries()) {
        // Who tells may be held up, and then tells of two at once.
        assert.ok(count >= (counts[at - 1] ?? 0), counts.join(' '));
      }
    });

    // conformance: [sig-node] Probing container with readiness probe should not be ready before initial delay and never restart [NodeConformance]
    test('readiness waits for its time', async () => {
      const namespace = await cloud.namespace();
      const readinessProbe = { ...healthz, initialDelaySeconds: 5, periodSeconds: 1 };
      const pod = shellPod('probed', '', { container: { ...web(serve), readinessProbe } });
      await cloud.create(pods, namespace, pod);
      const ready = await cloud.ready(namespace, 'probed');
      const startedMs = Date.parse(ready.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? '');
      const readyMs = Date.parse(conditionOf(ready, 'Ready')?.lastTransitionTime ?? '');
      assert.ok(readyMs - startedMs >= 5000, `ready after ${readyMs - startedMs} ms`);
      assert.equal(restartsOf(ready), 0);
    });

    // conformance: [sig-node] Probing container with readiness probe that fails should never be ready and never restart [NodeConformance]
    test('readiness that fails: never ready, never restarted', async () => {
      const namespace = await cloud.namespace();
      const readinessProbe = { exec: { command: ['false'] }, initialDelaySeconds: 1, periodSeconds: 1 };
      const pod = shellPod('probed', '', { container: { ...web(serve), readinessProbe } });
      const { states, stop } = await history(namespace, pod);
      await cloud.until(namespace, 'probed', 'runs', ({ status }) => status?.phase === 'Running');
      await pause(8000);
      stop();
      for (const state of [...states(), await cloud.pod(namespace, 'probed')]) {
        assert.equal(isReady(state), false);
        assert.equal(restartsOf(state), 0);
      }
    });
  });

  describe('pods as objects', atOnce, () => {
    // conformance: [sig-node] Pods should be submitted and removed [NodeConformance]
    test('a pod is made, found, seen, ended and gone', async () => {
      const namespace = await cloud.namespace();
      const labels = { name: 'foo', time: '1' };
      const pod = shellPod('comes', forever, { labels, spec: { terminationGracePeriodSeconds: 30 } });
      const { seen, stop } = await history(namespace, pod);
      assert.equal((await cloud.client.list(pods, { namespace, labelSelector: 'time=1' })).items.length, 1);
      await cloud.ready(namespace, 'comes');
      await cloud.client.delete(pods, namespace, 'comes', { gracePeriodSeconds: 30 });
      await eventually('its end is seen', patienceMs, async () =>
        seen.some(({ type }) => type === 'DELETED') ? true : undefined,
      );
      stop();
      const last = seen.at(-1);
      assert.ok(last?.type === 'DELETED');
      assert.notEqual(last.object.metadata.deletionTimestamp, undefined);
      assert.equal(last.object.spec?.terminationGracePeriodSeconds, 30);
      assert.ok(
        seen.some((one) => one.type === 'MODIFIED' && one.object.metadata.deletionTimestamp !== undefined),
      );
      assert.equal((await cloud.client.list(pods, { namespace, labelSelector: 'time=1' })).items.length, 0);
    });

    // conformance: [sig-node] Pods should be updated [NodeConformance]
    // conformance: [sig-node] Pods should allow activeDeadlineSeconds to be updated [NodeConformance]
    // conformance: [sig-node] Pods should get a host IP [NodeConformance]
    test('a running pod gets other labels, and a deadline', async () => {
      const namespace = await cloud.namespace();
      const pod = shellPod('changes', forever, { labels: { time: '1' }, spec: { restartPolicy: 'Always' } });
      await cloud.create(pods, namespace, pod);
      const running = await cloud.ready(namespace, 'changes');
      assert.equal(running.status?.hostIP, await cloud.nodeAddress());
      assert.equal((await cloud.client.list(pods, { namespace, labelSelector: 'time=1' })).items.length, 1);
      await change(namespace, 'changes', (found) => ({
        ...found,
        metadata: { ...found.metadata, labels: { time: '2' } },
      }));
      assert.equal((await cloud.client.list(pods, { namespace, labelSelector: 'time=2' })).items.length, 1);
      await change(namespace, 'changes', (found) => ({
        ...found,
        spec: { ...(found.spec as PodSpec), activeDeadlineSeconds: 2 },
      }));
      const { status } = await cloud.until(
        namespace,
        'changes',
        'is over',
        (found) => found.status?.phase === 'Failed',
      );
      assert.equal(status?.reason, 'DeadlineExceeded');
    });

    /** Replaces a pod, again when another write came between. */
    async function change(namespace: string, name: string, to: (pod: Pod) => Pod): Promise<Pod> {
      return eventually(`pod ${name} is replaced`, patienceMs, async () => {
        try {
          return await cloud.client.update<Pod>(pods, to(await cloud.pod(namespace, name)));
        } catch (error) {
          if (isError(error, 'conflict')) return undefined;
          throw error;
        }
      });
    }

    // conformance: [sig-node] Pods should run through the lifecycle of Pods and PodStatus
    test('a running pod gets another image and another status, and goes with its kind', async () => {
      const namespace = await cloud.namespace();
      const labels = { 'test-pod-static': 'true' };
      const { seen, states, stop } = await history(namespace, shellPod('lives', forever, { labels }));
      const running = await cloud.ready(namespace, 'lives');
      const containers = [{ name: 'main', image: 'host.local/busybox:latest' }];
      await cloud.client.patch(pods, namespace, 'lives', 'strategic', {
        metadata: { labels: { 'test-pod': 'patched' } },
        spec: { terminationGracePeriodSeconds: 1, containers },
      });
      const patched = await cloud.pod(namespace, 'lives');
      assert.equal(patched.metadata.labels?.['test-pod'], 'patched');
      assert.equal(patched.spec?.containers[0]?.image, 'host.local/busybox:latest');
      const replaced = await eventually('its status is replaced', patienceMs, async () => {
        const found = await cloud.pod(namespace, 'lives');
        const isOff = (type: string): boolean => type === 'Ready' || type === 'ContainersReady';
        const conditions = found.status?.conditions?.map((one) =>
          isOff(one.type) ? { ...one, status: 'False' } : one,
        );
        try {
          const to = { subresource: 'status' };
          return await cloud.client.update<Pod>(
            pods,
            { ...found, status: { ...found.status, conditions } } as Pod,
            to,
          );
        } catch (error) {
          if (isError(error, 'conflict')) return undefined;
          throw error;
        }
      });
      assert.equal(conditionOf(replaced, 'Ready')?.status, 'False');
      assert.equal(conditionOf(replaced, 'ContainersReady')?.status, 'False');
      // Whatever others say, the agent says what is; and it has started the pod anew from the other image.
      const anew = await cloud.until(
        namespace,
        'lives',
        'runs from the other image',
        (pod) => restartsOf(pod) === 1 && isReady(pod),
      );
      assert.equal(anew.status?.containerStatuses?.[0]?.image, 'host.local/busybox:latest');
      const started = (pod: Pod): string => pod.status?.containerStatuses?.[0]?.containerID ?? '';
      assert.notEqual(started(anew), started(running));
      const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=test-pod-static%3Dtrue`;
      const body = JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 1 });
      const { status } = await cloud.ask('DELETE', path, {
        body,
        headers: { 'content-type': 'application/json' },
      });
      assert.equal(status, 200);
      await cloud.gone(pods, namespace, 'lives');
      await eventually('its end is told', patienceMs, async () =>
        seen.some(({ type }) => type === 'DELETED') ? true : undefined,
      );
      stop();
      assert.ok(states().every(({ metadata }) => metadata.labels?.['test-pod-static'] === 'true'));
    });

    // conformance: [sig-node] Pods should patch a pod status
    test("a running pod's status is patched", async () => {
      const namespace = await cloud.namespace();
      await cloud.create(pods, namespace, shellPod('patched', forever));
      await cloud.ready(namespace, 'patched');
      const patched = await cloud.client.patch<Pod>(
        pods,
        namespace,
        'patched',
        'merge',
        {
          metadata: { annotations: { patchedstatus: 'true' } },
          status: { message: 'Patched by a test', reason: 'E2E' },
        },
        { subresource: 'status' },
      );
      assert.deepEqual([patched.status?.message, patched.status?.reason], ['Patched by a test', 'E2E']);
    });

    // conformance: [sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu
    test('a pod with limits as requests is Guaranteed, from the beginning', async () => {
      const namespace = await cloud.namespace();
      const amounts = { cpu: '100m', memory: '100Mi' };
      const container = { resources: { requests: amounts, limits: amounts } };
      const made = await cloud.create(pods, namespace, shellPod('class', 'true', { container }));
      assert.equal(made.status?.qosClass, 'Guaranteed');
      assert.equal((await cloud.ended(namespace, 'class')).status?.qosClass, 'Guaranteed');
    });

    // conformance: [sig-node] Pods should support remote command execution over websockets [NodeConformance]
    // conformance: [sig-node] Pods should support retrieving logs from the container over websockets [NodeConformance]
    test('commands and logs over WebSocket, as old clients speak', async () => {
      const namespace = await cloud.namespace();
      await cloud.create(pods, namespace, shellPod('talks', `echo container is alive; ${forever}`));
      await cloud.ready(namespace, 'talks');
      const path = `/api/v1/namespaces/${namespace}/pods/talks`;
      const query = 'stderr=1&stdout=1&container=main&command=echo&command=remote+execution+test';
      const words = await cloud.messages(`${path}/exec?${query}`, 'channel.k8s.io');
      for (const message of words)
        assert.ok(message[0] === 1 || message.length === 1, message.toString('hex'));
      const text = Buffer.concat(words.map((one) => one.subarray(1))).toString();
      assert.equal(text, 'remote execution test\n');
      await cloud.logUntil(namespace, 'talks', 'main', /alive/);
      const log = await cloud.messages(`${path}/log?container=main`, 'binary.k8s.io');
      assert.equal(Buffer.concat(log).toString(), 'container is alive\n');
    });

    // conformance: [sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update [MinimumKubeletVersion:1.34]
    test('each change of what is wanted is a generation, and the agent follows', async () => {
      const namespace = await cloud.namespace();
      const initContainers = [{ name: 'init-container', image: busybox, command: ['true'] }];
      await cloud.create(pods, namespace, shellPod('generations', forever, { spec: { initContainers } }));
      assert.equal((await cloud.ready(namespace, 'generations')).metadata.generation, 1);
      const spec = (of: Pod, changes: Partial<PodSpec>): Pod => ({
        ...of,
        spec: { ...(of.spec as PodSpec), ...changes },
      });
      const imageOf = (list: readonly Container[] | undefined, image: string): Container[] =>
        (list ?? []).map((one) => ({ ...one, image }));
      const toleration = { key: 'foo', operator: 'Equal', value: 'bar', effect: 'NoSchedule' };
      const changes: readonly (readonly [string, (pod: Pod) => Pod, number])[] = [
        ['nothing', (pod) => pod, 0],
        ['tolerations', (pod) => spec(pod, { tolerations: [toleration] }), 1],
        ['a deadline', (pod) => spec(pod, { activeDeadlineSeconds: 5000 }), 1],
        [
          'the image',
          (pod) => spec(pod, { containers: imageOf(pod.spec?.containers, `${busybox}:latest`) }),
          1,
        ],
        [
          'the image of an init container',
          (pod) => spec(pod, { initContainers: imageOf(pod.spec?.initContainers, `${busybox}:latest`) }),
          1,
        ],
        [
          'annotations',
          (pod) => ({ ...pod, metadata: { ...pod.metadata, annotations: { key: 'value' } } }),
          0,
        ],
        ['the generation', (pod) => ({ ...pod, metadata: { ...pod.metadata, generation: 1 } }), 0],
      ];
      let generation = 1;
      for (const [what, to, more] of changes) {
        await change(namespace, 'generations', to);
        generation += more;
        assert.equal((await cloud.pod(namespace, 'generations')).metadata.generation, generation, what);
        await cloud.until(
          namespace,
          'generations',
          `${what}: is followed`,
          ({ status }) => (status as { observedGeneration?: number }).observedGeneration === generation,
        );
      }
    });

    // conformance: [sig-node] Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete
    test('a generation cannot be chosen; to be told to end is one', async () => {
      const namespace = await cloud.namespace();
      const pod = shellPod('chosen', 'trap "" TERM; while :; do sleep 1; done');
      const made = await cloud.create(pods, namespace, {
        ...pod,
        metadata: { ...pod.metadata, generation: 100 },
      });
      assert.equal(made.metadata.generation, 1);
      await cloud.ready(namespace, 'chosen');
      const path = `/api/v1/namespaces/${namespace}/pods/chosen`;
      const { status } = await cloud.ask('DELETE', `${path}?gracePeriodSeconds=60`);
      assert.equal(status, 200);
      assert.equal((await cloud.pod(namespace, 'chosen')).metadata.generation, 2);
      await cloud.client.delete(pods, namespace, 'chosen', { gracePeriodSeconds: 0 });
      await cloud.gone(pods, namespace, 'chosen');
    });

    // conformance: [sig-node] Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge [MinimumKubeletVersion:1.34]
    test('five hundred generations', async () => {
      const namespace = await cloud.namespace();
      const spec = { activeDeadlineSeconds: 5000 };
      await cloud.create(pods, namespace, shellPod('generations', forever, { spec }));
      await cloud.ready(namespace, 'generations');
      for (let n = 0; n < 499; n++)
        await cloud.client.patch(pods, namespace, 'generations', 'merge', {
          spec: { activeDeadlineSeconds: 5000 - n - 1 },
        });
      const { metadata } = await cloud.until(
        namespace,
        'generations',
        'is followed',
        ({ status }) => (status as { observedGeneration?: number }).observedGeneration === 500,
      );
      assert.equal(metadata.generation, 500);
    });

    // conformance: [sig-node] Node Lifecycle should run through the lifecycle of a node
    test('a node beside ours is made, labelled, found and deleted', async () => {
      const nodes = core('nodes', false);
      const name = 'e2e-fake-node';
      const node = { metadata: { name }, status: { phase: 'Running', conditions: [] } } as unknown as Node;
      await cloud.client.create(nodes, node);
      assert.equal((await cloud.client.get(nodes, undefined, name)).metadata.name, name);
      const labels = { 'e2e-fake-node': 'patched' };
      const patched = await cloud.client.patch<Node>(nodes, undefined, name, 'strategic', {
        metadata: { labels },
      });
      assert.equal(patched.metadata.labels?.['e2e-fake-node'], 'patched');
      const selection = { labelSelector: 'e2e-fake-node=patched' };
      assert.equal((await cloud.client.list(nodes, selection)).items.length, 1);
      await eventually('it is replaced', patienceMs, async () => {
        const found = await cloud.client.get<Node>(nodes, undefined, name);
        const changed = { ...found.metadata.labels, 'e2e-fake-node': 'updated' };
        try {
          return await cloud.client.update(nodes, {
            ...found,
            metadata: { ...found.metadata, labels: changed },
          });
        } catch (error) {
          if (isError(error, 'conflict')) return undefined;
          throw error;
        }
      });
      const { items } = await cloud.client.list(nodes, { labelSelector: 'e2e-fake-node=updated' });
      assert.equal(items.length, 1);
      await cloud.client.delete(nodes, undefined, name);
      await cloud.gone(nodes, undefined, name);
    });
  });
});

/** They are for every pod of the node: nothing else may be under way. */
describe('taints that end pods', { skip }, () => {
  const nodes = core('nodes', false);
  const taint = { key: 'kubernetes.io/e2e-evict-taint-key', value: 'evictTaintVal', effect: 'NoExecute' };
  const pod = (name: string, tolerationSeconds: number): Pod =>
    shellPod(name, forever, { spec: { tolerations: [{ ...taint, tolerationSeconds }] } });
  const setTaints = async (taints: readonly object[]): Promise<void> => {
    const name = await cloud.nodeName();
    await cloud.client.patch(nodes, undefined, name, 'merge', { spec: { taints } });
  };
  after(() => cloud && setTaints([]));

  // conformance: [sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive]
  // conformance: [sig-node] NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive]
  test('each pod bears it as long as it says; and on, when it goes in time', async () => {
    const namespace = await cloud.namespace();
    for (const [name, seconds] of [
      ['short', 2],
      ['long', 8],
      ['longer', 20],
    ] as const)
      await cloud.create(pods, namespace, pod(name, seconds));
    await Promise.all(['short', 'long', 'longer'].map((name) => cloud.ready(namespace, name)));
    const atMs = performance.now();
    await setTaints([taint]);
    const tookUntilGone = async (name: string): Promise<number> => {
      await cloud.gone(pods, namespace, name);
      return performance.now() - atMs;
    };
    const [short, long] = await Promise.all(['short', 'long'].map(tookUntilGone));
    assert.ok((short ?? 0) >= 1900 && (short ?? 0) < (long ?? 0), `short after ${short} ms`);
    assert.ok((long ?? 0) >= 7900, `long after ${long} ms`);
    await setTaints([]);
    await pause(Math.max(0, 22_000 - (performance.now() - atMs)));
    assert.equal((await cloud.pod(namespace, 'longer')).metadata.deletionTimestamp, undefined);
  });
});
