/** Faults of the API server: preconditions, deletion, watches, pages, addresses. */
import type { Mutant } from './mutant.ts';

export const apiMutants: readonly Mutant[] = [
  {
    name: 'api/version-ignored',
    file: 'apiserver/operations/update.ts',
    find: "if (expected !== '' && expected !== '0' && expected !== old.metadata.resourceVersion)",
    replace: "if (expected === 'never')",
    sentence: 'A write that names a resourceVersion overwrites whatever is there.',
  },
  {
    name: 'api/uid-ignored-on-delete',
    file: 'apiserver/operations/delete.ts',
    find: 'if (uid !== undefined && uid !== metadata.uid)',
    replace: "if (uid === 'never')",
    sentence: 'A deletion of one object deletes its successor of the same name.',
  },
  {
    name: 'api/version-ignored-on-delete',
    file: 'apiserver/operations/delete.ts',
    find: 'if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion)',
    replace: "if (resourceVersion === 'never')",
    sentence: 'A deletion that names a resourceVersion deletes whatever is there.',
  },
  {
    name: 'api/uid-ignored-on-update',
    file: 'apiserver/operations/update.ts',
    find: "if (uid !== undefined && uid !== '' && uid !== old.metadata.uid)",
    replace: "if (uid === 'never')",
    sentence: 'A patch that was meant for one object changes its successor of the same name.',
  },
  {
    name: 'api/finalizer-ignored',
    file: 'apiserver/operations/delete.ts',
    find: "if ((meta.finalizers?.length ?? 0) === 0 && meta.deletionGracePeriodSeconds === 0) return 'remove';",
    replace: "if (meta.deletionGracePeriodSeconds === 0) return 'remove';",
    sentence: 'An object is removed while a finalizer holds it.',
  },
  {
    name: 'api/grace-ignored',
    file: 'apiserver/operations/delete.ts',
    find: 'return asked < 0 ? 1 : asked;',
    replace: 'return 0;',
    sentence: 'A running pod is gone from the API at once, while its node still runs it.',
  },
  {
    name: 'api/generation-not-raised',
    file: 'apiserver/operations/update.ts',
    find: 'draft.metadata.generation = (old.metadata.generation ?? 0) + 1;',
    replace: 'draft.metadata.generation = old.metadata.generation ?? 0;',
    sentence: 'A change of the spec does not raise the generation.',
  },
  {
    name: 'api/created-in-ending-namespace',
    file: 'apiserver/admission/namespace.ts',
    find: "if (metadata.deletionTimestamp === undefined && status?.phase !== 'Terminating') return;",
    replace: "if (status?.phase !== 'Never') return;",
    sentence: 'New objects are let into a namespace that is being deleted.',
  },
  {
    name: 'api/quota-forgets-promises',
    file: 'apiserver/admission/quota/step.ts',
    find: 'if (promised.size === 0) return used;',
    replace: 'if (promised.size >= 0) return used;',
    sentence: 'What has been let in and is not stored yet does not count: many at once exceed a quota.',
  },
  {
    name: 'api/quota-not-followed',
    file: 'controllers/resource-quota/plan.ts',
    find: '...(sameJson(status.used ?? {}, used) ? {} : { used: changed(status.used, used) }),',
    replace: '...(status.used === undefined ? { used: changed(status.used, used) } : {}),',
    sentence: 'The status of a quota says what was used when it was made.',
  },
  {
    name: 'api/bound-twice',
    file: 'apiserver/operations/pod-subresources.ts',
    find: "if (pod.spec?.nodeName !== undefined && pod.spec.nodeName !== '')",
    replace: "if (pod.spec?.nodeName === 'never')",
    sentence: 'A pod that has a node can be given another.',
  },
  {
    name: 'api/ending-pod-bound',
    file: 'apiserver/operations/pod-subresources.ts',
    find: 'if (old.metadata.deletionTimestamp !== undefined)',
    replace: "if (old.metadata.name === 'never')",
    sentence: 'A pod that is being deleted is given a node.',
    harmless:
      'a pod without a node has no grace: its deletion removes it at once, so none is ever both going and unbound',
  },
  {
    name: 'api/watch-event-lost',
    file: 'apiserver/operations/watch.ts',
    find: 'if (changes.length > 0) sink.onChanges(changes, isShared);',
    replace:
      'if (changes.length > 0) sink.onChanges(changes.length > 2 ? changes.slice(1) : changes, false);',
    sentence: 'Of three or more changes that became durable together a watcher is not told the first.',
  },
  {
    name: 'api/watch-in-reverse',
    file: 'apiserver/operations/watch.ts',
    find: 'if (changes.length > 0) sink.onChanges(changes, isShared);',
    replace: 'if (changes.length > 0) sink.onChanges([...changes].reverse(), false);',
    sentence: 'A watcher is told what became durable together in reverse order.',
  },
  {
    name: 'api/watch-leave-missed',
    file: 'apiserver/operations/watch.ts',
    find: "else if (was) changes.push({ type: 'DELETED', stored: event.current });",
    replace:
      "else if (was && event.kind === 'delete') changes.push({ type: 'DELETED', stored: event.current });",
    sentence: 'A watcher of a selection is not told of an object that leaves it.',
  },
  {
    name: 'api/bookmark-ahead',
    file: 'apiserver/operations/watch.ts',
    find: 'sink.onBookmark(revision, false);',
    replace: 'sink.onBookmark(revision + 50, false);',
    sentence: 'A bookmark names a revision that the watcher has not been told of: it goes on behind a gap.',
  },
  {
    name: 'api/page-border-skipped',
    file: 'apiserver/operations/read.ts',
    find: 'const items = matches === undefined ? listing.items : listing.items.filter(matches);',
    replace:
      'const all = matches === undefined ? listing.items : listing.items.filter(matches);\n    const items = listing.more ? all.slice(0, -1) : all;',
    sentence: 'The last object of each page but the last is in no page.',
  },
  {
    name: 'api/address-twice',
    file: 'apiserver/service-allocator.ts',
    find: 'const address = addressOf(first + from + ((start + step) % count));\n        if (this.#isFree(address)) return address;',
    replace: 'if (start + step >= 0) return addressOf(first + from + (this.#addresses.size % count));',
    sentence:
      'The next virtual address is counted by how many are in use: after a deletion one is given twice.',
  },
];
