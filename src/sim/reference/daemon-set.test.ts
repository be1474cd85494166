import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerRevision, DaemonSet, Node, Pod } from '../../api/index.ts';
import { plan } from '../../controllers/daemon-set/plan.ts';
import { dataOf } from '../../controllers/history/history.ts';
import type { Write } from '../../controllers/step.ts';
import { type DaemonNode, type DaemonPod, deedOf, type Update } from './daemon-set.ts';
import { type Choices, forEachCase } from './test-cases.ts';

const nowMs = Date.UTC(2026, 0, 2);
const labels = { app: 'log' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'two' }] } };
const controller = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  name: 'log',
  uid: 'set',
  controller: true,
  blockOwnerDeletion: true,
};
const revision = {
  metadata: {
    name: 'log-new',
    namespace: 'shop',
    uid: 'r',
    labels: { ...labels, 'controller-revision-hash': 'new' },
    ownerReferences: [controller],
  },
  data: dataOf(template),
  revision: 2,
} as unknown as ControllerRevision;

function nodeOf({ name, wants, bears }: DaemonNode): Node {
  const effect = bears ? 'NoSchedule' : 'NoExecute';
  return { metadata: { name }, spec: wants ? {} : { taints: [{ key: 'closed', effect }] } };
}

function podOf(nodeName: string, pod: DaemonPod): Pod {
  const phases = { available: 'Running', unready: 'Running', failed: 'Failed', succeeded: 'Succeeded' };
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [nodeName] }];
  const required = { nodeSelectorTerms: [{ matchFields }] };
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
  return {
    metadata: {
      name: pod.name,
      namespace: 'shop',
      uid: pod.name,
      ownerReferences: [controller],
      creationTimestamp: new Date(nowMs - 1e6 + pod.createdAt * 1000).toISOString(),
      labels: { ...labels, 'controller-revision-hash': pod.isOld ? 'old' : 'new' },
      ...(pod.isTerminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: { containers: [], ...(pod.isUnbound ? { affinity } : { nodeName }) },
    status: {
      phase: pod.isUnbound ? 'Pending' : phases[pod.state],
      conditions: [{ type: 'Ready', status: pod.state === 'available' ? 'True' : 'False' }],
    },
  };
}

function aPod(choices: Choices, name: string, isCalm: boolean): DaemonPod {
  const isUnbound = choices.chance(isCalm ? 0.02 : 0.1);
  return {
    name,
    state: isUnbound
      ? 'unready'
      : isCalm
        ? choices.one(['available', 'available', 'available', 'unready'])
        : choices.one(['available', 'available', 'unready', 'failed', 'succeeded']),
    isOld: choices.chance(0.5),
    isTerminating: choices.chance(isCalm ? 0.03 : 0.15),
    createdAt: choices.between(0, 900),
    isUnbound,
  };
}

test('DaemonSet plan() makes and ends pods as the reference', (t) => {
  forEachCase(t, 3000, (choices) => {
    const isCalm = choices.chance(0.6);
    const isSurge = choices.chance(0.4);
    const update: Update = {
      isOnDelete: choices.chance(0.1),
      maxUnavailable: isSurge ? 0 : choices.between(1, 3),
      maxSurge: isSurge ? choices.between(1, 3) : 0,
    };
    const nodes = choices.list(0, 8, (at): DaemonNode => {
      const name = `n${at}`;
      const wants = choices.chance(isCalm ? 0.95 : 0.8);
      const count = isCalm ? 1 + Number(isSurge && choices.chance(0.3)) : choices.between(0, 3);
      const pods = Array.from({ length: count }, (_, number) => aPod(choices, `${name}-${number}`, isCalm));
      // Side by side: one of each.
      const paired =
        isCalm && count === 2 ? pods.map((pod, number) => ({ ...pod, isOld: number === 0 })) : pods;
      return {
        name,
        wants,
        bears: wants || choices.chance(0.5),
        exists: choices.chance(isCalm ? 1 : 0.9),
        pods: paired,
      };
    });
    const daemonSet: DaemonSet = {
      metadata: { name: 'log', namespace: 'shop', uid: 'set', generation: 1 },
      spec: {
        selector: { matchLabels: labels },
        template,
        updateStrategy: update.isOnDelete
          ? { type: 'OnDelete' }
          : {
              type: 'RollingUpdate',
              rollingUpdate: { maxUnavailable: update.maxUnavailable, maxSurge: update.maxSurge },
            },
      },
    };
    const steps = plan(
      {
        daemonSet,
        nodes: nodes.filter(({ exists }) => exists).map(nodeOf),
        pods: nodes.flatMap(({ name, pods }) => pods.map((pod) => podOf(name, pod))),
        revisions: [revision],
        findRevision: () => undefined,
        holdBackMs: () => 0,
      },
      { nowMs },
    );
    const writes = steps.flatMap((step): readonly Write[] => (step.kind === 'together' ? step.writes : []));
    const created = writes.flatMap((write) => {
      if (write.kind !== 'create') return [];
      const required = (write.object as Pod).spec?.affinity?.nodeAffinity
        ?.requiredDuringSchedulingIgnoredDuringExecution;
      return [required?.nodeSelectorTerms[0]?.matchFields?.[0]?.values?.[0] ?? ''];
    });
    const deleted = writes.flatMap((write) => (write.kind === 'delete' ? [write.name] : []));
    const expected = deedOf(nodes, update);
    const told = JSON.stringify([update, nodes]);
    assert.deepEqual({ create: created.sort(), delete: deleted.sort() }, expected, told);
  });
});
