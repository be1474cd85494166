/** A node that is under pressure, on real containers: its threshold is more than it has, so nothing has to be filled. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { KubeObject, Node } from '../src/api/index.ts';
import { eventually, whyNotReal } from './cloud-under-test.ts';
import { core, forever, patienceMs, pods, RealCloud, shellPod } from './real-cloud.ts';

const skip = whyNotReal() ?? false;
const folder = mkdtempSync(join(tmpdir(), 'caelum-pressure-'));
let cloud: RealCloud;
let namespace: string;

before(async () => {
  if (skip) return;
  const file = join(folder, 'node.yaml');
  writeFileSync(
    file,
    'kind: KubeletConfiguration\nevictionSoft: {memory.available: 100Ti}\nevictionSoftGracePeriod: {memory.available: 25s}\nevictionMaxPodGracePeriod: 3\n',
  );
  cloud = await RealCloud.start('--node-config', file);
  namespace = await cloud.namespace();
});
after(async () => {
  await cloud?.remove();
  rmSync(folder, { recursive: true, force: true });
});

const eventsOf = async (kind: string): Promise<readonly string[]> => {
  const { items } = await cloud.client.list<KubeObject>(core('events'), {});
  return items.flatMap((event) => {
    const { involvedObject, reason, message } = event as unknown as Record<string, unknown>;
    return (involvedObject as { kind?: string } | undefined)?.kind === kind ? [`${reason}: ${message}`] : [];
  });
};

const tolerations = [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }];

/** What the agent has told it goes by itself. */
const pressed = async (name: string): Promise<void> => {
  await eventually('the condition', patienceMs, async () => {
    const { status } = await cloud.client.get<Node>(core('nodes', false), undefined, name);
    return status?.conditions?.some(({ type, status: is }) => type === 'MemoryPressure' && is === 'True')
      ? true
      : undefined;
  });
};

describe('a node without enough memory', { skip, concurrency: true }, () => {
  test('says so, and is tainted', async () => {
    const name = await cloud.nodeName();
    await eventually('the taint', patienceMs, async () => {
      const { spec, status } = await cloud.client.get<Node>(core('nodes', false), undefined, name);
      const condition = status?.conditions?.find(({ type }) => type === 'MemoryPressure');
      assert.equal(condition?.status, 'True');
      assert.equal(condition?.reason, 'KubeletHasInsufficientMemory');
      return spec?.taints?.find(({ key }) => key === 'node.kubernetes.io/memory-pressure');
    });
    const ready = await cloud.client.get<Node>(core('nodes', false), undefined, name);
    assert.equal(ready.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  });

  test('does not begin pods that ask for nothing', async () => {
    const nodeName = await cloud.nodeName();
    await pressed(nodeName);
    await cloud.create(pods, namespace, shellPod('best-effort', forever, { spec: { nodeName } }));
    const { status } = await cloud.ended(namespace, 'best-effort');
    assert.deepEqual(
      [status?.reason, status?.message],
      ['Evicted', 'Pod was rejected: The node had condition: [MemoryPressure]. '],
    );
  });

  test('runs those that do, until it needs what they take', async () => {
    const pod = shellPod('greedy', forever, {
      spec: { terminationGracePeriodSeconds: 30, tolerations },
      container: { resources: { requests: { memory: '1Ki' } } },
    });
    await cloud.create(pods, namespace, pod);
    const { status } = await cloud.ended(namespace, 'greedy');
    assert.deepEqual([status?.phase, status?.reason], ['Failed', 'Evicted']);
    assert.match(
      status?.message ?? '',
      /^The node was low on resource: memory\. Threshold quantity: 100Ti, available: \d+Ki\. Container main was using \d+Ki?, request is 1Ki, has larger consumption of memory\. $/,
    );
    const target = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    assert.deepEqual([target?.status, target?.reason], ['True', 'TerminationByKubelet']);
    const [main] = status?.containerStatuses ?? [];
    assert.equal(main?.state?.terminated?.exitCode, 0, 'it had a moment to end by itself');
    await eventually('both are told', patienceMs, async () => {
      assert.ok((await eventsOf('Node')).includes('EvictionThresholdMet: Attempting to reclaim memory'));
      assert.ok((await eventsOf('Pod')).some((line) => line.startsWith('Evicted: The node was low')));
      return true;
    });
  });

  test('keeps what it cannot do without', async () => {
    const pod = shellPod('critical', forever, {
      spec: { priorityClassName: 'system-node-critical', tolerations },
    });
    await cloud.create(pods, 'kube-system', pod);
    await cloud.ready('kube-system', 'critical');
    await cloud.ended(namespace, 'greedy').catch(() => undefined);
    const { status } = await cloud.pod('kube-system', 'critical');
    assert.equal(status?.phase, 'Running');
  });
});
