/** What Kubernetes' conformance suite asks of pods that are resized in place, on real containers: what the kernel says, not only what the status says. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Container, KubeObject, Pod, ResourceRequirements } from '../src/api/index.ts';
import { eventually, whyNotReal } from './cloud-under-test.ts';
import { busybox, core, forever, patienceMs, pods, RealCloud } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
let cloud: RealCloud;
let namespace: string;

before(async () => {
  if (skip) return;
  cloud = await RealCloud.start();
  namespace = await cloud.namespace();
});
after(async () => {
  await cloud?.remove();
});

type Amounts = readonly [cpuRequest: string, cpuLimit: string, memoryRequest: string, memoryLimit: string];

/** `-` where nothing is asked for. */
function resourcesOf([cpuRequest, cpuLimit, memoryRequest, memoryLimit]: Amounts): ResourceRequirements {
  const list = (cpu: string, memory: string) => ({
    ...(cpu === '-' ? {} : { cpu }),
    ...(memory === '-' ? {} : { memory }),
  });
  const [requests, limits] = [list(cpuRequest, memoryRequest), list(cpuLimit, memoryLimit)];
  return {
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
  };
}

const guaranteed = (cpu: string, memory: string): Amounts => [cpu, cpu, memory, memory];

interface Case {
  readonly name: string;
  readonly before: Amounts;
  readonly after: Amounts;
  /** For memory; in place otherwise. */
  readonly restarts?: boolean;
}

const containerOf = ({ name, before: amounts, restarts = false }: Case): Container => ({
  name,
  image: busybox,
  command: ['sh', '-c', forever],
  resources: resourcesOf(amounts),
  resizePolicy: [
    { resourceName: 'cpu', restartPolicy: 'NotRequired' },
    { resourceName: 'memory', restartPolicy: restarts ? 'RestartContainer' : 'NotRequired' },
  ],
});

async function start(name: string, cases: readonly Case[]): Promise<Pod> {
  await cloud.create<Pod>(pods, namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 1, containers: cases.map(containerOf) },
  });
  return cloud.ready(namespace, name);
}

const patchOf = (cases: readonly Case[]) => ({
  spec: { containers: cases.map(({ name, after: amounts }) => ({ name, resources: resourcesOf(amounts) })) },
});

/** Waits until the status says of each container what was asked for, and nothing is under way. */
const settled = (name: string, cases: readonly Case[]): Promise<Pod> =>
  cloud.until(namespace, name, 'is resized', ({ status, metadata }) => {
    const busy = status?.conditions?.some(({ type }) => type.startsWith('PodResize')) ?? false;
    const known = new Map(status?.containerStatuses?.map((one) => [one.name, one]));
    const are = cases.every((one) => {
      const found = known.get(one.name);
      const wanted = resourcesOf(one.after);
      return (
        found?.ready === true &&
        JSON.stringify([found.resources?.limits, found.resources?.requests]) ===
          JSON.stringify([wanted.limits, wanted.requests]) &&
        JSON.stringify(found.allocatedResources) === JSON.stringify(wanted.requests)
      );
    });
    return are && !busy && status?.observedGeneration === metadata.generation;
  });

/** Both layouts of cgroups: `memory quota shares`, -1 for none. */
const look = `
if [ -f /sys/fs/cgroup/memory.max ]; then
  cat /sys/fs/cgroup/memory.max; cut -d' ' -f1 /sys/fs/cgroup/cpu.max; cat /sys/fs/cgroup/cpu.weight
else
  cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.shares
fi`;

const bytesOf = (text: string): number => Number.parseInt(text, 10) * 2 ** 20;
const milliOf = (text: string): number => Number.parseInt(text, 10);

