/** Faults of the scheduler and of the nodes. */
import type { Mutant } from './mutant.ts';

export const placementMutants: readonly Mutant[] = [
  {
    name: 'scheduler/memory-ignored',
    file: 'scheduler/filters.ts',
    find: 'if (demand.memoryBytes > 0 && demand.memoryBytes > (snapshot.memoryFree[row] ?? 0)) return false;',
    replace: '',
    sentence: 'Nodes are filled beyond their memory.',
  },
  {
    name: 'scheduler/assumed-forgotten',
    file: 'scheduler/binder.ts',
    find: 'this.#asked++;\n    try {\n      await client',
    replace: 'this.#asked++;\n    this.#options.snapshot.removePod(podKey);\n    try {\n      await client',
    sentence: 'A pod takes no room until the informer shows it bound: the next one gets the same room.',
  },
  {
    name: 'scheduler/taints-ignored',
    file: 'scheduler/filters.ts',
    find: "if (taint.effect !== 'PreferNoSchedule' && !tolerates(demand.tolerations, taint)) return refusals.taint;",
    replace:
      "if (taint.effect === 'NoExecute' && !tolerates(demand.tolerations, taint)) return refusals.taint;",
    sentence: 'NoSchedule taints keep nobody away.',
  },
  {
    name: 'scheduler/execute-ignored',
    file: 'scheduler/filters.ts',
    find: "if (taint.effect !== 'PreferNoSchedule' && !tolerates(demand.tolerations, taint)) return refusals.taint;",
    replace:
      "if (taint.effect === 'NoSchedule' && !tolerates(demand.tolerations, taint)) return refusals.taint;",
    sentence: 'NoExecute taints keep nobody away.',
  },
  {
    name: 'scheduler/cordon-ignored',
    file: 'scheduler/filters.ts',
    find: 'if (facts.unschedulable && !tolerates(demand.tolerations, cordoned)) return refusals.unschedulable;',
    replace: '',
    sentence: 'Pods are placed on a cordoned node until the node controller has tainted it.',
  },
  {
    name: 'scheduler/anti-affinity-ignored',
    file: 'scheduler/engine/board.ts',
    find: 'const reason = this.hasRules ? this.#reasonOf(bucket) : undefined;',
    replace: 'const reason = undefined;',
    sentence: 'Required anti-affinity keeps nobody away.',
  },
  {
    name: 'scheduler/batch-blind',
    file: 'scheduler/plan.ts',
    find: '      board.sync();\n      continue;',
    replace: '      continue;',
    sentence: 'Pods that are placed in one go do not see each other: anti-affinity is broken among them.',
  },
  {
    name: 'scheduler/aside-for-ever',
    file: 'scheduler/queue/aside-pods.ts',
    find: "      if (hope !== 'none') {\n",
    replace: "      if (hope === 'none') {\n",
    sentence: 'A pod that did not fit is never tried again.',
  },
  {
    name: 'scheduler/room-unheard',
    file: 'scheduler/bind-loop.ts',
    find: "if (held !== undefined) this.#queue.changed({ kind: 'left', row: held.row, pod: held.pod });",
    replace: '',
    sentence: 'That a pod has gone is no reason to try again those that did not fit.',
  },
  {
    name: 'scheduler/never-frees',
    file: 'scheduler/bind-loop.ts',
    find: 'const held = this.#snapshot.placed(key);\n      this.#snapshot.removePod(key);',
    replace: 'const held = this.#snapshot.placed(key);',
    sentence: 'The room of pods that are gone is not given to others.',
  },
  {
    name: 'scheduler/failed-binding-dropped',
    file: 'scheduler/binder.ts',
    find: 'this.#againAfter(this.#backoff.next(podKey), podKey);',
    replace: 'this.#backoff.next(podKey);',
    sentence: 'A pod whose binding failed is never tried again.',
  },
  {
    name: 'scheduler/plans-on-half',
    file: 'scheduler/bind-loop.ts',
    find: 'void Promise.all([nodes.whenSynced(), pods.whenSynced()]).then(() => {',
    replace: 'void Promise.all([nodes.whenSynced()]).then(() => {',
    sentence: 'A scheduler that has just started places pods before it knows which are there.',
    harmless:
      'a copy comes whole: with the first pod that waits, all that have a node are known, and without it there is nothing to plan',
  },
  {
    name: 'hollow/ending-pod-started',
    file: 'agent/hollow/hollow-pod.ts',
    find: 'if (pod.metadata.deletionTimestamp !== undefined) {',
    replace: "if (pod.metadata.deletionTimestamp !== undefined && phase !== 'Pending') {",
    sentence: 'A node starts a pod that is being deleted.',
  },
  {
    name: 'hollow/never-lets-go',
    file: 'agent/hollow/hollow-nodes.ts',
    find: "else if (step.kind === 'delete') await this.#deletePod(pod);",
    replace:
      "else if (step.kind === 'delete' && pod.status?.phase !== 'Running') await this.#deletePod(pod);",
    sentence: 'A running pod that is being deleted never ends.',
  },
  {
    name: 'hollow/failed-step-dropped',
    file: 'agent/hollow/hollow-nodes.ts',
    find: 'if (now !== undefined) this.#consider(key, now);',
    replace: 'void now;',
    sentence: 'A node that could not report a pod does not try again.',
  },
  {
    name: 'hollow/address-twice',
    file: 'agent/hollow/hollow-nodes.ts',
    find: 'for (const pod of this.pods()) if (pod.status?.podIP) this.#addresses.take(pod.status.podIP);',
    replace: '',
    sentence: 'A node that has started again gives addresses that its pods have.',
  },
  {
    name: 'hollow/ended-runs-again',
    file: 'agent/hollow/hollow-pod.ts',
    find: "if (phase === 'Succeeded' || phase === 'Failed') return { kind: 'nothing' };",
    replace: "if (phase === 'Succeeded') return { kind: 'nothing' };",
    sentence: 'A pod that has failed is started again, whatever its restart policy.',
    harmless: 'the API refuses it: a container that has ended does not run again',
  },
  {
    name: 'hollow/lease-not-renewed',
    file: 'agent/hollow/hollow-nodes.ts',
    find: "await client.patch(leasesRef, nodeLeaseNamespace, name, 'merge', { spec: { renewTime } });",
    replace:
      "if (this.#leaseAt < 20) await client.patch(leasesRef, nodeLeaseNamespace, name, 'merge', { spec: { renewTime } });",
    sentence: 'A node stops to renew its lease.',
  },
];
