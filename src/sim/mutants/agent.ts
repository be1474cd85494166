/** Faults of the agent and of the service proxies. */
import type { Mutant } from './mutant.ts';

export const agentMutants: readonly Mutant[] = [
  {
    name: 'agent/exit-unheard',
    file: 'agent/pods/pod-shell.ts',
    find: 'void this.#workers.get(status.podUid)?.onExit(status);',
    replace: '',
    sentence: 'The agent does not hear that a container has ended.',
  },
  {
    name: 'agent/leftovers-ignored',
    file: 'agent/pods/pod-shell.ts',
    find: 'if (!present.has(uid)) worker.setPod(undefined);',
    replace: 'if (!present.has(uid)) this.#workers.delete(uid);',
    sentence: 'What is left of pods that went while the agent was away stays.',
  },
  {
    name: 'agent/half-network-taken',
    file: 'agent/pods/pod-state.ts',
    find: 'leftovers.attachment?.isWhole === true ? leftovers.attachment : undefined',
    replace: 'leftovers.attachment',
    sentence: 'A network that did not survive a restart of the machine is taken for one that did.',
  },
  {
    name: 'agent/overwritten-left',
    file: 'agent/pods/status-writer.ts',
    find: 'this.#calm ??= this.#runAfter(overwrittenDelayMs);',
    replace: '',
    sentence: 'A pod that the node controller has called not ready stays so.',
  },
  {
    name: 'agent/status-without-revision',
    file: 'agent/pods/status-writer.ts',
    find: 'const patch = { metadata: { uid, resourceVersion }, status: patchOf(status, wanted) };',
    replace:
      'const patch = { metadata: { uid, resourceVersion: undefined }, status: patchOf(status, wanted) };',
    sentence: 'A status that was held up on its way undoes a newer one.',
  },
  {
    name: 'agent/node-not-looked-at',
    file: 'agent/node/node-keeper.ts',
    find: 'await this.#look();',
    replace: '',
    sentence: 'A node that was thought lost says that it is Ready only five minutes later.',
  },
  {
    name: 'agent/roots-kept',
    file: 'agent/pods/plan.ts',
    find: "if (String(needed) !== attempt) draft.add({ kind: 'unmountRoot', root });",
    replace: '',
    sentence: 'The roots of ended attempts stay mounted.',
  },
  {
    name: 'agent/attempt-repeated',
    file: 'agent/pods/view.ts',
    find: 'const nextAttempt = Math.max(nextKnown, (memory.lastLogged ?? -1) + 1);',
    replace: 'const nextAttempt = attempts[0] === undefined ? 0 : nextKnown;',
    sentence: 'An attempt that a restart of the machine has taken is started again under its number.',
  },
  {
    name: 'agent/deletes-too-early',
    file: 'agent/pods/plan.ts',
    find: "if (gone && !held) draft.add({ kind: 'deletePod' });",
    replace: "if (!held) draft.add({ kind: 'deletePod' });",
    sentence: 'A pod is said to be gone while its network is still there.',
    harmless:
      'what is left of a pod without an object is taken down all the same, and an address rests before it is given again',
  },
  {
    name: 'agent/finals-run-again',
    file: 'agent/pods/status.ts',
    find: "if (isFinal(old?.phase))\n    return { phase: old?.phase ?? 'Failed', reason: old?.reason, message: old?.message };",
    replace: '',
    sentence: 'What has ended may be said to run again.',
  },
  {
    name: 'services/slices-unheard',
    file: 'services/rule-keeper.ts',
    find: 'this.#slices.onChange(() => this.#touch()),',
    replace: '',
    sentence: 'Rules do not follow endpoints.',
  },
  {
    name: 'services/loaded-in-doubt',
    file: 'services/rule-keeper.ts',
    find: '      this.#loaded = undefined;\n      this.#isDirty = true;',
    replace: '      this.#isDirty = true;',
    sentence: 'After a failed load the kernel is thought to have what it had before.',
  },
  {
    name: 'services/failed-load-forgotten',
    file: 'services/rule-keeper.ts',
    find: '      this.#loaded = undefined;\n      this.#isDirty = true;',
    replace: '      this.#loaded = undefined;',
    sentence: 'A load that failed is not tried again.',
  },
  {
    name: 'services/half-the-truth',
    file: 'services/rule-keeper.ts',
    find: 'const all = [this.#services, this.#slices, this.#nodes];',
    replace: 'const all = [this.#services, this.#nodes];',
    sentence: 'Rules are loaded before the endpoints are known.',
  },
  {
    name: 'services/terminating-preferred',
    file: 'services/virtual-ips.ts',
    find: 'if (ready.size === 0) return sorted(terminating);',
    replace: 'if (terminating.size > 0) return sorted(terminating);',
    sentence: 'Traffic goes to those who end rather than to those who are ready.',
  },
  {
    name: 'services/stale-elements-kept',
    file: 'services/rule-plan.ts',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text
    find: "else if (gone.length > 0) apply.push(`delete element ip ${table} ${name} { ${gone.join(', ')} }`);",
    replace: '',
    sentence: 'Addresses of services that are gone stay in the rules.',
  },
];
