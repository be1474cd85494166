/** Answers for hollow pods: one log line, an exec that says that it is simulated, no ports. */
import { Readable, Writable } from 'node:stream';
import { badRequest, notFound, type Pod } from '../../../api/index.ts';
import { type Clock, formatMicroTime } from '../../../lib/index.ts';
import { nodesRef, podsRef } from '../../objects.ts';
import type { ExecSession } from '../../runtime/runtime.ts';
import type { AgentEndpoint } from '../../server/endpoint.ts';
import type { HollowNodes } from '../hollow-nodes.ts';

export function createHollowEndpoint(nodes: HollowNodes, clock: Clock): AgentEndpoint {
  const find = (namespace: string, name: string): Pod => {
    const pod = nodes.findPod(namespace, name);
    if (pod === undefined) throw notFound(podsRef, name);
    return pod;
  };
  const session = (namespace: string, name: string): ExecSession => {
    const pod = find(namespace, name);
    const text = `pod ${name} is simulated by hollow node ${pod.spec?.nodeName}: nothing runs in it\n`;
    return {
      stdin: new Writable({ write: (_chunk, _encoding, done) => done() }),
      stdout: Readable.from([Buffer.from(text)]),
      stderr: Readable.from([]),
      resize: () => {},
      exited: Promise.resolve(0),
      kill: () => {},
    };
  };
  return {
    pods: () => nodes.pods(),
    openExec: async (namespace, pod) => session(namespace, pod),
    openAttach: async (namespace, pod) => session(namespace, pod),
    openPort: async (namespace, name, port) => {
      find(namespace, name);
      throw badRequest(`Cannot open port ${port} of pod "${name}": the pod is simulated`);
    },
    logs: async (namespace, name, _container, options) => {
      const pod = find(namespace, name);
      const startedMs = Date.parse(pod.status?.startTime ?? '') || clock.nowMs();
      const stamp = options.timestamps ? `${formatMicroTime(startedMs)} ` : '';
      const silent = options.tailLines === 0 || (options.sinceMs ?? 0) > startedMs;
      const line = `${stamp}hollow pod ${namespace}/${name} on ${pod.spec?.nodeName}\n`;
      return (async function* lines() {
        if (!silent) yield Buffer.from(line);
      })();
    },
    usage: async (nodeName = nodes.names[0] ?? '') => {
      const usage = nodes.usage(nodeName);
      if (usage === undefined) throw notFound(nodesRef, nodeName);
      return usage;
    },
  };
}
