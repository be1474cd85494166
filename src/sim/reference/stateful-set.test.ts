import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ControllerRevision, Pod, StatefulSet } from '../../api/index.ts';
import { dataOf } from '../../controllers/history/history.ts';
import { plan } from '../../controllers/stateful-set/plan.ts';
import type { Write } from '../../controllers/step.ts';
import { deedOf, type Member, type Wish } from './stateful-set.ts';
import { type Choices, forEachCase } from './test-cases.ts';

const nowMs = Date.UTC(2026, 0, 2);
const labels = { app: 'web' };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: 'c', image }] } });
const controller = {
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  name: 'web',
  uid: 'set',
  controller: true,
  blockOwnerDeletion: true,
};

const revision = (name: string, image: string, number: number): ControllerRevision =>
  ({
    metadata: { name, namespace: 'shop', uid: name, labels, ownerReferences: [controller] },
    data: dataOf(template(image)),
    revision: number,
  }) as ControllerRevision;

function podOf({ ordinal, state, isOld, isTerminating }: Member): Pod {
  const name = `web-${ordinal}`;
  const phase = state === 'ended' ? (ordinal % 2 === 0 ? 'Failed' : 'Succeeded') : 'Running';
  return {
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      ownerReferences: [controller],
      labels: {
        ...labels,
        'controller-revision-hash': isOld ? 'old' : 'new',
        'statefulset.kubernetes.io/pod-name': name,
        'apps.kubernetes.io/pod-index': String(ordinal),
      },
      ...(isTerminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: state === 'available' ? 'True' : 'False' }],
    },
  };
}

function memberOf(choices: Choices, ordinal: number): Member {
  return {
    ordinal,
    state: choices.one(['available', 'available', 'available', 'available', 'unready', 'ended']),
    isOld: choices.chance(0.5),
    isTerminating: choices.chance(0.1),
  };
}

test('StatefulSet plan() makes and ends pods as the reference', (t) => {
  forEachCase(t, 3000, (choices) => {
    const wish: Wish = {
      start: choices.one([0, 0, 0, 3]),
      replicas: choices.between(0, 8),
      isParallel: choices.chance(0.5),
      isOnDelete: choices.chance(0.1),
      partition: choices.one([0, 0, 0, 2, 5, 20]),
      maxUnavailable: choices.one([1, 1, 1, 2, 3]),
    };
    // Nearly all well, so that the update is reached, or anything.
    const isCalm = choices.chance(0.5);
    const ordinals = Array.from({ length: 12 }, (_, ordinal) => ordinal).filter(() =>
      choices.chance(isCalm ? 1 : 0.8),
    );
    const members = ordinals
      .filter((ordinal) => !isCalm || ordinal < wish.start + wish.replicas + choices.one([0, 0, 0, 2]))
      .map((ordinal): Member => {
        const member = memberOf(choices, ordinal);
        return isCalm && choices.chance(0.97)
          ? { ...member, state: 'available', isTerminating: false }
          : member;
      });
    const set: StatefulSet = {
      metadata: { name: 'web', namespace: 'shop', uid: 'set', generation: 1 },
      spec: {
        replicas: wish.replicas,
        serviceName: 'web',
        selector: { matchLabels: labels },
        template: template('two'),
        podManagementPolicy: wish.isParallel ? 'Parallel' : 'OrderedReady',
        updateStrategy: wish.isOnDelete
          ? { type: 'OnDelete' }
          : {
              type: 'RollingUpdate',
              rollingUpdate: { partition: wish.partition, maxUnavailable: wish.maxUnavailable },
            },
        ...(wish.start === 0 ? {} : { ordinals: { start: wish.start } }),
      },
      status: { replicas: members.length, currentRevision: 'old', updateRevision: 'new' },
    };
    const pods = members.map(podOf);
    const steps = plan(
      {
        set,
        pods,
        revisions: [revision('old', 'one', 1), revision('new', 'two', 2)],
        findPod: (name) => pods.find(({ metadata }) => metadata.name === name),
        findClaim: () => undefined,
        findRevision: () => undefined,
      },
      { nowMs },
    );
    const writes = steps.flatMap((step): readonly Write[] => (step.kind === 'together' ? step.writes : []));
    const ordinalsOf = (kind: 'create' | 'delete'): number[] =>
      writes
        .flatMap((write) => {
          if (write.kind !== kind) return [];
          return [Number(('name' in write ? write.name : (write.object.metadata.name ?? '')).slice(4))];
        })
        .sort((a, b) => a - b);
    const told = JSON.stringify([wish, members]);
    assert.deepEqual(
      { create: ordinalsOf('create'), delete: ordinalsOf('delete') },
      deedOf(wish, members),
      told,
    );
    // What is made below the partition has the old template.
    for (const write of writes) {
      if (write.kind !== 'create') continue;
      const isKept =
        !wish.isOnDelete && Number(write.object.metadata.name?.slice(4)) < wish.start + wish.partition;
      const image = (write.object as Pod).spec?.containers[0]?.image;
      assert.equal(image, isKept ? 'one' : 'two', told);
    }
  });
});