/** What the kernel says of a container is what `amounts` say. */
async function assertKernel(pod: string, { name, after: amounts }: Case): Promise<void> {
  const [cpuRequest, cpuLimit, , memoryLimit] = amounts;
  const { stdout } = await cloud.exec(namespace, pod, look, name);
  const [memory = '', quota = '', weight = ''] = stdout.trim().split('\n');
  if (memoryLimit === '-') assert.ok(memory === 'max' || Number(memory) > 2 ** 50, `${name}: ${memory}`);
  else assert.equal(Number(memory), bytesOf(memoryLimit), name);
  if (cpuLimit === '-') assert.ok(quota === 'max' || quota === '-1', `${name}: ${quota}`);
  else assert.equal(Number(quota), Math.max(1000, milliOf(cpuLimit) * 100), name);
  const asked = cpuRequest === '-' ? (cpuLimit === '-' ? '0' : cpuLimit) : cpuRequest;
  const shares = Math.max(2, Math.floor((milliOf(asked) * 1024) / 1000));
  const asWeight = 1 + Math.floor(((shares - 2) * 9999) / 262_142);
  assert.ok([shares, asWeight].includes(Number(weight)), `${name}: ${weight} for ${asked}`);
}

async function resizesTo(name: string, cases: readonly Case[]): Promise<Pod> {
  const pod = await start(name, cases);
  const ids = new Map(pod.status?.containerStatuses?.map((one) => [one.name, one.containerID]));
  await cloud.client.patch<Pod>(pods, namespace, name, 'strategic', patchOf(cases), {
    subresource: 'resize',
  });
  const resized = await settled(name, cases);
  for (const one of cases) {
    const found = resized.status?.containerStatuses?.find((status) => status.name === one.name);
    assert.equal(found?.restartCount, one.restarts === true ? 1 : 0, one.name);
    assert.equal(found?.containerID === ids.get(one.name), one.restarts !== true, one.name);
    await assertKernel(name, one);
  }
  return resized;
}

async function eventsOf(name: string): Promise<readonly string[]> {
  const { items } = await cloud.client.list<KubeObject>(core('events'), { namespace });
  return items.flatMap((event) => {
    const { involvedObject, reason = '' } = event as unknown as {
      involvedObject?: { name?: string };
      reason?: string;
    };
    return involvedObject?.name === name ? [reason] : [];
  });
}

