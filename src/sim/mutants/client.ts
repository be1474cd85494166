/** Faults of what every controller stands on: informers, queues, the shell. */
import type { Mutant } from './mutant.ts';

export const clientMutants: readonly Mutant[] = [
  {
    name: 'client/no-relist-after-410',
    file: 'client/informer.ts',
    find: '        if (!mustList) this.#failures = 0;\n        mustList = true;\n',
    replace: '',
    sentence: 'An informer whose revision has expired asks for that revision for ever.',
  },
  {
    name: 'client/deletions-ignored',
    file: 'client/informer.ts',
    find: "if (event.type === 'DELETED') this.copy.delete(event.object);\n    else this.copy.set(event.object);",
    replace: "if (event.type !== 'DELETED') this.copy.set(event.object);",
    sentence: 'An informer keeps objects that were deleted.',
  },
  {
    name: 'client/vanished-kept',
    file: 'client/object-copy.ts',
    find: 'if (!keys.has(key)) this.delete(object);',
    replace: 'if (keys.has(key) && object.metadata.name === undefined) this.delete(object);',
    sentence: 'A new list does not take away what was deleted while nobody watched.',
  },
  {
    name: 'client/resumes-from-now',
    file: 'client/informer.ts',
    find: 'const options = { ...this.#selection, resourceVersion: this.#revision, signal };',
    replace:
      "const options = { ...this.#selection, resourceVersion: this.#failures > 0 ? '' : this.#revision, signal };",
    sentence: 'A watch that broke is begun from now: deletions in between are never heard of.',
  },
  {
    name: 'client/gives-up',
    file: 'client/informer.ts',
    find: 'await this.#backOff(error);\n',
    replace: 'if (this.#failures > 4) return;\n      await this.#backOff(error);\n',
    sentence: 'An informer that has failed five times in a row never tries again.',
  },
  {
    name: 'client/predecessor-kept',
    file: 'client/object-copy.ts',
    find: 'if (previous !== undefined && previous.metadata.uid !== object.metadata.uid) {',
    replace: "if (previous !== undefined && object.metadata.uid === '') {",
    sentence: 'An object that replaced another of its name is told as a change of that other.',
  },
  {
    name: 'queue/failure-not-retried',
    file: 'lib/queue.ts',
    find: 'const retryMs = this.retry(key);',
    replace: 'const retryMs = 0;',
    sentence: 'A key whose work failed is not worked again.',
  },
  {
    name: 'queue/added-while-running-lost',
    file: 'lib/queue.ts',
    find: 'this.#again.add(key);\n      return;\n    }\n    this.#waiting.add(key);',
    replace: 'return;\n    }\n    this.#waiting.add(key);',
    sentence: 'A change that comes while its key is being worked is lost.',
  },
  {
    name: 'queue/later-hides-earlier',
    file: 'lib/queue.ts',
    find: 'if (before !== undefined && before.dueMs <= dueMs) return;\n    before?.timer.cancel();\n    const timer = this.#options.clock',
    replace: 'if (before !== undefined) return;\n    const timer = this.#options.clock',
    sentence: 'A key that is to be looked at in ten minutes is not retried before.',
  },
  {
    name: 'queue/backoff-endless',
    file: 'lib/backoff.ts',
    find: 'const wholeMs = Math.min(maxMs, firstMs * factor ** Math.min(count - 1, 64));',
    replace: 'const wholeMs = firstMs * factor ** Math.min(count + 7, 64);',
    sentence: 'The time between tries has no upper bound.',
  },
  {
    name: 'queue/backoff-not-reset',
    file: 'lib/queue.ts',
    find: 'this.#backoff.reset(key);',
    replace: '',
    sentence: 'A key that is well keeps the back-off of its old failures.',
  },
  {
    name: 'shell/own-writes-not-awaited',
    file: 'controllers/shell.ts',
    find: 'if (this.#stopped || !this.#ownWrites.allSeen(key)) return;',
    replace: 'if (this.#stopped) return;',
    sentence: 'Controllers decide on a copy that does not yet show what they have just written.',
  },
  {
    name: 'shell/repeated-under-new-name',
    file: 'controllers/shell.ts',
    find: 'return await client.create(ref, object);',
    replace:
      'const { name: _, ...nameless } = object.metadata;\n      const isMade = mayBeThere && nameless.generateName !== undefined;\n      return await client.create(ref, isMade ? this.#named({ ...object, metadata: nameless }) : object);',
    sentence: 'A creation whose answer was lost is repeated under another name.',
  },
  {
    name: 'shell/uncertain-creation-forgotten',
    file: 'controllers/shell.ts',
    find: 'if (others === undefined) this.#uncertain.set(key, [{ ref, object }]);',
    replace: 'if (others === undefined) this.#uncertain.delete(key);',
    sentence: 'A creation whose outcome is not known is taken for one that failed: another is made.',
  },
  {
    name: 'shell/deletes-by-name',
    file: 'controllers/shell.ts',
    find: 'const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };',
    replace: 'const preconditions = {};',
    sentence: 'Controllers delete whatever bears the name that their stale copy knows.',
  },
];