describe('pods resized in place', { skip, concurrency: 1 }, () => {
  // conformance: [sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, c2, decrease cpu & mem on c3 - net increase [MinimumKubeletVersion:1.34]
  test('a guaranteed pod of three: more in all', async () => {
    await resizesTo('net-increase', [
      { name: 'c1', before: guaranteed('20m', '30Mi'), after: guaranteed('30m', '40Mi') },
      { name: 'c2', before: guaranteed('25m', '35Mi'), after: guaranteed('35m', '45Mi'), restarts: true },
      { name: 'c3', before: guaranteed('30m', '40Mi'), after: guaranteed('25m', '35Mi') },
    ]);
    await eventually('its events', patienceMs, async () => {
      const events = await eventsOf('net-increase');
      return events.includes('ResizeStarted') && events.includes('ResizeCompleted') ? true : undefined;
    });
  });

  // conformance: [sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, decrease cpu & mem on c2, c3 - net decrease [MinimumKubeletVersion:1.34]
  test('a guaranteed pod of three: less in all', async () => {
    await resizesTo('net-decrease', [
      { name: 'c1', before: guaranteed('20m', '30Mi'), after: guaranteed('25m', '35Mi'), restarts: true },
      { name: 'c2', before: guaranteed('30m', '40Mi'), after: guaranteed('20m', '30Mi') },
      { name: 'c3', before: guaranteed('35m', '45Mi'), after: guaranteed('25m', '35Mi'), restarts: true },
    ]);
  });

  // conformance: [sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase: CPU (c1,c3), memory (c2, c3) ; decrease: CPU (c2) [MinimumKubeletVersion:1.34]
  test('a guaranteed pod of three: this up, that down', async () => {
    await resizesTo('various', [
      { name: 'c1', before: guaranteed('20m', '30Mi'), after: guaranteed('30m', '30Mi') },
      { name: 'c2', before: guaranteed('30m', '30Mi'), after: guaranteed('20m', '40Mi') },
      { name: 'c3', before: guaranteed('20m', '30Mi'), after: guaranteed('30m', '40Mi'), restarts: true },
    ]);
  });

  // conformance: [sig-node] Pod InPlace Resize Container burstable pods - extended 6 containers - various operations performed (including adding limits and requests) [MinimumKubeletVersion:1.34]
  test('a burstable pod of six: also limits and requests where there were none', async () => {
    await resizesTo('six', [
      { name: 'c1', before: ['20m', '-', '-', '-'], after: ['20m', '40m', '-', '-'] },
      { name: 'c2', before: ['-', '-', '20Mi', '-'], after: ['-', '-', '20Mi', '40Mi'] },
      { name: 'c3', before: ['-', '-', '-', '-'], after: ['10m', '20m', '20Mi', '30Mi'] },
      { name: 'c4', before: ['20m', '30m', '20Mi', '30Mi'], after: ['30m', '40m', '25Mi', '35Mi'] },
      { name: 'c5', before: ['30m', '40m', '30Mi', '40Mi'], after: ['20m', '30m', '20Mi', '30Mi'] },
      {
        name: 'c6',
        before: ['20m', '30m', '20Mi', '30Mi'],
        after: ['20m', '50m', '30Mi', '40Mi'],
        restarts: true,
      },
    ]);
  });

  // conformance: [sig-node] Pod InPlace Resize Container burstable pods - extended resize with equivalents [MinimumKubeletVersion:1.34]
  test('a resize that the kernel does not tell apart is said all the same', async () => {
    await resizesTo('equivalents', [
      { name: 'c1', before: ['2m', '10m', '-', '-'], after: ['1m', '5m', '-', '-'] },
    ]);
  });

  // conformance: [sig-node] Pod InPlace Resize Container resize pod via the replace endpoint [MinimumKubeletVersion:1.34]
  test('a pod is resized by replacing it; what is read there is the pod', async () => {
    const one: Case = { name: 'c1', before: guaranteed('20m', '30Mi'), after: guaranteed('40m', '50Mi') };
    await start('replaced', [one]);
    const path = `/api/v1/namespaces/${namespace}/pods/replaced/resize`;
    // Again when another write came between.
    const answer = await eventually('it is replaced', patienceMs, async () => {
      const found = JSON.parse((await cloud.ask('GET', path)).text) as Pod;
      const [first] = found.spec?.containers ?? [];
      const body = JSON.stringify({
        ...found,
        spec: { ...found.spec, containers: [{ ...first, resources: resourcesOf(one.after) }] },
      });
      const headers = { 'content-type': 'application/json' };
      const said = await cloud.ask('PUT', path, { body, headers });
      return said.status === 409 ? undefined : said;
    });
    assert.equal(answer.status, 200, answer.text);
    await settled('replaced', [one]);
    await assertKernel('replaced', one);
    await eventually('it is the pod', patienceMs, async () => {
      const asked = JSON.parse((await cloud.ask('GET', path)).text) as Pod;
      assert.deepEqual(asked, await cloud.pod(namespace, 'replaced'));
      return true;
    });
  });

  test('kubectl resizes; what the machine can never give is refused, and says so', async () => {
    const one: Case = { name: 'c1', before: guaranteed('20m', '30Mi'), after: guaranteed('30m', '40Mi') };
    await start('asked', [one]);
    const asking = (cpu: string): string =>
      `kubectl -n ${namespace} patch pod asked --subresource resize -p '{"spec":{"containers":[{"name":"c1","resources":{"requests":{"cpu":"${cpu}","memory":"40Mi"},"limits":{"cpu":"${cpu}","memory":"40Mi"}}}]}}'`;
    assert.equal((await cloud.cloud.shell(asking('1000'))).code, 0);
    const refused = await cloud.until(
      namespace,
      'asked',
      'is refused',
      ({ status }) =>
        status?.conditions?.some(
          ({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible',
        ) ?? false,
    );
    assert.deepEqual(refused.status?.containerStatuses?.[0]?.resources, resourcesOf(one.before));
    assert.equal((await cloud.cloud.shell(asking('30m'))).code, 0);
    await settled('asked', [one]);
  });
});
